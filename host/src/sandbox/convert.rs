//! Between the contract's generated types and the model. What comes out of a guest is checked
//! here: nothing behind this door meets a date that no calendar has or an index into nowhere.

mod answers;
mod codes;
mod events;
mod people;
mod queries;
mod told;
mod writes;

use super::bindings::types;
use super::fault::Fault;
use super::instance::{Answer, Pending};
use crate::model::{Failure, Opaque, Refusal, Unavailability};

pub(super) use answers::{find, household, search, verify};
pub(super) use events::{callback, changes, reception};
pub(super) use queries::{find_query, household_query, pending_answer, search_query, verify_query};
pub(super) use writes::{
    create_request, enrolment_request, fate, link_request, trace_query, update_request, written,
};

/// A guest's answer as plain data, or the fault of one that is garbage.
pub(super) type Converted<T> = Result<Result<Answer<T>, Failure>, Fault>;

/// Registry codes and field names reach problems, logs and metrics: no free text among them.
const MAX_CODE: usize = 128;

/// A limit as wasmtime takes it.
pub(super) fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn garbage(place: impl Into<String>) -> Fault {
    Fault::Garbage(place.into())
}

fn pending<T>(pending: types::Pending) -> Answer<T> {
    Answer::Pending(Pending {
        reference: pending.reference,
        state: opaque(pending.state),
        retry_after_ms: pending.retry_after_ms,
    })
}

fn opaque(opaque: types::Opaque) -> Opaque {
    Opaque {
        schema: opaque.schema,
        data: opaque.data,
    }
}

pub(super) fn opaque_out(opaque: &Opaque) -> types::Opaque {
    types::Opaque {
        schema: opaque.schema,
        data: opaque.data.clone(),
    }
}

fn failure(failure: types::Failure) -> Failure {
    match failure {
        types::Failure::NotFound => Failure::NotFound,
        types::Failure::Ambiguous(why) => Failure::Ambiguous(refusal(why)),
        types::Failure::Rejected(why) => Failure::Rejected(refusal(why)),
        types::Failure::Denied(why) => Failure::Denied(refusal(why)),
        types::Failure::Conflict(why) => Failure::Conflict(refusal(why)),
        types::Failure::Unsupported(why) => Failure::Unsupported(refusal(why)),
        types::Failure::Unavailable(why) => Failure::Unavailable(unavailability(why)),
        types::Failure::Unreadable(why) => Failure::Unreadable(refusal(why)),
        types::Failure::Misconfigured(why) => Failure::Misconfigured(refusal(why)),
        types::Failure::Other(why) => Failure::Other(refusal(why)),
    }
}

fn unavailability(why: types::Unavailability) -> Unavailability {
    Unavailability {
        code: why.code.and_then(code),
        retry_after_ms: why.retry_after_ms,
    }
}

/// The registry's free text stays behind.
fn refusal(refusal: types::Refusal) -> Refusal {
    Refusal {
        code: refusal.code.and_then(code),
        field: refusal.field.and_then(code),
    }
}

/// A code that is not one is dropped: an adapter may have put a sentence there.
fn code(code: String) -> Option<String> {
    let fits = (1..=MAX_CODE).contains(&code.len())
        && code
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b));
    fits.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_sentence_is_no_code() {
        assert_eq!(
            code("rjct.search.too_many_records_found".into()).as_deref(),
            Some("rjct.search.too_many_records_found")
        );
        for bad in ["", "no Sita Sharma here", "é", &"x".repeat(129)] {
            assert_eq!(code(bad.into()), None, "{bad}");
        }
    }
}

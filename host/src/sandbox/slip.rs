//! A last look at what a failure tells. Codes and field names go to callers, logs and metrics, and
//! an adapter that takes the registry's words for codes may pass on whom the question was about.

use bytes::Bytes;

use super::mask;
use crate::model::Failure;

/// A number with so many digits in a row is taken for somebody's: registries' own codes have
/// fewer.
const LONG_NUMBER: usize = 5;

/// Drops codes and field names that may name somebody. `who` holds the identifiers and names that
/// were asked with.
pub(super) fn drop_names(failure: &mut Failure, who: &Bytes) {
    for told in told(failure) {
        if told.as_ref().is_some_and(|text| may_name(text, who)) {
            *told = None;
        }
    }
}

fn told(failure: &mut Failure) -> Vec<&mut Option<String>> {
    match failure {
        Failure::NotFound => Vec::new(),
        Failure::Unavailable(why) => vec![&mut why.code],
        Failure::Ambiguous(why)
        | Failure::Rejected(why)
        | Failure::Denied(why)
        | Failure::Conflict(why)
        | Failure::Unsupported(why)
        | Failure::Unreadable(why)
        | Failure::Misconfigured(why)
        | Failure::Other(why) => vec![&mut why.code, &mut why.field],
    }
}

fn may_name(text: &str, who: &Bytes) -> bool {
    text.split(|c: char| !c.is_ascii_digit())
        .any(|digits| digits.len() >= LONG_NUMBER)
        || mask::shares_a_word(text, who)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Refusal, Unavailability};

    #[test]
    fn a_code_that_may_name_somebody_is_dropped() {
        let who = Bytes::from_static(br#"["Sita Sharma","77-1"]"#);
        for (code, kept) in [
            ("rjct.search.too_many_records_found", true),
            ("IDA-MLC-0009", true),
            ("not_found.SITA", false),
            ("sharma", false),
            ("id-77", false),
            ("id.19871", false),
        ] {
            let mut failure = Failure::Rejected(Refusal {
                code: Some(code.into()),
                field: Some(code.into()),
            });
            drop_names(&mut failure, &who);
            let kept = kept.then(|| code.to_owned());
            let left = Refusal {
                code: kept.clone(),
                field: kept,
            };
            assert_eq!(failure, Failure::Rejected(left), "{code}");
        }
        let mut failure = Failure::Unavailable(Unavailability {
            code: Some("1987123".into()),
            retry_after_ms: Some(7),
        });
        drop_names(&mut failure, &Bytes::new());
        let left = Unavailability {
            code: None,
            retry_after_ms: Some(7),
        };
        assert_eq!(failure, Failure::Unavailable(left));
    }
}

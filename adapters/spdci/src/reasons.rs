//! Every reason code of SPDCI v1.0.0 and the failure that it is: `SearchStatusReasonCode`,
//! `MsgHeaderStatusReasonCode`, the reason codes of subscribe and unsubscribe, and the
//! acknowledgement's `Error.code`.
//!
//! The registry's own words (`status_reason_message`) are left out: they may name the person. So may
//! a code that the specification does not have, see [`failure`].

use adapter_sdk::Failure;
use serde::{Deserialize, Serialize};

use Field::{Asked as TheAsked, Nothing, Paging, Setting, Sorting};
use Kind::{Conflict, Denied, Misconfigured, Rejected, Unavailable, Unsupported};

/// Which failure a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the caller asked must change.
    Rejected,
    /// Who we are is not accepted.
    Denied,
    /// It is so already.
    Conflict,
    /// Message by message this adapter and the registry do not understand each other, whatever the
    /// settings.
    Unsupported,
    /// What an administrator must mend: a setting, the endpoint, or that the registry wants
    /// signatures or encryption, which this adapter does not have.
    Misconfigured,
    /// Later it may work.
    Unavailable,
}

/// What a code is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// No field of the request or the settings.
    Nothing,
    /// What was asked by.
    Asked,
    /// The page that was asked for.
    Paging,
    /// The order that was asked for.
    Sorting,
    /// A setting.
    Setting(&'static str),
}

/// What the caller asked by, so that a refusal names a field of the caller's own request.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub enum Asked {
    /// Identifiers: find, household, verify.
    #[default]
    Identifiers,
    /// Criteria: the first page of a search.
    Criteria,
    /// Criteria and a page token: a further page of a search.
    NextPage,
}

impl Field {
    /// Its name for the caller. Order and page of a look-up by identifier are the adapter's own.
    fn name(self, asked: Asked) -> Option<&'static str> {
        match (self, asked) {
            (TheAsked, Asked::Identifiers) => Some("identifiers"),
            (TheAsked, Asked::Criteria | Asked::NextPage) => Some("criteria"),
            (Paging, Asked::Criteria) => Some("pageSize"),
            (Paging, Asked::NextPage) => Some("page"),
            (Sorting, Asked::Criteria | Asked::NextPage) => Some("sort"),
            (Setting(name), _) => Some(name),
            (Nothing, _) | (Paging | Sorting, Asked::Identifiers) => None,
        }
    }
}

/// Code, kind, and what it is about.
pub static REASONS: &[(&str, Kind, Field)] = &[
    // SearchStatusReasonCode
    ("rjct.reference_id.invalid", Unsupported, Nothing),
    // Our numbers are random: a duplicate is a copy made on the way, and the next one differs.
    ("rjct.reference_id.duplicate", Unavailable, Nothing),
    ("rjct.timestamp.invalid", Unsupported, Nothing),
    ("rjct.search_criteria.invalid", Rejected, TheAsked),
    ("rjct.filter.invalid", Rejected, TheAsked),
    ("rjct.sort.invalid", Rejected, Sorting),
    ("rjct.pagination.invalid", Rejected, Paging),
    ("rjct.search.too_many_records_found", Rejected, TheAsked),
    // Subscribe
    ("rjct.notify_types.invalid", Rejected, Nothing),
    ("rjct.notify_details.invalid", Rejected, Nothing),
    ("rjct.person_id.invalid", Rejected, TheAsked),
    ("rjct.event.already_subscribed", Conflict, Nothing),
    // Unsubscribe
    ("rjct.subscription_code.invalid", Rejected, Nothing),
    ("rjct.requester.invalid", Denied, Nothing),
    ("rjct.event.already_unsubscribed", Conflict, Nothing),
    // MsgHeaderStatusReasonCode
    (
        "rjct.version.invalid",
        Misconfigured,
        Setting("settings.version"),
    ),
    ("rjct.message_id.duplicate", Unavailable, Nothing),
    ("rjct.message_ts.invalid", Unsupported, Nothing),
    // The action is always `search`: what stands at this path is for something else.
    (
        "rjct.action.invalid",
        Misconfigured,
        Setting("settings.path"),
    ),
    (
        "rjct.action.not_supported",
        Misconfigured,
        Setting("settings.path"),
    ),
    ("rjct.total_count.invalid", Unsupported, Nothing),
    ("rjct.total_count.limit_exceeded", Rejected, Nothing),
    ("rjct.errors.too_many", Rejected, Nothing),
    // Error.code of an acknowledgement
    ("err.request.bad", Rejected, Nothing),
    ("err.request.unauthorized", Denied, Nothing),
    ("err.request.forbidden", Denied, Nothing),
    // The request's address, not the person: to say that nobody is there would be wrong.
    (
        "err.request.not_found",
        Misconfigured,
        Setting("settings.path"),
    ),
    ("err.request.timeout", Unavailable, Nothing),
    (
        "err.version.not_supported",
        Misconfigured,
        Setting("settings.version"),
    ),
    ("err.request.too_many_requests", Unavailable, Nothing),
    (
        "err.sender_id.invalid",
        Misconfigured,
        Setting("settings.sender_id"),
    ),
    (
        "err.sender_uri.invalid",
        Misconfigured,
        Setting("settings.sender_uri"),
    ),
    (
        "err.receiver_id.invalid",
        Misconfigured,
        Setting("settings.receiver_id"),
    ),
    // Nothing is signed or encrypted here: a registry that says so wants it.
    ("err.signature.missing", Misconfigured, Nothing),
    ("err.signature.invalid", Misconfigured, Nothing),
    ("err.encryption.invalid", Misconfigured, Nothing),
    ("err.service.unavailable", Unavailable, Nothing),
];

/// The code that stands for what is no code.
const UNKNOWN: &str = "reason.unknown";

/// Whether the specification has this code.
pub fn known(code: &str) -> bool {
    REASONS.iter().any(|(known, _, _)| *known == code)
}

/// The failure of a code. One that the specification does not have is kept where it is built like
/// one of the specification's: `rejected` behind `rjct.`, `other` behind `err.`. Anything else may be
/// a sentence about the person, and is `other` with the code `reason.unknown`.
pub fn failure(code: &str, asked: Asked) -> Failure {
    let code = code.trim();
    let Some((_, kind, field)) = REASONS.iter().find(|(known, _, _)| *known == code) else {
        return match code.split_once('.') {
            Some(("rjct", rest)) if is_dotted(rest) => Failure::rejected(code),
            Some(("err", rest)) if is_dotted(rest) => Failure::other(code),
            _ => Failure::other(UNKNOWN),
        };
    };
    let failure = match kind {
        Rejected => Failure::rejected(code),
        Denied => Failure::denied(code),
        Conflict => Failure::conflict(code),
        Unsupported => Failure::unsupported(code),
        Misconfigured => Failure::misconfigured(code),
        Unavailable => Failure::unavailable(code),
    };
    match field.name(asked) {
        Some(field) => failure.field(field),
        None => failure,
    }
}

/// Words of lower-case letters, digits and `_` between dots, and a code's length.
fn is_dotted(rest: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    rest.len() <= 120
        && rest
            .split('.')
            .all(|word| !word.is_empty() && word.bytes().all(letter))
}

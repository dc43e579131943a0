//! Every reason code of SPDCI v1.0.0 and the failure that it is: `SearchStatusReasonCode`,
//! `MsgHeaderStatusReasonCode`, the reason codes of subscribe and unsubscribe, and the
//! acknowledgement's `Error.code`.
//!
//! The registry's own words (`status_reason_message`) are left out: they may name the person.

use adapter_sdk::Failure;

use Kind::{Conflict, Denied, Rejected, Unavailable, Unsupported};

/// Which failure a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the caller asked must change.
    Rejected,
    /// Who we are, or our signature, is not accepted.
    Denied,
    /// It is so already.
    Conflict,
    /// Message by message this adapter and the registry do not understand each other: a matter of
    /// settings, not of the question.
    Unsupported,
    /// Later it may work.
    Unavailable,
}

/// Code, kind, and the model's field that it is about.
pub static REASONS: &[(&str, Kind, Option<&str>)] = &[
    // SearchStatusReasonCode
    ("rjct.reference_id.invalid", Unsupported, None),
    // Our numbers are random: a duplicate is a copy made on the way, and the next one differs.
    ("rjct.reference_id.duplicate", Unavailable, None),
    ("rjct.timestamp.invalid", Unsupported, None),
    ("rjct.search_criteria.invalid", Rejected, Some("criteria")),
    ("rjct.filter.invalid", Rejected, Some("criteria")),
    ("rjct.sort.invalid", Rejected, Some("sort")),
    ("rjct.pagination.invalid", Rejected, Some("page")),
    (
        "rjct.search.too_many_records_found",
        Rejected,
        Some("criteria"),
    ),
    // Subscribe
    ("rjct.notify_types.invalid", Rejected, None),
    ("rjct.notify_details.invalid", Rejected, None),
    ("rjct.person_id.invalid", Rejected, Some("identifiers")),
    ("rjct.event.already_subscribed", Conflict, None),
    // Unsubscribe
    ("rjct.subscription_code.invalid", Rejected, None),
    ("rjct.requester.invalid", Denied, None),
    ("rjct.event.already_unsubscribed", Conflict, None),
    // MsgHeaderStatusReasonCode
    ("rjct.version.invalid", Unsupported, None),
    ("rjct.message_id.duplicate", Unavailable, None),
    ("rjct.message_ts.invalid", Unsupported, None),
    ("rjct.action.invalid", Unsupported, None),
    ("rjct.action.not_supported", Unsupported, None),
    ("rjct.total_count.invalid", Unsupported, None),
    ("rjct.total_count.limit_exceeded", Rejected, None),
    ("rjct.errors.too_many", Rejected, None),
    // Error.code of an acknowledgement
    ("err.request.bad", Rejected, None),
    ("err.request.unauthorized", Denied, None),
    ("err.request.forbidden", Denied, None),
    // The request's address, not the person: to say that nobody is there would be wrong.
    ("err.request.not_found", Unsupported, None),
    ("err.request.timeout", Unavailable, None),
    ("err.version.not_supported", Unsupported, None),
    ("err.request.too_many_requests", Unavailable, None),
    ("err.sender_id.invalid", Denied, None),
    ("err.sender_uri.invalid", Denied, None),
    ("err.receiver_id.invalid", Denied, None),
    ("err.signature.missing", Denied, None),
    ("err.signature.invalid", Denied, None),
    ("err.encryption.invalid", Denied, None),
    ("err.service.unavailable", Unavailable, None),
];

/// Whether the specification has this code.
pub fn known(code: &str) -> bool {
    REASONS.iter().any(|(known, _, _)| *known == code)
}

/// The failure of a code. One that the specification does not have is `rejected` where it begins
/// with `rjct`, else `other`; the code goes along in any case.
pub fn failure(code: &str) -> Failure {
    let code = code.trim();
    let Some((_, kind, field)) = REASONS.iter().find(|(known, _, _)| *known == code) else {
        let rejected = code == "rjct" || code.starts_with("rjct.");
        return if rejected {
            Failure::rejected(code)
        } else {
            Failure::other(code)
        };
    };
    let failure = match kind {
        Rejected => Failure::rejected(code),
        Denied => Failure::denied(code),
        Conflict => Failure::conflict(code),
        Unsupported => Failure::unsupported(code),
        Unavailable => Failure::unavailable(code),
    };
    match field {
        Some(field) => failure.field(*field),
        None => failure,
    }
}

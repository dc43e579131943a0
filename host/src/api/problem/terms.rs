//! Calls that do not hold to a registry's policy.

use axum::http::StatusCode;

use super::Problem;
use crate::gateway::Requirement;

/// It does not state what the policy requires.
pub(super) fn missing(requirement: Requirement) -> Problem {
    let (field, detail) = statement(requirement);
    let text = format!("this registry's policy requires it: {detail}");
    Problem::new(StatusCode::BAD_REQUEST, "missing-statement", text).field(field)
}

/// It states what is not on the policy's list.
pub(super) fn not_accepted(requirement: Requirement) -> Problem {
    let (field, _) = statement(requirement);
    let text = "this registry's policy has a list of what is accepted here, and this is not on it";
    Problem::new(StatusCode::FORBIDDEN, "not-accepted", text).field(field)
}

/// It comes outside the registry's hours.
pub(super) fn closed(retry_after_ms: u32) -> Problem {
    let text = "this registry may be asked at certain hours only";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "registry-closed", text)
        .retry_after_ms(Some(retry_after_ms))
}

fn statement(requirement: Requirement) -> (&'static str, &'static str) {
    match requirement {
        Requirement::Purpose => ("Registry-Purpose", "say why the person is looked up"),
        Requirement::LegalBasis => ("Registry-Legal-Basis", "say by which legal basis"),
        Requirement::User => ("Registry-User", "say for which user"),
        Requirement::Entity => ("Registry-Entity", "say for which organisation"),
        Requirement::Consent => ("consent", "give the person's consent"),
    }
}

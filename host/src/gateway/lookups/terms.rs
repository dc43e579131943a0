//! On which terms a registry may be asked: what a call must state, which of it is accepted, and when.

use jiff::Timestamp;

use super::policy::check_statements;
use crate::config::registry::{PolicyConfig, Requirement};
use crate::gateway::GatewayError;
use crate::model::Call;

/// Refuses a call that does not hold to the registry's terms.
pub(in crate::gateway) fn check_terms(
    policy: &PolicyConfig,
    call: &Call,
    at: Timestamp,
) -> Result<(), GatewayError> {
    check_stated(policy, call)?;
    match policy.hours.as_ref().and_then(|hours| hours.closed_for(at)) {
        None => Ok(()),
        Some(closed) => Err(GatewayError::Closed {
            retry_after_ms: u32::try_from(closed.as_millis()).unwrap_or(u32::MAX),
        }),
    }
}

/// The same at any hour: what is to be written waits until the registry may be asked.
pub(in crate::gateway) fn check_stated(
    policy: &PolicyConfig,
    call: &Call,
) -> Result<(), GatewayError> {
    check_statements(policy, call)?;
    let asker = &call.asker;
    for (requirement, accepted, stated) in [
        (Requirement::Purpose, &policy.purposes, &asker.purpose),
        (
            Requirement::LegalBasis,
            &policy.legal_bases,
            &asker.legal_basis,
        ),
    ] {
        if let (Some(accepted), Some(stated)) = (accepted, stated)
            && !accepted.contains(stated)
        {
            return Err(GatewayError::NotAccepted(requirement));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(value: serde_json::Value) -> PolicyConfig {
        serde_json::from_value(value).expect("a policy")
    }

    fn call(purpose: &str, legal_basis: Option<&str>) -> Call {
        let mut call = Call::default();
        call.asker.purpose = Some(purpose.into());
        call.asker.legal_basis = legal_basis.map(str::to_owned);
        call
    }

    #[test]
    fn a_closed_list_accepts_what_it_has() {
        let policy = policy(json!({
            "required": ["purpose", "legal-basis"],
            "purposes": ["enrolment"],
            "legal_bases": ["law-7"],
        }));
        let now = Timestamp::now();
        assert!(check_terms(&policy, &call("enrolment", Some("law-7")), now).is_ok());
        for (call, refused) in [
            (call("Enrolment", Some("law-7")), Requirement::Purpose),
            (call("enrolment", Some("law-8")), Requirement::LegalBasis),
        ] {
            let error = check_terms(&policy, &call, now).unwrap_err();
            assert!(matches!(error, GatewayError::NotAccepted(it) if it == refused));
        }
        let error = check_terms(&policy, &call("enrolment", None), now).unwrap_err();
        assert!(matches!(
            error,
            GatewayError::Missing(Requirement::LegalBasis)
        ));
    }

    #[test]
    fn outside_its_hours_it_says_when_they_begin() {
        let policy = policy(json!({
            "hours": { "zone": "Asia/Kathmandu", "windows": ["mon-fri 09:00-17:00"] },
        }));
        let call = call("any", None);
        let at = |text: &str| check_terms(&policy, &call, text.parse().expect("a time"));
        // Monday, 9:00 there.
        assert!(at("2026-03-09T03:15:00Z").is_ok());
        let closed = at("2026-03-09T03:14:00Z").unwrap_err();
        assert!(matches!(
            closed,
            GatewayError::Closed {
                retry_after_ms: 60_000
            }
        ));
    }
}

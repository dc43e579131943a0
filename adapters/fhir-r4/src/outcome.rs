//! What a server says when it says no: a status, and an OperationOutcome (R4, section 2.28).

use adapter_sdk::Failure;
use adapter_sdk::http::Response;
use adapter_sdk::model::Extra;
use serde_json::{Value, json};

use crate::json::Object;

/// The failure of a response that is none of ours to read, or nothing.
pub fn refusal(response: &Response) -> Option<Failure> {
    if (200..=299).contains(&response.status) {
        return None;
    }
    let body: Option<Value> = response.json().ok();
    Some(failure(
        response.status,
        body.as_ref(),
        response.retry_after_ms(),
    ))
}

/// The failure that a status and an OperationOutcome make, the outcome being the more exact of the
/// two. Its texts are left out: servers put names and numbers into them.
pub fn failure(status: u16, body: Option<&Value>, retry_after_ms: Option<u32>) -> Failure {
    let issue = body.and_then(error);
    let code = issue.and_then(|it| it.text("code"));
    let said = code.map_or_else(|| format!("http.{status}"), |it| format!("fhir.{it}"));
    let failure = match (status, code) {
        (_, Some("multiple-matches")) => Failure::ambiguous(said),
        (401 | 403, _) => Failure::denied(said),
        (404 | 410, _) => Failure::not_found(),
        (409 | 412, _) => Failure::conflict(said),
        (405 | 501, _) => Failure::unsupported(said),
        (408 | 425 | 429 | 500..=599, _) => Failure::unavailable(said),
        (_, Some(code)) => by_code(code, &said),
        (400..=499, None) => Failure::rejected(said),
        _ => Failure::unreadable(said),
    };
    let failure = match issue.and_then(|it| field(&it)) {
        Some(field) => failure.field(field),
        None => failure,
    };
    let failure = match body.map(issues).filter(|issues| issues.len() > 1) {
        // One alone is the code and field above.
        Some(issues) => failure.extra(Extra::new("issues", &Value::Array(issues))),
        None => failure,
    };
    failure.retry_after_ms(retry_after_ms)
}

/// The code system `issue-type`, for answers whose status says nothing (200 with an outcome).
fn by_code(code: &str, said: &str) -> Failure {
    match code {
        "not-found" | "deleted" => Failure::not_found(),
        "security" | "login" | "unknown" | "expired" | "forbidden" | "suppressed" => {
            Failure::denied(said)
        }
        "not-supported" => Failure::unsupported(said),
        "conflict" | "duplicate" => Failure::conflict(said),
        "transient" | "lock-error" | "no-store" | "exception" | "timeout" | "incomplete"
        | "throttled" => Failure::unavailable(said),
        _ => Failure::rejected(said),
    }
}

/// The first issue that is an error.
pub fn error<'a>(outcome: &'a Value) -> Option<Object<'a>> {
    let outcome = Object::new(outcome)?;
    if outcome.text("resourceType") != Some("OperationOutcome") {
        return None;
    }
    let issues = outcome.objects("issue").into_iter();
    let mut errors = issues.filter(|it| matches!(it.text("severity"), Some("error" | "fatal")));
    errors.next()
}

/// The codes of its issues.
pub fn codes(outcome: &Value) -> Vec<String> {
    let issues = Object::new(outcome).map(|it| it.objects("issue"));
    let issues = issues.unwrap_or_default().into_iter();
    let codes = issues.filter_map(|it| it.text("code"));
    codes
        .filter(|code| is_code(code))
        .map(str::to_owned)
        .collect()
}

/// All issues, by code and field alone.
fn issues(outcome: &Value) -> Vec<Value> {
    let issues = Object::new(outcome).map(|it| it.objects("issue"));
    let issues = issues.unwrap_or_default().into_iter();
    let told = issues.filter_map(|it| {
        let code = it.text("code").filter(|code| is_code(code))?;
        Some(json!({ "code": code, "field": field(&it) }))
    });
    told.collect()
}

fn is_code(code: &str) -> bool {
    code.len() <= 32 && code.bytes().all(|it| it.is_ascii_lowercase() || it == b'-')
}

/// The field of ours that `expression` (FHIRPath) or `location` (XPath) speaks of.
fn field(issue: &Object<'_>) -> Option<&'static str> {
    let place = ["expression", "location"]
        .into_iter()
        .find_map(|name| issue.list(name).first()?.as_str())?;
    let inside = place
        .split_once("Patient")
        .map_or(place, |(_, inside)| inside);
    let start = inside.trim_start_matches(['.', '/', ':', 'f']);
    let end = start.find(|c: char| !c.is_ascii_alphabetic());
    Some(match start.get(..end.unwrap_or(start.len()))? {
        "identifier" => "identifiers",
        "name" => "names",
        "gender" => "sex",
        "birthDate" => "birth-date",
        "deceased" | "deceasedBoolean" | "deceasedDateTime" => "death-date",
        "maritalStatus" => "marital-status",
        "address" => "addresses",
        "telecom" => "contacts",
        "photo" => "photo",
        "contact" => "related",
        "active" => "status",
        "link" => "replaced-by",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(code: &str) -> Value {
        json!({ "resourceType": "OperationOutcome", "issue": [
            { "severity": "information", "code": "informational" },
            { "severity": "error", "code": code, "diagnostics": "Sita Rai is unknown",
              "expression": ["Patient.birthDate"] },
        ] })
    }

    #[test]
    fn status_and_outcome_make_a_typed_failure() {
        for (status, code, summary) in [
            (400, Some("invalid"), "rejected: fhir.invalid (birth-date)"),
            (
                422,
                Some("code-invalid"),
                "rejected: fhir.code-invalid (birth-date)",
            ),
            (
                403,
                Some("forbidden"),
                "denied: fhir.forbidden (birth-date)",
            ),
            (404, Some("not-found"), "not-found"),
            (
                412,
                Some("conflict"),
                "conflict: fhir.conflict (birth-date)",
            ),
            (
                412,
                Some("multiple-matches"),
                "ambiguous: fhir.multiple-matches (birth-date)",
            ),
            (429, Some("throttled"), "unavailable: fhir.throttled"),
            (500, Some("exception"), "unavailable: fhir.exception"),
            (501, None, "unsupported: http.501"),
            (400, None, "rejected: http.400"),
            (302, None, "unreadable: http.302"),
            (200, Some("login"), "denied: fhir.login (birth-date)"),
            (
                200,
                Some("not-supported"),
                "unsupported: fhir.not-supported (birth-date)",
            ),
        ] {
            let body = code.map(outcome);
            let failure = failure(status, body.as_ref(), None);
            assert_eq!(failure.summary(), summary);
            assert!(!format!("{failure:?}").contains("Sita"), "{failure:?}");
        }
    }

    #[test]
    fn several_issues_are_told_without_their_texts() {
        let failure = failure(422, Some(&outcome("value")), None);
        let extra = failure.refusal().unwrap().extra.first().unwrap();
        assert_eq!(extra.key, "issues");
        let told: Value = serde_json::from_str(&extra.value).unwrap();
        let expected = json!([{ "code": "informational", "field": null },
                              { "code": "value", "field": "birth-date" }]);
        assert_eq!(told, expected);
    }

    #[test]
    fn a_sentence_in_the_place_of_a_code_is_dropped() {
        let failure = failure(400, Some(&outcome("Sita Rai")), None);
        assert_eq!(failure.summary(), "rejected (birth-date)");
        assert!(!format!("{failure:?}").contains("Sita"));
    }
}

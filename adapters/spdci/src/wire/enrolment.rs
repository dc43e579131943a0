//! What a beneficiary registry answers: `EnrollmentUpdatesResponse` and `EnrolledResponse`, or an
//! acknowledgement in their place, as the official mock gives it.

use adapter_sdk::Failure;
use adapter_sdk::http::Response;
use adapter_sdk::model::Unavailability;
use serde_json::Value;

use super::answer;
use super::record::Record;
use crate::reasons::{self, Asked};

/// What became of an enrolment, as the answer tells it.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The registry holds it. With its own number for it.
    Done(Option<String>),
    /// It says that it has it, and not what it made of it.
    Acknowledged(Option<String>),
    /// It works on it.
    Underway,
    /// Nobody knows.
    Unclear(Unavailability),
}

/// Reads the answer to `enrollment/updates`.
///
/// # Errors
/// The registry did not do it.
pub fn told(response: &Response) -> Result<Told, Failure> {
    let body = response.json::<Value>();
    let unclear = |code: String| {
        Ok(Told::Unclear(Unavailability {
            code: Some(code),
            retry_after_ms: response.retry_after_ms(),
            ..Unavailability::default()
        }))
    };
    let status = response.status;
    if !(200..300).contains(&status) {
        let code = body.as_ref().ok().and_then(answer::error_code);
        let code = code.filter(|code| reasons::known(code));
        let by_status = format!("http.{status}");
        return match (status, code) {
            // Whatever stands between us and the registry may have said it.
            (502 | 504, _) => unclear(by_status),
            (_, Some(code)) => Err(reasons::failure(&code, Asked::Identifiers)
                .retry_after_ms(response.retry_after_ms())),
            (404 | 405 | 410, None) => {
                Err(Failure::misconfigured(by_status).field("settings.paths.enrolment"))
            }
            (503, None) if response.header("retry-after").is_some() => {
                Err(Failure::unavailable(by_status).retry_after_ms(response.retry_after_ms()))
            }
            (500.., None) => unclear(by_status),
            _ => match response.clone().ok() {
                Err(failure) => Err(failure),
                Ok(_) => unclear(by_status),
            },
        };
    }
    // A success that cannot be read is a success all the same: to fail would say that it is not done.
    let Ok(body) = body else {
        return unclear("answer.unreadable".to_owned());
    };
    let Some(message) = answer::message(&body).and_then(Record::new) else {
        return unclear("answer.unreadable".to_owned());
    };
    let reference = message.text(&["correlation_id"]);
    if let Some(item) = message.objects(&["enrolled_response"]).into_iter().next() {
        let reason = item.text(&["status_reason_code"]);
        return match item.text(&["status"]).as_deref() {
            Some("succ") => Ok(Told::Done(reference)),
            Some("rcvd" | "pdng") => Ok(Told::Underway),
            Some("rjct") => Err(match reason {
                Some(reason) => reasons::failure(&reason, Asked::Identifiers),
                None => Failure::rejected("rjct"),
            }),
            _ => unclear("answer.status".to_owned()),
        };
    }
    let error = answer::error_code(&body);
    match (message.text(&["ack_status"]).as_deref(), error) {
        (Some("ACK"), None) => Ok(Told::Acknowledged(reference)),
        (Some("NACK" | "ERR") | None, Some(code)) => {
            Err(reasons::failure(&code, Asked::Identifiers))
        }
        (Some(word @ ("NACK" | "ERR")), None) => Err(Failure::rejected(word)),
        // It says yes and no.
        _ => unclear("answer.ack_status".to_owned()),
    }
}

/// Reads the answer to `enrolled`. None where it says neither yes nor no.
pub fn enrolled(body: &Value) -> Option<bool> {
    let message = answer::message(body).and_then(Record::new)?;
    let item = message.objects(&["enrolled_response"]).into_iter().next();
    let word = match item {
        Some(item) => item.text(&["enrolled_status"])?,
        // The official mock has it there.
        None => message.text(&["ack_status"])?,
    };
    match word.to_ascii_lowercase().as_str() {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

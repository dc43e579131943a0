//! What a registry says to a request that it answers later: `Response` (the acknowledgement), and
//! what the official mocks write in its place.

use adapter_sdk::Failure;
use adapter_sdk::http::Response;
use serde_json::Value;

use super::answer::{self, Found, Sent};
use super::record::Record;
use crate::reasons::Asked;

/// What became of a question that is answered later.
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// The registry took it, and answers later.
    Later,
    /// It answered at once all the same.
    Now(Found),
}

/// Reads the response to an asynchronous search at this setting's path.
///
/// # Errors
/// As [`answer::read_response`].
pub fn of_search(response: Response, sent: &Sent, path: &str) -> Result<Taken, Failure> {
    if is_taken(&response) {
        return Ok(Taken::Later);
    }
    match answer::read_response(response, sent) {
        Ok(found) => Ok(Taken::Now(found)),
        Err(failure) if is_pending(&failure) => Ok(Taken::Later),
        Err(failure) => Err(at(failure, path)),
    }
}

/// Reads the response to a message that is only acknowledged.
///
/// # Errors
/// As [`answer::read_response`]; `unreadable` with code `answer.ack_status` where it is no
/// acknowledgement.
pub fn of_message(response: Response, path: &str) -> Result<(), Failure> {
    if is_taken(&response) {
        return Ok(());
    }
    let body = response.json::<Value>().unwrap_or_default();
    match answer::said_no(&body, Asked::Identifiers) {
        Some(failure) => {
            let wait = response.retry_after_ms();
            Err(at(failure.retry_after_ms(wait), path))
        }
        None if matches!(response.status, 404 | 405 | 410) => {
            let code = format!("http.{}", response.status);
            Err(Failure::misconfigured(code).field(path))
        }
        None => {
            response.ok()?;
            Err(Failure::unreadable("answer.ack_status"))
        }
    }
}

/// Whether the registry says by it that it has not done yet what it took.
pub fn is_pending(failure: &Failure) -> bool {
    let waits = ["pdng", "rcvd", "spdci.acknowledged"];
    matches!(failure, Failure::Unavailable(_))
        && failure.code().is_some_and(|code| waits.contains(&code))
}

/// An acknowledgement counts before the `error` beside it: the official mocks fill that with the
/// schema's example. Nor does every registry give a body to its 202.
fn is_taken(response: &Response) -> bool {
    if !(200..300).contains(&response.status) {
        return false;
    }
    if response.status == 202 && response.body.iter().all(u8::is_ascii_whitespace) {
        return true;
    }
    let Ok(body) = response.json::<Value>() else {
        return false;
    };
    let message = answer::message(&body).and_then(Record::new);
    let message = message.unwrap_or_default();
    let status = message.text(&["ack_status"]);
    if status.is_some_and(|status| status.eq_ignore_ascii_case("ack")) {
        return true;
    }
    // `"search_response": {"status": "pending"}`, where the specification has a list.
    let response = message.get(&["search_response"]);
    let response = response.filter(|it| it.is_object()).and_then(Record::new);
    let status = response.and_then(|it| it.text(&["status"]));
    status.is_some_and(|status| ["pending", "pdng", "rcvd"].contains(&status.as_str()))
}

/// The setting of another path than the synchronous search's is what must be mended.
fn at(failure: Failure, path: &str) -> Failure {
    let field = failure.refusal().and_then(|it| it.field.as_deref());
    match field {
        Some("settings.path") => failure.field(path),
        _ => failure,
    }
}

//! One write on the wire: its key, and what an answer means.

use adapter_sdk::http::{Builder, Response};
use adapter_sdk::model::{Identifier, Outcome, Receipt, Unavailability, WriteAnswer};
use adapter_sdk::{Failure, call, http, writes};
use serde::Deserialize;
use serde_json::Value;

/// What came of sending.
pub(crate) enum Sent {
    /// It is done.
    Done(Told),
    /// The registry took it, and will do it. By this it will name it.
    Accepted(String),
    /// Nobody knows.
    Unclear(WriteAnswer),
}

/// The registry's receipt.
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    pub(crate) outcome: String,
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) reference: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    code: String,
    field: Option<String>,
}

#[derive(Deserialize)]
struct Accepted {
    reference: String,
}

impl Told {
    /// As the gateway reads it. `scheme` is that of the number which the registry gave.
    pub(crate) fn receipt(self, scheme: &str, unwritten: Vec<String>) -> Receipt {
        Receipt {
            outcome: match self.outcome.as_str() {
                "applied" => Outcome::Applied,
                "unchanged" => Outcome::Unchanged,
                _ => Outcome::Other(self.outcome),
            },
            identifiers: vec![Identifier::new(scheme, self.id)],
            reference: Some(self.reference),
            version: Some(self.version.to_string()),
            unwritten,
            ..Receipt::applied()
        }
    }
}

/// The key of this write.
pub(crate) fn operation_key() -> Result<String, Failure> {
    // A write without one cannot be told from its repeat.
    call::operation_key().ok_or_else(|| Failure::other("operation-key.missing"))
}

/// Sends a write under a key.
pub(crate) fn send(request: Builder, key: &str, version: Option<&str>) -> Result<Sent, Failure> {
    let mut request = request.header("idempotency-key", key);
    if let Some(version) = version {
        request = request.header("if-match", format!("\"{version}\""));
    }
    match request.try_send() {
        Ok(response) => read(&response),
        Err(error) => writes::unclear(error).map(Sent::Unclear),
    }
}

/// What an answer to a write means.
pub(crate) fn read(response: &Response) -> Result<Sent, Failure> {
    match response.status {
        202 => Ok(match response.json() {
            Ok(Accepted { reference }) => Sent::Accepted(reference),
            Err(_) => unclear("answer.unreadable", None),
        }),
        // A success that cannot be read is a success all the same: to fail here would say that it was
        // not done.
        200..=299 => Ok(match response.json() {
            Ok(told) => Sent::Done(told),
            Err(_) => unclear("answer.unreadable", None),
        }),
        status @ 400..=499 => Err(refusal(status, response)),
        503 if response.header("retry-after").is_some() => {
            Err(Failure::unavailable("http.503").retry_after_ms(response.retry_after_ms()))
        }
        // Whatever stands between us and the registry may have said it.
        status => Ok(unclear(
            &format!("http.{status}"),
            response.retry_after_ms(),
        )),
    }
}

/// The registry said no.
pub(crate) fn refusal(status: u16, response: &Response) -> Failure {
    let refused: Refused = response.json().unwrap_or_default();
    let code = match refused.code.is_empty() {
        true => format!("http.{status}"),
        false => refused.code,
    };
    let failure = match status {
        401 | 403 => Failure::denied(code),
        404 if code == "record.unknown" => Failure::not_found(),
        408 | 425 | 429 => Failure::unavailable(code).retry_after_ms(response.retry_after_ms()),
        412 => Failure::conflict(code),
        _ => Failure::rejected(code),
    };
    match refused.field {
        Some(field) => failure.field(model_field(&field)),
        None => failure,
    }
}

/// A stored answer (a callback's, an operation's) as if it had come just now.
pub(crate) fn stored(status: u16, body: &Value) -> Result<Sent, Failure> {
    read(&http::Response {
        status,
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    })
}

/// The registry's field in the words of the model.
pub(crate) fn model_field(field: &str) -> &str {
    match field {
        "born" => "birth-date",
        "died" => "death-date",
        other => other,
    }
}

/// Nobody knows, and this is why.
pub(crate) fn unclear(code: &str, retry_after_ms: Option<u32>) -> Sent {
    Sent::Unclear(WriteAnswer::Unclear(Unavailability {
        code: Some(code.to_owned()),
        retry_after_ms,
        ..Unavailability::default()
    }))
}

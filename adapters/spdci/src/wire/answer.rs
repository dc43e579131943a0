//! What comes back from a search: the envelope, checked against what was asked, down to records
//! or a failure. SPDCI v1.0.0, `MsgCallbackHeader_V1.0.0`, `SearchResponse`, `Response` (the
//! acknowledgement) and `HttpErrorResponse`.

use adapter_sdk::http::Response;
use adapter_sdk::{Failure, log};
use serde_json::Value;

use super::record::{Record, is_blank};
use crate::reasons::{self, Asked};

/// What we wrote into the request, and expect back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// `message.transaction_id`
    pub transaction_id: String,
    /// `search_request[0].reference_id`
    pub reference_id: String,
    /// What the caller asked by.
    pub asked: Asked,
}

/// The records of an answer. None is possible.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// `reg_records`, as they came.
    pub records: Vec<Value>,
    /// `pagination.total_count`, where the registry fills it.
    pub total: Option<u64>,
}

/// Reads an HTTP response.
///
/// # Errors
/// The registry's reason code, in the body of any status, counts before the status itself; then
/// - 404, 405 and 410 are `misconfigured`: the path is the same for every question, so that the
///   status says nothing of the person;
/// - other statuses as [`Response::ok`], and the rest as [`read`].
pub fn read_response(response: Response, sent: &Sent) -> Result<Found, Failure> {
    let body = response.json::<Value>();
    let code = body
        .as_ref()
        .ok()
        .and_then(error_code)
        .filter(|code| reasons::known(code));
    if let Some(code) = code {
        let failure = reasons::failure(&code, sent.asked);
        return Err(failure.retry_after_ms(response.retry_after_ms()));
    }
    if matches!(response.status, 404 | 405 | 410) {
        let code = format!("http.{}", response.status);
        return Err(Failure::misconfigured(code).field("settings.path"));
    }
    response.ok()?;
    read(&body?, Some(sent))
}

/// Reads the body of an answer. Without `sent`, whom it answers is not checked.
///
/// # Errors
/// - the failure of a reason code (see [`reasons`]) where the acknowledgement, the header or the
///   item says so;
/// - `unavailable` with code `spdci.acknowledged`, `pdng` or `rcvd` where the registry has taken
///   the question and not answered;
/// - `misconfigured` with code `spdci.encrypted`: the registry must be told not to encrypt for us;
/// - `unreadable` with code `answer.mismatch` where it answers another question, else with the
///   part that is missing.
pub fn read(body: &Value, sent: Option<&Sent>) -> Result<Found, Failure> {
    let asked = sent.map(|sent| sent.asked).unwrap_or_default();
    if let Some(failure) = said_no(body, asked) {
        return Err(failure);
    }
    let raw = plain_message(body)?;
    let header = body.get("header").and_then(Record::new).unwrap_or_default();
    let message = Record::new(raw).unwrap_or_default();
    if let Some(status) = message.text(&["ack_status"]) {
        return Err(match status.as_str() {
            "ACK" => Failure::unavailable("spdci.acknowledged"),
            _ => Failure::unreadable("answer.ack_status"),
        });
    }

    let items = raw.get("search_response");
    let Some(items) = items.filter(|items| items.is_array() || items.is_object()) else {
        return Err(status_failure(&header, asked)
            .unwrap_or_else(|| Failure::unreadable("answer.search_response")));
    };
    let items = super::record::elements(items);
    if let Some(sent) = sent {
        same(&sent.transaction_id, message.text(&["transaction_id"]))?;
        for item in items.iter().filter_map(|item| Record::new(item)) {
            same(&sent.reference_id, item.text(&["reference_id"]))?;
        }
    }
    match items.as_slice() {
        // "no match": as OpenCRVS writes it.
        [] => status_failure(&header, asked).map_or_else(|| Ok(Found::default()), Err),
        [item] => read_item(item, asked),
        _ => Err(Failure::unreadable("answer.several_responses")),
    }
}

/// The message of an envelope, which nobody encrypts for us.
///
/// # Errors
/// `misconfigured` with code `spdci.encrypted`; `unreadable` with the part that is missing.
pub fn plain_message(body: &Value) -> Result<&Value, Failure> {
    let envelope = Record::new(body).ok_or_else(|| Failure::unreadable("answer.envelope"))?;
    let header = envelope.object(&["header"]).unwrap_or_default();
    let encrypted = header.text(&["is_msg_encrypted"]).as_deref() == Some("true");
    if encrypted
        || envelope
            .object(&["message"])
            .is_some_and(|m| m.get(&["ciphertext"]).is_some())
    {
        return Err(Failure::misconfigured("spdci.encrypted"));
    }
    message(body).ok_or_else(|| Failure::unreadable("answer.message"))
}

/// The message of an envelope. The official mocks of IBR leave the envelope out.
pub(crate) fn message(body: &Value) -> Option<&Value> {
    let bare = || {
        let parts = ["search_response", "txnstatus_response", "enrolled_response"];
        parts.iter().any(|part| body.get(part).is_some())
    };
    match body.get("message") {
        Some(message) => Some(message).filter(|message| message.is_object()),
        None => Some(body).filter(|_| bare()),
    }
}

fn read_item(item: &Value, asked: Asked) -> Result<Found, Failure> {
    let item = Record::new(item).ok_or_else(|| Failure::unreadable("answer.search_response"))?;
    let data = item.object(&["data"]).unwrap_or_default();
    let records: Vec<Value> = data.list(&["reg_records"]).into_iter().cloned().collect();
    let status = item.text(&["status"]).unwrap_or_default();
    let reason = item.text(&["status_reason_code"]);

    match status.as_str() {
        "rjct" => return Err(refused(reason.as_deref(), asked)),
        "succ" => {}
        // The official samples answer `rcvd` with the records beside it.
        _ if !records.is_empty() => {
            if let Some(reason) = reason.as_deref().filter(|reason| reasons::known(reason)) {
                log::warn!("records in spite of {reason}");
            }
        }
        "pdng" => return Err(Failure::unavailable("pdng")),
        "rcvd" => {
            return Err(match reason.filter(|reason| reasons::known(reason)) {
                Some(reason) => reasons::failure(&reason, asked),
                None => Failure::unavailable("rcvd"),
            });
        }
        _ => return Err(Failure::unreadable("answer.status")),
    }
    let pagination = item.object(&["pagination"]).unwrap_or_default();
    let total = pagination
        .text(&["total_count"])
        .and_then(|total| total.parse().ok());
    Ok(Found { records, total })
}

/// A code in an acknowledgement, an HTTP error, or a refused header.
pub(crate) fn error_code(body: &Value) -> Option<String> {
    let message = body.get("message").unwrap_or(&Value::Null);
    let first = body.get("errors").and_then(|errors| errors.get(0));
    let mut places = [message.get("error"), body.get("error"), first]
        .into_iter()
        .flatten();
    let code = places.find_map(|error| Record::new(error)?.text(&["code"]));
    code.or_else(|| {
        let header = Record::new(body.get("header")?)?;
        let answered = message
            .get("search_response")
            .is_some_and(|items| !is_blank(items));
        let refused = header.text(&["status"]).as_deref() == Some("rjct") && !answered;
        if refused {
            header.text(&["status_reason_code"])
        } else {
            None
        }
    })
}

pub(crate) fn said_no(body: &Value, asked: Asked) -> Option<Failure> {
    if let Some(code) = error_code(body) {
        return Some(reasons::failure(&code, asked));
    }
    match body.get("message")?.get("ack_status")?.as_str()? {
        status @ ("NACK" | "ERR") => Some(Failure::rejected(status)),
        _ => None,
    }
}

/// The header's status, where there is no answer to look at.
fn status_failure(header: &Record<'_>, asked: Asked) -> Option<Failure> {
    let reason = header.text(&["status_reason_code"]);
    match header.text(&["status"]).as_deref() {
        Some("rjct") => Some(refused(reason.as_deref(), asked)),
        Some("pdng") => Some(Failure::unavailable("pdng")),
        _ => None,
    }
}

/// A refusal, with its reason where there is one.
fn refused(reason: Option<&str>, asked: Asked) -> Failure {
    match reason {
        Some(reason) => reasons::failure(reason, asked),
        None => Failure::rejected("rjct"),
    }
}

/// A registry that leaves a number out, as the official samples do, is believed.
fn same(sent: &str, came: Option<String>) -> Result<(), Failure> {
    match came {
        Some(came) if came != sent => Err(Failure::unreadable("answer.mismatch")),
        _ => Ok(()),
    }
}

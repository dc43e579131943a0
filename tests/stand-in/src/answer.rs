//! Answers, as the specification writes them.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Value, json};

use super::criteria::{Criteria, RecordType};
use super::envelope::{Envelope, Item, Refusal, Reject};
use super::fault::Fault;
use super::misbehave;
use super::record;
use super::server::Shared;

/// What isn't accepted.
pub(crate) enum Refused {
    /// The bearer token.
    Credential,
    /// Not JSON by its header.
    MediaType,
    /// What the body says.
    Message(Refusal),
}

/// What the header of an answer says.
#[derive(Debug)]
struct Header<'a> {
    /// Counts the answers of this server.
    number: u64,
    /// `on-search` or `txn-on-status`.
    action: &'a str,
    /// This registry.
    sender_id: &'a str,
    /// Who asked.
    receiver_id: &'a str,
    /// Why the whole is rejected.
    reject: Option<&'a Reject>,
    /// How many searches were asked for.
    total: usize,
    /// How many of them were carried out.
    completed: usize,
}

/// The answer to what isn't accepted.
pub(crate) fn refuse(shared: &Shared, number: u64, action: &str, refused: Refused) -> Response {
    let bad = |status: StatusCode, code: &str, message: &str| {
        (status, Json(error(code, message))).into_response()
    };
    match refused {
        Refused::Credential => misbehave::unauthorized(),
        Refused::MediaType => bad(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "err.request.bad",
            "send application/json",
        ),
        Refused::Message(Refusal::Bad(reject)) => {
            bad(StatusCode::BAD_REQUEST, &reject.code, &reject.message)
        }
        Refused::Message(Refusal::Header {
            reject,
            sender_id,
            transaction_id,
        }) => {
            let receiver_id = &sender_id;
            let sender_id = &shared.options.registry_id;
            let reject = Some(&reject);
            let header = Header {
                number,
                action,
                sender_id,
                receiver_id,
                reject,
                total: 0,
                completed: 0,
            };
            let mut message = correlated(number, &transaction_id);
            if action == "on-search" {
                message["search_response"] = json!([]);
            }
            Json(write(header, message)).into_response()
        }
    }
}

/// The answer to a message in order.
pub(crate) fn found(shared: &Shared, number: u64, envelope: Envelope, fault: &Fault) -> Value {
    let responses: Vec<Value> = envelope
        .items
        .iter()
        .map(|item| one(shared, item, fault))
        .collect();
    let completed = responses
        .iter()
        .filter(|response| response["status"] == "succ")
        .count();
    let header = Header {
        number,
        action: "on-search",
        sender_id: &shared.options.registry_id,
        receiver_id: &envelope.sender_id,
        reject: None,
        total: responses.len(),
        completed,
    };
    let mut message = correlated(number, &envelope.transaction_id);
    message["search_response"] = Value::Array(responses);
    write(header, message)
}

/// What became of a transaction.
pub(crate) fn status(
    shared: &Shared,
    number: u64,
    receiver_id: &str,
    transaction_id: &str,
    told: Value,
) -> Response {
    let header = Header {
        number,
        action: "txn-on-status",
        sender_id: &shared.options.registry_id,
        receiver_id,
        reject: None,
        total: 1,
        completed: 1,
    };
    let mut message = correlated(number, transaction_id);
    message["txnstatus_response"] = told;
    Json(write(header, message)).into_response()
}

/// The body of an HTTP error. The YAML's `HttpErrorResponse` has `errors`, and the acknowledgement
/// has `message`; registries in the field answer with either, so this holds both.
pub(crate) fn error(code: &str, text: &str) -> Value {
    json!({
        "message": {
            "ack_status": "ERR",
            "timestamp": now(),
            "correlation_id": "stand-in-refused",
            "error": { "code": code, "message": text },
        },
        "errors": [{ "code": code, "message": text }],
    })
}

/// This moment, as RFC 3339 with a zone.
fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        .to_string()
}

/// The answer's envelope around what `message` holds.
fn write(header: Header<'_>, message: Value) -> Value {
    let Header {
        number,
        action,
        sender_id,
        receiver_id,
        reject,
        total,
        completed,
    } = header;
    let mut head = json!({
        "version": "1.0.0",
        "message_id": format!("stand-in-message-{number}"),
        "message_ts": now(),
        "action": action,
        "status": if reject.is_some() { "rjct" } else { "succ" },
        "total_count": total,
        "completed_count": completed,
        "sender_id": sender_id,
        "receiver_id": receiver_id,
        "is_msg_encrypted": false,
        "meta": {},
    });
    if let Some(reject) = reject {
        head["status_reason_code"] = json!(reject.code);
        head["status_reason_message"] = json!(reject.message);
    }
    json!({ "signature": "unsigned", "header": head, "message": message })
}

fn one(shared: &Shared, item: &Item, fault: &Fault) -> Value {
    let mut response = json!({
        "reference_id": item.reference_id,
        "timestamp": now(),
        "status": "succ",
        "locale": "eng",
    });
    let people = &shared.people;
    let found = item.criteria.clone().and_then(|criteria| {
        let criteria = Criteria::read(&criteria, shared.options.register)?;
        let found = criteria.find(people, shared.options.max_records)?;
        Ok((criteria, found))
    });
    match found {
        Ok((criteria, mut found)) => {
            let all = match criteria.record_type {
                RecordType::Group => people.households(),
                RecordType::Person | RecordType::Member => people.len(),
            };
            let first = found.page.first().copied().unwrap_or(0);
            match fault {
                Fault::OtherPerson => {
                    (found.page, found.total) = (vec![(first + 1) % all], 1);
                    found.under_uin = None;
                }
                Fault::TwoAnswers => {
                    let uin = || people.person(first).uin;
                    found.under_uin = Some(found.under_uin.unwrap_or_else(uin));
                    (found.page, found.total) = (vec![first, (first + 1) % all], 2);
                }
                _ => {}
            }
            response["data"] = json!({
                "version": "1.0.0",
                "reg_type": criteria.register.code(),
                "reg_record_type": criteria.record_type.code(),
                "reg_records": record::page(people, &criteria, &found),
            });
            response["pagination"] = json!({
                "page_size": criteria.page_size,
                "page_number": criteria.page_number,
                "total_count": found.total,
            });
        }
        Err(reject) => {
            response["status"] = json!("rjct");
            response["status_reason_code"] = json!(reject.code);
            response["status_reason_message"] = json!(reject.message);
        }
    }
    response
}

fn correlated(number: u64, transaction_id: &str) -> Value {
    let correlation_id = format!("stand-in-correlation-{number}");
    json!({ "transaction_id": transaction_id, "correlation_id": correlation_id })
}

//! What a registry calls back with: which message it is, who sent it, and what it is answered.

use adapter_sdk::model::{Callback, CallbackResponse, Reception};
use adapter_sdk::{Failure, PendingAnswer, dates, ids};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::acknowledgement::is_pending;
use super::answer;
use super::record::{Record, elements};

/// Which message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `on-search`: the answer to a search.
    Answer,
    /// `txn/on-status`: the same in the answer to a question for the status.
    Status,
    /// `on-subscribe`, `on-unsubscribe`.
    Subscription,
    /// `notify`: what happened.
    Notify,
}

/// Who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// It carries the token.
    Proven,
    /// No token is set: nobody can prove anything.
    Unproven,
    /// It does not carry the token that is set.
    Refused,
}

/// The message by its path, `…/registry/on-search`, else by `header.action`: some registries post to
/// `sender_uri` itself. OpenCRVS answers with the action `search`, which nobody asks us.
pub fn kind(path: &str, body: &Value) -> Option<Kind> {
    let of = |word: &str| {
        Some(match word {
            "on-search" => Kind::Answer,
            "on-status" | "txn-on-status" => Kind::Status,
            "on-subscribe" | "on-unsubscribe" => Kind::Subscription,
            "notify" => Kind::Notify,
            _ => return None,
        })
    };
    let last = path.trim_end_matches('/').rsplit('/').next();
    last.and_then(of).or_else(|| {
        let action = body.get("header")?.get("action")?.as_str()?;
        of(action).or((action == "search").then_some(Kind::Answer))
    })
}

/// Compares the token that a callback carries, as `Authorization: Bearer` or as the first part of its
/// path, with the hash that is set. Only the hash is set, since settings are no secret.
pub fn sender(callback: &Callback, hash: Option<&str>) -> Sender {
    let Some(hash) = hash else {
        return Sender::Unproven;
    };
    let headers = callback.headers.iter();
    let bearer = headers.filter(|(name, _)| name == "authorization");
    let bearer = bearer.filter_map(|(_, value)| {
        let (scheme, token) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim())
    });
    let first = callback.path.split('/').find(|part| !part.is_empty());
    if bearer.chain(first).any(|token| is(token, hash)) {
        Sender::Proven
    } else {
        Sender::Refused
    }
}

/// The answers in a callback, each under the number of its transaction. One that says that the search
/// is still underway is none.
///
/// # Errors
/// `rejected` where there is no number; `misconfigured` where it is encrypted.
pub fn answers(body: &Value, kind: Kind) -> Result<Vec<PendingAnswer>, Failure> {
    let message = match answer::plain_message(body) {
        Ok(message) => Some(message),
        Err(failure @ Failure::Misconfigured(_)) => return Err(failure),
        Err(_) => None,
    };
    let message = match kind {
        Kind::Status => message.and_then(|it| it.get("txnstatus_response")?.get("txn_status")),
        _ => message,
    };
    let message = message.ok_or_else(|| Failure::rejected("callback.message"))?;
    let whole = json!({ "header": body.get("header"), "message": message });
    if answer::read(&whole, None).is_err_and(|failure| is_pending(&failure)) {
        return Ok(Vec::new());
    }
    let record = Record::new(message).unwrap_or_default();
    let items = message.get("search_response").map(elements);
    let mut items = items.unwrap_or_default().into_iter();
    let reference = record.text(&["transaction_id"]);
    // What we send has one number for both.
    let reference =
        reference.or_else(|| items.find_map(|item| Record::new(item)?.text(&["reference_id"])));
    let reference = reference.ok_or_else(|| Failure::rejected("callback.transaction_id"))?;
    Ok(vec![PendingAnswer {
        reference,
        data: serde_json::to_vec(&whole)?,
    }])
}

/// Answers with an acknowledgement, under the registry's own number where it gave one.
pub fn acknowledged(body: &Value) -> Reception {
    let correlation_id = answer::message(body).and_then(Record::new);
    let correlation_id = correlation_id.and_then(|it| it.text(&["correlation_id"]));
    responded(
        200,
        &json!({
            "ack_status": "ACK",
            "timestamp": dates::now(),
            "correlation_id": correlation_id.unwrap_or_else(ids::uuid),
        }),
    )
}

/// Refuses, in the form of the specification.
pub fn refused(status: u16, code: &str, why: &str) -> Reception {
    responded(
        status,
        &json!({
            "ack_status": "NACK",
            "timestamp": dates::now(),
            "correlation_id": ids::uuid(),
            "error": { "code": code, "message": why },
        }),
    )
}

fn responded(status: u16, message: &Value) -> Reception {
    let body = json!({ "message": message }).to_string();
    Reception {
        response: CallbackResponse {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.into_bytes(),
        },
        ..Reception::status(status)
    }
}

/// Looks at every digit, whichever differ.
fn is(token: &str, hash: &str) -> bool {
    let digest = Sha256::digest(token.as_bytes());
    let digits = digest
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(u32::from(digit), 16));
    let theirs = hash.chars().map(|digit| digit.to_ascii_lowercase());
    let differing = digits.zip(theirs).fold(0, |sum, (ours, theirs)| {
        sum + u32::from(ours != Some(theirs))
    });
    hash.len() == 64 && differing == 0
}

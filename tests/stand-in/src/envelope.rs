//! The SPDCI v1.0.0 envelope: read strictly, written as the specification has it.

use std::collections::HashSet;

use axum::http::Uri;
use serde_json::{Map, Value};

/// A request whose envelope is in order.
#[derive(Debug)]
pub(crate) struct Envelope {
    /// `header.sender_id`: who the answer is for.
    pub(crate) sender_id: String,
    /// `header.message_id`.
    pub(crate) message_id: String,
    /// `message.transaction_id`, echoed in the answer.
    pub(crate) transaction_id: String,
    /// The searches, or the one question about a transaction.
    pub(crate) items: Vec<Item>,
}

/// One search of a request.
#[derive(Debug)]
pub(crate) struct Item {
    /// `reference_id`, echoed in the answer.
    pub(crate) reference_id: String,
    /// The criteria, or why this one is rejected.
    pub(crate) criteria: Result<Map<String, Value>, Reject>,
}

/// A `rjct.*` code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reject {
    /// The code, from the lists of the specification.
    pub(crate) code: String,
    /// What is wrong, for a person to read.
    pub(crate) message: String,
}

/// Why an envelope isn't accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not to be read as a message at all: an `err.*` code, with an HTTP error.
    Bad(Reject),
    /// A message that is rejected as a whole: a `rjct.*` code, in an answer with status 200.
    Header {
        /// The code and the sentence.
        reject: Reject,
        /// Whom to answer.
        sender_id: String,
        /// Echoed where it could be read.
        transaction_id: String,
    },
}

impl Reject {
    /// A rejection.
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }
}

/// The most searches that one request may hold.
const MOST: usize = 100;
/// The actions that SPDCI knows and this stand-in has no answer to.
const OTHER_ACTIONS: [&str; 5] = [
    "subscribe",
    "unsubscribe",
    "notify",
    "enrolled",
    "enrollment-updates",
];

/// Reads a request for `action`: `search` or `txn-status`.
pub(crate) fn read(body: &[u8], action: &str) -> Result<Envelope, Refusal> {
    let bad = |message: String| Refusal::Bad(Reject::new("err.request.bad", message));
    let whole: Value = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    let header = object(&whole, "header").map_err(bad)?;
    let message = object(&whole, "message").map_err(bad)?;
    if !matches!(whole.get("signature"), None | Some(Value::String(_))) {
        return Err(bad("signature must be a string".into()));
    }
    let sender_id = text(header, "sender_id")
        .map_err(|message| Refusal::Bad(Reject::new("err.sender_id.invalid", message)))?;
    let message_id = text(header, "message_id").map_err(bad)?;
    others(header)?;
    let transaction_id = text(message, "transaction_id").map_err(bad)?;
    if transaction_id.chars().count() > 99 {
        return Err(bad("transaction_id is longer than 99 characters".into()));
    }
    let rejected = |reject| Refusal::Header {
        reject,
        sender_id: sender_id.clone(),
        transaction_id: transaction_id.clone(),
    };
    head(header, action).map_err(rejected)?;
    if action != "search" {
        return Ok(Envelope {
            sender_id,
            message_id,
            transaction_id,
            items: Vec::new(),
        });
    }
    let Some(Value::Array(searches)) = message.get("search_request") else {
        return Err(bad("message.search_request must be an array".into()));
    };
    count(header, searches.len()).map_err(rejected)?;
    let mut seen = HashSet::new();
    let items = searches
        .iter()
        .map(|search| item(search, &mut seen))
        .collect();
    Ok(Envelope {
        sender_id,
        message_id,
        transaction_id,
        items,
    })
}

fn others(header: &Map<String, Value>) -> Result<(), Refusal> {
    let bad = |code, message: &str| Err(Refusal::Bad(Reject::new(code, message)));
    match header.get("sender_uri") {
        None => {}
        Some(Value::String(uri)) if uri.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_some()) => {}
        Some(_) => {
            return bad(
                "err.sender_uri.invalid",
                "sender_uri must be an absolute URI",
            );
        }
    }
    if !matches!(header.get("receiver_id"), None | Some(Value::String(_))) {
        return bad("err.receiver_id.invalid", "receiver_id must be a string");
    }
    match header.get("is_msg_encrypted") {
        None | Some(Value::Bool(false)) => {}
        Some(_) => {
            return bad(
                "err.encryption.invalid",
                "this registry reads no encrypted message",
            );
        }
    }
    match header.get("meta") {
        None | Some(Value::Object(_)) => Ok(()),
        Some(_) => bad("err.request.bad", "meta must be an object"),
    }
}

fn head(header: &Map<String, Value>, action: &str) -> Result<(), Reject> {
    match header.get("version") {
        None => {}
        Some(Value::String(version)) if version == "1.0.0" => {}
        Some(_) => return Err(Reject::new("rjct.version.invalid", "version must be 1.0.0")),
    }
    if !header.get("message_ts").is_some_and(is_rfc3339) {
        return Err(Reject::new(
            "rjct.message_ts.invalid",
            "message_ts must be RFC 3339 with a zone",
        ));
    }
    match header.get("action").and_then(Value::as_str) {
        Some(said) if said == action => {}
        Some(said) if OTHER_ACTIONS.contains(&said) => {
            return Err(Reject::new(
                "rjct.action.not_supported",
                format!("{said} isn't supported"),
            ));
        }
        _ => {
            return Err(Reject::new(
                "rjct.action.invalid",
                format!("action must be {action}"),
            ));
        }
    }
    match header.get("total_count").and_then(Value::as_u64) {
        Some(_) => Ok(()),
        None => Err(Reject::new(
            "rjct.total_count.invalid",
            "total_count must be an integer",
        )),
    }
}

fn count(header: &Map<String, Value>, searches: usize) -> Result<(), Reject> {
    if searches > MOST {
        let message = format!("at most {MOST} searches in a request");
        return Err(Reject::new("rjct.total_count.limit_exceeded", message));
    }
    match header.get("total_count").and_then(Value::as_u64) {
        Some(said) if said == searches as u64 && said > 0 => Ok(()),
        _ => Err(Reject::new(
            "rjct.total_count.invalid",
            format!("total_count must be the number of searches, here {searches}, and not 0"),
        )),
    }
}

fn item(search: &Value, seen: &mut HashSet<String>) -> Item {
    let reference_id = search
        .get("reference_id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Item {
        reference_id: reference_id.to_owned(),
        criteria: criteria(search, reference_id, seen),
    }
}

fn criteria(
    search: &Value,
    reference_id: &str,
    seen: &mut HashSet<String>,
) -> Result<Map<String, Value>, Reject> {
    if reference_id.is_empty() {
        return Err(Reject::new(
            "rjct.reference_id.invalid",
            "reference_id is missing",
        ));
    }
    if !seen.insert(reference_id.to_owned()) {
        return Err(Reject::new(
            "rjct.reference_id.duplicate",
            "reference_id was used already",
        ));
    }
    if !search.get("timestamp").is_some_and(is_rfc3339) {
        return Err(Reject::new(
            "rjct.timestamp.invalid",
            "timestamp must be RFC 3339 with a zone",
        ));
    }
    let invalid = |message: String| Reject::new("rjct.search_criteria.invalid", message);
    match search.get("locale") {
        None => {}
        Some(Value::String(locale))
            if locale.len() == 3 && locale.bytes().all(|byte| byte.is_ascii_lowercase()) => {}
        Some(_) => return Err(invalid("locale must be three small letters".into())),
    }
    object(search, "search_criteria").cloned().map_err(invalid)
}

fn object<'a>(whole: &'a Value, name: &str) -> Result<&'a Map<String, Value>, String> {
    let found = whole.get(name).and_then(Value::as_object);
    found.ok_or_else(|| format!("{name} must be an object"))
}

fn text(whole: &Map<String, Value>, name: &str) -> Result<String, String> {
    match whole.get(name).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("{name} must be a string that isn't empty")),
    }
}

fn is_rfc3339(value: &Value) -> bool {
    // jiff reads more than RFC 3339 allows: a blank for the T, zones in brackets.
    value.as_str().is_some_and(|text| {
        text.len() > 19
            && text
                .as_bytes()
                .get(10)
                .is_some_and(|byte| matches!(byte, b'T' | b't'))
            && !text.contains(['[', ' '])
            && text.parse::<jiff::Timestamp>().is_ok()
    })
}

#[cfg(test)]
mod tests;

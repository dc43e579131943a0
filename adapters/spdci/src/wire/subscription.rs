//! What a registry says of a subscription: `SubscribeResponse` and `UnSubscribeResponse`, in a
//! callback or in the answer to `txn/status`.

use adapter_sdk::Failure;
use serde_json::Value;

use super::answer;
use super::record::Record;
use crate::reasons::{self, Asked};

/// The refusal in a callback, if it is one.
pub fn refusal(body: &Value) -> Option<Failure> {
    let message = answer::message(body).and_then(Record::new)?;
    if let Some(failure) = refused(&message) {
        return Some(failure);
    }
    let items = message.objects(&["subscribe_response"]);
    items.iter().find_map(refused)
}

/// The code of a subscription to this kind of event in `txn_status`; none while the registry has not
/// told it.
///
/// # Errors
/// The registry refused it.
pub fn code(txn_status: &Value, reg_event_type: &str) -> Result<Option<String>, Failure> {
    let message = Record::new(txn_status).unwrap_or_default();
    for item in message.objects(&["subscribe_response"]) {
        if let Some(failure) = refused(&item) {
            return Err(failure);
        }
        for subscription in item.objects(&["subscriptions"]) {
            let word = subscription.text(&["reg_event_type"]);
            let other = word.is_some_and(|word| word != reg_event_type);
            let ended = subscription.text(&["status"]).as_deref() == Some("unsubscribe");
            if !other
                && !ended
                && let Some(code) = subscription.text(&["code"])
            {
                return Ok(Some(code));
            }
        }
    }
    Ok(None)
}

fn refused(item: &Record<'_>) -> Option<Failure> {
    if item.text(&["status"]).as_deref() != Some("rjct") {
        return None;
    }
    Some(match item.text(&["status_reason_code"]) {
        Some(code) => reasons::failure(&code, Asked::Identifiers),
        None => Failure::rejected("rjct"),
    })
}

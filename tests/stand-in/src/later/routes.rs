//! The requests that are answered later.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::post;
use serde_json::{Value, json};
use url::Url;

use super::call_back;
use super::state::{Subscribed, Transaction};
use crate::answer::{self, error};
use crate::fault::Fault;
use crate::misbehave;
use crate::server::{Shared, admit, fault, receive};

type Served = State<Arc<Shared>>;

/// The routes below a prefix.
pub(crate) fn routes(prefix: &str) -> Router<Arc<Shared>> {
    let path = |end: &str| format!("{prefix}/registry/{end}");
    Router::new()
        .route(&path("search"), post(search))
        .route(&path("subscribe"), post(subscribe))
        .route(&path("unsubscribe"), post(unsubscribe))
}

async fn search(State(shared): Served, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let number = receive(&shared, &uri, &headers, &body);
    let fault = fault(&shared, number, &body);
    if let Fault::Slow(delay) = fault {
        tokio::time::sleep(delay).await;
    }
    if let Some(response) = misbehave::instead(&fault).await {
        return response;
    }
    let envelope = match admit(&shared, &headers, &body, "search") {
        Ok(envelope) => envelope,
        Err(refusal) => return answer::refuse(&shared, number, "on-search", refusal),
    };
    let Some(base) = sender_uri(&body) else {
        return no_address();
    };
    let transaction_id = envelope.transaction_id.clone();
    let items = envelope.items.first();
    let reference_id = items.map(|item| item.reference_id.clone());
    {
        let mut state = shared.later.state();
        state.order.push(transaction_id.clone());
        let underway = Transaction::Underway(reference_id.unwrap_or_default());
        state.transactions.insert(transaction_id.clone(), underway);
    }
    let after = shared.later.state().after;
    let answering = Arc::clone(&shared);
    tokio::spawn(async move {
        // It is worked on for as long as the callback takes.
        tokio::time::sleep(after).await;
        let found = answer::found(&answering, number, envelope, &fault);
        let message = found["message"].clone();
        answering.later.finish(&transaction_id, message.clone());
        call_back(
            &answering,
            &base,
            "on-search",
            "registry/on-search",
            message,
        );
    });
    acknowledged(number)
}

async fn subscribe(State(shared): Served, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let number = receive(&shared, &uri, &headers, &body);
    let envelope = match admit(&shared, &headers, &body, "subscribe") {
        Ok(envelope) => envelope,
        Err(refusal) => return answer::refuse(&shared, number, "on-subscribe", refusal),
    };
    let Some(base) = sender_uri(&body) else {
        return no_address();
    };
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let item = &asked["message"]["subscribe_request"][0];
    let criteria = &item["subscribe_criteria"];
    let needed = ["reg_event_type", "filter", "notify_record_type"];
    if needed.iter().any(|needed| criteria.get(needed).is_none()) {
        return refused("rjct.notify_details.invalid", "criteria are not complete");
    }
    let word = criteria["reg_event_type"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if shared.later.state().refused.contains(&word) {
        return refused("rjct.notify_types.invalid", "not of this registry");
    }
    let code = format!("subscription-{number}");
    let transaction_id = envelope.transaction_id;
    let message = json!({
        "transaction_id": transaction_id,
        "correlation_id": format!("stand-in-correlation-{number}"),
        "subscribe_response": [{
            "reference_id": item["reference_id"],
            "timestamp": "2026-01-02T03:04:05Z",
            "status": "succ",
            "subscriptions": [{
                "code": code, "status": "subscribe", "timestamp": "2026-01-02T03:04:05Z",
                "reg_event_type": word,
            }],
        }],
    });
    {
        let mut state = shared.later.state();
        if state.subscriptions.contains_key(&word) {
            drop(state);
            return refused("rjct.event.already_subscribed", "it is subscribed to");
        }
        state.order.push(transaction_id.clone());
        let sender_uri = base.clone();
        state
            .subscriptions
            .insert(word, Subscribed { code, sender_uri });
    }
    shared.later.finish(&transaction_id, message.clone());
    call_back(
        &shared,
        &base,
        "on-subscribe",
        "registry/on-subscribe",
        message,
    );
    acknowledged(number)
}

async fn unsubscribe(State(shared): Served, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let number = receive(&shared, &uri, &headers, &body);
    if let Err(refusal) = admit(&shared, &headers, &body, "unsubscribe") {
        return answer::refuse(&shared, number, "on-unsubscribe", refusal);
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let codes = asked["message"]["subscription_codes"].as_array();
    let codes: Vec<&str> = codes
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut state = shared.later.state();
    let before = state.subscriptions.len();
    state
        .subscriptions
        .retain(|_, one| !codes.contains(&one.code.as_str()));
    if state.subscriptions.len() == before {
        drop(state);
        return refused("rjct.subscription_code.invalid", "no such subscription");
    }
    acknowledged(number)
}

/// What `txn/status` says of a transaction. None: it is not known, or not told.
pub(crate) fn status_of(shared: &Shared, body: &[u8]) -> Option<Value> {
    let asked: Value = serde_json::from_slice(body).ok()?;
    let asked = &asked["message"]["txnstatus_request"];
    let transaction_id = asked["attribute_value"].as_str()?;
    let state = shared.later.state();
    if state.keeps_quiet || asked["attribute_type"] != "transaction_id" {
        return None;
    }
    let told = match state.transactions.get(transaction_id)? {
        Transaction::Done(message) => message.clone(),
        Transaction::Underway(reference_id) => json!({
            "transaction_id": transaction_id,
            "correlation_id": "stand-in-underway",
            "search_response": [{
                "reference_id": reference_id,
                "timestamp": "2026-01-02T03:04:05Z",
                "status": "pdng",
            }],
        }),
    };
    Some(json!({ "txn_type": asked["txn_type"], "txn_status": told }))
}

fn sender_uri(body: &[u8]) -> Option<Url> {
    let asked: Value = serde_json::from_slice(body).ok()?;
    asked["header"]["sender_uri"].as_str()?.parse().ok()
}

fn no_address() -> Response {
    let body = error("err.sender_uri.invalid", "there is nowhere to call back");
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn refused(code: &str, why: &str) -> Response {
    Json(json!({ "message": {
        "ack_status": "NACK",
        "timestamp": "2026-01-02T03:04:05Z",
        "correlation_id": "stand-in-refused",
        "error": { "code": code, "message": why },
    }}))
    .into_response()
}

fn acknowledged(number: u64) -> Response {
    let body = json!({ "message": {
        "ack_status": "ACK",
        "timestamp": "2026-01-02T03:04:05Z",
        "correlation_id": format!("stand-in-correlation-{number}"),
    }});
    // The specification has no status of its own for it; some registries say 200.
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

//! What is subscribed to: one message at a time, kept by the cursor.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::testing::{self, Stage};
use adapter_sdk::{Events, Failure, Opaque};
use adapter_spdci::Spdci;
use serde_json::{Value, json};

const STATUS: &str = "/registry/sync/txn/status";

fn settings(subscribe: &[&str]) -> Value {
    json!({
        "registry_type": "Civil", "sender_id": "openimis", "subscribe": subscribe,
        "sender_uri": "https://gateway.example/hooks/civil",
    })
}

fn ack() -> Value {
    json!({ "message": { "ack_status": "ACK", "correlation_id": "c" } })
}

fn nack(code: &str) -> Value {
    json!({ "message": { "ack_status": "NACK", "error": { "code": code } } })
}

/// The status of a subscription with this item.
fn told(item: Value) -> Value {
    json!({ "header": {}, "message": { "txnstatus_response": {
        "txn_type": "subscribe", "txn_status": { "subscribe_response": [item] },
    } } })
}

fn registry(subscribe: &[&str]) -> Stage {
    testing::stage()
        .settings(settings(subscribe))
        .endpoint("registry")
        .on_post("/registry/subscribe", |_| ack())
        .on_post("/registry/unsubscribe", |_| ack())
        .on_post(STATUS, |request| {
            let asked = request.json();
            let number = &asked["message"]["txnstatus_request"]["attribute_value"];
            told(json!({ "status": "succ", "subscriptions": [{
                "code": format!("code of {}", number.as_str().unwrap()), "status": "subscribe",
            }] }))
        })
}

/// Goes on until nothing is left to do.
fn settle(mut cursor: Option<Opaque>) -> Opaque {
    for _ in 0..10 {
        let page = Spdci::changes(cursor, 100).unwrap();
        assert_eq!(page.events, []);
        if !page.more {
            return page.cursor;
        }
        cursor = Some(page.cursor);
    }
    panic!("it has no end");
}

fn sent(stage: &Stage, path: &str) -> Vec<Value> {
    let all = stage.requests().into_iter();
    all.filter(|it| it.path == path)
        .map(|it| it.json())
        .collect()
}

#[test]
fn what_is_set_is_subscribed_to_once_and_what_is_not_any_more_is_ended() {
    let stage = registry(&["LiveBirth", "Death"]);
    let cursor = settle(None);
    let subscribed = sent(&stage, "/registry/subscribe");
    let words: Vec<&Value> = subscribed
        .iter()
        .map(|it| &it["message"]["subscribe_request"][0]["subscribe_criteria"]["reg_event_type"])
        .collect();
    assert_eq!(words, ["LiveBirth", "Death"]);
    let first = &subscribed[0];
    assert_eq!(first["header"]["action"], "subscribe");
    assert_eq!(
        first["header"]["sender_uri"],
        "https://gateway.example/hooks/civil"
    );
    let request = &first["message"]["subscribe_request"][0];
    let criteria = &request["subscribe_criteria"];
    // All that the specification requires.
    assert_eq!(
        (&criteria["filter_type"], &criteria["filter"]),
        (&json!("predicate"), &json!([]))
    );
    assert!(criteria["notify_record_type"].is_string());
    // A poll more does no more.
    let cursor = settle(Some(cursor));
    assert_eq!(sent(&stage, "/registry/subscribe").len(), 2);
    assert_eq!(sent(&stage, STATUS).len(), 2, "the codes are known");

    let birth = first["message"]["transaction_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let stage = stage.settings(settings(&["Death"]));
    let cursor = settle(Some(cursor));
    let ended = sent(&stage, "/registry/unsubscribe");
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["header"]["action"], "unsubscribe");
    assert_eq!(
        ended[0]["message"]["subscription_codes"],
        json!([format!("code of {birth}")])
    );
    let _stage = stage.settings(settings(&[]));
    let cursor = settle_to_nothing(cursor);
    let failure = Spdci::changes(Some(cursor), 100).unwrap_err();
    assert_eq!(failure.summary(), "unsupported: changes");
}

/// The last step leaves nothing to poll for.
fn settle_to_nothing(cursor: Opaque) -> Opaque {
    let page = Spdci::changes(Some(cursor), 100).unwrap();
    assert!(page.more);
    page.cursor
}

#[test]
fn a_registry_without_subscriptions_only_calls_back() {
    let _stage = registry(&[]);
    let failure = Spdci::changes(None, 100).unwrap_err();
    assert_eq!(failure.summary(), "unsupported: changes");
}

#[test]
fn a_refusal_is_told_at_each_poll() {
    let summary = |answer: Result<_, Failure>| answer.map(|_| ()).unwrap_err().summary();
    let stage =
        registry(&["Death"]).on_post("/registry/subscribe", |_| nack("rjct.notify_types.invalid"));
    let refused = "rejected: rjct.notify_types.invalid";
    assert_eq!(summary(Spdci::changes(None, 100)), refused);
    drop(stage);
    let stage = registry(&["Death"]).on_post(STATUS, |_| {
        told(json!({ "status": "rjct", "status_reason_code": "rjct.notify_types.invalid" }))
    });
    let first = Spdci::changes(None, 100).unwrap();
    for _ in 0..2 {
        assert_eq!(
            summary(Spdci::changes(Some(first.cursor.clone()), 100)),
            refused
        );
    }
    assert_eq!(sent(&stage, "/registry/subscribe").len(), 1);
    drop(stage);
    let _stage = testing::stage()
        .settings(settings(&["Death"]))
        .endpoint("registry");
    assert_eq!(
        summary(Spdci::changes(None, 100)),
        "misconfigured: http.404 (settings.paths.subscribe)"
    );
}

#[test]
fn one_that_stands_already_is_as_good_as_new() {
    let stage = registry(&["Death"])
        .on_post("/registry/subscribe", |_| {
            nack("rjct.event.already_subscribed")
        })
        .on_post(STATUS, |_| nack("err.request.bad"));
    let cursor = settle(None);
    settle(Some(cursor));
    assert_eq!(sent(&stage, "/registry/subscribe").len(), 1);
    // Without a code nothing can be ended: the registry is told, and an administrator.
    let stage = stage.settings(settings(&[]));
    settle_to_nothing(settle_cursor());
    assert!(!stage.logs().is_empty());
}

/// The cursor of one subscription whose code is not known.
fn settle_cursor() -> Opaque {
    Opaque::pack(
        3,
        &json!({ "Death": { "transaction_id": "t", "code": null } }),
    )
    .unwrap()
}

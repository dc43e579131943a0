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
use adapter_sdk::{Events, Opaque};
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
fn status_of(item: Value) -> Value {
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
            status_of(json!({ "status": "succ", "subscriptions": [{
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

const REFUSED: &str = "rejected: rjct.notify_types.invalid";

fn rejected() -> Value {
    status_of(json!({ "status": "rjct", "status_reason_code": "rjct.notify_types.invalid" }))
}

/// Goes on until there is nothing to do, or it fails. Gives where it stands, and how it failed.
fn poll(mut cursor: Option<Opaque>) -> (Option<Opaque>, Option<String>) {
    for _ in 0..10 {
        match Spdci::changes(cursor.clone(), 100) {
            Ok(page) if page.more => cursor = Some(page.cursor),
            Ok(page) => return (Some(page.cursor), None),
            Err(failure) => return (cursor, Some(failure.summary())),
        }
    }
    panic!("it has no end");
}

fn words(stage: &Stage) -> Vec<String> {
    let subscribed = sent(stage, "/registry/subscribe").into_iter();
    let criteria = |it: Value| it["message"]["subscribe_request"][0]["subscribe_criteria"].clone();
    subscribed
        .map(|it| criteria(it)["reg_event_type"].as_str().unwrap().to_owned())
        .collect()
}

/// The cursor as it will be when the wait is over.
fn later(cursor: Option<Opaque>) -> Option<Opaque> {
    let cursor = cursor.unwrap();
    let mut known: Value = cursor.unpack(3).unwrap();
    for (_, it) in known.as_object_mut().unwrap() {
        if it.get("refused").is_some() {
            it["refused"]["again_at"] = json!(1);
        }
    }
    Some(Opaque::pack(3, &known).unwrap())
}

fn waits(cursor: Option<&Opaque>) -> u64 {
    let known: Value = cursor.unwrap().unpack(3).unwrap();
    let again_at = known["Birth"]["refused"]["again_at"].as_u64().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    again_at - now.unwrap().as_secs()
}

#[test]
fn one_that_is_refused_stops_no_other_and_is_asked_for_again_later() {
    let word = |request: &adapter_sdk::http::Request| {
        let criteria = &request.json()["message"]["subscribe_request"][0]["subscribe_criteria"];
        criteria["reg_event_type"].as_str().unwrap().to_owned()
    };
    let registry = registry(&["Birth", "Death", "Marriage"]);
    let stage = registry.on_post("/registry/subscribe", move |request| {
        match word(request).as_str() {
            "Birth" => nack("rjct.notify_types.invalid"),
            _ => ack(),
        }
    });
    let (cursor, told) = poll(None);
    assert_eq!(words(&stage), ["Birth", "Death", "Marriage"]);
    assert_eq!(told.as_deref(), Some(REFUSED), "the poll tells it");
    assert_eq!(stage.logs().len(), 1, "{:?}", stage.logs());
    // The other two have their codes: nothing is asked any more.
    let asked = stage.requests().len();
    for _ in 0..3 {
        let (same, told) = poll(cursor.clone());
        assert_eq!(
            (same.as_ref(), told.as_deref()),
            (cursor.as_ref(), Some(REFUSED))
        );
    }
    assert_eq!(stage.requests().len(), asked, "it is not sent at each poll");
    assert!((590..=600).contains(&waits(cursor.as_ref())));

    // It is asked for again, and waits twice as long each time, at most a day.
    let (mut cursor, told) = poll(later(cursor));
    assert_eq!((words(&stage).len(), told.as_deref()), (4, Some(REFUSED)));
    assert!((1_190..=1_200).contains(&waits(cursor.as_ref())));
    for _ in 0..8 {
        cursor = poll(later(cursor)).0;
    }
    assert!((86_390..=86_400).contains(&waits(cursor.as_ref())));

    let stage = stage.on_post("/registry/subscribe", |_| ack());
    let (cursor, told) = poll(later(cursor));
    assert_eq!(told, None);
    let asked = stage.requests().len();
    assert_eq!(poll(cursor.clone()).1, None);
    assert_eq!(stage.requests().len(), asked, "all stand");
    // What is refused after that waits as at first.
    let stage = stage.settings(settings(&[]));
    let stage = stage.on_post("/registry/unsubscribe", |_| nack("rjct.requester.invalid"));
    let (cursor, told) = poll(cursor);
    assert_eq!(told.as_deref(), Some("denied: rjct.requester.invalid"));
    assert_eq!(
        sent(&stage, "/registry/unsubscribe").len(),
        3,
        "all were tried"
    );
    assert!((590..=600).contains(&waits(cursor.as_ref())));
    let stage = stage.on_post("/registry/unsubscribe", |_| {
        nack("rjct.subscription_code.invalid")
    });
    let (_, told) = poll(later(cursor));
    assert_eq!(
        told.as_deref(),
        Some("unsupported: changes"),
        "nothing stands"
    );
    assert_eq!(sent(&stage, "/registry/unsubscribe").len(), 6);
}

#[test]
fn one_that_is_refused_after_it_was_acknowledged_stops_no_other() {
    let stage = registry(&["Birth"]).on_post(STATUS, |_| rejected());
    let (cursor, told) = poll(None);
    assert_eq!(told.as_deref(), Some(REFUSED));
    assert!((590..=600).contains(&waits(cursor.as_ref())));
    let asked = stage.requests().len();
    assert_eq!(poll(cursor.clone()).1.as_deref(), Some(REFUSED));
    assert_eq!(stage.requests().len(), asked);
    // Another is wanted, and the first one still waits.
    let stage = stage.settings(settings(&["Birth", "Death"]));
    let stands =
        json!({ "status": "succ", "subscriptions": [{ "code": "c", "status": "subscribe" }] });
    let stands = status_of(stands);
    let stage = stage.on_post(STATUS, move |_| stands.clone());
    let (cursor, told) = poll(cursor);
    assert_eq!(
        (words(&stage), told.as_deref()),
        (vec!["Birth".to_owned(), "Death".to_owned()], Some(REFUSED))
    );
    let (_, told) = poll(later(cursor));
    assert_eq!((words(&stage).len(), told), (3, None));
}

#[test]
fn a_registry_that_does_not_know_the_path_is_told_as_such() {
    let stage = testing::stage()
        .settings(settings(&["Birth", "Death"]))
        .endpoint("registry");
    let (cursor, told) = poll(None);
    let misconfigured = "misconfigured: http.404 (settings.paths.subscribe)";
    assert_eq!(told.as_deref(), Some(misconfigured));
    let asked = stage.requests().len();
    assert_eq!(poll(cursor).1.as_deref(), Some(misconfigured));
    assert_eq!(stage.requests().len(), asked);
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

//! Receivers that fail, and what becomes of their messages.

use std::time::Duration;

use gateway_tests::receiver::Reply;
use gateway_tests::wait::until;
use registry_gateway::store::CallerSettings;
use serde_json::json;

use super::{Set, builder};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_taken_is_sent_again_under_the_same_id_and_keeps_its_place() {
    let set = Set::start(builder()).await;
    set.add(json!({})).await;
    let elsewhere = "Location: /elsewhere\r\n";
    set.receiver.plan([
        Reply::status(500),
        Reply::Reset,
        // Longer than the gateway waits.
        Reply::Status(204, "", Duration::from_secs(3)),
        Reply::Status(307, elsewhere, Duration::ZERO),
        Reply::status(404),
        Reply::Status(429, "Retry-After: 2\r\n", Duration::ZERO),
        Reply::status(204),
        Reply::status(503),
    ]);
    set.tell("death d-1 4711 2026-01-02\ndeath d-2 4712 2026-01-02")
        .await;
    set.tell("death d-3 4713 2026-01-02").await;
    until("the last", async || {
        set.receiver.taken().contains(&"d-3".to_owned())
    })
    .await;

    let messages = set.receiver.messages();
    let order: Vec<String> = messages.iter().map(|it| it.event()).collect();
    let expected = [vec!["d-1"; 7], vec!["d-2"; 2], vec!["d-3"]].concat();
    assert_eq!(order, expected);
    for (one, other) in messages.iter().zip(&messages[1..]) {
        let is_same = one.event() == other.event();
        let same_id = one.header("webhook-id") == other.header("webhook-id");
        assert_eq!(is_same, same_id);
        // The event as it was, too.
        assert!(!is_same || one.body == other.body);
    }
    assert!(
        messages.iter().all(|it| it.path == "/events"),
        "a redirect was followed"
    );
    let asked = messages[6].at - messages[5].at;
    assert!(asked >= Duration::from_secs(2), "{asked:?}");
    let shown = set.show().await;
    assert_eq!(
        (&shown["attempts"], &shown["problem"]),
        (&json!(0), &json!(null))
    );
    assert_eq!(shown["failingSince"], json!(null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_end_holds_nothing_up() {
    let set = Set::start(builder()).await;
    set.add(json!({})).await;
    set.receiver.plan([Reply::Endless(200)]);
    set.tell("death d-1 4711 2026-01-02\ndeath d-2 4712 2026-01-02")
        .await;
    set.taken(&["d-1", "d-2"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_fails_for_too_long_is_paused_and_misses_nothing() {
    let patient = |config: &mut registry_gateway::config::Config| {
        super::allowing(config);
        config.webhooks.pause_after_ms = 500.try_into().unwrap();
    };
    let set = Set::start(builder().config(patient)).await;
    set.add(json!({})).await;
    set.receiver.always(Reply::status(500));
    set.tell("death d-1 4711 2026-01-02").await;
    let shown = set.paused("failing").await;
    assert_eq!(shown["problem"], "status-500");
    assert!(shown["attempts"].as_u64().unwrap() >= 2, "{shown}");
    let sent = set.receiver.messages().len();
    set.tell("death d-2 4712 2026-01-02").await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(set.receiver.messages().len(), sent, "it is paused");

    set.receiver.always(Reply::status(204));
    assert_eq!(set.post("/imis/resume", json!({})).await.status, 204);
    set.taken(&["d-1", "d-2"]).await;
    assert_eq!(set.show().await["state"], "active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_gone_or_may_no_longer_is_paused() {
    let set = Set::start(builder()).await;
    set.add(json!({})).await;
    set.receiver.plan([Reply::status(410)]);
    set.tell("death d-1 4711 2026-01-02").await;
    set.paused("gone").await;
    assert_eq!(set.receiver.messages().len(), 1);
    set.post("/imis/resume", json!({})).await;
    set.taken(&["d-1"]).await;

    // The grant is asked for at each message.
    let store = set.gateway.store().await;
    let roles = vec![registry_gateway::model::Role::Client];
    let nothing = CallerSettings {
        roles,
        ..CallerSettings::default()
    };
    store.callers().set("imis", nothing).await.unwrap();
    set.gateway.serving.gateway.reload().await.unwrap();
    set.tell("death d-2 4712 2026-01-02").await;
    set.paused("not-granted").await;
    store.callers().revoke("imis").await.unwrap();
    store.close().await;
    set.gateway.serving.gateway.reload().await.unwrap();
    set.post("/imis/resume", json!({})).await;
    set.paused("caller-revoked").await;
    // And so is where it goes: the configuration may have changed.
    let mut outside = set.gateway.outside().await;
    let moved = "UPDATE webhooks SET url = 'http://127.0.0.2/events'";
    assert_eq!(outside.run(moved).await, 1);
    set.post("/imis/resume", json!({})).await;
    set.paused("url-not-allowed").await;
    assert_eq!(set.receiver.taken(), ["d-1"]);
}

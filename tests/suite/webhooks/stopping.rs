//! Gateways come and go, and administrators change things while messages are under way.

use std::time::Duration;

use gateway_tests::receiver::Reply;
use gateway_tests::wait::until;
use serde_json::json;

use registry_gateway::config::Config;
use reqwest::Method;

use super::{Set, allowing, builder, verify};

/// Whether the events arrived in order, whichever came again.
fn in_order(taken: &[String]) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for id in taken {
        if !seen.contains(id) {
            seen.push(id.clone());
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_nothing_overtaken_where_gateways_come_and_go() {
    let set = Set::start(builder()).await;
    set.add(json!({})).await;
    set.receiver
        .always(Reply::Status(204, "", Duration::from_millis(30)));
    let ids: Vec<String> = (0..40).map(|at| format!("d-{at:02}")).collect();
    let lines = ids.iter().map(|id| format!("death {id} 4711 2026-01-02\n"));
    set.tell(&lines.collect::<String>()).await;
    until("some", async || set.receiver.taken().len() > 4).await;
    let beside = set.gateway.beside(&[], |_| {}).await;
    until("more", async || set.receiver.taken().len() > 10).await;
    let Set {
        gateway, receiver, ..
    } = set;
    // Two that sent at the same time would have sent something twice.
    let before = receiver.taken();
    assert_eq!(in_order(&before), before);
    assert_eq!(gateway.serving.stop().await, 0);
    until("all", async || {
        receiver.taken().contains(&"d-39".to_owned())
    })
    .await;
    let taken = receiver.taken();
    assert_eq!(in_order(&taken), ids);
    assert_eq!(
        taken.len(),
        40,
        "a gateway that stops lets go of what is over"
    );
    beside.serving.stop().await;
}

/// As the database is when a gateway died while it sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_gateway_had_is_taken_over_when_its_time_is_over() {
    let set = Set::start(builder()).await;
    set.add(json!({})).await;
    let mut outside = set.gateway.outside().await;
    let dead = "UPDATE webhooks SET fence = fence + 1, leased_until = 9000000000000000000";
    assert_eq!(outside.run(dead).await, 1);
    set.tell("death d-1 4711 2026-01-02").await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(set.receiver.messages().len(), 0, "another has it");
    let over = "UPDATE webhooks SET leased_until = 1";
    assert_eq!(outside.run(over).await, 1);
    set.taken(&["d-1"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_paused_and_goes_on_and_goes_back() {
    let set = Set::start(builder()).await;
    set.add(json!({})).await;
    set.tell("death d-1 4711 2026-01-02").await;
    set.taken(&["d-1"]).await;
    assert_eq!(set.post("/imis/pause", json!({})).await.status, 204);
    set.paused("by-an-administrator").await;
    set.tell("death d-2 4712 2026-01-02").await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(set.receiver.taken(), ["d-1"]);
    assert_eq!(set.show().await["lag"], 1);
    assert_eq!(set.post("/imis/resume", json!({})).await.status, 204);
    set.taken(&["d-1", "d-2"]).await;

    let first = set.receiver.messages()[0].clone();
    let cursor = first.json()["data"]["cursor"].clone();
    let back = set.post("/imis/replay", json!({ "after": cursor })).await;
    assert_eq!(back.status, 204);
    set.taken(&["d-1", "d-2", "d-2"]).await;
    let back = set.post("/imis/replay", json!({ "after": "e1-0" })).await;
    assert_eq!(back.status, 204);
    set.taken(&["d-1", "d-2", "d-2", "d-1", "d-2"]).await;
    let messages = set.receiver.messages();
    assert_eq!(messages[3].header("webhook-id"), first.header("webhook-id"));
    assert_eq!(messages[3].body, first.body);
    for bad in ["e1-ff", "7", ""] {
        let refused = set.post("/imis/replay", json!({ "after": bad })).await;
        assert_eq!(
            (refused.status, &refused.json["field"]),
            (400, &json!("after")),
            "{bad}"
        );
    }
}

/// A replay while a message is under way: its end does not undo what the administrator did, and the
/// next message waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_changes_it_while_it_sends_has_the_last_word() {
    let set = Set::start(builder()).await;
    set.add(json!({})).await;
    set.tell("death d-1 4711 2026-01-02").await;
    set.taken(&["d-1"]).await;
    set.receiver
        .plan([Reply::Status(204, "", Duration::from_millis(700))]);
    set.tell("death d-2 4712 2026-01-02").await;
    until("it is under way", async || {
        set.receiver.messages().len() == 2
    })
    .await;
    let back = set.post("/imis/replay", json!({ "after": "e1-0" })).await;
    assert_eq!(back.status, 204);
    set.taken(&["d-1", "d-2", "d-1", "d-2"]).await;
    let messages = set.receiver.messages();
    let waited = messages[2].at - messages[1].at;
    assert!(waited >= Duration::from_millis(650), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_changed_while_both_are_good() {
    let set = Set::start(builder()).await;
    let first = set.add(json!({})).await;
    let rotate = async |seconds: u32| {
        let body = json!({ "overlapSeconds": seconds });
        let rotated = set.post("/imis/secret", body).await.ok();
        rotated.json["secret"].as_str().unwrap().to_owned()
    };
    let second = rotate(3_600).await;
    assert_ne!(first, second);
    assert!(set.show().await["previousUntil"].is_string());
    set.tell("death d-1 4711 2026-01-02").await;
    set.taken(&["d-1"]).await;
    let message = set.receiver.messages()[0].clone();
    assert!(verify(&first, &message).is_ok() && verify(&second, &message).is_ok());
    let third = rotate(0).await;
    set.tell("death d-2 4712 2026-01-02").await;
    set.taken(&["d-1", "d-2"]).await;
    let message = set.receiver.messages()[1].clone();
    assert!(verify(&third, &message).is_ok());
    assert!(verify(&first, &message).is_err() && verify(&second, &message).is_err());
    let long = set
        .post("/imis/secret", json!({ "overlapSeconds": 604_801 }))
        .await;
    assert_eq!(
        (long.status, &long.json["field"]),
        (400, &json!("overlapSeconds"))
    );
}

/// One is removed while a message is under way, and another bears its name when that is answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_was_answered_moves_nothing_of_its_namesake() {
    let patient = |config: &mut Config| {
        allowing(config);
        config.webhooks.timeout_ms = 20_000.try_into().unwrap();
    };
    let set = Set::start(builder().config(patient)).await;
    set.add(json!({})).await;
    let after = |seconds, status| Reply::Status(status, "", Duration::from_secs(seconds));
    set.receiver.plan([after(3, 204), after(5, 500)]);
    set.tell("death d-1 4711 2026-01-02").await;
    let sent = async |count: usize| {
        until("so many messages", async || {
            set.receiver.messages().len() == count
        })
        .await;
    };
    sent(1).await;
    assert_eq!(set.act(Method::DELETE, "/imis", None).await.status, 204);
    set.add(json!({ "after": "e1-0" })).await;
    sent(2).await;
    // The first is taken meanwhile, the second is not.
    sent(3).await;
    let messages = set.receiver.messages();
    assert!(messages.iter().all(|it| it.event() == "d-1"));
    let ids: Vec<&str> = messages.iter().map(|it| it.header("webhook-id")).collect();
    assert!(ids[0] != ids[1] && ids[1] == ids[2], "{ids:?}");
    until("all is over", async || set.show().await["lag"] == 0).await;
    assert_eq!(set.receiver.taken(), ["d-1", "d-1"]);
}

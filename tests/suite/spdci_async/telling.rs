//! Life events: subscribed to at a poll, notified by callbacks, read from the feed.

use gateway_tests::gateway::{RegistryText, TestGateway};
use gateway_tests::wait::until;
use registry_gateway::model::Ability;
use serde_json::{Value, json};

use super::{later, put};

async fn feed(gateway: &TestGateway, key: &str) -> Vec<Value> {
    let read = gateway
        .get("/v1/events?limit=100")
        .key(key)
        .send()
        .await
        .ok();
    read.json["events"].as_array().unwrap().clone()
}

async fn deaths(gateway: &TestGateway, key: &str, so_many: usize) -> Vec<Value> {
    let mut all = Vec::new();
    until("the events", async || {
        all = feed(gateway, key).await;
        all.len() >= so_many
    })
    .await;
    all
}

fn dead(uin: &str) -> Value {
    json!({
        "identifier": [{ "identifier_type": "UIN", "identifier_value": uin }],
        "name": { "surname": "Rai", "given_name": "Mira" },
        "death_date": "2026-01-02",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_set_is_subscribed_to_and_what_is_notified_is_read_once() {
    let gateway = TestGateway::start().await;
    let key = gateway.caller("imis", &["civil"], &[Ability::Events]).await;
    let text = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        later(&gateway)
            .set("settings.subscribe", words)
            .set("events.poll_ms", 1_000)
    };
    put(&gateway, text(&["LiveBirth", "Death"])).await;
    let stand_in = &gateway.stand_in;
    let subscribed = async |words: &[&str]| {
        until("the subscriptions", async || {
            stand_in.later().subscriptions().keys().eq(words.iter())
        })
        .await;
    };
    subscribed(&["Death", "LiveBirth"]).await;
    assert!(
        !stand_in.notify("Marriage", ["t-0", "r"], dead("1")),
        "nobody asked for it"
    );

    // The same twice, and another one.
    for (number, uin) in [("t-1", "11"), ("t-1", "11"), ("t-2", "12")] {
        assert!(stand_in.notify("Death", [number, "r"], json!([dead(uin)])));
        let told = stand_in.later().answered().len();
        until("it is taken", async || {
            stand_in.later().answered().len() > told
        })
        .await;
    }
    let events = deaths(&gateway, &key, 2).await;
    assert_eq!(events.len(), 2);
    let event = &events[0]["event"];
    assert_eq!(
        (&event["kind"], &event["participants"][0]["role"]),
        (&json!("death"), &json!("deceased"))
    );
    assert_eq!(
        event["participants"][0]["person"]["identifiers"][0]["value"],
        "11"
    );
    assert_eq!(event["occurred"]["value"], "2026-01-02");

    // Whoever is not the registry tells nothing.
    stand_in.later().set_token("wrong");
    let before = stand_in.later().answered().len();
    assert!(stand_in.notify("Death", ["t-3", "r"], dead("13")));
    until("it is refused", async || {
        stand_in.later().answered().len() > before
    })
    .await;
    let (status, body) = stand_in.later().answered().pop().unwrap();
    assert_eq!(
        (status, &body["message"]["ack_status"]),
        (401, &json!("NACK"))
    );
    assert_eq!(feed(&gateway, &key).await.len(), 2);

    put(&gateway, text(&["Death"])).await;
    subscribed(&["Death"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_no_event_is_believed() {
    let gateway = TestGateway::start().await;
    let key = gateway.caller("imis", &["civil"], &[Ability::Events]).await;
    for trust in [false, true] {
        let text = RegistryText::spdci("Civil").set("settings.trust_transaction_ids", trust);
        put(&gateway, text).await;
        refused(&gateway).await;
        assert_eq!(feed(&gateway, &key).await, [Value::Null; 0]);
    }
}

async fn refused(gateway: &TestGateway) {
    let body = json!({
        "header": { "action": "notify", "status": "succ" },
        "message": { "transaction_id": "t", "notify_event": [{
            "reference_id": "r", "data": { "reg_event_type": "Death", "reg_records": dead("1") },
        }] },
    });
    let told = gateway
        .post("/hooks/civil/registry/notify", &body)
        .send()
        .await;
    assert_eq!(told.status, 401, "{}", told.text);
}

/// One that the registry refuses stops no other, is told, and is asked for again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_refused_stops_no_other_subscription() {
    let gateway = TestGateway::start().await;
    let later_on = gateway.stand_in.later();
    later_on.refuse_subscription("Birth", true);
    let text = later(&gateway)
        .set("settings.subscribe", vec!["Birth", "Death", "Marriage"])
        .set("settings.subscribe_again_ms", 1_000)
        .set("events.poll_ms", 1_000);
    put(&gateway, text).await;
    let subscribed = async |words: &[&str]| {
        until("the subscriptions", async || {
            later_on.subscriptions().keys().eq(words.iter())
        })
        .await;
    };
    subscribed(&["Death", "Marriage"]).await;
    // What the registry said is the end of the poll.
    let store = gateway.store().await;
    until("it is told", async || {
        let rows = store.audit().recent(50).await.unwrap();
        let ends = rows.iter().filter_map(|row| row.end.as_ref());
        let mut codes = ends.filter_map(|end| end.code.as_deref());
        codes.any(|code| code == "rjct.notify_types.invalid")
    })
    .await;
    store.close().await;
    later_on.refuse_subscription("Birth", false);
    subscribed(&["Birth", "Death", "Marriage"]).await;
}

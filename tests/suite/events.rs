//! Life events: a registry calls back or is asked, and a caller reads what happened.

mod crowds;
mod discarding;
mod keeping;
mod raw;
mod reading;

use std::sync::atomic::{AtomicU32, Ordering};

use gateway_tests::ask::Answer;
use gateway_tests::components;
use gateway_tests::gateway::{Builder, RegistryText, TestGateway};
use gateway_tests::wait::until;
use registry_gateway::model::{Ability, Role};
use serde_json::{Value, json};

fn telling() -> RegistryText {
    RegistryText::bare(components::component("telling-guest"))
}

fn builder() -> Builder {
    let deaf = |_| RegistryText::bare(components::component("changing-guest"));
    TestGateway::builder()
        .registry("vital", |_| telling())
        .registry("deaf", deaf)
}

/// A gateway, and the key of somebody who may read the events of `vital`.
async fn start(builder: Builder) -> (TestGateway, String) {
    let gateway = builder.start().await;
    let key = gateway.caller("imis", &["vital"], &[Ability::Events]).await;
    (gateway, key)
}

async fn tell(gateway: &TestGateway, body: &str) -> Answer {
    let ask = gateway.ask(reqwest::Method::POST, "/hooks/vital/on-event");
    let ask = ask.without("authorization").header("x-token", "right");
    ask.body(body).send().await
}

async fn read(gateway: &TestGateway, key: &str, query: &str) -> Value {
    let path = format!("/v1/events?{query}");
    gateway.get(&path).key(key).send().await.ok().json
}

fn ids(page: &Value) -> Vec<&str> {
    let events = page["events"].as_array().unwrap().iter();
    events
        .map(|it| it["event"]["id"].as_str().unwrap())
        .collect()
}

async fn callbacks(gateway: &TestGateway, query: &str) -> Vec<Value> {
    let admin = admin(gateway).await;
    let path = format!("/admin/v1/callbacks?{query}");
    let listed = gateway.get(&path).key(&admin).send().await.ok();
    listed.json["callbacks"].as_array().unwrap().clone()
}

/// Another one each time.
async fn admin(gateway: &TestGateway) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("admin-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    gateway.staff(&name, &[Role::Administrator]).await
}

async fn replay(gateway: &TestGateway, id: &Value) -> Answer {
    let admin = admin(gateway).await;
    let path = format!("/admin/v1/callbacks/{}/replay", id.as_str().unwrap());
    gateway.post(&path, &json!({})).key(&admin).send().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_arrives_and_is_read() {
    let (gateway, key) = start(builder()).await;
    let empty = read(&gateway, &key, "").await;
    assert_eq!((ids(&empty).len(), &empty["next"]), (0, &empty["newest"]));

    // Whoever waits for it has it at once.
    let waiting = read(&gateway, &key, "wait=30");
    let telling = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let told = tell(&gateway, "death d-1 4711 2026-01-02\nchallenge abc").await;
        assert_eq!((told.status, told.text.as_str()), (200, "abc"));
    };
    let (page, ()) = tokio::join!(waiting, telling);
    assert_eq!(ids(&page), ["d-1"]);
    let entry = &page["events"][0];
    assert_eq!(entry["registry"], "vital");
    assert!(entry["module"].as_str().unwrap().starts_with("sha256:"));
    let event = &entry["event"];
    assert_eq!(
        (&event["kind"], &event["participants"][0]["role"]),
        (&json!("death"), &json!("deceased"))
    );
    let dead = &event["participants"][0]["person"];
    assert_eq!(dead["identifiers"][0]["value"], "4711");
    // As the policy has it: what an adapter has of its own is masked.
    assert!(dead.get("extra").is_none(), "{dead}");
    let after = format!("after={}", page["next"].as_str().unwrap());
    assert_eq!(ids(&read(&gateway, &key, &after).await), [""; 0]);

    // By any method, at the address itself, and empty.
    let ask = gateway.ask(reqwest::Method::GET, "/hooks/vital");
    let got = ask.header("x-token", "right").send().await;
    assert_eq!(got.status, 202);
    let received = callbacks(&gateway, "state=received").await;
    assert_eq!(received.len(), 2);
    assert_eq!(
        (&received[1]["events"], &received[1]["status"]),
        (&json!(1), &json!(200))
    );
    let admin = gateway.staff("eve", &[Role::Implementer]).await;
    let listed = gateway
        .get("/admin/v1/events?registry=vital")
        .key(&admin)
        .send()
        .await
        .ok();
    assert_eq!(listed.json["events"][0]["kind"], "death");
    assert_eq!(listed.json["events"][0]["callback"], received[1]["id"]);
    assert!(!listed.text.contains("4711") && !listed.text.contains("Adhikari"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeats_are_harmless_and_a_correction_may_come_first() {
    let (gateway, key) = start(builder()).await;
    tell(&gateway, "correction c-1 4711 d-1").await;
    tell(&gateway, "death d-1 4711 2026-01-02").await;
    for _ in 0..3 {
        let again = tell(
            &gateway,
            "death d-1 4711 2026-01-02\ncorrection c-1 4711 d-1",
        )
        .await;
        assert_eq!(again.status, 202);
    }
    tell(
        &gateway,
        "death d-2 4712 2026-01-02\ndeath d-2 4713 2026-01-03",
    )
    .await;
    let mut page = Value::Null;
    until("all of them", async || {
        page = read(&gateway, &key, "").await;
        ids(&page).len() == 3
    })
    .await;
    assert_eq!(ids(&page), ["c-1", "d-1", "d-2"]);
    // Of two under one id in one callback the first one is told.
    let of = &page["events"][2]["event"]["participants"];
    assert_eq!(of.as_array().map(Vec::len), Some(1));
    assert_eq!(of[0]["person"]["identifiers"][0]["value"], "4712");
    assert_eq!(page["events"][0]["event"]["amends"]["id"], "d-1");
    // One after the other.
    let first = read(&gateway, &key, "limit=1").await;
    let after = format!("after={}&limit=1", first["next"].as_str().unwrap());
    assert_eq!(ids(&read(&gateway, &key, &after).await), ["d-1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_believed_brings_nothing() {
    let (gateway, key) = start(builder()).await;
    for (token, status, code) in [("wrong", 401, ""), ("none", 403, "callback-denied")] {
        let ask = gateway.ask(reqwest::Method::POST, "/hooks/vital/on-event");
        let ask = ask.header("x-token", token).body("death d-1 1 2026-01-02");
        let told = ask.send().await;
        assert_eq!(told.status, status, "{}", told.text);
        if !code.is_empty() {
            assert_eq!(told.code(), code);
        }
    }
    let refused = callbacks(&gateway, "").await;
    assert_eq!(refused.len(), 2);
    assert!(
        refused
            .iter()
            .all(|it| it["state"] == "refused" && it["events"] == 0)
    );
    let mut outside = gateway.outside().await;
    let kept = outside
        .run("DELETE FROM callbacks WHERE body IS NOT NULL")
        .await;
    assert_eq!(kept, 0, "a refused sender's bytes are kept");
    assert_eq!(outside.run("DELETE FROM events").await, 0);
    assert_eq!(ids(&read(&gateway, &key, "").await), [""; 0]);
    for (body, status, code) in [
        ("reject", 400, "callback-rejected"),
        ("busy", 503, "callback-unavailable"),
    ] {
        let told = tell(&gateway, body).await;
        assert_eq!((told.status, told.code()), (status, code));
    }
    // What passes is tried again by itself.
    let waiting = callbacks(&gateway, "state=new").await;
    assert_eq!(
        (waiting.len(), &waiting[0]["reason"]),
        (1, &json!("unavailable"))
    );
    let now = "UPDATE callbacks SET due_at = 0 WHERE state = 'new' AND due_at > 0";
    assert_eq!(outside.run(now).await, 1);
    until("it is tried again", async || {
        let waiting = callbacks(&gateway, "state=new").await;
        waiting[0]["attempts"] == 2 && waiting[0]["reason"] == "unavailable"
    })
    .await;
    let replayed = replay(
        &gateway,
        &callbacks(&gateway, "state=refused").await[0]["id"],
    )
    .await;
    assert_eq!((replayed.status, replayed.code()), (409, "not-replayable"));
    for (path, status, code) in [
        ("/hooks/nobody/x", 404, "unknown-registry"),
        ("/hooks/deaf/x", 501, "no-ability"),
    ] {
        let told = gateway.ask(reqwest::Method::POST, path).send().await;
        assert_eq!((told.status, told.code()), (status, code), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_kept_and_read_again() {
    let (gateway, key) = start(builder()).await;
    for body in ["unreadable", "trap"] {
        let told = tell(&gateway, body).await;
        assert_eq!(
            (told.status, told.code()),
            (503, "callback-unread"),
            "{body}"
        );
    }
    let unreadable = callbacks(&gateway, "state=unreadable").await;
    let failed = callbacks(&gateway, "state=failed&registry=vital").await;
    assert_eq!((unreadable.len(), failed.len()), (1, 1));
    assert_eq!(unreadable[0]["code"], "form.unknown");
    let id = &unreadable[0]["id"];
    // It is as unreadable as before, until the adapter reads it.
    assert_eq!(replay(&gateway, id).await.status, 204);
    until("it was tried", async || {
        let now = callbacks(&gateway, "state=unreadable").await;
        now.first()
            .is_some_and(|it| it["changedAt"] != unreadable[0]["changedAt"])
    })
    .await;
    assert_eq!(ids(&read(&gateway, &key, "").await), [""; 0]);
    let mended = telling().set("settings.reads", "yes");
    gateway.apply(&[], &[("vital", mended)]).await;
    gateway.serving.gateway.reload().await.unwrap();
    assert_eq!(replay(&gateway, id).await.status, 204);
    until("its event", async || {
        ids(&read(&gateway, &key, "").await) == ["late"]
    })
    .await;
    let received = callbacks(&gateway, "state=received").await;
    assert_eq!(
        (&received[0]["id"], &received[0]["events"]),
        (id, &json!(1))
    );
    let gone = replay(&gateway, &json!("0199c9a2-6c1e-7000-8000-000000000000")).await;
    assert_eq!((gone.status, gone.code()), (404, "unknown"));
    let bad = gateway.get("/admin/v1/callbacks?state=lost");
    let admin = gateway.staff("zoe", &[Role::Auditor]).await;
    assert_eq!(bad.key(&admin).send().await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_large_too_many_too_full() {
    let one = |number| std::num::NonZeroU32::new(number).unwrap();
    let (gateway, _) = start(builder().config(move |config| {
        config.events.max_callback_bytes = one(100);
        config.events.max_unread_callbacks = one(2);
        config.events.callbacks_per_second = one(1);
        config.events.callback_burst = one(5);
    }))
    .await;
    let large = tell(&gateway, &"x".repeat(101)).await;
    assert_eq!((large.status, large.code()), (413, "body-too-large"));
    for _ in 0..2 {
        assert_eq!(tell(&gateway, "unreadable").await.code(), "callback-unread");
    }
    let full = tell(&gateway, "death d-1 1 2026-01-02").await;
    assert_eq!((full.status, full.code()), (507, "callbacks-full"));
    let mut many = full;
    for _ in 0..100 {
        if many.status == 429 {
            break;
        }
        many = tell(&gateway, "death d-1 1 2026-01-02").await;
    }
    assert_eq!((many.status, many.code()), (429, "too-many-callbacks"));
    assert_eq!(many.header("retry-after"), "1");
    assert_eq!(callbacks(&gateway, "").await.len(), 2);
}

/// As the database is when the gateway died between keeping and reading.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_was_kept_is_read_after_a_crash() {
    let (gateway, key) = start(builder()).await;
    tell(&gateway, "death d-1 4711 2026-01-02").await;
    let mut outside = gateway.outside().await;
    for statement in [
        "DELETE FROM event_people",
        "DELETE FROM events",
        "UPDATE callbacks SET state = 'new', due_at = 0, brought = 0",
    ] {
        assert_eq!(outside.run(statement).await, 1, "{statement}");
    }
    until("it was read", async || {
        ids(&read(&gateway, &key, "").await) == ["d-1"]
    })
    .await;
    let received = callbacks(&gateway, "").await;
    assert_eq!(
        (&received[0]["state"], &received[0]["attempts"]),
        (&json!("received"), &json!(2))
    );
    // What brings the gateway down each time is left to a person.
    let worst = "UPDATE callbacks SET state = 'new', due_at = 0, attempts = 5";
    assert_eq!(outside.run(worst).await, 1);
    until("it is given up", async || {
        callbacks(&gateway, "state=failed").await.len() == 1
    })
    .await;
    assert_eq!(callbacks(&gateway, "").await[0]["reason"], "given-up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_is_asked_for_what_changed() {
    let polled = |text: RegistryText| text.set("events.poll_ms", 1_000);
    let (gateway, key) = start(builder().registry("vital", polled)).await;
    let all: Vec<String> = (0..5).map(|at| format!("change-{at}")).collect();
    until("all changes", async || {
        ids(&read(&gateway, &key, "").await) == all
    })
    .await;
    // Where it was is known to the next, and to nobody who only has the database.
    let mut outside = gateway.outside().await;
    let at_the_end =
        "UPDATE event_cursors SET due_at = 0 WHERE state_schema = 7 AND data IS NOT NULL";
    assert_eq!(outside.run(at_the_end).await, 1);
    until("it is asked again", async || {
        outside
            .run("UPDATE event_cursors SET reason = NULL WHERE due_at > 0 AND fence > 1")
            .await
            == 1
    })
    .await;
    assert_eq!(ids(&read(&gateway, &key, "").await).len(), 5);
}

//! What keeps an operation from being sent, and what is said about it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan};
use reqwest::Method;
use serde_json::json;
use stand_in::records::Mishap;

use super::{Writing, id, quick, states};

fn away(seconds: u32) -> Mishap {
    Mishap::Status {
        status: 503,
        applied: false,
        retry_after: Some(seconds),
    }
}

async fn administer(writing: &Writing, method: Method, path: &str) -> gateway_tests::ask::Answer {
    let path = format!("/admin/v1/registries/records{path}");
    let asked = writing.gateway.ask(method, &path);
    asked.key(&writing.admin).send().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_registry_is_told_nothing_until_it_is_enabled() {
    let writing = Writing::start().await;
    writing.inject(away(1));
    let waiting = id(&writing.write("k-1", "male", &["waiting"]).await);
    let disabled = administer(&writing, Method::POST, "/disable").await;
    assert!(disabled.status < 300, "{}", disabled.text);
    let refused = writing.send("k-2", &writing.body("p-2", "male")).await;
    assert_eq!((refused.status, refused.code()), (503, "registry-disabled"));
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let shown = writing.shown(&waiting).await;
    let told = (&shown["state"], &shown["reason"], &shown["attempts"]);
    assert_eq!(
        told,
        (&json!("waiting"), &json!("registry-disabled"), &json!(1))
    );
    let listed = writing.gateway.get("/admin/v1/operations?state=waiting");
    let listed = listed.key(&writing.admin).send().await.ok();
    assert_eq!(listed.json["operations"][0]["reason"], "registry-disabled");
    let enabled = administer(&writing, Method::POST, "/enable").await;
    assert!(enabled.status < 300, "{}", enabled.text);
    let done = writing.reaches(&waiting, &["applied"]).await;
    assert_eq!(writing.done(&id(&done)), 1);
}

/// What a registry's policy hides stays hidden when it is out of use.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_registry_shows_no_more_of_a_receipt() {
    for (fields, shows) in [
        (vec!["names", "sex"], false),
        (vec!["identifiers", "version"], true),
    ] {
        let writing = Writing::with(|text| text.set("policy.fields", fields)).await;
        let done = writing.write("k-1", "male", &["applied"]).await;
        let disabled = administer(&writing, Method::POST, "/disable").await;
        assert!(disabled.status < 300, "{}", disabled.text);
        let out_of_use = writing.shown(&id(&done)).await;
        for shown in [&done, &out_of_use] {
            let receipt = &shown["receipt"];
            assert_eq!(receipt["outcome"], "applied", "{shown:#}");
            assert!(receipt["reference"].is_string(), "{shown:#}");
            for field in ["identifiers", "version"] {
                assert_eq!(receipt.get(field).is_some(), shows, "{field}: {shown:#}");
            }
        }
    }
}

/// Nothing is sent to them; the deadlines of what waits for them come all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_comes_at_a_registry_that_is_disabled_or_closed() {
    let writing = Writing::start().await;
    writing.inject(away(3_600));
    let soon = Timestamp::now() + SignedDuration::from_secs(4);
    let mut body = writing.body("p-1", "male");
    body["deadline"] = json!(soon.to_string());
    let waiting = id(&writing.send("k-1", &body).await.json);
    writing.reaches(&waiting, &["waiting"]).await;
    // It waits for the one before it, and has another deadline.
    let behind = id(&writing.send("k-2", &writing.body("p-1", "male")).await.json);
    let disabled = administer(&writing, Method::POST, "/disable").await;
    assert!(disabled.status < 300, "{}", disabled.text);
    let given_up = writing.reaches(&waiting, &["given-up"]).await;
    assert_eq!(given_up["reason"], "deadline");
    assert!(Timestamp::now() >= soon);
    assert_eq!(
        states(&given_up),
        ["accepted", "delivering", "waiting", "given-up"]
    );
    // The first of the subject goes, and the next one has its own deadline.
    assert_eq!(
        writing.act(&waiting, "cancel", &json!({})).await.status,
        204
    );
    assert_eq!(writing.shown(&behind).await["state"], "accepted");
    let mut outside = writing.gateway.outside().await;
    let late = format!("UPDATE operations SET give_up_at = accepted_at WHERE id = '{behind}'");
    assert_eq!(outside.run(&late).await, 1);
    let given_up = writing.reaches(&behind, &["given-up"]).await;
    assert_eq!(given_up["attempts"], 0);
    assert_eq!(writing.done(&waiting) + writing.done(&behind), 0);
}

/// Under a key that is known there is one operation, whatever its deadline is by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_after_the_deadline_gives_the_same_operation() {
    let writing =
        Writing::with(|text| text.set("endpoints.registry.base_url", "http://127.0.0.1:1/"));
    let writing = writing.await;
    let soon = Timestamp::now() + SignedDuration::from_secs(2);
    let mut body = writing.body("p-1", "male");
    body["deadline"] = json!(soon.to_string());
    let sent = id(&writing.send("k-1", &body).await.json);
    writing.reaches(&sent, &["given-up"]).await;
    assert!(Timestamp::now() >= soon);
    let again = writing.send("k-1", &body).await;
    assert_eq!((again.status, id(&again.json)), (200, sent));
    assert_eq!(again.json["state"], "given-up");
    // Another write with such a deadline is refused.
    let refused = writing.send("k-2", &body).await;
    assert_eq!(
        (refused.status, &refused.json["field"]),
        (400, &json!("deadline"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_with_open_operations_is_not_deleted() {
    let writing = Writing::start().await;
    writing.inject(away(60));
    let waiting = id(&writing.write("k-1", "male", &["waiting"]).await);
    let held = writing.send("k-2", &writing.body("p-1", "female")).await;
    let refused = administer(&writing, Method::DELETE, "").await;
    assert_eq!((refused.status, refused.code()), (409, "operations-open"));
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("2 operations of records are open: cancel"),
        "{detail}"
    );
    for id in [waiting, id(&held.json)] {
        let cancelled = writing.act(&id, "cancel", &json!({})).await;
        assert_eq!(cancelled.status, 204, "{}", cancelled.text);
    }
    let deleted = administer(&writing, Method::DELETE, "").await;
    assert!(deleted.status < 300, "{}", deleted.text);
    let gone = writing.send("k-3", &writing.body("p-1", "male")).await;
    assert_eq!((gone.status, gone.code()), (404, "unknown-registry"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_its_hours_it_waits_for_them() {
    let opens = Timestamp::now().in_tz("UTC").unwrap() + 12.hours();
    let closes = &opens + 1.hour();
    let from_to = format!("{:02}:00-{:02}:00", opens.hour(), closes.hour());
    let windows = vec![format!("mon-sun {from_to}")];
    let writing = Writing::with(move |text| {
        text.set("policy.hours.zone", "UTC")
            .set("policy.hours.windows", windows)
    });
    let writing = writing.await;
    let sent = writing.send("k-1", &writing.body("p-1", "male")).await;
    assert_eq!(sent.status, 202, "{}", sent.text);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let shown = writing.shown(&id(&sent.json)).await;
    let told = (&shown["state"], &shown["reason"], &shown["attempts"]);
    assert_eq!(
        told,
        (&json!("accepted"), &json!("registry-closed"), &json!(0))
    );
    let next: Timestamp = shown["nextAttemptAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(next.in_tz("UTC").unwrap().hour(), opens.hour());
}

/// Nobody listens at the registry's address, and the deadline comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_up_holds_until_somebody_decides() {
    let writing =
        Writing::with(|text| text.set("endpoints.registry.base_url", "http://127.0.0.1:1/"));
    let writing = writing.await;
    let mut body = writing.body("p-1", "male");
    let far = Timestamp::now() + SignedDuration::from_hours(24 * 31);
    body["deadline"] = json!(far.to_string());
    let refused = writing.send("k-1", &body).await;
    assert_eq!(
        (refused.status, &refused.json["field"]),
        (400, &json!("deadline"))
    );
    let soon = Timestamp::now() + SignedDuration::from_secs(2);
    body["deadline"] = json!(soon.to_string());
    let sent = writing.send("k-1", &body).await;
    let behind = writing.send("k-2", &writing.body("p-1", "female")).await;
    let given_up = writing.reaches(&id(&sent.json), &["given-up"]).await;
    assert!(given_up["attempts"].as_u64() > Some(0), "{given_up:#}");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let held = writing.shown(&id(&behind.json)).await;
    assert_eq!(
        (&held["state"], &held["attempts"]),
        (&json!("accepted"), &json!(0))
    );

    let applied = json!({ "as": "applied", "reason": "asked" });
    let wrong = writing.act(&id(&given_up), "resolve", &applied).await;
    assert_eq!((wrong.status, wrong.code()), (409, "operation-state"));
    let again = writing.act(&id(&given_up), "replay", &json!({})).await;
    assert_eq!(again.status, 204, "{}", again.text);
    let waiting = writing.reaches(&id(&given_up), &["waiting"]).await;
    let wrong = writing.act(&id(&waiting), "replay", &json!({})).await;
    assert_eq!((wrong.status, wrong.code()), (409, "operation-state"));
    let unknown = "0198c7a2-5b1e-7c3a-9f00-1f2e3d4c5b6a";
    let unknown = writing.act(unknown, "replay", &json!({})).await;
    assert_eq!((unknown.status, unknown.code()), (404, "unknown"));
}

/// One place, and who waits for an answer is next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bulk_lets_others_go_first() {
    let writing = Writing::of(|builder| {
        builder.config(|config| {
            quick(config);
            config.operations.at_once_per_registry = 1.try_into().unwrap();
        })
    });
    let writing = writing.await;
    writing.inject(Mishap::Late(Duration::from_secs(3)));
    let mut all = Vec::new();
    for (number, bulk) in [(0, true), (1, true), (2, true), (3, false)] {
        let sex = ["male", "female"][number % 2];
        let mut body = writing.body(&format!("p-{number}"), sex);
        body["bulk"] = json!(bulk);
        let sent = writing.send(&format!("k-{number}"), &body).await;
        all.push(id(&sent.json));
        if number == 0 {
            writing.reaches(&all[0], &["delivering"]).await;
        }
    }
    for id in &all {
        let done = writing.reaches(id, &["applied"]).await;
        assert_eq!(states(&done), ["accepted", "delivering", "applied"]);
    }
    let ledger = writing.gateway.stand_in.records().ledger();
    let keys: Vec<_> = ledger
        .effects()
        .iter()
        .filter_map(|it| it.key.as_ref())
        .collect();
    assert_eq!(keys, [&all[0], &all[3], &all[1], &all[2]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_registry_that_rests_or_is_not_ready_says_so() {
    let writing = Writing::start().await;
    writing.inject(away(60));
    let first = id(&writing.write("k-1", "male", &["waiting"]).await);
    // Of this one nothing was sent: the registry asked for a rest.
    let behind = writing.send("k-2", &writing.body("p-2", "male")).await;
    assert_eq!(behind.status, 202, "{}", behind.text);
    let behind = id(&behind.json);
    let told = async |id: &str| {
        let shown = writing.shown(id).await;
        let reason = shown["reason"].as_str().unwrap_or_default().to_owned();
        (reason, shown["attempts"].as_u64().unwrap())
    };
    assert_eq!(told(&behind).await, ("registry-resting".to_owned(), 0));
    assert_eq!(told(&first).await, ("unavailable".to_owned(), 1));

    // A time that no calendar has: its row cannot be read.
    let mut outside = writing.gateway.outside().await;
    let spoil = "UPDATE registries SET updated_at = 9000000000000000000 WHERE name = 'records'";
    assert_eq!(outside.run(spoil).await, 1);
    outside.move_revision().await;
    for id in [&first, &behind] {
        gateway_tests::wait::until("it is told", async || {
            told(id).await.0 == "registry-not-ready"
        })
        .await;
    }
    let refused = writing.send("k-3", &writing.body("p-3", "male")).await;
    assert_eq!(
        (refused.status, refused.code()),
        (503, "registry-not-ready")
    );
    assert_eq!(writing.done(&first) + writing.done(&behind), 0);
}

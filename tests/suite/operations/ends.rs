//! Every end that a write can come to.

use std::time::Duration;

use gateway_tests::gateway::Builder;
use serde_json::json;
use stand_in::records::Mishap;

use super::{Writing, id, states};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_applied_rejected_or_in_conflict() {
    let writing = Writing::start().await;
    let done = writing.write("k-1", "male", &["applied"]).await;
    assert_eq!(states(&done), ["accepted", "delivering", "applied"]);
    assert_eq!(done["receipt"]["outcome"], "applied");
    assert_eq!(
        (&done["attempts"], writing.done(&id(&done))),
        (&json!(1), 1)
    );

    // The number is tied to somebody else.
    let other = writing.gateway.stand_in.records();
    let other = other.put(&json!({ "names": [{ "family": "Rai" }] }));
    for (key, record, end) in [
        ("l-1", &other, "applied"),
        ("l-2", &writing.record, "rejected"),
    ] {
        let sent = writing
            .send(key, &writing.link("p-1", record, "4711"))
            .await;
        let ended = writing
            .reaches(&id(&sent.json), &["applied", "rejected"])
            .await;
        assert_eq!(ended["state"], end, "{ended:#}");
        if end == "rejected" {
            assert_eq!(ended["reason"], "rejected");
            assert_eq!(ended["registryCode"], "link.elsewhere");
            assert_eq!(writing.done(&id(&ended)), 0);
        }
    }

    let mut body = writing.body("p-1", "female");
    body["update"]["version"] = json!("1");
    let sent = writing.send("k-3", &body).await;
    let moved = writing.reaches(&id(&sent.json), &["conflict"]).await;
    assert_eq!(moved["registryCode"], "version.moved");
    assert_eq!(writing.done(&id(&moved)), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_prefers_to_wait_hears_the_end() {
    let writing = Writing::start().await;
    let body = writing.body("p-1", "male");
    let path = "/v1/registries/records/operations";
    let ask = |key: &str| {
        let asked = writing.gateway.post(path, &body);
        asked.header("idempotency-key", key)
    };
    let ended = ask("k-1").header("prefer", "wait=5").send().await.ok();
    assert_eq!(ended.json["state"], "applied");
    assert_eq!(ended.header("preference-applied"), "wait=5");
    assert_eq!(
        ended.header("location"),
        format!("/v1/operations/{}", id(&ended.json))
    );
    writing.inject(Mishap::Late(Duration::from_secs(3)));
    let late = ask("k-2").header("prefer", "wait=1").send().await;
    assert_eq!(
        (late.status, &late.json["state"]),
        (202, &json!("delivering"))
    );
    writing.reaches(&id(&late.json), &["applied"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_done_is_sent_again_when_the_registry_says() {
    let writing = Writing::start().await;
    writing.inject(Mishap::Status {
        status: 503,
        applied: false,
        retry_after: Some(1),
    });
    let waiting = writing.write("k-1", "male", &["waiting"]).await;
    assert_eq!(waiting["reason"], "unavailable");
    assert!(waiting["nextAttemptAt"].is_string(), "{waiting}");
    let done = writing.reaches(&id(&waiting), &["applied"]).await;
    assert_eq!(
        (&done["attempts"], writing.done(&id(&done))),
        (&json!(2), 1)
    );
}

/// The answer is lost before or after it was done: the registry is asked, and it is done once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unclear_end_is_traced() {
    let writing = Writing::start().await;
    for (key, sex, mishap, attempts) in [
        ("k-1", "male", Mishap::LostAfter, 1),
        ("k-2", "female", Mishap::LostBefore, 2),
    ] {
        writing.inject(mishap);
        let done = writing.write(key, sex, &["applied"]).await;
        assert_eq!(done["attempts"], attempts, "{done:#}");
        assert_eq!(writing.done(&id(&done)), 1, "{key}");
        let reason = done["history"][2]["reason"].as_str();
        assert_eq!(reason, Some("unclear"), "{done:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_registry_does_later_is_asked_for() {
    let writing = Writing::start().await;
    writing.inject(Mishap::Later {
        after: Duration::from_millis(500),
        calls_back: false,
    });
    let pending = writing.write("k-1", "male", &["pending"]).await;
    let done = writing.reaches(&id(&pending), &["applied"]).await;
    assert_eq!(writing.done(&id(&done)), 1);
}

/// A call that runs out of its time after something was sent may have done it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_after_sending_is_traced() {
    let writing = Writing::with(|text| text.set("limits.wall_ms", 3_000)).await;
    writing.inject(Mishap::Late(Duration::from_secs(6)));
    let done = writing.write("k-1", "male", &["applied"]).await;
    assert_eq!(done["history"][2]["reason"], "out-of-time", "{done:#}");
    assert_eq!(
        (&done["attempts"], writing.done(&id(&done))),
        (&json!(1), 1)
    );
}

/// A registry that keeps no keys: nobody can be asked what became of a write.
fn blind(builder: Builder) -> Builder {
    builder.stand_in(|options| options.records.forgets_keys = true)
}

/// Nobody can be asked: it is not sent again, holds those behind it, and a person settles it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_outcome_holds_until_it_is_resolved() {
    let writing = Writing::of(blind).await;
    writing.inject(Mishap::LostAfter);
    let unknown = writing.write("k-1", "male", &["outcome-unknown"]).await;
    let behind = writing.send("k-2", &writing.body("p-1", "female")).await;
    let other = writing.send("k-3", &writing.body("p-2", "female")).await;
    writing.reaches(&id(&other.json), &["applied"]).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let held = writing.shown(&id(&behind.json)).await;
    assert_eq!(
        (&held["state"], &held["attempts"]),
        (&json!("accepted"), &json!(0))
    );

    let applied = json!({ "as": "applied", "reason": "seen-at-the-registry" });
    let wrong = writing.act(&id(&behind.json), "resolve", &applied).await;
    assert_eq!((wrong.status, wrong.code()), (409, "operation-state"));
    // Whoever says what became of it says how they know, in a word that tells of nobody.
    for unsaid in [
        json!({ "as": "applied" }),
        json!({ "as": "applied", "reason": "" }),
        json!({ "as": "applied", "reason": "Maya Rai told me" }),
    ] {
        let refused = writing.act(&id(&unknown), "resolve", &unsaid).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        assert!(refused.text.contains("reason"), "{}", refused.text);
        assert!(!refused.text.contains("Maya"), "{}", refused.text);
    }
    assert_eq!(
        writing.shown(&id(&unknown)).await["state"],
        "outcome-unknown"
    );
    let settled = writing.act(&id(&unknown), "resolve", &applied).await;
    assert_eq!(settled.status, 204);
    let settled = writing.reaches(&id(&unknown), &["applied"]).await;
    let last = settled["history"].as_array().unwrap().last().unwrap();
    assert_eq!(last["by"], "ada", "{settled:#}");
    assert_eq!(last["reason"], "seen-at-the-registry", "{settled:#}");
    writing.reaches(&id(&behind.json), &["applied"]).await;
    assert_eq!(writing.done(&id(&unknown)), 1);
}

/// Somebody found out that it was not done: it is sent once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_outcome_can_be_replayed() {
    let writing = Writing::of(blind).await;
    writing.inject(Mishap::LostBefore);
    let unknown = writing.write("k-1", "male", &["outcome-unknown"]).await;
    assert_eq!(writing.done(&id(&unknown)), 0);
    let again = writing.act(&id(&unknown), "replay", &json!({})).await;
    assert_eq!(again.status, 204, "{}", again.text);
    let done = writing.reaches(&id(&unknown), &["applied"]).await;
    assert_eq!(
        (&done["attempts"], writing.done(&id(&done))),
        (&json!(2), 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_about_one_subject_keep_their_order() {
    let writing = Writing::start().await;
    writing.inject(Mishap::Status {
        status: 503,
        applied: false,
        retry_after: Some(1),
    });
    let mut all = Vec::new();
    for number in 0..6 {
        let sex = ["male", "female"][number % 2];
        let body = writing.body("p-1", sex);
        let sent = writing.send(&format!("k-{number}"), &body).await;
        all.push(id(&sent.json));
    }
    for id in &all {
        writing.reaches(id, &["applied"]).await;
    }
    let ledger = writing.gateway.stand_in.records().ledger();
    let keys: Vec<_> = ledger
        .effects()
        .iter()
        .filter_map(|it| it.key.clone())
        .collect();
    assert_eq!(keys, all);
}

/// As if the gateway had died in an attempt: what it left is asked for before anything is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_crash_left_is_traced() {
    let writing = Writing::start().await;
    let done = writing.write("k-1", "male", &["applied"]).await;
    let mut outside = writing.gateway.outside().await;
    let left = format!(
        "UPDATE operations SET state = 'delivering', due_at = 0 WHERE id = '{}'",
        id(&done)
    );
    outside.run(&left).await;
    // Of this one the registry knows nothing.
    writing.inject(Mishap::Status {
        status: 503,
        applied: false,
        retry_after: Some(3),
    });
    let lost = id(&writing.write("k-2", "female", &["waiting"]).await);
    let left = left.replace(&id(&done), &lost);
    outside.run(&left).await;
    for known in [id(&done), lost] {
        let again = writing.reaches(&known, &["applied"]).await;
        assert_eq!(writing.done(&known), 1, "{again:#}");
    }
    let again = writing.shown(&id(&done)).await;
    assert_eq!(again["attempts"], 1, "it was not sent again");
    assert_eq!(states(&again).len(), 4);
}

//! Events that name more people than an audit row does: they are stored and told nevertheless, and the
//! audit has all of them.

use std::collections::BTreeSet;

use gateway_tests::gateway::{RegistryText, identifiers};
use gateway_tests::wait::until;
use registry_gateway::model::Role;
use serde_json::{Value, json};

use super::{builder, callbacks, ids, read, start, tell};

/// Of `(registry)` and `imis`: whose rows of the audit name that number.
async fn told_of(gateway: &gateway_tests::gateway::TestGateway, number: &str) -> BTreeSet<String> {
    let auditor = gateway
        .staff(&format!("auditor-{number}"), &[Role::Auditor])
        .await;
    let body = json!({ "identifiers": identifiers(number) });
    let found = gateway.post("/admin/v1/audit/find", &body).key(&auditor);
    let found = found.send().await.ok();
    let calls = found.json["calls"].as_array().unwrap().iter();
    calls
        .map(|it| it["call"]["caller"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_of_a_crowd_is_stored_and_its_page_ends_in_time() {
    let (gateway, key) = start(builder()).await;
    let told = tell(
        &gateway,
        "crowd c-1 3000\ncrowd c-2 3000\ncrowd c-3 5000\ncrowd c-4 1",
    )
    .await;
    assert_eq!(told.status, 202, "{}", told.text);
    let received = callbacks(&gateway, "state=received").await;
    assert_eq!(received[0]["events"], 4);
    let mut newest = Value::Null;
    until("positions", async || {
        newest = read(&gateway, &key, "limit=1").await["newest"].take();
        newest.as_str() == Some(&registry_gateway::model::cursor_of(4))
    })
    .await;
    // A page ends before the event that an audit row has no room for; one alone is told nevertheless.
    let mut after = String::new();
    for expected in [&["c-1"][..], &["c-2"], &["c-3"], &["c-4"], &[]] {
        let page = read(&gateway, &key, &after).await;
        assert_eq!(ids(&page), expected);
        after = format!("after={}", page["next"].as_str().unwrap());
    }
    for number in ["c-1-0", "c-2-2999", "c-3-0", "c-3-4999", "c-4-0"] {
        let who = told_of(&gateway, number).await;
        assert_eq!(who, BTreeSet::from(["(registry)".into(), "imis".into()]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_crowds_does_not_hold_up_what_comes_behind_it() {
    let polled = |text: RegistryText| {
        let text = text.set("events.poll_ms", 1_000);
        text.set("settings.crowd", 4_000)
    };
    let (gateway, key) = start(builder().registry("vital", polled)).await;
    let mut seen: Vec<String> = Vec::new();
    let mut after = String::new();
    until("all changes", async || {
        let page = read(&gateway, &key, &after).await;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        after = format!("after={}", page["next"].as_str().unwrap());
        seen.len() == 5
    })
    .await;
    let all: Vec<String> = (0..5).map(|at| format!("change-{at}")).collect();
    assert_eq!(seen, all);
    let who = told_of(&gateway, "change-1-3999").await;
    assert_eq!(who, BTreeSet::from(["(registry)".into(), "imis".into()]));
}

//! What callers may ask, of all gateways together.

use std::time::Duration;

use gateway_tests::gateway::TestGateway;
use gateway_tests::wait::until;
use registry_gateway::model::Role;

use super::{named, nodes};

/// What callers may ask in a day is counted for all gateways, and over their ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_s_day_is_that_of_all_gateways_together() {
    const LIMIT: usize = 120;
    let gateway = TestGateway::builder().config(named("a")).start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let limits = serde_json::json!({ "requestsPerDay": LIMIT });
    let body = serde_json::json!({ "name": "clinic", "limits": limits });
    let added = gateway.post("/admin/v1/callers", &body).key(&admin);
    let key = added.send().await.json["key"].as_str().unwrap().to_owned();
    // The audit that one of them seals when it stops is for the next to read.
    let signing = gateway.config.data_dir.join("audit-signing.key");
    let beside = async |name: &str| {
        let set = named(name);
        let start = gateway.beside(&[], |config| {
            set(config);
            std::fs::copy(&signing, config.data_dir.join("audit-signing.key")).unwrap();
        });
        start.await
    };
    let second = beside("b").await;
    let uin = gateway.person(3).uin;
    let mut told = 0;
    for _ in 0..LIMIT / 4 {
        for ask in [gateway.find("civil", &uin), second.find("civil", &uin)] {
            ask.key(&key).send().await.ok();
            told += 1;
        }
    }
    // One ends and another begins: what was asked was asked.
    second.serving.stop().await;
    let third = beside("c").await;
    let asks = (0..2 * LIMIT).map(|at| match at % 2 {
        0 => gateway.find("civil", &uin).key(&key).send(),
        _ => third.find("civil", &uin).key(&key).send(),
    });
    for answer in futures_util::future::join_all(asks).await {
        match answer.status {
            200 => told += 1,
            _ => assert_eq!((answer.status, answer.code()), (429, "quota-spent")),
        }
    }
    assert!(told <= LIMIT, "{told} of {LIMIT}");
    // What one took and did not use, another can; and then no more.
    until("all of them are used", async || {
        for ask in [gateway.find("civil", &uin), third.find("civil", &uin)] {
            told += usize::from(ask.key(&key).send().await.status == 200);
        }
        told >= LIMIT
    })
    .await;
    for ask in [gateway.find("civil", &uin), third.find("civil", &uin)] {
        let spent = ask.key(&key).send().await;
        assert_eq!((spent.status, spent.code()), (429, "quota-spent"));
    }
    assert_eq!(told, LIMIT);
    let store = gateway.store().await;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let taken = store.quotas().taken("caller clinic/civil", today.date());
    assert_eq!(taken.await.unwrap(), 120);
    store.close().await;
    // Of each registry by itself.
    let social = third.find("social", &uin).key(&key).send().await;
    assert_eq!(social.status, 200);
}

/// A day that is over takes nothing from the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_s_next_day_begins_with_nothing_used() {
    let gateway = TestGateway::builder().config(named("a")).start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let limits = serde_json::json!({ "requestsPerDay": 2 });
    let body = serde_json::json!({ "name": "clinic", "limits": limits });
    let added = gateway.post("/admin/v1/callers", &body).key(&admin);
    let key = added.send().await.json["key"].as_str().unwrap().to_owned();
    let uin = gateway.person(3).uin;
    for _ in 0..2 {
        gateway.find("civil", &uin).key(&key).send().await.ok();
    }
    let spent = gateway.find("civil", &uin).key(&key).send().await;
    assert_eq!((spent.status, spent.code()), (429, "quota-spent"));
    // As if it had been yesterday.
    let mut outside = gateway.outside().await;
    let moved = "UPDATE quotas SET day = '2001-01-01' WHERE name = 'caller clinic/civil'";
    assert_eq!(outside.run(moved).await, 1);
    let second = gateway.beside(&[], named("b")).await;
    for _ in 0..2 {
        second.find("civil", &uin).key(&key).send().await.ok();
    }
    let spent = second.find("civil", &uin).key(&key).send().await;
    assert_eq!((spent.status, spent.code()), (429, "quota-spent"));
}

/// Two gateways have a caller's rate together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_s_rate_is_that_of_all_gateways_together() {
    let gateway = TestGateway::builder().config(named("a")).start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let limits = serde_json::json!({ "requestsPerSecond": 10, "burst": 1 });
    let body = serde_json::json!({ "name": "clinic", "limits": limits });
    let added = gateway.post("/admin/v1/callers", &body).key(&admin);
    let key = added.send().await.json["key"].as_str().unwrap().to_owned();
    let second = gateway.beside(&[], named("b")).await;
    let uin = gateway.person(3).uin;
    until("each has a half", async || {
        let nodes = nodes(&gateway, &admin).await;
        nodes.len() == 2 && nodes.iter().all(|node| node["share"] == 0.5)
    })
    .await;
    let began = std::time::Instant::now();
    let mut told = 0.0;
    while began.elapsed() < Duration::from_secs(3) {
        let asks = [
            gateway.find("civil", &uin).key(&key).send(),
            second.find("civil", &uin).key(&key).send(),
        ];
        for answer in futures_util::future::join_all(asks).await {
            match answer.status {
                200 => told += 1.0,
                _ => assert_eq!((answer.status, answer.code()), (429, "rate-limited")),
            }
        }
    }
    let took = began.elapsed().as_secs_f64();
    assert!(told <= took * 10.0 + 2.5, "{told} in {took} s");
    assert!(told > took * 5.0, "{told} in {took} s: a part is not used");
}

//! Several gateways on one database.

mod agreeing;
mod callers;

use std::time::Duration;

use gateway_tests::gateway::{Beside, RegistryText, TestGateway};
use gateway_tests::wait::until;
use registry_gateway::model::Role;
use registry_gateway::store::{NewModule, RegistryChange};
use serde_json::Value;

/// A registry of so many requests a day.
fn limited(text: RegistryText, requests: i64) -> RegistryText {
    let mut table = toml::Table::new();
    table.insert("requests".into(), requests.into());
    table.insert("zone".into(), "Asia/Kathmandu".into());
    text.set("endpoints.registry.traffic.per_day", table)
}

async fn nodes(gateway: &TestGateway, key: &str) -> Vec<Value> {
    let told = gateway.get("/admin/v1/nodes").key(key).send().await;
    let told = told.ok();
    told.json["nodes"].as_array().unwrap().clone()
}

/// The states of the nodes by name.
async fn states(gateway: &TestGateway, key: &str) -> Vec<(String, String)> {
    let nodes = nodes(gateway, key).await;
    let text = |node: &Value, field: &str| node[field].as_str().unwrap().to_owned();
    let states = nodes.iter();
    states
        .map(|node| (text(node, "name"), text(node, "state")))
        .collect()
}

fn named(name: &str) -> impl FnOnce(&mut registry_gateway::config::Config) {
    let name = name.to_owned();
    move |config| config.node.name = Some(name)
}

async fn three(gateway: &TestGateway) -> [Beside; 2] {
    let second = gateway.beside(&[], named("b")).await;
    let third = gateway.beside(&[], named("c")).await;
    [second, third]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_see_each_other_come_and_go() {
    let gateway = TestGateway::builder().config(named("a")).start().await;
    let auditor = gateway.staff("olga", &[Role::Auditor]).await;
    let [second, third] = three(&gateway).await;
    until("all serve what is committed", async || {
        let states = states(&gateway, &auditor).await;
        states.iter().all(|(_, state)| state == "live")
    })
    .await;
    let listed = nodes(&gateway, &auditor).await;
    let names: Vec<_> = listed.iter().map(|node| node["name"].clone()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    for (node, at) in listed
        .iter()
        .zip([&gateway.serving, &second.serving, &third.serving])
    {
        assert_eq!(node["state"], "live", "{node}");
        assert_eq!(node["listens"], at.address.to_string());
        assert_eq!(node["here"], node["name"] == "a");
        assert_eq!(node["behind"], serde_json::json!([]));
    }
    second.serving.stop().await;
    // Without a word: as if its machine was gone.
    drop(third);
    until("one has stopped and one is dead", async || {
        let expected = [("a", "live"), ("b", "stopped"), ("c", "dead")];
        let states = states(&gateway, &auditor).await;
        states.iter().map(|(n, s)| (&**n, &**s)).eq(expected)
    })
    .await;
    // A client is not told.
    let refused = gateway.get("/admin/v1/nodes").send().await;
    assert_eq!((refused.status, refused.code()), (403, "not-allowed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_at_one_is_seen_by_all_and_soon_where_the_database_can_tell() {
    let gateway = TestGateway::builder().config(named("a")).start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let [second, third] = three(&gateway).await;
    let uin = gateway.person(3).uin;
    let body = serde_json::json!({ "name": "clinic" });
    let added = gateway.post("/admin/v1/callers", &body).key(&admin);
    let key = added.send().await.json["key"].as_str().unwrap().to_owned();
    let began = std::time::Instant::now();
    for other in [&second, &third] {
        until("it knows the caller", async || {
            other.find("civil", &uin).key(&key).send().await.status == 200
        })
        .await;
    }
    if gateway.is_on_postgres() {
        // Looking alone takes up to a second for each.
        assert!(
            began.elapsed() < Duration::from_millis(900),
            "{:?}",
            began.elapsed()
        );
    }
    let listed = gateway.get("/admin/v1/nodes").key(&admin).send().await.json;
    until("all serve what is committed", async || {
        let now = nodes(&gateway, &admin).await;
        now.iter()
            .all(|node| node["revision"] == listed["revision"])
    })
    .await;
}

/// The connection that is told is lost: what changes is seen all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_needs_to_be_told() {
    let gateway = TestGateway::start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let second = gateway.beside(&[], named("b")).await;
    let uin = gateway.person(3).uin;
    gateway.hush();
    let body = serde_json::json!({ "name": "clinic" });
    let added = gateway.post("/admin/v1/callers", &body).key(&admin);
    let key = added.send().await.json["key"].as_str().unwrap().to_owned();
    until("it knows the caller", async || {
        second.find("civil", &uin).key(&key).send().await.status == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_with_another_key_of_the_audit_does_not_start() {
    let gateway = TestGateway::start().await;
    let refusal = gateway.not_beside(|config| {
        std::fs::write(config.data_dir.join("audit.key"), [7; 32]).unwrap();
    });
    let refusal = refusal.await;
    assert!(
        refusal.contains("copy audit.key from a gateway"),
        "{refusal}"
    );
    let refusal = gateway.not_beside(|config| {
        std::fs::remove_file(config.data_dir.join("audit.key")).unwrap();
    });
    let refusal = refusal.await;
    assert!(
        refusal.contains("copy it from another gateway"),
        "{refusal}"
    );
}

/// Also before anything was sealed: what one of them seals the others could not open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_with_another_key_of_bodies_does_not_start() {
    const OTHER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    let gateway = TestGateway::start().await;
    let refusal = gateway.not_beside(|config| {
        std::fs::write(config.data_dir.join("bodies.key"), OTHER).unwrap();
    });
    let refusal = refusal.await;
    assert!(
        refusal.contains("copy bodies.key from another gateway"),
        "{refusal}"
    );
    let refusal = gateway.not_beside(|config| {
        std::fs::remove_file(config.data_dir.join("bodies.key")).unwrap();
    });
    let refusal = refusal.await;
    assert!(
        refusal.contains("copy it from another gateway"),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_s_requests_are_those_of_all_gateways_together() {
    const LIMIT: i64 = 40;
    let gateway = TestGateway::builder()
        .config(named("a"))
        .registry("civil", |text| limited(text, LIMIT))
        .start()
        .await;
    let [second, third] = three(&gateway).await;
    let uin = gateway.person(3).uin;
    let asks = (0..3 * LIMIT).map(|at| match at % 3 {
        0 => gateway.find("civil", &uin).send(),
        1 => second.find("civil", &uin).send(),
        _ => third.find("civil", &uin).send(),
    });
    let mut statuses = std::collections::BTreeMap::new();
    for answer in futures_util::future::join_all(asks).await {
        *statuses.entry(answer.status).or_insert(0) += 1;
        if answer.status == 503 {
            let again: u64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=86_400).contains(&again), "{again}");
            assert_eq!(answer.json["registryCode"], "http.not-sent.resting");
        }
    }
    let sent = i64::try_from(gateway.stand_in.requests()).unwrap();
    assert!(sent <= LIMIT, "{sent} of {LIMIT}");
    // What one took and did not use, another can.
    until("all of them are used", async || {
        for one in [gateway.find("civil", &uin), second.find("civil", &uin)] {
            one.send().await;
        }
        i64::try_from(gateway.stand_in.requests()).unwrap() == LIMIT
    })
    .await;
    for one in [gateway.find("civil", &uin), third.find("civil", &uin)] {
        assert_eq!(one.send().await.status, 503);
    }
    assert_eq!(i64::try_from(gateway.stand_in.requests()).unwrap(), LIMIT);
    // Another registry at the same address has a count of its own: none.
    gateway.find("social", &uin).send().await.ok();
}

/// A day's count outlives the gateway.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_stops_gives_back_what_it_did_not_use() {
    let gateway = TestGateway::builder()
        .registry("civil", |text| limited(text, 1_000))
        .start()
        .await;
    let second = gateway.beside(&[], named("b")).await;
    let uin = gateway.person(3).uin;
    for _ in 0..3 {
        second.find("civil", &uin).send().await.ok();
    }
    let store = gateway.store().await;
    let zone = jiff::tz::TimeZone::get("Asia/Kathmandu").unwrap();
    let day = jiff::Timestamp::now().to_zoned(zone).date();
    let taken = async || {
        store
            .quotas()
            .taken("endpoint civil/registry", day)
            .await
            .unwrap()
    };
    let held = taken().await;
    assert!((4..=23).contains(&held), "{held}");
    second.serving.stop().await;
    assert_eq!(taken().await, 3);
    store.close().await;
}

/// Three gateways that share ten requests a second have ten together, and a gateway that is gone
/// leaves its part to the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_is_that_of_all_gateways_together() {
    let gateway = TestGateway::builder()
        .config(named("a"))
        .registry("civil", |text| {
            text.set("endpoints.registry.traffic.requests_per_second", 10)
                .set("endpoints.registry.traffic.max_wait_ms", 300)
        })
        .start()
        .await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let [second, third] = three(&gateway).await;
    let uin = gateway.person(3).uin;
    let shares = async || -> Vec<f64> {
        let nodes = nodes(&gateway, &admin).await;
        let live = nodes.iter().filter(|node| node["state"] == "live");
        live.map(|node| node["share"].as_f64().unwrap()).collect()
    };
    until("each has a third", async || {
        let shares = shares().await;
        shares.len() == 3 && shares.iter().all(|share| (0.33..0.34).contains(share))
    })
    .await;
    let flood = async |seconds: f64| {
        let before = gateway.stand_in.requests();
        let began = std::time::Instant::now();
        while began.elapsed().as_secs_f64() < seconds {
            let asks = [
                gateway.find("civil", &uin).send(),
                second.find("civil", &uin).send(),
                gateway.find("civil", &uin).send(),
                second.find("civil", &uin).send(),
            ];
            futures_util::future::join_all(asks).await;
        }
        let asked = (gateway.stand_in.requests() - before) as f64;
        (asked, began.elapsed().as_secs_f64())
    };
    let (asked, took) = flood(3.0).await;
    // Two of three, and one each that was free.
    assert!(
        asked <= took * 10.0 * 2.0 / 3.0 + 2.5,
        "{asked} in {took} s"
    );
    drop(third);
    until("two have half each", async || shares().await == [0.5, 0.5]).await;
    // A machine that is slow sends less; never more.
    until("its part is used", async || {
        let (asked, took) = flood(3.0).await;
        assert!(asked <= took * 10.0 + 2.5, "{asked} in {took} s");
        asked > took * 10.0 * 2.0 / 3.0
    })
    .await;
}

/// A module that this gateway cannot load does not take the place of one that serves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_cannot_load_a_module_serves_on_and_says_so() {
    let gateway = TestGateway::builder().config(named("a")).start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let uin = gateway.person(3).uin;
    let store = gateway.store().await;
    let put = store.modules().put(NewModule {
        adapter: "spdci".into(),
        version: "10".into(),
        bytes: b"no module".as_slice().into(),
        facts: None,
    });
    let broken = put.await.unwrap().digest;
    let row = store.registries().get("civil").await.unwrap().unwrap();
    let of = |digest: &str| RegistryChange::Put {
        name: row.name.clone(),
        module_digest: digest.to_owned(),
        configuration: row.configuration.clone(),
        enabled: true,
    };
    store.registries().apply(vec![of(&broken)]).await.unwrap();
    until("it is degraded", async || {
        let node = &nodes(&gateway, &admin).await[0];
        node["state"] == "degraded" && node["behind"] != serde_json::json!([])
    })
    .await;
    let behind = &nodes(&gateway, &admin).await[0]["behind"][0];
    assert_eq!(
        (&behind["registry"], &behind["committed"]),
        (&"civil".into(), &broken.as_str().into())
    );
    assert_eq!(behind["serves"], row.module_digest);
    assert_ne!(behind["reason"], "");
    gateway.find("civil", &uin).send().await.ok();
    let ready = gateway.get("/readyz").send().await;
    assert_eq!(ready.status, 200);
    let degraded = format!(
        "degraded: civil is served by {} and not by {broken}",
        row.module_digest
    );
    assert!(ready.text.contains(&degraded), "{}", ready.text);
    let metrics = gateway.get("/metrics").send().await.text;
    assert!(
        metrics.contains("registry_gateway_registries_behind 1"),
        "{metrics}"
    );

    let change = of(&row.module_digest);
    store.registries().apply(vec![change]).await.unwrap();
    store.close().await;
    until("it is not any more", async || {
        let ready = gateway.get("/readyz").send().await;
        ready.text == "ready\n" && states(&gateway, &admin).await[0].1 == "live"
    })
    .await;
}

//! Registries by a declarative file, over the admin API.

use gateway_tests::gateway::TestGateway;
use registry_gateway::model::Role;
use serde_json::{Value, json};

const REGISTRIES: &str = "/admin/v1/registries";

/// What an administrator sends and reads.
struct Admin {
    gateway: TestGateway,
    key: String,
}

impl Admin {
    async fn start() -> Self {
        let gateway = TestGateway::start().await;
        let key = gateway.staff("ada", &[Role::Administrator]).await;
        Self { gateway, key }
    }

    async fn get(&self, path: &str) -> gateway_tests::gateway::Answer {
        let path = format!("{REGISTRIES}{path}");
        self.gateway.get(&path).key(&self.key).send().await
    }

    async fn post(&self, path: &str, body: &Value) -> gateway_tests::gateway::Answer {
        let path = format!("{REGISTRIES}{path}");
        self.gateway.post(&path, body).key(&self.key).send().await
    }

    async fn apply(&self, body: &Value) -> gateway_tests::gateway::Answer {
        self.post("/apply", body).await
    }

    /// All registries as a file has them.
    async fn registries(&self) -> Value {
        self.get("/export").await.ok().json["registries"].take()
    }

    async fn acts(&self) -> Vec<(String, Option<String>, Option<String>)> {
        let store = self.gateway.store().await;
        let acts = store.audit().recent_acts(20).await.unwrap();
        store.close().await;
        let told = acts.into_iter().rev();
        told.map(|row| (row.act, row.registry, row.detail))
            .collect()
    }
}

/// `registry: field from → to`.
fn told(answer: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for registry in answer["registries"].as_array().unwrap() {
        let name = registry["registry"].as_str().unwrap();
        lines.push(format!("{name} {}", registry["what"].as_str().unwrap()));
        for field in registry["fields"].as_array().unwrap() {
            let path = field["field"].as_str().unwrap();
            lines.push(format!("{name}.{path} {} {}", field["from"], field["to"]));
        }
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn the_difference_is_shown_and_then_made() {
    let admin = Admin::start().await;
    let mut registries = admin.registries().await;
    let same = json!({ "registries": registries, "dryRun": true });
    let same = admin.apply(&same).await.ok();
    assert_eq!(same.json["changed"], false);
    assert_eq!(told(&same.json), ["civil unchanged", "social unchanged"]);

    registries["civil"]["limits"]["cpu_ms"] = 500.into();
    registries["third"] = registries["social"].take();
    registries.as_object_mut().unwrap().remove("social");
    let mut body = json!({ "registries": registries, "dryRun": true });
    let planned = admin.apply(&body).await.ok();
    assert_eq!(
        (&planned.json["changed"], &planned.json["applied"]),
        (&json!(true), &json!(false))
    );
    let lines = told(&planned.json);
    assert_eq!(
        lines[..2],
        ["civil changed", "civil.limits.cpu_ms 1000 500"]
    );
    assert!(lines.contains(&"third added".to_owned()), "{lines:?}");
    assert!(
        !lines.iter().any(|line| line.starts_with("social")),
        "{lines:?}"
    );
    let uin = admin.gateway.person(3).uin;
    assert_eq!(admin.gateway.find("third", &uin).send().await.status, 404);

    // Without pruning what the file does not have stays.
    body["dryRun"] = false.into();
    body["expectedRevision"] = planned.json["revision"].clone();
    let done = admin.apply(&body).await.ok();
    assert_eq!(told(&done.json), lines);
    for (registry, status) in [("third", 200), ("social", 200)] {
        assert_eq!(
            admin.gateway.find(registry, &uin).send().await.status,
            status
        );
    }
    // The state that was expected is no more.
    let stale = admin.apply(&body).await;
    assert_eq!((stale.status, stale.code()), (409, "stale"));
    body["expectedRevision"] = done.json["revision"].clone();
    body["prune"] = true.into();
    let pruned = admin.apply(&body).await.ok();
    assert!(told(&pruned.json).contains(&"social removed".to_owned()));
    assert_eq!(admin.gateway.find("social", &uin).send().await.status, 404);

    let acts = admin.acts().await;
    let details: Vec<&str> = acts.iter().filter_map(|it| it.2.as_deref()).collect();
    assert!(details[0].contains("limits.cpu_ms"), "{details:?}");
    assert!(acts.iter().all(|it| it.0 == "registry.apply"), "{acts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_applied_and_every_reason_is_told() {
    let admin = Admin::start().await;
    let before = admin.registries().await;
    let mut registries = before.clone();
    registries["civil"]["summary"] = "new".into();
    let endpoint = &mut registries["social"]["endpoints"]["registry"];
    endpoint["credential"] = json!({ "kind": "bearer", "token": "env:REGISTRY_SECRET_GONE" });
    registries["social"]["limits"]["cpu_ms"] = 0.into();
    registries["social"]["policy"]["fields"] = json!(["names", "shoe"]);
    registries["bad"] = json!({ "modul": "x", "endpoints": { "registry": { "base_url": 7 } } });
    registries["none"] = json!({ "module": format!("sha256:{}", "00".repeat(32)) });
    registries["Bad Name"] = before["civil"].clone();
    registries["export"] = before["civil"].clone();
    let refused = admin.apply(&json!({ "registries": registries })).await;
    assert_eq!(
        (refused.status, refused.code()),
        (422, "registries-refused")
    );
    let findings = refused.json["findings"].as_array().unwrap();
    let places: Vec<&str> = findings
        .iter()
        .map(|it| it["place"].as_str().unwrap())
        .collect();
    for place in [
        "registries.Bad Name",
        "registries.export",
        "registries.bad.modul",
        "registries.bad.endpoints.registry.base_url",
        "registries.none.module",
        "registries.social.limits.cpu_ms",
        "registries.social.policy.fields.1",
        "registries.social.endpoints.registry.credential.token",
    ] {
        assert_eq!(
            places.iter().filter(|it| **it == place).count(),
            1,
            "{place} in {places:?}"
        );
    }
    assert_eq!(admin.registries().await, before);
    let (act, _, detail) = &admin.acts().await[0];
    assert_eq!((act.as_str(), detail), ("registry.apply", &None));
}

/// What is exported is what is there: applied to nothing it makes the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_can_be_applied_again() {
    let admin = Admin::start().await;
    let exported = admin.get("/export").await.ok().json;
    assert!(
        exported["callers"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["name"] == "suite")
    );
    assert!(!exported.to_string().contains("rgw_"));
    assert!(exported["gateway"]["sandbox"]["max_instances"].is_u64());
    let registries = &exported["registries"];
    let removed = admin
        .apply(&json!({ "registries": {}, "prune": true }))
        .await
        .ok();
    assert_eq!(removed.json["registries"].as_array().unwrap().len(), 2);
    assert_eq!(admin.registries().await, json!({}));
    admin.apply(&json!({ "registries": registries })).await.ok();
    assert_eq!(admin.registries().await, *registries);
    let uin = admin.gateway.person(3).uin;
    admin.gateway.find("civil", &uin).send().await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_listed_shown_switched_and_deleted() {
    let admin = Admin::start().await;
    let uin = admin.gateway.person(3).uin;
    let listed = admin.get("").await.ok().json;
    let civil = &listed["registries"][0];
    assert_eq!(
        (&civil["name"], &civil["state"]),
        (&json!("civil"), &json!("ready"))
    );
    assert_eq!(civil["adapter"], "spdci");
    assert!(civil["configuration"].is_null());
    let shown = admin.get("/civil").await.ok().json;
    assert_eq!(shown["configuration"]["settings"]["sender_id"], "suite");
    assert_eq!(shown["configuration"]["module"], shown["module"]);

    for (what, state, status) in [("disable", "disabled", 503), ("enable", "ready", 200)] {
        let switched = admin
            .post(&format!("/civil/{what}"), &Value::Null)
            .await
            .ok();
        assert_eq!(switched.json["state"], state);
        assert_eq!(
            admin.gateway.find("civil", &uin).send().await.status,
            status
        );
        let enabled = admin.get("/civil").await.ok().json["configuration"]["enabled"].take();
        assert_eq!(enabled, status == 200);
    }
    let path = format!("{REGISTRIES}/civil");
    let delete = || {
        admin
            .gateway
            .ask(reqwest::Method::DELETE, &path)
            .key(&admin.key)
    };
    assert_eq!(delete().send().await.status, 204);
    assert_eq!(delete().send().await.status, 404);
    assert_eq!(admin.get("/civil").await.status, 404);
    assert_eq!(admin.post("/civil/enable", &Value::Null).await.status, 404);
    let words: Vec<String> = admin.acts().await.into_iter().map(|it| it.0).collect();
    assert!(words.contains(&"registry.disable".to_owned()), "{words:?}");
    assert!(words.contains(&"registry.delete".to_owned()), "{words:?}");
}

/// A reason why it is not ready is for administrators alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_not_ready_says_why() {
    let gateway = TestGateway::builder()
        .secret_file("token", "t")
        .registry("civil", |text| {
            text.credential(&[("kind", "bearer"), ("token", "file:token")])
        })
        .start()
        .await;
    let key = gateway.staff("ada", &[Role::Administrator]).await;
    std::fs::remove_file(gateway.config.secrets_dir.join("token")).unwrap();
    let admin = Admin { gateway, key };
    admin.post("/civil/disable", &Value::Null).await.ok();
    let broken = admin.post("/civil/enable", &Value::Null).await.ok().json;
    assert_eq!(broken["state"], "not-ready");
    let reason = broken["reason"].as_str().unwrap();
    assert!(
        reason.contains("endpoints.registry.credential.token: make file:token readable"),
        "{reason}"
    );
}

/// Two that apply at the same time: neither is lost, and neither half done.
#[tokio::test(flavor = "multi_thread")]
async fn who_applies_at_the_same_time_waits() {
    let admin = Admin::start().await;
    let registries = admin.registries().await;
    let both = ["civil", "social"].map(|name| {
        let mut one = registries[name].clone();
        one["summary"] = "changed".into();
        json!({ "registries": { name: one } })
    });
    let (a, b) = tokio::join!(admin.apply(&both[0]), admin.apply(&both[1]));
    a.ok();
    b.ok();
    let after = admin.registries().await;
    assert_eq!(
        (&after["civil"]["summary"], &after["social"]["summary"]),
        (&json!("changed"), &json!("changed"))
    );
}

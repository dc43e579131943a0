//! Who may ask what.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use gateway_tests::gateway::{TestGateway, identifiers};
use registry_gateway::model::Ability;
use serde_json::{Value, json};

/// What answers without a key. Nothing joins it by accident: a new path fails the test until it is
/// written here.
const OPEN: [&str; 4] = ["/healthz", "/metrics", "/openapi.json", "/readyz"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_path_but_a_few_asks_for_a_key() {
    // Each of them is a failed key.
    let many = NonZeroU32::MAX;
    let gateway = TestGateway::builder()
        .config(move |config| config.callers.failed_keys_per_minute = many)
        .start()
        .await;
    let document: Value = serde_json::from_str(&registry_gateway::api::document()).unwrap();
    let mut open = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        // Registries call here: the adapter asks who they are. `events` looks at that.
        if path.starts_with("/hooks/") {
            continue;
        }
        for method in item.as_object().unwrap().keys() {
            let method = method.to_uppercase().parse().unwrap();
            let ask = gateway.ask(method, &path.replace("{registry}", "civil"));
            let body = match path.as_str() {
                // Here the key is the body.
                "/admin/v1/session" => json!({ "key": "rgw_x" }),
                _ => json!({ "identifiers": identifiers("1") }),
            };
            let ask = ask.json(&body);
            let without = ask.clone().without("authorization").send().await;
            if without.status == 200 {
                open.insert(path.as_str());
                continue;
            }
            assert_eq!((without.status, without.code()), (401, "unauthorized"));
            assert_eq!(without.header("www-authenticate"), "Bearer");
            for wrong in [
                "",
                "Bearer",
                "Bearer ",
                "Bearer rgw_x",
                "Basic c3VpdGU6eA==",
            ] {
                let answer = ask.clone().header("authorization", wrong).send().await;
                assert_eq!(answer.status, 401, "{path} {wrong}");
            }
        }
    }
    assert_eq!(Vec::from_iter(open), OPEN);
    assert_eq!(gateway.stand_in.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_sees_its_own_registries_and_abilities() {
    let gateway = TestGateway::start().await;
    let key = gateway.caller("narrow", &["civil"], &[Ability::Find]).await;
    let uin = gateway.person(3).uin;
    gateway.find("civil", &uin).key(&key).send().await.ok();

    let listed = gateway.get("/v1/registries").key(&key).send().await.ok();
    let registries = listed.json["registries"].as_array().unwrap();
    assert_eq!(registries.len(), 1);
    assert_eq!(registries[0]["name"], "civil");
    assert_eq!(registries[0]["abilities"], json!(["find"]));

    // Not granted looks like not there.
    // Under one number, which an answer repeats: all the rest must be the same to the byte.
    let id = "00000000-0000-4000-8002-000000000001";
    let numbered = |registry| {
        let ask = gateway.find(registry, &uin).key(&key);
        ask.header("x-request-id", id).send()
    };
    let (hidden, absent) = (numbered("social").await, numbered("no-such").await);
    assert_eq!((hidden.status, hidden.code()), (404, "unknown-registry"));
    assert_eq!(hidden.text, absent.text);
    let hidden = gateway.get("/v1/registries/social").key(&key).send().await;
    assert_eq!((hidden.status, hidden.code()), (404, "unknown-registry"));

    let before = gateway.stand_in.requests();
    for ability in ["household", "search", "verify"] {
        let body = match ability {
            "search" => json!({ "criteria": [{ "field": "sex", "equals": "female" }] }),
            "verify" => {
                json!({ "identifiers": identifiers(&uin), "claimed": { "birthDate": "1990" } })
            }
            _ => json!({ "identifiers": identifiers(&uin) }),
        };
        let answer = gateway.lookup("civil", ability, &body).key(&key);
        let answer = answer.send().await;
        assert_eq!(
            (answer.status, answer.code()),
            (403, "not-granted"),
            "{ability}"
        );
    }
    assert_eq!(gateway.stand_in.requests(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_no_key() {
    let gateway = TestGateway::start().await;
    let key = gateway.caller("brief", &["civil"], &Ability::ALL).await;
    let uin = gateway.person(3).uin;
    gateway.find("civil", &uin).key(&key).send().await.ok();
    let store = gateway.store().await;
    store.callers().revoke("brief").await.unwrap();
    gateway.serving.gateway.reload().await.unwrap();
    let answer = gateway.find("civil", &uin).key(&key).send().await;
    assert_eq!((answer.status, answer.code()), (401, "unauthorized"));
    gateway.find("civil", &uin).send().await.ok();
}

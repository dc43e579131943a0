//! Modules over the admin API: brought, looked at, given to registries, and retired.

use gateway_tests::ask::{Answer, Ask};
use gateway_tests::crafted::Crafted;
use gateway_tests::gateway::TestGateway;
use registry_gateway::model::Role;
use reqwest::Method;

fn upload(gateway: &TestGateway, key: &str, bytes: &[u8]) -> Ask {
    gateway
        .ask(Method::POST, "/admin/v1/modules")
        .header("content-type", "application/wasm")
        .body(bytes)
        .key(key)
}

async fn listed(gateway: &TestGateway, key: &str) -> Vec<(String, String)> {
    let listed = gateway.get("/admin/v1/modules").key(key).send().await.ok();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let modules = listed.json["modules"].as_array().unwrap().iter();
    modules
        .map(|module| (text(&module["adapter"]), text(&module["state"])))
        .collect()
}

fn digest(answer: &Answer) -> String {
    answer.json["digest"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_is_brought_and_retired() {
    let gateway = TestGateway::start().await;
    let ida = gateway.staff("ida", &[Role::Implementer]).await;
    let bytes = Crafted::adapter().build();
    let added = upload(&gateway, &ida, &bytes).send().await;
    assert_eq!(added.status, 201, "{}", added.text);
    assert_eq!(added.json["adapter"], "crafted");
    assert_eq!(added.json["cameBy"], "ida");
    assert_eq!(added.json["description"]["abilities"][0], "find");
    let path = format!("/admin/v1/modules/{}", digest(&added));
    let shown = gateway.get(&path).key(&ida).send().await.ok();
    assert_eq!(shown.json, added.json);

    // The same one again is the same one.
    let again = upload(&gateway, &ida, &bytes).send().await;
    assert_eq!((again.status, &again.json), (201, &added.json));
    let both = |state: &str| {
        [("crafted", state), ("spdci", "active")].map(|(a, b)| (a.to_owned(), b.to_owned()))
    };
    assert_eq!(listed(&gateway, &ida).await, both("admitted"));

    let retire = || gateway.ask(Method::DELETE, &path).key(&ida).send();
    assert_eq!(retire().await.status, 204);
    assert_eq!(listed(&gateway, &ida).await, both("retired"));
    let back = upload(&gateway, &ida, &bytes).send().await;
    assert_eq!(back.json["state"], "admitted");

    let unknown = gateway.get("/admin/v1/modules/sha256:00").key(&ida);
    let unknown = unknown.send().await;
    assert_eq!((unknown.status, unknown.code()), (404, "unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_serves_is_not_retired() {
    let gateway = TestGateway::start().await;
    let ada = gateway.staff("ada", &[Role::Administrator]).await;
    let all = gateway.get("/admin/v1/modules").key(&ada).send().await.ok();
    let spdci = &all.json["modules"][0];
    assert_eq!(spdci["serves"], serde_json::json!(["civil", "social"]));
    let path = format!("/admin/v1/modules/{}", spdci["digest"].as_str().unwrap());
    let refused = gateway.ask(Method::DELETE, &path).key(&ada).send().await;
    assert_eq!((refused.status, refused.code()), (409, "in-use"));
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(detail.contains("registries.civil"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_module_is_not_stored() {
    let gateway = TestGateway::start().await;
    let ida = gateway.staff("ida", &[Role::Implementer]).await;
    let refused = upload(&gateway, &ida, b"(component)").send().await;
    assert_eq!((refused.status, refused.code()), (422, "module-refused"));
    let findings = refused.json["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{}", refused.text);
    let text = upload(&gateway, &ida, b"{}").header("content-type", "text/plain");
    let text = text.send().await;
    assert_eq!((text.status, text.code()), (415, "not-wasm"));
    assert_eq!(listed(&gateway, &ida).await.len(), 1);
}

/// Larger than any other request's body, and with a limit of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_module_has_a_limit_of_its_own() {
    let gateway = TestGateway::builder()
        .config(|config| config.sandbox.max_module_bytes = 2 << 20)
        .start()
        .await;
    let ida = gateway.staff("ida", &[Role::Implementer]).await;
    assert!(gateway.config.api.max_body_bytes < 1 << 20);
    for (size, status, code) in [
        (1 << 20, 422, "module-refused"),
        ((2 << 20) + 1, 413, "module-too-large"),
        (3 << 20, 413, "module-too-large"),
    ] {
        let answer = upload(&gateway, &ida, &vec![7; size]).send().await;
        assert_eq!((answer.status, answer.code()), (status, code), "{size}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_bring_modules_is_refused_before_the_body_is_read() {
    let gateway = TestGateway::start().await;
    let olga = gateway.staff("olga", &[Role::Auditor]).await;
    for key in [&olga, &gateway.key] {
        let refused = upload(&gateway, key, b"x").send().await;
        assert_eq!((refused.status, refused.code()), (403, "not-allowed"));
    }
    let nobody = upload(&gateway, "x", b"x").send().await;
    assert_eq!(nobody.status, 401);
}

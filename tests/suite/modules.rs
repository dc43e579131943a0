//! Modules over the admin API: brought, looked at, given to registries, and retired.

use gateway_tests::ask::{Answer, Ask};
use gateway_tests::compiled::{age, compiled};
use gateway_tests::crafted::Crafted;
use gateway_tests::gateway::TestGateway;
use gateway_tests::wait::until;
use registry_gateway::model::Role;
use registry_gateway::package;
use reqwest::Method;
use serde_json::json;

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

/// Of what was refused, only checked, or retired nothing stays on disk.
#[tokio::test(flavor = "multi_thread")]
async fn compiled_code_goes_with_its_module() {
    let gateway = TestGateway::builder()
        .config(|config| config.sandbox.cache_dir = "sandbox-cache".into())
        .start()
        .await;
    let ida = gateway.staff("ida", &[Role::Implementer]).await;
    let before = compiled(gateway.data_dir());
    assert_eq!(before.len(), 1);
    let bytes = Crafted::adapter().build();
    let check = gateway.ask(Method::POST, "/admin/v1/modules/check");
    let check = check.header("content-type", "application/wasm");
    let checked = check.body(&bytes[..]).key(&ida).send().await.ok();
    assert_eq!(compiled(gateway.data_dir()), before);

    // Refused where it was compiled and asked already.
    let manifest = json!({
        "name": "another", "version": "1.0.0", "summary": "", "abilities": ["find"],
    });
    let manifest = serde_json::from_value(manifest).unwrap();
    let packed = package::pack(&bytes, &manifest, &[]).unwrap();
    let refused = upload(&gateway, &ida, &packed).send().await;
    assert_eq!((refused.status, refused.code()), (422, "module-refused"));
    assert!(refused.text.contains("manifest.name"), "{}", refused.text);
    assert_eq!(compiled(gateway.data_dir()), before);

    let added = upload(&gateway, &ida, &bytes).send().await;
    assert_eq!(added.status, 201, "{}", added.text);
    let both = compiled(gateway.data_dir());
    assert_eq!(both.len(), 2);
    let digest = digest(&added);
    assert_eq!(digest, checked.json["digest"].as_str().unwrap());
    let retired = gateway.ask(Method::DELETE, &format!("/admin/v1/modules/{digest}"));
    assert_eq!(retired.key(&ida).send().await.status, 204);
    assert_eq!(compiled(gateway.data_dir()), before);

    // What another gateway retired goes at the next start; what serves stays.
    let stray = both.iter().find(|file| !before.contains(file)).unwrap();
    std::fs::write(stray, "left behind").unwrap();
    let hours = std::time::Duration::from_secs(7_200);
    age(stray, hours);
    age(&before[0], hours);
    let cache = gateway.data_dir().join("sandbox-cache");
    let _beside = gateway
        .beside(&[], |config| config.sandbox.cache_dir = cache)
        .await;
    until("it is swept", async || {
        compiled(gateway.data_dir()) == before
    })
    .await;
}

/// Each word of a module's life.
#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_is_told_as_one() {
    let gateway = TestGateway::start().await;
    let ada = gateway.staff("ada", &[Role::Administrator]).await;
    let bytes = gateway_tests::versions::saying("two");
    let added = upload(&gateway, &ada, &bytes).send().await;
    let digest = digest(&added);
    let state = async || {
        let all = gateway.get("/admin/v1/modules").key(&ada).send().await.ok();
        let modules = all.json["modules"].as_array().unwrap().iter();
        let mut mine = modules.filter(|module| module["digest"] == digest.as_str());
        let mine = mine.next().unwrap().clone();
        let path = format!("/admin/v1/modules/{digest}");
        let one = gateway.get(&path).key(&ada).send().await.ok();
        assert_eq!(one.json, mine);
        (
            mine["state"].as_str().unwrap().to_owned(),
            mine["candidateOf"].clone(),
            mine["serves"].clone(),
        )
    };
    let none = json!([]);
    let is =
        |word: &str, next: &[&str], serves: &[&str]| (word.to_owned(), json!(next), json!(serves));
    assert_eq!(state().await, ("admitted".into(), none.clone(), none));
    let act = async |registry: &str, what: &str, body| {
        let path = format!("/admin/v1/registries/{registry}/{what}");
        gateway.post(&path, &body).key(&ada).send().await.ok();
    };
    act("civil", "stage", json!({ "module": digest })).await;
    assert_eq!(state().await, is("staged", &["civil"], &[]));
    act("social", "stage", json!({ "module": digest })).await;
    act("social", "shadow", json!({ "sharePercent": 5 })).await;
    assert_eq!(state().await, is("shadow", &["civil", "social"], &[]));
    act("civil", "activate", json!({ "module": digest })).await;
    assert_eq!(state().await, is("active", &["social"], &["civil"]));
    let path = "/admin/v1/registries/social/candidate";
    let given_up = gateway.ask(Method::DELETE, path).key(&ada).send().await;
    assert_eq!(given_up.status, 204);
    act("civil", "rollback", json!({})).await;
    assert_eq!(state().await, is("admitted", &[], &[]));
}

//! What is damaged in the database harms one registry, not the others.

use gateway_tests::crafted::{Crafted, with_section};
use gateway_tests::gateway::{RegistryText, TestGateway};
use gateway_tests::leaks::Log;
use gateway_tests::wait::until;
use registry_gateway::model::Ability;

async fn state(gateway: &TestGateway, registry: &str) -> String {
    let path = format!("/v1/registries/{registry}");
    let shown = gateway.get(&path).send().await;
    shown.json["state"].as_str().unwrap_or_default().to_owned()
}

async fn until_it_is(gateway: &TestGateway, registry: &str, word: &str) {
    let what = format!("{registry} is {word}");
    until(&what, async || state(gateway, registry).await == word).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_row_stops_only_its_own_registry() {
    let log = Log::listen();
    let gateway = TestGateway::builder()
        .registry("unreadable", |text| text)
        .start()
        .await;
    let uin = gateway.person(3).uin;
    let mut outside = gateway.outside().await;
    // A time that no calendar has.
    let spoil = "UPDATE registries SET updated_at = 9000000000000000000 WHERE name = 'unreadable'";
    assert_eq!(outside.run(spoil).await, 1);
    outside.move_revision().await;
    until_it_is(&gateway, "unreadable", "not-ready").await;
    let answer = gateway.find("unreadable", &uin).send().await;
    assert_eq!((answer.status, answer.code()), (503, "registry-not-ready"));
    gateway.find("civil", &uin).send().await.ok();

    // Others are taken over as ever.
    let text = RegistryText::spdci("Civil");
    gateway.apply(&[], &[("later", text.clone())]).await;
    until_it_is(&gateway, "later", "ready").await;
    gateway.find("later", &uin).send().await.ok();
    // Each try again is quiet.
    for _ in 0..3 {
        gateway.serving.gateway.reload().await.unwrap();
    }
    let logged = String::from_utf8(log.bytes()).unwrap();
    let told: Vec<_> = logged
        .lines()
        .filter(|line| line.contains("registry not ready") && line.contains("unreadable"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("updated_at"), "{told:?}");
    assert!(told[0].contains("apply it again"), "{told:?}");

    // As the message says.
    gateway.apply(&[], &[("unreadable", text)]).await;
    until_it_is(&gateway, "unreadable", "ready").await;
    gateway.find("unreadable", &uin).send().await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_module_stops_only_its_own_registry() {
    let gateway = TestGateway::start().await;
    let uin = gateway.person(3).uin;
    // One that no other test has: its compiled code is taken away.
    let module = with_section(&Crafted::adapter().build(), b"damaged");
    let file = gateway.data_dir().join("damaged.wasm");
    std::fs::write(&file, &module).unwrap();
    let text = RegistryText::spdci("Civil").module(file);
    gateway.apply(&[], &[("damaged", text.clone())]).await;
    until_it_is(&gateway, "damaged", "ready").await;
    let store = gateway.store().await;
    let row = store.registries().get("damaged").await.unwrap();
    let digest = row.unwrap().module_digest;
    store.close().await;
    assert_eq!(gateway.modules(), 2, "one for civil and social, one more");

    let mut outside = gateway.outside().await;
    outside
        .run("UPDATE registries SET enabled = FALSE WHERE name = 'damaged'")
        .await;
    outside.move_revision().await;
    until_it_is(&gateway, "damaged", "disabled").await;
    until("its module is gone", async || gateway.modules() == 1).await;

    let spoil = "UPDATE modules SET bytes = (SELECT key_hash FROM caller_keys LIMIT 1) \
                 WHERE digest = (SELECT module_digest FROM registries WHERE name = 'damaged')";
    assert_eq!(outside.run(spoil).await, 1);
    forget(&gateway, &digest);
    outside
        .run("UPDATE registries SET enabled = TRUE WHERE name = 'damaged'")
        .await;
    outside.move_revision().await;
    until_it_is(&gateway, "damaged", "not-ready").await;
    gateway.find("civil", &uin).send().await.ok();
    let later = RegistryText::spdci("Civil");
    gateway.apply(&[], &[("later", later)]).await;
    until_it_is(&gateway, "later", "ready").await;

    gateway.apply(&[], &[("damaged", text)]).await;
    until_it_is(&gateway, "damaged", "ready").await;
}

/// Takes a module's compiled code from the cache that all tests share.
fn forget(gateway: &TestGateway, digest: &str) {
    let begins = digest.replace(':', "-");
    let mut gone = 0;
    for entry in std::fs::read_dir(&gateway.config.sandbox.cache_dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with(&begins) {
            std::fs::remove_file(entry.path()).unwrap();
            gone += 1;
        }
    }
    assert_eq!(gone, 1, "{digest} is cached");
}

/// Nor does a caller's row keep another's key from being revoked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_caller_stops_only_itself() {
    let gateway = TestGateway::start().await;
    let uin = gateway.person(3).uin;
    let spoilt = gateway.caller("spoilt", &["civil"], &Ability::ALL).await;
    let revoked = gateway.caller("revoked", &["civil"], &Ability::ALL).await;
    for key in [&spoilt, &revoked] {
        gateway.find("civil", &uin).key(key).send().await.ok();
    }
    let mut outside = gateway.outside().await;
    let spoil = "UPDATE callers SET created_at = 9000000000000000000 WHERE name = 'spoilt'";
    assert_eq!(outside.run(spoil).await, 1);
    let revoke = "UPDATE callers SET revoked_at = 1 WHERE name = 'revoked'";
    assert_eq!(outside.run(revoke).await, 1);
    outside.move_revision().await;
    for key in [&spoilt, &revoked] {
        until("the key is not taken", async || {
            gateway.find("civil", &uin).key(key).send().await.status == 401
        })
        .await;
    }
    gateway.find("civil", &uin).send().await.ok();
}

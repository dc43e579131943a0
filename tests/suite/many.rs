//! Many registries: what they share, and what one must not take from another.

use std::time::Duration;

use gateway_tests::crafted::Crafted;
use gateway_tests::gateway::{RegistryText, TestGateway};
use gateway_tests::stand_in::{Fault, OauthClient};
use gateway_tests::wait::until;

async fn state(gateway: &TestGateway, registry: &str) -> String {
    let path = format!("/v1/registries/{registry}");
    let shown = gateway.get(&path).send().await;
    shown.json["state"].as_str().unwrap_or_default().to_owned()
}

fn nothing(_: &str) -> Option<String> {
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_module_serves_all_registries_and_goes_with_the_last() {
    let gateway = TestGateway::start().await;
    assert_eq!(gateway.modules(), 1, "civil and social have one");
    let file = gateway.data_dir().join("crafted.wasm");
    std::fs::write(&file, Crafted::adapter().build()).unwrap();
    let text = RegistryText::spdci("Civil").module(file);
    let both = [("a", text.clone()), ("b", text.clone())];
    gateway.apply(&[], &both).await;
    until("both are there", async || {
        state(&gateway, "a").await == "ready" && state(&gateway, "b").await == "ready"
    })
    .await;
    assert_eq!(gateway.modules(), 2);

    let off = text.set("enabled", false);
    gateway.apply(&[], &[("a", off.clone())]).await;
    until("a is off", async || {
        state(&gateway, "a").await == "disabled"
    })
    .await;
    assert_eq!(gateway.modules(), 2, "b is there still");
    gateway.apply(&[], &[("b", off)]).await;
    until("the module is gone", async || gateway.modules() == 1).await;
    gateway
        .find("civil", &gateway.person(3).uin)
        .send()
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_many_is_applied_whole_or_not_at_all() {
    let gateway = TestGateway::start().await;
    let uin = gateway.person(3).uin;
    let text = RegistryText::spdci("Civil").set("endpoints.registry.timeout_ms", 5_000);
    let mut many: Vec<(String, RegistryText)> = (0..300)
        .map(|number| (format!("many-{number:03}"), text.clone()))
        .collect();
    let bad = text.clone().set("endpoints.registry.timeout_ms", 0);
    many.push(("many-bad".into(), bad));
    let named = many.iter().map(|(name, text)| (name.as_str(), text));
    let refused = gateway.try_apply(nothing, named).await.unwrap_err();
    let told = refused.to_string();
    assert!(
        told.contains("many-bad") && told.contains("timeout_ms"),
        "{told}"
    );
    let store = gateway.store().await;
    assert_eq!(store.registries().list().await.unwrap().len(), 2);
    assert_eq!(
        store.revision().await.unwrap(),
        2,
        "the first file, and the caller"
    );

    many.pop();
    let named = many.iter().map(|(name, text)| (name.as_str(), text));
    let changes = gateway.try_apply(nothing, named).await.unwrap();
    assert_eq!(changes.len(), 300);
    assert_eq!(store.registries().list().await.unwrap().len(), 302);
    assert_eq!(store.modules().list().await.unwrap().len(), 1);
    assert_eq!(store.revision().await.unwrap(), 3, "one change for all");
    store.close().await;
    until("the last is there", async || {
        state(&gateway, "many-299").await == "ready"
    })
    .await;
    assert_eq!(gateway.modules(), 1);
    for name in ["many-000", "many-150", "many-299"] {
        gateway.find(name, &uin).send().await.ok();
    }
}

/// An access token is part of what an entry has learned: it is fetched again where the entry is not
/// the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_did_not_change_is_not_built_again() {
    let client = OauthClient {
        id: "openimis".into(),
        secret: "client-secret".into(),
    };
    let credential = [
        ("kind", "oauth2"),
        ("token_url", "{stand-in}/oauth2/client/token"),
        ("client_id", "openimis"),
        ("client_secret", "file:client"),
    ];
    let text = RegistryText::spdci("Civil").credential(&credential);
    let civil = text.clone();
    let gateway = TestGateway::builder()
        .stand_in(|options| options.oauth = Some(client))
        .secret_file("client", "client-secret")
        .registry("civil", |_| civil)
        .start()
        .await;
    let uin = gateway.person(3).uin;
    let tokens = async |expected: u64| {
        gateway.find("civil", &uin).send().await.ok();
        assert_eq!(gateway.stand_in.tokens_issued(), expected);
    };
    let taken_over = async |marker: &str, civil: &RegistryText| {
        let both = [("civil", civil.clone()), (marker, text.clone())];
        gateway.apply(&[], &both).await;
        until("it is taken over", async || {
            state(&gateway, marker).await == "ready"
        })
        .await;
    };
    tokens(1).await;
    tokens(1).await;
    // Another registry comes, with and without civil in its file.
    gateway.apply(&[], &[("other", text.clone())]).await;
    until("it is there", async || {
        state(&gateway, "other").await == "ready"
    })
    .await;
    tokens(1).await;
    taken_over("again", &text).await;
    tokens(1).await;
    // Another place of the same secret: a change, small as it is.
    std::fs::write(gateway.config.secrets_dir.join("moved"), "client-secret").unwrap();
    let mut moved = credential;
    moved[3].1 = "file:moved";
    let moved = RegistryText::spdci("Civil").credential(&moved);
    taken_over("changed", &moved).await;
    tokens(2).await;
    // The same place, and a secret that is written differently.
    taken_over("same", &moved).await;
    tokens(2).await;
    std::fs::write(gateway.config.secrets_dir.join("moved"), "wrong").unwrap();
    taken_over("secret", &moved).await;
    let refused = gateway.find("civil", &uin).send().await;
    assert_eq!((refused.status, refused.code()), (502, "denied"));
}

/// Room for eight, and a registry that never answers with thirty calls that wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_wait_for_one_registry_leave_room_for_others() {
    let gateway = TestGateway::builder()
        .config(|config| config.sandbox.max_instances = 8)
        .registry("social", |social| social.set("concurrency.max_calls", 8))
        .registry("civil", |civil| {
            civil
                .set("concurrency.max_calls", 8)
                .set("concurrency.max_wait_ms", 60_000)
        })
        .start()
        .await;
    let silent = Fault::uin("silent").unwrap();
    let waiting: Vec<_> = (0..30)
        .map(|_| tokio::spawn(gateway.find("civil", &silent).send()))
        .collect();
    until("the registry has all it may", async || {
        gateway.stand_in.requests() >= 7
    })
    .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(gateway.stand_in.requests(), 7, "the eighth place is kept");
    let uin = gateway.person(3).uin;
    for _ in 0..5 {
        gateway.find("social", &uin).send().await.ok();
    }
    assert_eq!(gateway.stand_in.requests(), 12);
    for call in waiting {
        call.abort();
    }
}

//! Which registries serve, as another process changes them.

use gateway_tests::gateway::{RegistryText, TestGateway};
use gateway_tests::stand_in::Fault;
use gateway_tests::wait::until;

/// The word for a registry's state; empty where there is none of that name.
async fn state(gateway: &TestGateway, registry: &str) -> String {
    let path = format!("/v1/registries/{registry}");
    let shown = gateway.get(&path).send().await;
    let state = shown.json["state"].as_str();
    state.unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_applies_is_taken_over() {
    let gateway = TestGateway::start().await;
    let uin = gateway.person(3).uin;
    let text = RegistryText::spdci("Civil");
    assert_eq!(gateway.find("later", &uin).send().await.status, 404);

    gateway.apply(&[], &[("later", text.clone())]).await;
    until("it is there", async || {
        state(&gateway, "later").await == "ready"
    })
    .await;
    gateway.find("later", &uin).send().await.ok();

    let disabled = text.clone().set("enabled", false);
    gateway.apply(&[], &[("later", disabled)]).await;
    until("it is disabled", async || {
        state(&gateway, "later").await == "disabled"
    })
    .await;
    let answer = gateway.find("later", &uin).send().await;
    assert_eq!((answer.status, answer.code()), (503, "registry-disabled"));

    gateway.apply(&[], &[("later", text)]).await;
    until("it is back", async || {
        state(&gateway, "later").await == "ready"
    })
    .await;
    gateway.find("later", &uin).send().await.ok();
    // The others never noticed.
    gateway.find("civil", &uin).send().await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_without_its_secret_is_not_ready() {
    let gateway = TestGateway::start().await;
    let fields = [("kind", "bearer"), ("token", "env:REGISTRY_SECRET_LATER")];
    let text = RegistryText::spdci("Civil").credential(&fields);
    // The process that applies has the secret; the one that serves has not.
    let environment = [("REGISTRY_SECRET_LATER", "x")];
    gateway.apply(&environment, &[("later", text)]).await;
    until("it is shown", async || {
        state(&gateway, "later").await == "not-ready"
    })
    .await;
    let answer = gateway.find("later", "1000000000").send().await;
    assert_eq!((answer.status, answer.code()), (503, "registry-not-ready"));
    assert!(!answer.header("retry-after").is_empty());
    let listed = gateway.get("/v1/registries").send().await.ok();
    let names = listed.json["registries"].as_array().unwrap();
    let names: Vec<_> = names.iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["civil", "later", "social"]);
    assert_eq!(gateway.stand_in.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_one_too_many_is_told_to_come_again() {
    let gateway = TestGateway::builder()
        .registry("civil", |civil| {
            civil
                .set("concurrency.max_calls", 1)
                .set("concurrency.max_wait_ms", 50)
        })
        .start()
        .await;
    let uin = gateway.person(3).uin;
    // Long beside what the second waits for its turn.
    gateway
        .stand_in
        .set_fault(Fault::Slow(std::time::Duration::from_secs(4)));
    let first = tokio::spawn(gateway.find("civil", &uin).send());
    until("it is asked", async || gateway.stand_in.requests() == 1).await;
    let second = gateway.find("civil", &uin).send().await;
    assert_eq!((second.status, second.code()), (429, "busy"));
    assert!(!second.header("retry-after").is_empty());
    assert_eq!(gateway.stand_in.requests(), 1, "the second never left");
    // Another registry has its own turns.
    gateway.stand_in.set_fault(Fault::None);
    gateway.find("social", &uin).send().await.ok();
    first.await.unwrap().ok();
    gateway.find("civil", &uin).send().await.ok();
}

//! Gateways of one database take another module together, or none of them does.

use std::time::{Duration, Instant};

use gateway_tests::ask::Ask;
use gateway_tests::components;
use gateway_tests::gateway::{Beside, TestGateway};
use gateway_tests::wait::until;
use registry_gateway::model::Role;
use registry_gateway::store::{Beat, NewModule, RegistryChange};
use serde_json::json;
use uuid::Uuid;

use super::{named, three};

/// The `spdci` adapter again, under another digest: a custom section says nothing to anybody.
pub(super) async fn another_module(gateway: &TestGateway, name: &str) -> String {
    let mut bytes = components::bytes("adapter-spdci");
    let length = u8::try_from(name.len()).unwrap();
    bytes.extend([0, length + 1, length]);
    bytes.extend(name.as_bytes());
    let store = gateway.store().await;
    let put = store.modules().put(NewModule {
        adapter: "spdci".into(),
        version: "9".into(),
        bytes: bytes.into(),
        facts: None,
    });
    let digest = put.await.unwrap().digest;
    store.close().await;
    digest
}

fn activate(gateway: &TestGateway, admin: &str, module: &str) -> Ask {
    let path = "/admin/v1/registries/civil/activate";
    gateway.post(path, &json!({ "module": module })).key(admin)
}

async fn serves(gateway: &Beside) -> String {
    let shown = gateway.get("/v1/registries/civil").send().await.ok();
    shown.json["adapter"]["module"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_take_it_over_together() {
    let gateway = TestGateway::builder().config(named("a")).start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let others = three(&gateway).await;
    let module = another_module(&gateway, "next").await;
    let began = Instant::now();
    let done = activate(&gateway, &admin, &module).send().await.ok();
    let took = began.elapsed();
    assert_eq!(done.json["active"]["digest"], *module);
    assert_eq!(done.json["findings"], serde_json::Value::Null);
    for other in &others {
        assert_eq!(serves(other).await, module);
    }
    let shown = gateway.get("/v1/registries/civil").send().await.ok();
    assert_eq!(shown.json["adapter"]["module"], *module);
    // Compiling a module that is not admitted takes its time; on SQLite nobody is woken.
    println!("agreed and taken over by three in {took:?}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    // A module that all of them have compiled.
    let began = Instant::now();
    let path = "/admin/v1/registries/civil/rollback";
    let back = gateway.post(path, &json!({})).key(&admin).send().await.ok();
    let took = began.elapsed();
    let first = gateway.get("/v1/registries/social").send().await.json["adapter"]["module"].clone();
    assert_eq!(back.json["active"]["digest"], first);
    for other in &others {
        assert_eq!(first, *serves(other).await);
    }
    let history = gateway
        .get("/admin/v1/registries/civil/history")
        .key(&admin);
    let rows = history.send().await.ok().json["activations"].clone();
    let told = |at: usize| (rows[at]["why"].clone(), rows[at]["caller"].clone());
    assert_eq!(told(0), (json!("rollback"), json!("ada")), "{rows}");
    assert_eq!(told(1), (json!("activate"), json!("ada")), "{rows}");
    println!("back in {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_keeps_all_from_it_and_says_why() {
    const SECRET: &str = "REGISTRY_SECRET_T";
    let gateway = TestGateway::builder()
        .config(named("a"))
        .environment(SECRET, "hunter2")
        .registry("civil", |text| {
            text.credential(&[("kind", "bearer"), ("token", "env:REGISTRY_SECRET_T")])
        })
        .start()
        .await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let knows = gateway.beside(&[(SECRET, "hunter2")], named("b")).await;
    let _lacks = gateway.beside(&[], named("c")).await;
    let before = serves(&knows).await;
    let module = another_module(&gateway, "next").await;
    let refused = activate(&gateway, &admin, &module).send().await;
    assert_eq!((refused.status, refused.code()), (422, "not-agreed"));
    let refused = refused.text;
    assert!(refused.contains("c cannot: "), "{refused}");
    assert!(refused.contains(SECRET), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
    assert_eq!(serves(&knows).await, before);
    let shown = gateway.get("/v1/registries/civil").send().await.ok();
    assert_eq!(shown.json["adapter"]["module"], *before);
}

/// As if its machine was gone, while the others prepare.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_dies_half_way_does_not_hold_up_the_others() {
    let gateway = TestGateway::builder().config(named("a")).start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let [second, third] = three(&gateway).await;
    let module = another_module(&gateway, "next").await;
    let began = Instant::now();
    let agreeing = tokio::spawn(activate(&gateway, &admin, &module).send());
    drop(third);
    agreeing.await.unwrap().ok();
    println!("with one gone: {:?}", began.elapsed());
    until("the other has it", async || serves(&second).await == module).await;
    // It comes back, and has what was committed.
    let again = gateway.beside(&[], named("c")).await;
    assert_eq!(serves(&again).await, module);
}

/// One that is alive and answers nothing keeps it undecided, while somebody else changes the registry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_second_is_told_that_it_was_changed() {
    let gateway = TestGateway::builder().config(named("a")).start().await;
    let admin = gateway.staff("ada", &[Role::Administrator]).await;
    let second = gateway.beside(&[], named("b")).await;
    let module = another_module(&gateway, "next").await;
    let before = serves(&second).await;
    let store = gateway.store().await;
    let (id, run) = (Uuid::now_v7(), Uuid::now_v7());
    let silent = Beat {
        id,
        run,
        name: "silent".into(),
        version: "1".into(),
        listens: "127.0.0.1:1".into(),
        alive_for: Duration::from_secs(600),
        revision: 0,
        share: 0,
        behind: Vec::new(),
    };
    store.nodes().join(silent).await.unwrap();
    let asked = tokio::spawn(activate(&gateway, &admin, &module).send());
    until("it is being prepared", async || {
        !store.agreements().under_way().await.unwrap().is_empty()
    })
    .await;
    let also = activate(&gateway, &admin, &module).send().await;
    assert_eq!((also.status, also.code()), (409, "under-way"));
    let row = store.registries().get("civil").await.unwrap().unwrap();
    let put = RegistryChange::Put {
        name: row.name,
        module_digest: row.module_digest,
        configuration: row.configuration,
        enabled: true,
    };
    store.registries().apply(vec![put]).await.unwrap();
    store.nodes().leave(id, run).await.unwrap();
    let refused = asked.await.unwrap();
    assert_eq!(
        (refused.status, refused.code()),
        (409, "changed"),
        "{}",
        refused.text
    );
    assert_eq!(serves(&second).await, before);
    store.close().await;
}

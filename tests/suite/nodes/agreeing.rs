//! Gateways of one database take another module together, or none of them does.

use std::time::{Duration, Instant};

use gateway_tests::components;
use gateway_tests::gateway::{Beside, TestGateway};
use gateway_tests::wait::until;
use registry_gateway::store::NewModule;

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

async fn serves(gateway: &Beside) -> String {
    let shown = gateway.get("/v1/registries/civil").send().await.ok();
    shown.json["module"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_take_it_over_together() {
    let gateway = TestGateway::builder().config(named("a")).start().await;
    let others = three(&gateway).await;
    let module = another_module(&gateway, "next").await;
    let began = Instant::now();
    let late = gateway.serving.gateway.agree("civil", &module, "ada").await;
    assert_eq!(late.unwrap(), Vec::<String>::new());
    let took = began.elapsed();
    for other in &others {
        assert_eq!(serves(other).await, module);
    }
    let shown = gateway.get("/v1/registries/civil").send().await.ok();
    assert_eq!(shown.json["module"], *module);
    // Compiling a module that is not admitted takes its time; on SQLite nobody is woken.
    println!("agreed and taken over by three in {took:?}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    // A module that all of them have compiled.
    let first = gateway.get("/v1/registries/social").send().await.json["module"].clone();
    let began = Instant::now();
    let back = gateway
        .serving
        .gateway
        .agree("civil", first.as_str().unwrap(), "ada");
    assert_eq!(back.await.unwrap(), Vec::<String>::new());
    let took = began.elapsed();
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
    let knows = gateway.beside(&[(SECRET, "hunter2")], named("b")).await;
    let _lacks = gateway.beside(&[], named("c")).await;
    let before = serves(&knows).await;
    let module = another_module(&gateway, "next").await;
    let agreed = gateway.serving.gateway.agree("civil", &module, "ada").await;
    let refused = agreed.unwrap_err().to_string();
    assert!(refused.contains("c cannot: "), "{refused}");
    assert!(refused.contains(SECRET), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
    assert_eq!(serves(&knows).await, before);
    let shown = gateway.get("/v1/registries/civil").send().await.ok();
    assert_eq!(shown.json["module"], *before);
}

/// As if its machine was gone, while the others prepare.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_dies_half_way_does_not_hold_up_the_others() {
    let gateway = TestGateway::builder().config(named("a")).start().await;
    let [second, third] = three(&gateway).await;
    let module = another_module(&gateway, "next").await;
    let leader = gateway.serving.gateway.clone();
    let wanted = module.clone();
    let began = Instant::now();
    let agreeing = tokio::spawn(async move { leader.agree("civil", &wanted, "ada").await });
    drop(third);
    assert_eq!(agreeing.await.unwrap().unwrap(), Vec::<String>::new());
    println!("with one gone: {:?}", began.elapsed());
    until("the other has it", async || serves(&second).await == module).await;
    // It comes back, and has what was committed.
    let again = gateway.beside(&[], named("c")).await;
    assert_eq!(serves(&again).await, module);
}

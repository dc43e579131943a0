//! Another module serves while a lookup is kept.

use std::time::Duration;

use gateway_tests::versions::version;
use serde_json::json;

use crate::swap::{Swapping, given};

/// It answers `pend` in two steps, the second after 150 ms.
async fn kept(it: &Swapping) -> String {
    let asked = it.gateway.find("changing", "pend");
    let asked = asked.header("prefer", "respond-async").send().await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    assert_eq!(asked.header("retry-after"), "1");
    tokio::time::sleep(Duration::from_millis(200)).await;
    asked.header("location").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lookup_goes_on_with_a_module_that_reads_its_state() {
    let it = Swapping::start().await;
    let place = kept(&it).await;
    let two = it
        .admitted(&version("version=2.0.0 says=two form=1 reads=1"))
        .await;
    it.activate(&two).await.ok();
    let told = it.gateway.get(&place).send().await.ok().json;
    assert_eq!(
        (given(&told["person"]), &told["source"]["module"]),
        ("one two".into(), &json!(two))
    );
    // What is kept tells who made it, whichever module serves now.
    it.post("rollback", json!({})).await.ok();
    assert_eq!(it.gateway.get(&place).send().await.ok().json, told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_that_cannot_read_its_state_is_refused_or_ends_it() {
    let it = Swapping::start().await;
    let place = kept(&it).await;
    let other = version("version=2.0.0 says=two form=2 reads=2");
    let other = it.admitted(&other).await;
    let refused = it.activate(&other).await;
    assert_eq!((refused.status, refused.code()), (409, "states-open"));
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(detail.contains("lookup 1 until"), "{detail}");
    // Once its caller was answered nothing is in the way.
    it.gateway.get(&place).send().await.ok();
    it.activate(&other).await.ok();
    it.post("rollback", json!({})).await.ok();

    let second = kept(&it).await;
    assert_eq!(it.activate(&other).await.code(), "states-open");
    let forced = json!({ "module": other, "force": true });
    it.post("activate", forced).await.ok();
    let over = it.gateway.get(&second).send().await;
    assert_eq!((over.status, over.code()), (410, "lookup-over"));
    // It was not lost: the module that reads it may come back.
    it.post("rollback", json!({})).await.ok();
    let told = it.gateway.get(&second).send().await.ok().json;
    assert_eq!(given(&told["person"]), "one one");
}

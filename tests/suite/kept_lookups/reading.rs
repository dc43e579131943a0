//! Who may come back, and what they are told then: it is looked at again.

use std::time::Duration;

use gateway_tests::gateway::TestGateway;
use gateway_tests::gateway::identifiers;
use registry_gateway::model::{Ability, Role};
use serde_json::json;

use super::{called_back, holding, kept, kept_find, plain, rows};
use crate::spdci_async::{later, put};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_its_callers_alone() {
    let gateway = plain().await;
    let person = gateway.person(3);
    let place = kept_find(&gateway, &person.uin).await;
    called_back(&gateway, 1).await;
    let other = gateway.caller("other", &["civil"], &Ability::ALL).await;
    let admin = gateway.staff("ada", &Role::ALL).await;
    for key in [&other, &admin] {
        for method in [reqwest::Method::GET, reqwest::Method::DELETE] {
            let refused = gateway.ask(method, &place).key(key).send().await;
            assert_eq!((refused.status, refused.code()), (404, "unknown-lookup"));
            assert_eq!(refused.json["field"], "id");
        }
    }
    for none in [
        "/v1/lookups/no-id",
        "/v1/lookups/00000000-0000-4000-8000-000000000000",
    ] {
        assert_eq!(gateway.get(none).send().await.code(), "unknown-lookup");
    }
    let nobody = gateway.get(&place).without("authorization").send().await;
    assert_eq!(nobody.status, 401);
    gateway.get(&place).send().await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grants_and_policy_are_those_of_the_moment_it_is_told() {
    let gateway = plain().await;
    let person = gateway.person(3);
    let clinic = gateway
        .caller("clinic", &["civil"], &[Ability::Find, Ability::Search])
        .await;
    let asked = gateway.find("civil", &person.uin).key(&clinic);
    let asked = asked.header("prefer", "respond-async").send().await;
    let find = asked.header("location").to_owned();
    let body = json!({ "criteria": [{ "field": "sex", "equals": "female" }] });
    let search = kept(&gateway, "search", &body).await;
    called_back(&gateway, 2).await;
    let get = async |place: &str, key: &str| gateway.get(place).key(key).send().await;
    // The policy hides what it showed: of an answer that is kept too.
    let told = get(&find, &clinic).await.ok();
    assert!(
        told.json["person"]["birthDate"].is_object(),
        "{}",
        told.text
    );
    put(
        &gateway,
        later(&gateway).set("policy.fields", vec!["names"]),
    )
    .await;
    let told = get(&find, &clinic).await.ok();
    let fields: Vec<_> = told.json["person"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["names"]);
    // And what is hidden is not to be asked about.
    let hidden = get(&search, &gateway.key).await;
    assert_eq!((hidden.status, hidden.code()), (403, "hidden-field"));
    // What was not stated then is missing now.
    let text = later(&gateway).set("policy.required", vec!["user"]);
    put(&gateway, text).await;
    let missing = get(&find, &clinic).await;
    assert_eq!((missing.status, missing.code()), (400, "missing-statement"));
    put(&gateway, later(&gateway)).await;
    // The grant goes.
    for (grant, status, code) in [
        (
            json!({ "registries": ["civil"], "abilities": ["search"] }),
            403,
            "not-granted",
        ),
        (
            json!({ "registries": ["social"], "abilities": ["find"] }),
            404,
            "unknown-registry",
        ),
    ] {
        let admin = gateway
            .staff(&format!("ada-{status}"), &[Role::Administrator])
            .await;
        let set = gateway
            .ask(reqwest::Method::PUT, "/admin/v1/callers/clinic")
            .json(&json!({ "roles": ["client"], "grants": [grant] }))
            .key(&admin);
        assert_eq!(set.send().await.status, 204);
        let refused = get(&find, &clinic).await;
        assert_eq!((refused.status, refused.code()), (status, code));
        assert!(!refused.text.contains(&person.uin));
    }
}

/// Promise 6: nothing is told whose row is not written, and it is not lost by that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_told_before_its_row_is_durable() {
    let gateway = plain().await;
    let person = gateway.person(3);
    let place = kept_find(&gateway, &person.uin).await;
    called_back(&gateway, 1).await;
    let mut outside = gateway.outside().await;
    outside.refuse_ends().await;
    let refused = gateway.get(&place).send().await;
    assert_eq!((refused.status, refused.code()), (503, "audit-unavailable"));
    assert!(!refused.text.contains(&person.uin));
    outside.take_ends().await;
    let told = gateway.get(&place).send().await.ok();
    assert!(told.text.contains(&person.uin));
    assert!(rows(&gateway, &told).await[0].end.is_some());
}

/// The first answer is counted, and not each time that its caller comes for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_counted_once() {
    let gateway: TestGateway = holding(
        |builder| {
            builder.config(|config| {
                config.callers.requests_per_day = std::num::NonZeroU32::new(2);
            })
        },
        |text| text,
    )
    .await;
    let person = gateway.person(3);
    let place = kept_find(&gateway, &person.uin).await;
    called_back(&gateway, 1).await;
    for _ in 0..4 {
        gateway.get(&place).send().await.ok();
    }
    let body = json!({ "identifiers": identifiers(&person.uin) });
    kept(&gateway, "find", &body).await;
    let third = gateway.find("civil", &person.uin).send().await;
    assert_eq!((third.status, third.code()), (429, "quota-spent"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_key_is_revoked_while_it_waits_is_not_told() {
    let gateway = plain().await;
    let person = gateway.person(3);
    let clinic = gateway.caller("clinic", &["civil"], &[Ability::Find]).await;
    let asked = gateway.find("civil", &person.uin).key(&clinic);
    let asked = asked.header("prefer", "respond-async").send().await;
    let back = gateway.get(asked.header("location")).key(&clinic);
    let back = back.header("prefer", "wait=20").send();
    let ada = gateway.staff("ada", &[Role::Administrator]).await;
    let revoking = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let gone = gateway.ask(reqwest::Method::DELETE, "/admin/v1/callers/clinic");
        assert_eq!(gone.key(&ada).send().await.status, 204);
        called_back(&gateway, 1).await;
    };
    let (refused, ()) = tokio::join!(back, revoking);
    assert_eq!((refused.status, refused.code()), (401, "unauthorized"));
    assert!(!refused.text.contains(&person.uin));
}

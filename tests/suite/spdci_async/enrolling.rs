//! Programme membership told to a beneficiary registry (IBR).

use std::time::Duration;

use gateway_tests::gateway::{RegistryText, TestGateway};
use gateway_tests::wait::until;
use registry_gateway::model::Ability;
use serde_json::{Value, json};
use stand_in::records::Mishap;

/// A gateway with a beneficiary registry, and the key of somebody who may enrol.
async fn start() -> (TestGateway, String) {
    let ibr = |_| {
        RegistryText::spdci("IBR")
            .set("settings.settle_ms", 0)
            .set("settings.status_after_ms", 200)
    };
    let gateway = TestGateway::builder()
        .registry("ibr", ibr)
        .config(|config| {
            config.operations.first_wait_ms = 50.try_into().unwrap();
            config.operations.max_wait_ms = 400.try_into().unwrap();
        })
        .start()
        .await;
    let key = gateway
        .caller("imis", &["ibr", "civil"], &[Ability::Enrolment])
        .await;
    (gateway, key)
}

/// The operation of an enrolment, once it stands in one of these states.
async fn enrol((gateway, caller): (&TestGateway, &str), key: &str, uin: &str) -> Value {
    let ends = ["applied", "rejected", "outcome-unknown", "given-up"];
    let body = json!({ "subject": format!("p-{uin}"), "enrolment": {
        "programme": { "identifiers": [{ "scheme": "programme", "value": "P1" }] },
        "beneficiary": { "person": {
            "identifiers": [{ "scheme": "national-id", "value": uin }],
            "names": [{ "family": "Rai", "given": ["Mira"] }],
        } },
        "status": "active", "from": "2026-01-02", "reason": "poor",
    }});
    let asked = gateway.post("/v1/registries/ibr/operations", &body);
    let sent = asked
        .key(caller)
        .header("idempotency-key", key)
        .send()
        .await;
    assert_eq!(sent.status, 202, "{}", sent.text);
    let path = format!("/v1/operations/{}", sent.json["id"].as_str().unwrap());
    let mut shown = Value::Null;
    until("the operation's end", async || {
        shown = gateway.get(&path).key(caller).send().await.ok().json;
        ends.contains(&shown["state"].as_str().unwrap())
    })
    .await;
    shown
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enrolment_is_told_and_found() {
    let (gateway, caller) = start().await;
    let by = (&gateway, caller.as_str());
    let done = enrol(by, "k-1", "1").await;
    assert_eq!(done["receipt"]["outcome"], "applied", "{done:#}");
    assert_eq!(done["receipt"]["unwritten"], json!(["reason"]));
    let kept = gateway
        .stand_in
        .beneficiaries()
        .beneficiary("1", "P1")
        .unwrap();
    let enrolment = &kept["member"]["programme_identifier"];
    assert_eq!(enrolment["enrolment_status"], "Active");
    assert_eq!(enrolment["enrolment_date"], "2026-01-02");
    assert_eq!(
        gateway.stand_in.beneficiaries().arrivals(),
        [done["id"].as_str().unwrap()]
    );

    gateway.stand_in.beneficiaries().acknowledge();
    let taken = enrol(by, "k-2", "2").await;
    assert_eq!(taken["receipt"]["outcome"], "acknowledged", "{taken:#}");
    // SPDCI has no other write.
    let body = json!({ "subject": "p-3", "enrolment": {
        "programme": { "identifiers": [{ "scheme": "programme", "value": "P1" }] },
        "beneficiary": { "person": { "identifiers": [{ "scheme": "national-id", "value": "3" }] } },
        "status": "active",
    }});
    let asked = gateway
        .post("/v1/registries/civil/operations", &body)
        .key(&caller);
    let sent = asked
        .header("idempotency-key", "k-3")
        .header("prefer", "wait=20")
        .send()
        .await;
    assert_eq!(
        (&sent.json["state"], &sent.json["registryCode"]),
        (&json!("rejected"), &json!("registry.enrolment")),
        "{}",
        sent.text
    );
}

/// The answer is lost before or after it was done: the registry is asked, and it is done once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_whose_answer_is_lost_is_not_sent_twice() {
    let (gateway, caller) = start().await;
    let by = (&gateway, caller.as_str());
    let beneficiaries = gateway.stand_in.beneficiaries();
    for (key, uin, mishap, arrivals) in [
        ("k-1", "1", Mishap::LostAfter, 1),
        ("k-2", "2", Mishap::LostBefore, 2),
        (
            "k-3",
            "3",
            Mishap::Status {
                status: 502,
                applied: true,
                retry_after: None,
            },
            1,
        ),
        // Taken, and done after a while: it is looked for.
        (
            "k-4",
            "4",
            Mishap::Later {
                after: Duration::from_millis(300),
                calls_back: false,
            },
            1,
        ),
    ] {
        let before = beneficiaries.arrivals().len();
        beneficiaries.inject(mishap);
        let done = enrol(by, key, uin).await;
        assert_eq!(done["state"], "applied", "{done:#}");
        let came = beneficiaries.arrivals().split_off(before);
        assert_eq!(came, vec![done["id"].as_str().unwrap(); arrivals], "{key}");
        assert!(beneficiaries.beneficiary(uin, "P1").is_some());
    }
}

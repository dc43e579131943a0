//! Every answer of the official mocks of a social and of a beneficiary registry, read by this adapter.
//! They are not part of this repository: REGISTRY_GATEWAY_SHARED names the folder that holds them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use adapter_sdk::model::{
    Beneficiary, EnrolmentRequest, EnrolmentStatus, Fate, Identifier, Outcome, Person, Programme,
    TraceQuery, WriteAnswer, WriteRequest,
};
use adapter_sdk::testing::{self, Stage};
use adapter_sdk::{Answer, Enrol, Events, Find, Trace};
use adapter_spdci::Spdci;
use adapter_spdci::wire::{acknowledgement, answer, record::Record};
use common::by;
use serde_json::{Value, json};

/// The folder, or none where this is left out. A build server must not leave it out unseen.
#[allow(
    clippy::disallowed_methods,
    reason = "where the mocks are is told to this test alone"
)]
fn folder() -> Option<PathBuf> {
    match std::env::var("REGISTRY_GATEWAY_SHARED") {
        Ok(shared) => Some(PathBuf::from(shared).join("fixtures/spdci/mockoon")),
        Err(_) => {
            let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!ci, "CI=true, but REGISTRY_GATEWAY_SHARED is not set");
            // Straight to the terminal: `println!` in a test that passes is swallowed.
            let line = "LEFT OUT: the official mocks, since REGISTRY_GATEWAY_SHARED is not set\n";
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            None
        }
    }
}

/// The answers of a mock by their paths, without its prefix.
fn answers(name: &str) -> Option<BTreeMap<String, Value>> {
    let text = std::fs::read(folder()?.join(format!("mockoon-{name}.json"))).unwrap();
    let mock: Value = serde_json::from_slice(&text).unwrap();
    let routes = mock["routes"].as_array().unwrap().iter();
    let each = routes.map(|route| {
        let path = route["endpoint"].as_str().unwrap();
        let path = path.strip_prefix(&format!("{name}/")).unwrap().to_owned();
        let body = route["responses"][0]["body"].as_str().unwrap();
        (path, serde_json::from_str(body).unwrap())
    });
    Some(each.collect())
}

/// The mock as a registry.
fn stage(registry_type: &str, answers: &BTreeMap<String, Value>) -> Stage {
    let settings = json!({
        "registry_type": registry_type, "sender_id": "openimis", "mode": "async",
        "sender_uri": "https://gateway.example/hooks/x", "subscribe": ["Death"],
    });
    let stage = testing::stage()
        .settings(settings)
        .operation_key("op-1")
        .endpoint("registry");
    let routes = answers.iter();
    routes.fold(stage, |stage, (path, body)| {
        let body = body.clone();
        stage.on_post(&format!("/registry/{path}"), move |_| body.clone())
    })
}

#[test]
fn a_search_is_taken_and_its_status_is_not_told() {
    for (name, registry_type) in [("sr", "Social"), ("ibr", "IBR")] {
        let Some(answers) = answers(name) else {
            return;
        };
        let _stage = stage(registry_type, &answers);
        let Ok(Answer::Pending(pending)) = Spdci::find(by("national-id", "1")) else {
            panic!("{name}: it is not taken");
        };
        assert_eq!(pending.retry_after_ms, Some(5_000));
        let Ok(Answer::Pending(pending)) = <Spdci as Find>::resume(pending.state, None) else {
            panic!("{name}: the schema of an answer is taken for one");
        };
        assert_eq!(pending.retry_after_ms, None);
    }
}

#[test]
fn a_subscription_is_taken_in_spite_of_the_example_beside_it() {
    for (name, registry_type) in [("sr", "Social"), ("ibr", "IBR")] {
        let Some(answers) = answers(name) else {
            return;
        };
        let stage = stage(registry_type, &answers);
        let begun = Spdci::changes(None, 100).unwrap();
        assert!(begun.more);
        let stands = Spdci::changes(Some(begun.cursor), 100).unwrap();
        assert!(!stands.more);
        // Its code is never told: it is not subscribed to again.
        Spdci::changes(Some(stands.cursor), 100).unwrap();
        let sent = stage.requests().into_iter();
        let subscribed = sent.filter(|it| it.path == "/registry/subscribe");
        assert_eq!(subscribed.count(), 1);
    }
}

#[test]
fn every_acknowledgement_is_one() {
    for (name, expected) in [("sr", 7), ("ibr", 8)] {
        let Some(answers) = answers(name) else {
            return;
        };
        let is_ack = |body: &&Value| body["message"]["ack_status"] == "ACK";
        let acknowledged: Vec<&Value> = answers.values().filter(is_ack).collect();
        assert_eq!(acknowledged.len(), expected, "{name}");
        for body in acknowledged {
            let response = testing::json(200, body.clone());
            assert_eq!(
                acknowledgement::of_message(response, "settings.paths"),
                Ok(())
            );
        }
    }
}

#[test]
fn a_beneficiary_without_an_envelope_is_read() {
    let Some(answers) = answers("ibr") else {
        return;
    };
    let found = answer::read(&answers["sync/search"], None).unwrap();
    assert_eq!((found.records.len(), found.total), (1, Some(24_250)));
    let record = Record::new(&found.records[0]).unwrap();
    let settings = json!({
        "registry_type": "IBR", "sender_id": "a", "identifier_types": { "nid": "NID" },
    });
    let settings = serde_json::from_value(settings).unwrap();
    let person = adapter_spdci::mapping::person(&record, &settings);
    assert_eq!(person.identifier("nid"), Some("0205202401"));
    // Day or month first: nobody can tell.
    assert_eq!(person.birth_date, None);
    assert!(person.unmapped.iter().any(|it| it.field == "birth-date"));
    let enrolments = person.extra.iter().find(|it| it.key == "enrolments");
    let told: Value = serde_json::from_str(&enrolments.unwrap().value).unwrap();
    assert_eq!(
        (&told[0]["programme"], &told[0]["status"]),
        (&json!("DCI001"), &json!("Active"))
    );
}

#[test]
fn an_enrolment_is_acknowledged_and_asked_for() {
    let Some(answers) = answers("ibr") else {
        return;
    };
    let request = EnrolmentRequest {
        programme: Programme {
            identifiers: vec![Identifier::new("programme", "DCI001")],
            name: None,
            extra: Vec::new(),
        },
        beneficiary: Beneficiary::Person(Person {
            identifiers: vec![Identifier::new("national-id", "1")],
            ..Person::default()
        }),
        identifiers: Vec::new(),
        status: EnrolmentStatus::Active,
        previous_status: None,
        reason: None,
        from: None,
        until: None,
        benefits: Vec::new(),
        version: None,
        extra: Vec::new(),
    };
    let _stage = stage("IBR", &answers);
    let Ok(WriteAnswer::Done(receipt)) = Spdci::enrol(request.clone()) else {
        panic!("not taken");
    };
    assert_eq!(receipt.outcome, Outcome::Other("acknowledged".to_owned()));
    assert_eq!(receipt.reference.as_deref(), Some("9876543210"));
    // It says yes for everybody, and its one text for searches answers another question.
    let fate = Spdci::trace(TraceQuery {
        operation_key: "op-1".to_owned(),
        request: WriteRequest::Enrolment(request),
        attempted_at: "2024-01-02T03:04:05Z".to_owned(),
        state: None,
        answer: None,
    });
    assert!(matches!(fate, Ok(Fate::Unknown)), "{fate:?}");
}

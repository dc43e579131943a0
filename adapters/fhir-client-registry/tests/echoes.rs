//! What is an echo of ours, and what becomes of a relation that is gone.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_fhir_client_registry::mapping::write::marks::caused_by;
use adapter_sdk::model::{
    Callback, Event, EventKind, Fate, ParticipantRole, Person, TraceQuery, WriteRequest,
};
use adapter_sdk::{Events, Trace};
use common::{TAG, patient, registry, related, stage, update, with};
use serde_json::{Value, json};

const TOKEN: &str = "a-long-random-token";

/// The events of a message with these entries: method, address, resource.
fn events(entries: &[(&str, &str, Value)]) -> Vec<Event> {
    let hash: String =
        adapter_fhir_client_registry::wire::sender::digits(TOKEN.as_bytes()).collect();
    let _stage = stage(json!({ "callback_token_sha256": hash, "newborn_days": 30 }));
    let entry: Vec<Value> = entries
        .iter()
        .map(|(method, url, resource)| {
            json!({ "fullUrl": format!("https://cr.example.org/fhir/{url}"), "resource": resource,
                "request": { "method": method, "url": url } })
        })
        .collect();
    let body = json!({ "resourceType": "Bundle", "type": "message",
        "timestamp": "2026-03-04T10:00:00Z", "entry": [
            { "resource": { "resourceType": "MessageHeader", "id": "m1",
                "eventUri": "urn:ihe:iti:pmir:2019:patient-feed" } },
            { "resource": { "resourceType": "Bundle", "type": "history", "entry": entry } },
        ] });
    let callback = Callback {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        query: Vec::new(),
        headers: vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))],
        body: body.to_string().into_bytes(),
        extra: Vec::new(),
    };
    let reception = FhirClientRegistry::receive(callback).unwrap();
    assert_eq!(reception.response.status, 200);
    reception.events
}

#[test]
fn a_relation_that_is_deleted_takes_nobody_off_the_books() {
    let told = events(&[("DELETE", "RelatedPerson/r1", related("r1", "p1", "MTH"))]);
    assert_eq!((told.len(), &told[0].kind), (1, &EventKind::RecordChanged));
    let person = &told[0].participants[0].person;
    assert_eq!(
        (person.related.len(), person.extra[0].value.as_str()),
        (0, "\"Patient/p1\"")
    );
    // Without the resource its reference is all that is known.
    let told = events(&[("DELETE", "RelatedPerson/r1", Value::Null)]);
    assert_eq!((told.len(), &told[0].kind), (1, &EventKind::RecordChanged));
    assert_eq!(told[0].changed_fields, ["related"]);
    let extra = &told[0].participants[0].person.extra;
    assert_eq!(extra[0].value.as_str(), "\"RelatedPerson/r1\"");
}

#[test]
fn a_deleted_mother_is_no_relative_and_no_participant_of_a_birth() {
    let baby = with(patient("b", "1"), json!({ "birthDate": "2026-03-01" }));
    let told = events(&[
        ("POST", "Patient/b", baby),
        ("DELETE", "RelatedPerson/r1", related("r1", "b", "MTH")),
        ("POST", "RelatedPerson/r2", related("r2", "b", "FTH")),
    ]);
    assert_eq!((told.len(), &told[0].kind), (1, &EventKind::Birth));
    let roles: Vec<&ParticipantRole> = told[0].participants.iter().map(|it| &it.role).collect();
    assert_eq!(roles, [&ParticipantRole::Child, &ParticipantRole::Father]);
}

fn marked(version: &str, codes: &[&str]) -> Value {
    let tags: Vec<Value> = codes
        .iter()
        .map(|code| json!({ "system": TAG, "code": code }))
        .collect();
    with(
        patient("p1", "1"),
        json!({ "meta": { "versionId": version, "tag": tags } }),
    )
}

#[test]
fn only_the_version_that_we_made_is_an_echo_of_ours() {
    for (version, codes, expected) in [
        ("1", &["op-1"][..], Some("op-1")),
        ("4", &["op-7@3"], Some("op-7")),
        // Somebody else wrote since, and kept the tag.
        ("2", &["op-1"], None),
        ("5", &["op-7@3"], None),
        // A server that keeps each tag.
        ("5", &["op-1", "op-7@3", "op-8@4"], Some("op-8")),
        // Nobody can count these.
        ("6fa1", &["op-7@6fa0"], None),
        ("4", &["op-7@"], None),
    ] {
        let record = marked(version, codes);
        assert_eq!(caused_by(&record, TAG), expected, "{version} {codes:?}");
        let told = events(&[("PUT", "Patient/p1", record)]);
        assert_eq!(told[0].caused_by.as_deref(), expected);
    }
}

#[test]
fn a_trace_tells_no_version_that_others_made() {
    for (version, expected) in [("4", Some("4")), ("5", None)] {
        let _stage = registry(json!({}), json!([marked(version, &["op-0@1", "op-1@3"])]));
        let fate = FhirClientRegistry::trace(TraceQuery {
            operation_key: "op-1".to_owned(),
            request: WriteRequest::Update(update(Person::default(), &["sex"])),
            attempted_at: "2020-01-01T00:00:00Z".to_owned(),
            state: None,
            answer: None,
        });
        let Ok(Fate::Applied(receipt)) = fate else {
            panic!("{fate:?}");
        };
        assert_eq!(receipt.version.as_deref(), expected);
    }
}

//! The PMIR feed (ITI-93), as registries post it to us.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::Events;
use adapter_sdk::model::{
    Callback, Event, EventKind, Identifier, ParticipantRole, PersonStatus, Reception, RelationRole,
};
use adapter_sdk::{Failure, dates};
use common::{NID, patient, stage, with};
use serde_json::{Value, json};

const TOKEN: &str = "a-long-random-token";

fn hash() -> String {
    adapter_fhir_client_registry::wire::sender::digits(TOKEN.as_bytes()).collect()
}

fn callback(body: &str, token: Option<&str>) -> Callback {
    let bearer = token.map(|it| ("authorization".to_owned(), format!("Bearer {it}")));
    Callback {
        method: "POST".to_owned(),
        path: "/$process-message".to_owned(),
        query: Vec::new(),
        headers: bearer.into_iter().collect(),
        body: body.as_bytes().to_vec(),
        extra: Vec::new(),
    }
}

fn message(entries: Value) -> Value {
    json!({ "resourceType": "Bundle", "type": "message", "timestamp": "2026-03-04T10:00:00+05:45",
        "entry": [
            { "resource": { "resourceType": "MessageHeader", "id": "m1",
                "eventUri": "urn:ihe:iti:pmir:2019:patient-feed",
                "source": { "endpoint": "https://cr.example.org" } } },
            { "resource": { "resourceType": "Bundle", "type": "history", "entry": entries } },
        ] })
}

fn entry(method: &str, url: &str, resource: Value) -> Value {
    json!({ "fullUrl": format!("https://cr.example.org/fhir/{url}"), "resource": resource,
        "request": { "method": method, "url": url }, "response": { "status": "200" } })
}

fn receive_with(more: Value, body: &Value) -> Result<Reception, Failure> {
    let mut settings = json!({ "callback_token_sha256": hash(), "resource_id_scheme": "cr-id" });
    for (name, value) in more.as_object().unwrap() {
        settings[name] = value.clone();
    }
    let _stage = stage(settings);
    FhirClientRegistry::receive(callback(&body.to_string(), Some(TOKEN)))
}

fn events_with(more: Value, entries: Value) -> Vec<Event> {
    let reception = receive_with(more, &message(entries)).unwrap();
    assert_eq!(reception.response.status, 200);
    reception.events
}

fn events(entries: Value) -> Vec<Event> {
    events_with(json!({}), entries)
}

#[test]
fn who_does_not_carry_the_token_brings_nothing() {
    let body = message(json!([entry("POST", "Patient/p1", patient("p1", "1"))])).to_string();
    let _stage = stage(json!({ "callback_token_sha256": hash() }));
    for token in [None, Some("wrong"), Some("")] {
        let reception = FhirClientRegistry::receive(callback(&body, token)).unwrap();
        assert_eq!(
            (reception.response.status, reception.events.len()),
            (401, 0)
        );
    }
    let mut by_path = callback(&body, None);
    by_path.path = format!("/{TOKEN}/$process-message");
    assert_eq!(
        FhirClientRegistry::receive(by_path).unwrap().events.len(),
        1
    );
    // Without the setting nobody is believed.
    let _stage = stage(json!({}));
    let reception = FhirClientRegistry::receive(callback(&body, Some(TOKEN))).unwrap();
    assert_eq!(
        (reception.response.status, reception.events.len()),
        (401, 0)
    );
}

#[test]
fn a_message_is_answered_as_the_profile_has_it() {
    let body = message(json!([entry("POST", "Patient/p1", patient("p1", "1"))]));
    let reception = receive_with(json!({}), &body).unwrap();
    let answer: Value = serde_json::from_slice(&reception.response.body).unwrap();
    assert_eq!(
        (&answer["resourceType"], &answer["type"]),
        (&json!("Bundle"), &json!("message"))
    );
    let header = &answer["entry"][0]["resource"];
    assert_eq!(
        header["eventUri"],
        "urn:ihe:iti:pmir:2019:patient-feed-response"
    );
    assert_eq!(
        header["response"],
        json!({ "identifier": "m1", "code": "ok" })
    );
    assert_eq!(
        header["destination"][0]["endpoint"],
        "https://cr.example.org"
    );
}

#[test]
fn what_is_no_message_is_refused_in_fhirs_form() {
    let good = message(json!([entry("POST", "Patient/p1", patient("p1", "1"))]));
    let changed = |path: &str, value: Value| {
        let mut body = good.clone();
        *body.pointer_mut(path).unwrap() = value;
        body
    };
    let inner = "/entry/1/resource/entry/0";
    for (body, why) in [
        (json!([]), "message.bundle"),
        (changed("/type", json!("transaction")), "message.type"),
        (
            changed("/entry/0/resource/eventUri", json!("urn:x")),
            "message.event",
        ),
        (
            changed("/entry/1/resource/type", json!("searchset")),
            "message.history",
        ),
        (
            changed(&format!("{inner}/request/method"), json!("GET")),
            "message.method",
        ),
        (
            changed(&format!("{inner}/request"), json!({})),
            "message.request",
        ),
        (
            changed(&format!("{inner}/resource"), json!(null)),
            "message.resource",
        ),
    ] {
        let reception = receive_with(json!({}), &body).unwrap();
        assert_eq!(
            (reception.response.status, reception.events.len()),
            (400, 0),
            "{why}"
        );
        let said: Value = serde_json::from_slice(&reception.response.body).unwrap();
        assert_eq!(said["issue"][0]["diagnostics"], why);
    }
    let _stage = stage(json!({ "callback_token_sha256": hash() }));
    let mut xml = callback("<Bundle/>", Some(TOKEN));
    xml.headers
        .push(("content-type".to_owned(), "application/fhir+xml".to_owned()));
    assert_eq!(
        FhirClientRegistry::receive(xml).unwrap().response.status,
        415
    );
    let cut = callback("{", Some(TOKEN));
    assert_eq!(
        FhirClientRegistry::receive(cut).unwrap().response.status,
        400
    );
    let mut got = callback("", Some(TOKEN));
    got.method = "GET".to_owned();
    assert_eq!(
        FhirClientRegistry::receive(got).unwrap().response.status,
        405
    );
}

#[test]
fn records_come_change_and_go() {
    let changed = with(
        patient("p2", "2"),
        json!({ "meta": { "versionId": "4",
        "lastUpdated": "2026-03-04T09:59:00+05:45",
        "tag": [{ "system": "urn:openimis:registry-gateway:operation", "code": "op-7@3" }] } }),
    );
    let gone = json!({ "fullUrl": "https://cr.example.org/fhir/Patient/p3",
        "request": { "method": "DELETE", "url": "Patient/p3" }, "response": { "status": "202" } });
    let told = events(json!([
        entry("POST", "Patient", patient("p1", "1")),
        entry("PUT", "Patient/p2", changed),
        gone,
    ]));
    let kinds: Vec<&EventKind> = told.iter().map(|it| &it.kind).collect();
    let expected = [
        EventKind::RecordCreated,
        EventKind::RecordChanged,
        EventKind::RecordRemoved,
    ];
    assert_eq!(kinds, expected.iter().collect::<Vec<_>>());
    let ids: Vec<&str> = told.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["m1-0", "m1-1", "m1-2"]);
    assert_eq!(
        told[1].recorded_at.as_deref(),
        Some("2026-03-04T09:59:00+05:45")
    );
    assert_eq!(told[1].version.as_deref(), Some("4"));
    // What is no instant is none.
    let mut dated = message(json!([entry("POST", "Patient", patient("p1", "1"))]));
    dated["timestamp"] = json!("2026-03-04");
    let undated = receive_with(json!({}), &dated).unwrap().events;
    assert_eq!(undated[0].recorded_at, None);
    // An echo of what we wrote.
    assert_eq!(told[1].caused_by.as_deref(), Some("op-7"));
    let removed = &told[2].participants[0].person;
    assert_eq!(removed.identifiers, [Identifier::new("cr-id", "p3")]);
}

#[test]
fn a_new_record_is_a_birth_only_where_the_settings_say_what_new_is() {
    let mother = json!({ "resourceType": "RelatedPerson", "id": "r1",
        "patient": { "reference": "urn:uuid:baby" },
        "name": [{ "family": "Rai", "given": ["Maya"] }],
        "relationship": [{ "coding": [{ "code": "MTH",
            "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode" }] }] });
    let mut baby = with(patient("b", "1"), json!({ "birthDate": "2026-03-01" }));
    baby.as_object_mut().unwrap().remove("id");
    let mut posted = entry("POST", "Patient", baby.clone());
    posted["fullUrl"] = json!("urn:uuid:baby");
    let entries = json!([posted, entry("POST", "RelatedPerson", mother)]);
    let told = events(entries.clone());
    assert_eq!((told.len(), &told[0].kind), (1, &EventKind::RecordCreated));
    assert_eq!(
        told[0].participants[0].person.related[0].role,
        RelationRole::Mother
    );

    let told = events_with(json!({ "newborn_days": 30 }), entries);
    assert_eq!((told.len(), &told[0].kind), (1, &EventKind::Birth));
    assert_eq!(told[0].occurred, dates::parse("2026-03-01"));
    let roles: Vec<&ParticipantRole> = told[0].participants.iter().map(|it| &it.role).collect();
    assert_eq!(roles, [&ParticipantRole::Child, &ParticipantRole::Mother]);
    assert_eq!(told[0].participants[1].person.names[0].given, ["Maya"]);

    for birth in ["2026-01-01", "2026-03", "2026-03-05", "1985-03-01"] {
        let record = with(baby.clone(), json!({ "birthDate": birth }));
        let told = events_with(
            json!({ "newborn_days": 30 }),
            json!([entry("POST", "Patient", record)]),
        );
        assert_eq!(told[0].kind, EventKind::RecordCreated, "{birth}");
    }
}

#[test]
fn a_death_is_told_once_however_often_the_record_changes() {
    let dead = with(
        patient("p1", "1"),
        json!({ "deceasedDateTime": "2026-02-03" }),
    );
    let told = events(json!([entry("PUT", "Patient/p1", dead.clone())]));
    let kinds: Vec<&EventKind> = told.iter().map(|it| &it.kind).collect();
    assert_eq!(kinds, [&EventKind::RecordChanged, &EventKind::Death]);
    assert_eq!(told[1].occurred, dates::parse("2026-02-03"));
    assert_eq!(told[1].participants[0].role, ParticipantRole::Deceased);
    let moved = with(dead, json!({ "address": [{ "city": "Bharatpur" }] }));
    let mut again = message(json!([entry("PUT", "Patient/p1", moved)]));
    again["entry"][0]["resource"]["id"] = json!("m2");
    let later = receive_with(json!({}), &again).unwrap().events;
    assert_ne!(told[0].id, later[0].id);
    assert_eq!(told[1].id, later[1].id);
    // Another date is another death told.
    let other = with(patient("p1", "1"), json!({ "deceasedBoolean": true }));
    let other = events(json!([entry("PUT", "Patient/p1", other)]));
    assert_ne!(other[1].id, told[1].id);
}

#[test]
fn a_merge_names_who_goes_and_who_stays() {
    let link = json!([{ "other": { "reference": "Patient/p2" }, "type": "replaced-by" }]);
    let replaced = with(patient("p1", "1"), json!({ "active": false, "link": link }));
    let told = events(json!([entry("PUT", "Patient/p1", replaced.clone())]));
    assert_eq!((told.len(), &told[0].kind), (1, &EventKind::Merge));
    let (gone, stays) = (&told[0].participants[0], &told[0].participants[1]);
    assert_eq!(
        (&gone.role, &stays.role),
        (&ParticipantRole::Replaced, &ParticipantRole::Survivor)
    );
    assert_eq!(gone.person.status, Some(PersonStatus::Merged));
    assert_eq!(stays.person.identifiers, [Identifier::new("cr-id", "p2")]);
    // Whose own record is in the message is told with it.
    let told = events(json!([
        entry("PUT", "Patient/p1", replaced),
        entry("PUT", "Patient/p2", patient("p2", "2")),
    ]));
    assert_eq!(
        told[0].participants[1].person.identifier("national-id"),
        Some("2")
    );
    let by_number = json!([{ "type": "replaced-by",
        "other": { "identifier": { "system": NID, "value": "9" } } }]);
    let record = with(
        patient("p1", "1"),
        json!({ "active": false, "link": by_number }),
    );
    let told = events(json!([entry("PUT", "Patient/p1", record)]));
    assert_eq!(
        told[0].participants[1].person.identifiers,
        [Identifier::new("national-id", "9")]
    );
}

#[test]
fn a_related_person_alone_changes_the_record_of_its_patient() {
    let related = json!({ "resourceType": "RelatedPerson", "id": "r1",
        "patient": { "reference": "Patient/p1" }, "name": [{ "text": "Maya" }] });
    let told = events(json!([entry("PUT", "RelatedPerson/r1", related)]));
    assert_eq!((told.len(), &told[0].kind), (1, &EventKind::RecordChanged));
    assert_eq!(told[0].changed_fields, ["related"]);
    let person = &told[0].participants[0].person;
    assert_eq!(person.identifiers, [Identifier::new("cr-id", "p1")]);
    assert_eq!(person.related[0].names[0].text.as_deref(), Some("Maya"));
}

#[test]
fn an_answer_to_a_message_of_ours_brings_no_event() {
    let answer = json!({ "resourceType": "Bundle", "type": "message", "entry": [{ "resource": {
        "resourceType": "MessageHeader", "id": "r1",
        "eventUri": "urn:ihe:iti:pmir:2019:patient-feed-response",
        "response": { "identifier": "op-1", "code": "ok" } } }] });
    let reception = receive_with(json!({}), &answer).unwrap();
    assert_eq!(
        (reception.response.status, reception.events.len()),
        (200, 0)
    );
}

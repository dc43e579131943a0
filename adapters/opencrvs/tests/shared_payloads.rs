//! OpenCRVS's own bundles and Postman requests (opencrvs/mosip and opencrvs/opencrvs-countryconfig). They
//! are not part of this repository: REGISTRY_GATEWAY_SHARED names the folder that holds them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;
#[path = "common/mutate.rs"]
mod mutate;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use adapter_opencrvs::mapping::{bundle, declaration, declared, event, kinship, subject};
use adapter_opencrvs::settings::Role;
use adapter_sdk::Failure;
use adapter_sdk::model::EventKind;
use common::*;
use mutate::each;
use serde_json::{Value, json};

/// The folder, or none where this is left out. A build server must not leave it out unseen.
#[allow(
    clippy::disallowed_methods,
    reason = "where the payloads are is told to this test alone"
)]
fn payloads() -> Option<PathBuf> {
    match std::env::var("REGISTRY_GATEWAY_SHARED") {
        Ok(shared) => Some(PathBuf::from(shared).join("fixtures/opencrvs")),
        Err(_) => {
            let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!ci, "CI=true, but REGISTRY_GATEWAY_SHARED is not set");
            // Straight to the terminal: `println!` in a test that passes is swallowed.
            let line = "LEFT OUT: OpenCRVS's payloads, since REGISTRY_GATEWAY_SHARED is not set\n";
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            None
        }
    }
}

fn read(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// The bodies of a Postman collection, by the request's name. Its variables stay as they are.
fn requests(folder: &Path, name: &str) -> Vec<(String, Value)> {
    fn walk(item: &Value, found: &mut Vec<(String, Value)>) {
        for item in item["item"].as_array().into_iter().flatten() {
            walk(item, found);
        }
        if let Some(raw) = item["request"]["body"]["raw"].as_str() {
            let name = item["name"].as_str().unwrap().to_owned();
            found.push((name, serde_json::from_str(raw).unwrap()));
        }
    }
    let mut found = Vec::new();
    walk(&read(&folder.join("postman"), name), &mut found);
    found
}

const BUNDLES: [&str; 6] = [
    "mosip-incoming-birth-bundle-informant-mother-father.json",
    "mosip-incoming-birth-bundle-mother-father.json",
    "mosip-incoming-birth-bundle.json",
    "mosip-incoming-death-bundle-deceased-informant.json",
    "mosip-incoming-death-bundle-deceased-spouse.json",
    "mosip-incoming-death-bundle.json",
];

#[test]
fn bundles_of_opencrvs() {
    let Some(folder) = payloads() else { return };
    let settings = settings("1.8", json!({}));
    for name in BUNDLES {
        let bundle = read(&folder, name);
        let record = bundle::record(bundle.as_object().unwrap(), &settings).unwrap();
        let subject = subject(&record).unwrap();
        assert!(
            !subject.names.is_empty() && subject.birth_date.is_some(),
            "{name}"
        );
        assert!(
            subject.identifier("opencrvs-tracking-id").is_some(),
            "{name}"
        );
        assert!(record.occurred.is_some(), "{name}");
        let is_birth = name.contains("birth");
        assert_eq!(record.kind.word(), if is_birth { "birth" } else { "death" });
        for party in &record.parties {
            assert_eq!(party.person.unmapped, [], "{name} {:?}", party.role);
        }
        // It was sent to be registered, and is not yet: nobody is dead by it.
        assert_eq!(record.registration_number, None);
    }
    let name = "mosip-incoming-birth-bundle-mother-father.json";
    let record = bundle::record(read(&folder, name).as_object().unwrap(), &settings).unwrap();
    let number = |role| {
        let party = record.party(role).unwrap();
        party.person.identifier("national-id").map(str::to_owned)
    };
    assert_eq!(number(Role::Mother).as_deref(), Some("1234567890"));
    assert_eq!(number(Role::Father).as_deref(), Some("1234512345"));
    assert_eq!(number(Role::Informant), number(Role::Mother));
    let place = record.place.as_ref().unwrap();
    assert_eq!(
        place.areas.last().unwrap().name.as_deref(),
        Some("Chamakubi Health Post")
    );
    let family = kinship(vec![record], &settings);
    assert_eq!((family.people.len(), family.relations.len()), (3, 2));
}

#[test]
fn deliveries_of_these_bundles_are_events() {
    let Some(folder) = payloads() else { return };
    let settings = settings("1.8", json!({}));
    let (mut ids, mut records) = (BTreeSet::new(), BTreeSet::new());
    for name in BUNDLES {
        let (topic, kind) = match name.contains("birth") {
            true => ("BIRTH_REGISTERED", EventKind::Birth),
            false => ("DEATH_REGISTERED", EventKind::Death),
        };
        let body = json!({ "timestamp": "2026-01-02T03:04:05.678Z", "id": "s", "event": {
            "hub": { "topic": topic }, "context": [read(&folder, name)],
        } });
        let events = event::of_delivery(body.as_object().unwrap(), &settings).unwrap();
        assert_eq!((events.len(), &events[0].kind), (1, &kind), "{name}");
        assert!(events[0].participants.len() >= 2, "{name}");
        ids.insert(events[0].id.clone());
        let entries = body["event"]["context"][0]["entry"].as_array().unwrap();
        let mut resources = entries.iter().map(|it| &it["resource"]);
        let composition = resources.find(|it| it["resourceType"] == "Composition");
        records.insert(composition.unwrap()["id"].to_string());
    }
    // Two of the bundles are of one record, and so one event.
    assert_eq!((ids.len(), records.len()), (5, 5));
}

#[test]
fn documents_that_hospitals_send() {
    let Some(folder) = payloads() else { return };
    let settings = settings("1.8", json!({}));
    let all = requests(&folder, "Event_Notification.postman_collection.json");
    assert_eq!(all.len(), 4);
    for (name, body) in all {
        let record = bundle::record(body.as_object().unwrap(), &settings).unwrap();
        let subject = subject(&record).unwrap();
        assert!(!subject.names.is_empty(), "{name}");
        let is_birth = name.contains("Birth");
        assert_eq!(record.kind.word(), if is_birth { "birth" } else { "death" });
    }
}

#[test]
fn the_declaration_of_1_9_is_read_with_the_reference_countrys_fields() {
    let Some(folder) = payloads() else { return };
    let all = requests(
        &folder,
        "Event_Notification_-_v1.9.0.postman_collection.json",
    );
    let (_, most) = all.iter().find(|(name, _)| name.contains("Max")).unwrap();
    let index = index(ONE, "birth", "B1", most["declaration"].clone());
    let declared = declared::from_index(index.as_object().unwrap());
    let record = declaration::record(&declared, &settings("1.9", json!({}))).unwrap();
    let child = subject(&record).unwrap();
    assert_eq!(child.unmapped, []);
    assert_eq!(child.birth_date, adapter_sdk::dates::parse("2024-02-02"));
    assert!(record.party(Role::Father).is_none());
    let informant = record.party(Role::Informant).unwrap();
    assert_eq!(
        informant.relation,
        Some(adapter_sdk::model::RelationRole::Grandmother)
    );
    let mother = &record.party(Role::Mother).unwrap().person;
    let kinds: Vec<_> = mother.addresses[0]
        .areas
        .iter()
        .map(|it| it.kind.as_deref())
        .collect();
    assert_eq!(kinds, [Some("province"), Some("district")]);
}

#[test]
fn the_search_asks_for_fields_that_the_collection_asks_for() {
    let Some(folder) = payloads() else { return };
    let all = requests(&folder, "Record_Search.postman_collection.json");
    let (_, theirs) = all.first().unwrap();
    let parameters = theirs["variables"]["advancedSearchParameters"]
        .as_object()
        .unwrap();
    let ours = adapter_opencrvs::query::by_criteria(
        &[
            criterion("sex", "male"),
            criterion("related.mother.name.given", "Mom"),
            criterion("related.father.name.given", "Dad"),
        ],
        &settings("1.8", json!({})),
    );
    let adapter_opencrvs::query::Plan::Parameters(ours) = ours.unwrap().plan else {
        panic!("GraphQL has parameters");
    };
    for (name, value) in ours[0].as_object().unwrap() {
        if name != "registrationStatuses" {
            assert_eq!(parameters.get(name), Some(value), "{name}");
        }
    }
}

fn criterion(field: &str, value: &str) -> adapter_sdk::model::Criterion {
    adapter_sdk::model::Criterion {
        field: field.to_owned(),
        test: adapter_sdk::model::Test::Equals(value.to_owned()),
    }
}

#[test]
fn ten_thousand_changed_copies_of_these_payloads() {
    let Some(folder) = payloads() else { return };
    // The larger ones less often: a copy of one costs as much as three of the others.
    let smaller = BUNDLES.iter().filter(|name| !name.contains("mother"));
    let bundles = smaller.map(|name| read(&folder, name));
    let documents = requests(&folder, "Event_Notification.postman_collection.json");
    let documents = documents.into_iter().map(|(_, body)| body);
    let mut originals: Vec<Value> = bundles.chain(documents).collect();
    originals.push(read(&folder, BUNDLES[0]));
    each(
        &originals,
        10_000,
        &settings("1.8", json!({})),
        |value, source, settings| {
            let object = value.as_object();
            let object = object.ok_or_else(|| Failure::unreadable("answer.record"))?;
            let record = bundle::record(object, settings)?;
            subject(&record).iter().for_each(|it| source.person(it));
            let household = kinship(vec![record], settings);
            household.people.iter().for_each(|it| source.person(it));
            Ok(())
        },
    );
}

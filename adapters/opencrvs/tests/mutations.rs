//! Ten thousand changed copies of OpenCRVS's answers: no panic, no value that was not told, and each
//! refusal a typed failure. Over our own records; `shared_payloads` does the same over OpenCRVS's.
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

use adapter_opencrvs::mapping::record::Record;
use adapter_opencrvs::mapping::shape::bounded;
use adapter_opencrvs::mapping::{declaration, declared, event, graphql, kinship, subject};
use adapter_opencrvs::settings::Settings;
use adapter_sdk::Failure;
use common::*;
use mutate::{Source, each};
use serde_json::{Value, json};

/// What every ability makes of a record.
fn check(record: Record, source: &Source, settings: &Settings) {
    subject(&record).iter().for_each(|it| source.person(it));
    let household = kinship(vec![record.clone(), record], settings);
    household.people.iter().for_each(|it| source.person(it));
    assert_eq!(household.head, None);
    for relation in &household.relations {
        assert_ne!(relation.subject, relation.object);
        let people = u32::try_from(household.people.len()).unwrap();
        assert!(relation.subject < people && relation.object < people);
    }
}

fn object(value: &Value) -> Result<&serde_json::Map<String, Value>, Failure> {
    bounded(value)?;
    value
        .as_object()
        .ok_or_else(|| Failure::unreadable("answer.record"))
}

#[test]
fn events_of_the_index() {
    let originals = [
        index(ONE, "birth", "B1", birth_declaration()),
        index(TWO, "death", "D1", death_declaration()),
    ];
    each(
        &originals,
        3_000,
        &settings("1.9", json!({})),
        |value, source, settings| {
            let declared = declared::from_index(object(value)?);
            check(declaration::record(&declared, settings)?, source, settings);
            Ok(())
        },
    );
}

#[test]
fn events_as_lists_of_actions() {
    let mut corrected = document(ONE, "birth", "B1", birth_declaration());
    let change = json!({ "child.dob": "2024-02-28", "mother.nid": null });
    let request = action(
        "REQUEST_CORRECTION",
        "a5",
        "2024-06-01T08:00:00.000Z",
        change,
    );
    let mut approve = action(
        "APPROVE_CORRECTION",
        "a6",
        "2024-06-02T08:00:00.000Z",
        json!({}),
    );
    approve["requestId"] = json!("a5");
    corrected["actions"]
        .as_array_mut()
        .unwrap()
        .extend([request, approve]);
    let originals = [corrected, document(TWO, "death", "D1", death_declaration())];
    each(
        &originals,
        3_000,
        &settings("2", json!({})),
        |value, source, settings| {
            let document = object(value)?;
            let declared = declared::from_document(document, None)?;
            check(declaration::record(&declared, settings)?, source, settings);
            // `REGISTER` is our own word in the id.
            for action in ["REGISTER", "APPROVE_CORRECTION", "ARCHIVE"] {
                match event::of_forward(document, action, settings) {
                    Ok(event) => event.iter().for_each(|it| source.event(it)),
                    // Most have no action of each type.
                    Err(failure) => assert!(failure.code().is_some(), "{failure:?}"),
                }
            }
            Ok(())
        },
    );
}

#[test]
fn registrations_of_graphql() {
    let originals = [
        birth_registration(ONE, "B1", "5550003333"),
        death_registration(TWO, "D1", "5550001111"),
    ];
    each(
        &originals,
        4_000,
        &settings("1.8", json!({})),
        |value, source, settings| {
            if let Some(record) = graphql::record(object(value)?, settings)? {
                check(record, source, settings);
            }
            Ok(())
        },
    );
}

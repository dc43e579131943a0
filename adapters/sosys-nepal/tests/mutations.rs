//! Ten thousand damaged copies of the answers: nothing breaks, nothing is guessed, and what is refused is
//! a typed failure.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::model::Person;
use adapter_sdk::testing::Damage;
use adapter_sosys_nepal::bikram_sambat;
use common::{BS, COPIES, COVERAGE, NEPALI, SEARCH, bundle, find, patient, stage, told, with};
use serde_json::{Value, json};

fn member() -> Value {
    with(
        patient("p1", "1"),
        json!({ "birthDate": "२०४५-०१-१५", "deceasedDateTime": "2082-10-20",
            "_birthDate": { "extension": [{ "url": BS, "valueString": "2045-01-15" }] },
            "extension": [{ "url": NEPALI, "valueHumanName": { "family": "राई", "given": ["सीता"] } },
                          { "url": "urn:x:unknown", "valueString": "kept" }],
            "telecom": [{ "system": "phone", "value": "9800000000" }],
            "address": [{ "district": "Chitwan", "state": "Bagmati", "country": "NP" }] }),
    )
}

/// A converted date is that of what was written.
fn dates_are_converted(person: &Person) {
    for date in [&person.birth_date, &person.death_date]
        .into_iter()
        .flatten()
    {
        if let Some(original) = &date.original {
            let again = bikram_sambat::gregorian(&original.text).unwrap();
            assert_eq!(
                (again.year, again.month),
                (date.year, date.month.and(again.month))
            );
        }
    }
}

#[test]
fn finds_with_coverage() {
    let mut damage = Damage::seeded(0x0a1e);
    let people = bundle(&json!([member()]));
    let coverages = bundle(&json!([{ "resourceType": "Coverage", "status": "active",
        "beneficiary": { "reference": "Patient/p1" }, "subscriberId": "SSF-1",
        "period": { "start": "2025-07-17", "end": "2026-07-16" },
        "class": [{ "value": "T0001" }], "payor": [{ "display": "Fund" }] }]));
    for calendar in ["bikram-sambat", "gregorian"] {
        let (mut read, mut refused) = (0, 0);
        for _ in 0..COPIES {
            let answers = (damage.copy(&people), damage.copy(&coverages));
            let told = told(&[&answers.0, &answers.1]);
            let _stage = stage(json!({ "with_coverage": true, "calendar": calendar }))
                .on_post(SEARCH, move |_| answers.0.clone())
                .on_post(COVERAGE, move |_| answers.1.clone());
            match find("1") {
                Ok(person) => {
                    told.person(&person);
                    dates_are_converted(&person);
                    read += 1;
                }
                Err(failure) => {
                    let code = failure.code().unwrap_or_default();
                    assert!(failure.kind() == "not-found" || code.contains('.'));
                    refused += 1;
                }
            }
        }
        assert!(
            read > COPIES / 5 && refused > COPIES / 50,
            "{read} {refused}"
        );
    }
}

//! Nepal's formal sector in few words, for the tests of this adapter.
#![allow(dead_code, reason = "each test file uses its part")]

use adapter_sdk::model::{FindQuery, HouseholdQuery, Identifier, Person};
use adapter_sdk::testing::{self, Stage, Told};
use adapter_sdk::{Answer, Failure, Find};
use adapter_sosys_nepal::SosysNepal;
use fhir_r4::mapping::{MARITAL_STATUS, SEX};
use serde_json::{Value, json};

pub(crate) const SSN: &str = "https://example.org/sosys/ssn";
pub(crate) const SEARCH: &str = "/Patient/_search";
pub(crate) const COVERAGE: &str = "/Coverage/_search";
pub(crate) const BS: &str = "https://example.org/date-bs";
pub(crate) const NEPALI: &str = "https://example.org/name-ne";

/// A stage without a route.
pub(crate) fn stage(more: Value) -> Stage {
    let mut settings = json!({
        "identifier_systems": { "ssn": SSN, "household-id": "urn:x:family" },
        "household_schemes": ["household-id"],
        "with_coverage": false,
        "bikram_sambat_extension": BS,
        "nepali_name_extension": NEPALI,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    testing::stage().settings(settings).endpoint("registry")
}

/// A registry that answers a search for Patients with these.
pub(crate) fn registry(more: Value, patients: Value) -> Stage {
    stage(more).on_post(SEARCH, move |_| bundle(&patients))
}

/// The answer to a search.
pub(crate) fn bundle(resources: &Value) -> Value {
    let resources = resources.as_array().cloned().unwrap_or_default();
    let total = resources.len();
    let entry: Vec<Value> = resources
        .into_iter()
        .map(|it| json!({ "resource": it }))
        .collect();
    json!({ "resourceType": "Bundle", "type": "searchset", "total": total, "entry": entry })
}

/// A member in few words.
pub(crate) fn patient(id: &str, ssn: &str) -> Value {
    json!({ "resourceType": "Patient", "id": id, "active": true,
        "identifier": [{ "system": SSN, "value": ssn }],
        "name": [{ "use": "official", "family": "Rai", "given": ["Sita"] }],
        "gender": "female", "birthDate": "1988-04-27" })
}

/// The same, with more or other fields.
pub(crate) fn with(mut resource: Value, more: Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        resource[name] = value.clone();
    }
    resource
}

pub(crate) fn find(ssn: &str) -> Result<Person, Failure> {
    let query = FindQuery {
        identifiers: vec![Identifier::new("ssn", ssn)],
    };
    done(SosysNepal::find(query))
}

pub(crate) fn household_of(scheme: &str, value: &str) -> HouseholdQuery {
    HouseholdQuery {
        identifiers: vec![Identifier::new(scheme, value)],
    }
}

pub(crate) fn done<T>(answer: Result<Answer<T>, Failure>) -> Result<T, Failure> {
    answer.map(|it| it.done().unwrap())
}

/// How many damaged copies a test reads.
pub(crate) const COPIES: usize = 10_000;

/// What these answers say, with what the settings say besides.
pub(crate) fn told(answers: &[&Value]) -> Told {
    Told::by(answers)
        .codes(&SEX, &MARITAL_STATUS)
        .and(&["ssn", "household-id", "ne-Deva"])
}

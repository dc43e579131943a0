//! A client registry of few words for the tests of this adapter.
#![allow(dead_code, reason = "each test file uses its part")]

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::Failure;
use adapter_sdk::http::Request;
use adapter_sdk::model::{
    FindQuery, HouseholdQuery, Identifier, LinkChange, LinkRequest, Person, UpdateRequest,
};
use adapter_sdk::testing::{self, Stage};
use adapter_sdk::{Answer, Find};
use serde_json::{Value, json};

pub(crate) const NID: &str = "https://example.org/nid";
pub(crate) const IMIS: &str = "https://example.org/openimis";
pub(crate) const SEARCH: &str = "/Patient/_search";

/// Settings with these besides.
pub(crate) fn settings(more: Value) -> Value {
    let mut settings = json!({
        "identifier_systems": { "national-id": NID, "openimis": IMIS, "household-id": "urn:x:household" },
        "household_schemes": ["household-id"],
        "with_related": false,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    settings
}

/// A stage without a route.
pub(crate) fn stage(more: Value) -> Stage {
    testing::stage()
        .settings(settings(more))
        .operation_key("op-1")
        .endpoint("registry")
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
        .map(|it| json!({ "resource": it, "search": { "mode": "match" } }))
        .collect();
    json!({ "resourceType": "Bundle", "type": "searchset", "total": total, "entry": entry })
}

/// A Patient in few words.
pub(crate) fn patient(id: &str, nid: &str) -> Value {
    json!({
        "resourceType": "Patient", "id": id, "meta": { "versionId": "3" }, "active": true,
        "identifier": [{ "system": NID, "value": nid }],
        "name": [{ "use": "official", "family": "Rai", "given": ["Sita"] }],
        "gender": "female", "birthDate": "1985-05-20",
    })
}

/// The same, with more or other fields.
pub(crate) fn with(mut resource: Value, more: Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        resource[name] = value.clone();
    }
    resource
}

pub(crate) fn by(scheme: &str, value: &str) -> FindQuery {
    FindQuery {
        identifiers: vec![Identifier::new(scheme, value)],
    }
}

pub(crate) fn household_of(scheme: &str, value: &str) -> HouseholdQuery {
    HouseholdQuery {
        identifiers: vec![Identifier::new(scheme, value)],
    }
}

pub(crate) fn find(nid: &str) -> Result<Person, Failure> {
    let answer = FhirClientRegistry::find(by("national-id", nid))?;
    Ok(answer.done().unwrap())
}

pub(crate) fn done<T>(answer: Result<Answer<T>, Failure>) -> Result<T, Failure> {
    answer.map(|it| it.done().unwrap())
}

pub(crate) fn update(person: Person, mask: &[&str]) -> UpdateRequest {
    UpdateRequest {
        identifiers: vec![Identifier::new("national-id", "1")],
        person,
        mask: mask.iter().map(|it| (*it).to_owned()).collect(),
        version: None,
        extra: Vec::new(),
    }
}

pub(crate) fn link(change: LinkChange) -> LinkRequest {
    LinkRequest {
        identifiers: vec![Identifier::new("national-id", "1")],
        change,
        linked: Identifier::new("openimis", "070707070"),
        version: None,
        extra: Vec::new(),
    }
}

/// The form of a POST, as it was sent.
pub(crate) fn form(request: &Request) -> String {
    String::from_utf8(request.body.clone().unwrap_or_default()).unwrap()
}

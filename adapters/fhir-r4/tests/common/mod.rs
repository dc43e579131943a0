//! Patients of few fields for the tests of this library.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;

use adapter_sdk::dates;
use adapter_sdk::model::Person;
use fhir_r4::rules::{OneOrMany, Schemes};
use fhir_r4::{Rules, mapping};
use serde_json::{Value, json};

pub(crate) const EXTENSION: &str = "http://hl7.org/fhir/StructureDefinition/";

pub(crate) fn rules() -> Rules {
    let one = |scheme: &str, system: &str| (scheme.to_owned(), OneOrMany::One(system.to_owned()));
    let schemes = Schemes {
        systems: BTreeMap::from([one("nid", "urn:x:nid"), one("imis", "urn:x:imis")]),
        types: BTreeMap::from([one("chf", "urn:x:types|Code")]),
    };
    Rules {
        today: dates::parse("2026-06-01"),
        ..Rules::new("x-test", schemes)
    }
}

pub(crate) fn read(more: Value) -> Person {
    let mut patient = json!({ "resourceType": "Patient" });
    for (name, value) in more.as_object().unwrap() {
        patient[name] = value.clone();
    }
    mapping::check(&patient, "Patient").unwrap();
    mapping::patient(&patient, &rules())
}

pub(crate) fn reported(person: &Person) -> Vec<(&str, &str)> {
    let all = person.unmapped.iter();
    all.map(|it| (it.field.as_str(), it.value.as_str()))
        .collect()
}

pub(crate) fn extra<'a>(person: &'a Person, key: &str) -> Option<&'a str> {
    let found = person.extra.iter().find(|it| it.key == key);
    found.map(|it| it.value.as_str())
}

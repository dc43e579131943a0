//! Ten thousand damaged copies of a registry's answers: nothing breaks, nothing is guessed, and what is
//! refused is a typed failure.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::model::{Callback, Criterion, SearchQuery, Test};
use adapter_sdk::testing::{self, Damage};
use adapter_sdk::{Events, Failure, FindHousehold, Search};
use common::{COPIES, IMIS, NID, SEARCH, bundle, done, find, household_of, patient, stage};
use common::{told, with};
use serde_json::{Value, json};

const EXTENSION: &str = "http://hl7.org/fhir/StructureDefinition/";

/// A record in which every part of the mapping has something to read.
fn full(id: &str, nid: &str) -> Value {
    with(
        patient(id, nid),
        json!({
            "identifier": [
                { "system": NID, "value": nid, "period": { "start": "2001-05-06", "end": "2020" } },
                { "system": IMIS, "value": "070707070", "use": "official" },
                { "system": "urn:x:lab", "value": "L1" },
            ],
            "name": [
                { "use": "official", "family": "Rai", "given": ["Sita", "Devi"], "prefix": ["Ms"],
                  "_family": { "extension": [{ "url": format!("{EXTENSION}translation"),
                      "extension": [{ "url": "lang", "valueCode": "ne-Deva" },
                                    { "url": "content", "valueString": "राई" }] }] } },
                { "text": "Sita Rai", "extension": [
                    { "url": format!("{EXTENSION}language"), "valueCode": "ne-Latn" }] },
            ],
            "telecom": [{ "system": "phone", "value": "774 232423", "rank": 1 }],
            "deceasedDateTime": "2026-02-03T10:00:00+05:45",
            "maritalStatus": { "coding": [{ "code": "W",
                "system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus" }] },
            "multipleBirthInteger": 2,
            "address": [{ "use": "home", "line": ["Tole 4"], "city": "Bharatpur", "country": "NP",
                "district": "Chitwan", "state": "Bagmati", "postalCode": "44200" }],
            "contact": [{ "name": { "text": "Ram Rai" }, "gender": "male", "relationship": [
                { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
                               "code": "FTH" }] }] }],
            "photo": [{ "contentType": "image/png", "data": "AQID" }],
            "link": [{ "other": { "reference": "Patient/p9" }, "type": "refer" }],
            "extension": [{ "url": "urn:x:unknown", "valueString": "kept" },
                { "url": format!("{EXTENSION}patient-birthPlace"), "valueAddress": { "city": "Ilam" } }],
        }),
    )
}

fn related() -> Value {
    json!({ "resourceType": "RelatedPerson", "id": "r1", "patient": { "reference": "Patient/p1" },
        "identifier": [{ "system": NID, "value": "77" }], "name": [{ "family": "Lama" }],
        "relationship": [{ "coding": [{ "code": "MTH",
            "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode" }] }] })
}

fn brought(mut answer: Value, resources: &[Value]) -> Value {
    for resource in resources {
        let entry = json!({ "resource": resource, "search": { "mode": "include" } });
        answer["entry"].as_array_mut().unwrap().push(entry);
    }
    answer
}

/// Counts what came of the copies: a test of which all are refused tries nothing.
#[derive(Default)]
struct Tally {
    read: usize,
    refused: usize,
}

impl Tally {
    fn refuse(&mut self, failure: &Failure) {
        self.refused += 1;
        // A typed refusal with a code of ours or FHIR's, and never what stood in the answer.
        if !matches!(failure, Failure::NotFound) {
            let code = failure.code().unwrap_or_default();
            assert!(code.contains('.'), "{}", failure.summary());
        }
    }

    fn enough(&self) {
        assert_eq!(self.read + self.refused, COPIES);
        assert!(
            self.read > COPIES / 5 && self.refused > COPIES / 50,
            "{} read",
            self.read
        );
    }
}

#[test]
fn finds() {
    let mut damage = Damage::seeded(0x0f1e);
    let original = brought(bundle(&json!([full("p1", "1")])), &[related()]);
    let mut tally = Tally::default();
    for _ in 0..COPIES {
        let answer = damage.copy(&original);
        let told = told(&[&answer]);
        let _stage = stage(json!({ "with_related": true, "resource_id_scheme": "cr-id" }))
            .on_post(SEARCH, move |_| answer.clone());
        match find("1") {
            Ok(person) => {
                told.person(&person);
                tally.read += 1;
            }
            Err(failure) => tally.refuse(&failure),
        }
    }
    tally.enough();
}

#[test]
fn households() {
    let mut damage = Damage::seeded(0x0f2e);
    let group = json!({ "resourceType": "Group", "id": "g1", "type": "person", "actual": true,
        "identifier": [{ "system": "urn:x:household", "value": "H1" }], "quantity": 3,
        "characteristic": [{ "code": { "coding": [{ "code": "head" }] }, "exclude": false,
                             "valueReference": { "reference": "Patient/p2" } }],
        "member": [
            { "entity": { "reference": "Patient/p1" }, "period": { "start": "2020-01-01" } },
            { "entity": { "reference": "Patient/p2" } },
            { "entity": { "reference": "Patient/p3" }, "inactive": true },
        ] });
    let groups = brought(bundle(&json!([group])), &[full("p1", "1"), full("p2", "2")]);
    let relatives = bundle(&json!([related()]));
    let mut tally = Tally::default();
    for _ in 0..COPIES {
        let answers = (damage.copy(&groups), damage.copy(&relatives));
        let told = told(&[&answers.0, &answers.1]);
        let settings = json!({ "with_related": true, "head": { "characteristic": "head" } });
        let _stage = stage(settings)
            .on_post("/Group/_search", move |_| answers.0.clone())
            .on_post("/RelatedPerson/_search", move |_| answers.1.clone());
        let asked = household_of("household-id", "H1");
        match done(FhirClientRegistry::find_household(asked)) {
            Ok(household) => {
                told.household(&household);
                tally.read += 1;
            }
            Err(failure) => tally.refuse(&failure),
        }
    }
    tally.enough();
}

#[test]
fn searches() {
    let mut damage = Damage::seeded(0x0f3e);
    let link = json!([
        { "relation": "self", "url": "https://cr.example.org/fhir/Patient?family:exact=Rai" },
        { "relation": "next", "url": "https://cr.example.org/fhir/Patient?family=Rai&_page=2" },
    ]);
    let original = with(
        bundle(&json!([full("p1", "1"), patient("p2", "2")])),
        json!({ "link": link }),
    );
    let mut tally = Tally::default();
    for _ in 0..COPIES {
        let answer = damage.copy(&original);
        let told = told(&[&answer]);
        let _stage = stage(json!({})).on_post(SEARCH, move |_| answer.clone());
        let query = SearchQuery {
            criteria: vec![Criterion {
                field: "name.family".to_owned(),
                test: Test::Equals("Rai".to_owned()),
            }],
            sort: Vec::new(),
            page_size: 10,
            page: None,
        };
        match done(FhirClientRegistry::search(query)) {
            Ok(page) => {
                page.candidates
                    .iter()
                    .for_each(|it| told.person(&it.person));
                tally.read += 1;
            }
            Err(failure) => tally.refuse(&failure),
        }
    }
    tally.enough();
}

#[test]
fn messages() {
    let mut damage = Damage::seeded(0x0f4e);
    let change = |method: &str, url: &str, resource: &Value| {
        json!({ "fullUrl": format!("https://cr.example.org/fhir/{url}"), "resource": resource,
            "request": { "method": method, "url": url }, "response": { "status": "200" } })
    };
    let replaced = with(
        full("p3", "3"),
        json!({ "active": false,
        "link": [{ "other": { "reference": "Patient/p1" }, "type": "replaced-by" }] }),
    );
    let original = json!({ "resourceType": "Bundle", "type": "message",
        "timestamp": "2026-03-04T10:00:00+05:45", "entry": [
            { "resource": { "resourceType": "MessageHeader", "id": "m1",
                "eventUri": "urn:ihe:iti:pmir:2019:patient-feed",
                "source": { "endpoint": "urn:oid:1.2.3" } } },
            { "resource": { "resourceType": "Bundle", "type": "history", "entry": [
                change("POST", "Patient/p1", &full("p1", "1")),
                change("PUT", "Patient/p3", &replaced),
                change("POST", "RelatedPerson/r1", &related()),
            ] } },
        ] });
    let token = "a-long-random-token";
    let hash: String =
        adapter_fhir_client_registry::wire::sender::digits(token.as_bytes()).collect();
    let mut tally = Tally::default();
    for _ in 0..COPIES {
        let message = damage.copy(&original);
        let told = told(&[&message]);
        let _stage = stage(json!({ "callback_token_sha256": hash, "newborn_days": 30 }));
        let reception = FhirClientRegistry::receive(Callback {
            method: "POST".to_owned(),
            path: format!("/{token}"),
            query: Vec::new(),
            headers: Vec::new(),
            body: message.to_string().into_bytes(),
            extra: Vec::new(),
        })
        .unwrap();
        match reception.response.status {
            200 => tally.read += 1,
            400 => {
                assert_eq!(reception.events, []);
                tally.refused += 1;
            }
            status => panic!("{status}"),
        }
        let people = reception.events.iter().flat_map(|it| &it.participants);
        people.for_each(|it| told.person(&it.person));
    }
    tally.enough();
}

#[test]
fn bytes() {
    let mut damage = Damage::seeded(0x0f5e);
    let original = bundle(&json!([full("p1", "1")])).to_string().into_bytes();
    let mut refused = 0;
    for _ in 0..COPIES {
        let mut response = testing::status(200, &[]);
        response.body = damage.bytes(&original);
        let _stage = stage(json!({})).on_post(SEARCH, move |_| response.clone());
        if let Err(failure) = find("1") {
            assert!(
                matches!(
                    failure.kind(),
                    "unreadable" | "not-found" | "ambiguous" | "rejected"
                ),
                "{}",
                failure.summary()
            );
            refused += 1;
        }
    }
    assert!(refused > COPIES / 2, "{refused}");
}

//! `$ihe-pix` (ITI-83), in each of its spellings, and OpenCR's habits.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::http::{Method, Response};
use adapter_sdk::model::{Identifier, Sex, Unmapped, VerifyQuery};
use adapter_sdk::{Verify, dates, testing};
use common::{IMIS, NID, bundle, find, patient, stage, with};
use serde_json::{Value, json};

const PIX: &str = "/Patient/$ihe-pix";

fn parameters(values: Value) -> Value {
    json!({ "resourceType": "Parameters", "parameter": values })
}

fn target(system: &str, value: &str) -> Value {
    json!({ "name": "targetIdentifier", "valueIdentifier": { "system": system, "value": value } })
}

#[test]
fn the_cross_references_are_all_that_is_known() {
    let answer = parameters(json!([
        { "name": "targetId", "valueReference": { "reference": "Patient/blue" } },
        target(IMIS, "07"), target("urn:x:lab", "L9"), target(IMIS, "07"),
    ]));
    let stage = stage(json!({ "lookup": "pixm", "resource_id_scheme": "cr-id" }))
        .on_get(PIX, move |_| answer.clone());
    let person = find("1").unwrap();
    let number = |scheme: &str, value: &str| Identifier::new(scheme, value);
    assert_eq!(
        person.identifiers,
        [
            number("national-id", "1"),
            number("openimis", "07"),
            number("cr-id", "blue")
        ]
    );
    assert_eq!(
        person.unmapped,
        [Unmapped::new("identifiers.scheme", "urn:x:lab")]
    );
    assert_eq!((person.names.len(), person.sex), (0, None));
    let sent = &stage.requests()[0].query;
    assert_eq!(
        sent[..],
        [("sourceIdentifier".to_owned(), format!("{NID}|1"))]
    );
}

#[test]
fn both_spellings_of_the_parameters_are_sent() {
    for (form, source, target) in [
        (
            "post-string",
            json!({ "name": "sourceIdentifier", "valueString": format!("{NID}|1") }),
            json!({ "name": "targetSystem", "valueString": IMIS }),
        ),
        (
            "post-identifier",
            json!({ "name": "sourceIdentifier", "valueIdentifier": { "system": NID, "value": "1" } }),
            json!({ "name": "targetSystem", "valueUri": IMIS }),
        ),
    ] {
        let stage = stage(json!({ "lookup": "pixm", "pixm_request": form, "limit_domains": true }))
            .wanted_fields(&["identifier.openimis"])
            .on_post(PIX, |_| parameters(json!([])));
        // Known, and by nobody else.
        assert_eq!(find("1").unwrap().identifiers.len(), 1);
        assert_eq!(
            stage.requests()[0].json(),
            parameters(json!([source, target]))
        );
    }
}

#[test]
fn unknown_people_and_domains_are_told_apart() {
    let outcome = |status: u16, code: &str| {
        testing::json(
            status,
            json!({ "resourceType": "OperationOutcome",
                    "issue": [{ "severity": "error", "code": code }] }),
        )
    };
    let answers: [(Response, &str); 7] = [
        (outcome(404, "not-found"), "not-found"),
        (
            outcome(400, "code-invalid"),
            "rejected: pixm.source-domain (identifiers)",
        ),
        (
            outcome(403, "code-invalid"),
            "denied: pixm.target-domain (fields)",
        ),
        (
            testing::status(404, &[]),
            "misconfigured: http.404 (settings.lookup)",
        ),
        (testing::status(403, &[]), "denied: http.403"),
        (
            testing::json(200, json!({ "resourceType": "Bundle" })),
            "unreadable: answer.parameters",
        ),
        (
            testing::json(200, parameters(json!([7]))),
            "unreadable: answer.parameters",
        ),
    ];
    for (answer, summary) in answers {
        let _stage = stage(json!({ "lookup": "pixm" })).on_get(PIX, move |_| answer.clone());
        assert_eq!(find("1").unwrap_err().summary(), summary);
    }
}

#[test]
fn numbers_alone_verify_nothing() {
    let stage = stage(json!({ "lookup": "pixm" }));
    let query = VerifyQuery {
        identifiers: vec![Identifier::new("national-id", "1")],
        claimed: adapter_sdk::model::Person::default(),
    };
    let failure = FhirClientRegistry::verify(query).unwrap_err();
    assert_eq!(
        failure.summary(),
        "unsupported: lookup.pixm (settings.lookup)"
    );
    assert_eq!(stage.requests().len(), 0);
}

fn opencr() -> Value {
    json!({ "server": "opencr", "client_id": "openimis", "golden_scheme": "cruid" })
}

fn source(id: &str, more: Value) -> Value {
    let link = json!([{ "other": { "reference": "Patient/gold" }, "type": "refer" }]);
    with(with(patient(id, "1"), json!({ "link": link })), more)
}

fn golden() -> Value {
    json!({ "resourceType": "Patient", "id": "gold",
        "identifier": [{ "system": NID, "value": "1" }],
        "meta": { "tag": [{ "code": "5c827da5-4858-4f3d-a50c-62ece001efea" }] } })
}

#[test]
fn records_of_one_golden_record_are_one_person() {
    let other = json!({ "gender": "male", "birthDate": "1985-05-20", "name": [{ "text": "Sita" }],
        "identifier": [{ "system": NID, "value": "1" }, { "system": IMIS, "value": "07" }] });
    let records = json!([source("a", json!({})), source("b", other), golden()]);
    let stage = stage(opencr()).on_get("/Patient", move |_| bundle(&records));
    let person = find("1").unwrap();
    let number = |scheme: &str, value: &str| Identifier::new(scheme, value);
    assert_eq!(
        person.identifiers,
        [
            number("national-id", "1"),
            number("openimis", "07"),
            number("cruid", "gold")
        ]
    );
    // They agree on the date, and not on the sex: neither is taken for the right one.
    assert_eq!(
        (person.birth_date, person.sex),
        (dates::parse("1985-05-20"), None)
    );
    let sexes = [Unmapped::new("sex", "female"), Unmapped::new("sex", "male")];
    assert_eq!(person.unmapped, sexes);
    assert_eq!((person.names.len(), person.version), (2, None));
    let sent = &stage.requests()[0];
    assert_eq!(sent.header("x-openhim-clientid"), Some("openimis"));
    assert!(sent.method == Method::Get && sent.query.iter().all(|(name, _)| name != "_revinclude"));
}

#[test]
fn a_value_that_two_differ_in_is_not_brought_back_by_a_third() {
    let records = json!([
        source("a", json!({})),
        source("b", json!({ "gender": "male" })),
        source("c", json!({})),
    ]);
    let _stage = stage(opencr()).on_get("/Patient", move |_| bundle(&records));
    let person = find("1").unwrap();
    assert_eq!((person.sex, person.unmapped.len()), (None, 2));
    let _stage = stage(opencr()).on_get("/Patient", |_| bundle(&json!([source("a", json!({}))])));
    assert_eq!(find("1").unwrap().sex, Some(Sex::Female));
}

#[test]
fn records_of_several_golden_ones_are_several_people() {
    let link = json!([{ "other": { "reference": "Patient/silver" }, "type": "refer" }]);
    let records = json!([source("a", json!({})), source("b", json!({ "link": link }))]);
    let _stage = stage(opencr()).on_get("/Patient", move |_| bundle(&records));
    let failure = find("1").unwrap_err();
    assert_eq!(failure.summary(), "ambiguous: answer.several (identifiers)");
    let alone = json!([golden()]);
    let _stage = stage(opencr()).on_get("/Patient", move |_| bundle(&alone));
    assert_eq!(find("1").unwrap_err().summary(), "not-found");
}

#[test]
fn what_opencr_answers_of_whom_it_does_not_know_is_not_found() {
    let mut settings = opencr();
    settings["lookup"] = json!("pixm");
    let _stage = stage(settings.clone()).on_get(PIX, |_| parameters(json!([])));
    assert_eq!(find("1").unwrap_err().summary(), "not-found");
    // It writes the reference as a text.
    let answer = parameters(json!([
        { "name": "targetId", "valueReference": "http://cr/fhir/Patient/a" }, target(IMIS, "07"),
    ]));
    let _stage = stage(settings).on_get(PIX, move |_| answer.clone());
    assert_eq!(find("1").unwrap().identifiers.len(), 2);
}

//! What is created and changed by REST.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::http::{Method, ProblemKind};
use adapter_sdk::model::{
    Address, AddressUse, AdministrativeArea, Contact, ContactSystem, CreateRequest, CreateSubject,
    Identifier, MaritalStatus, NameUse, Outcome, Person, PersonStatus, WriteAnswer,
};
use adapter_sdk::{Create, Update, dates, testing};
use common::{NID, SEARCH, TAG, bundle, create, created, patient, receipt, registry, sita, stage};
use common::{update, with};
use serde_json::json;

#[test]
fn a_create_is_conditional_on_the_number_and_carries_the_operation() {
    let stage = stage(json!({ "resource_id_scheme": "cr-id" })).on_post("/Patient", |_| {
        let location = "https://cr.example.org/fhir/Patient/p7/_history/1";
        created(201, &[("location", location), ("etag", "W/\"1\"")])
    });
    let receipt = receipt(create(sita()));
    assert_eq!(receipt.outcome, Outcome::Applied);
    assert_eq!(receipt.reference.as_deref(), Some("Patient/p7"));
    assert_eq!(receipt.identifiers, [Identifier::new("cr-id", "p7")]);
    assert_eq!(receipt.version.as_deref(), Some("1"));
    let sent = &stage.requests()[0];
    let condition = format!("identifier={NID}|1");
    assert_eq!(sent.header("if-none-exist"), Some(condition.as_str()));
    let language = "http://hl7.org/fhir/StructureDefinition/language";
    assert_eq!(
        sent.json(),
        json!({ "resourceType": "Patient", "meta": { "tag": [{ "system": TAG, "code": "op-1" }] },
            "identifier": [{ "system": NID, "value": "1" }],
            "name": [{ "family": "Rai", "given": ["Sita"],
                       "extension": [{ "url": language, "valueCode": "ne-Latn" }] }],
            "gender": "female", "birthDate": "1985-05" })
    );
}

#[test]
fn what_was_there_is_unchanged_and_what_several_have_is_ambiguous() {
    let _stage = stage(json!({})).on_post("/Patient", |_| testing::json(200, patient("p1", "1")));
    let told = receipt(create(sita()));
    assert_eq!(
        (told.outcome, told.version.as_deref()),
        (Outcome::Unchanged, Some("3"))
    );
    let _stage = stage(json!({})).on_post("/Patient", |_| testing::status(412, &[]));
    let failure = create(sita()).unwrap_err();
    assert_eq!(failure.summary(), "ambiguous: http.412 (identifiers)");
}

#[test]
fn lost_answers_and_those_of_proxies_are_unclear_and_refusals_are_failures() {
    let _stage = stage(json!({})).on_post("/Patient", |_| {
        testing::sent_no_answer(ProblemKind::TimedOut)
    });
    assert!(matches!(create(sita()), Ok(WriteAnswer::Unclear(_))));
    for status in [408, 500, 502, 504] {
        let _stage = stage(json!({})).on_post("/Patient", move |_| testing::status(status, &[]));
        let WriteAnswer::Unclear(why) = create(sita()).unwrap() else {
            panic!("{status}");
        };
        assert_eq!(why.code, Some(format!("http.{status}")));
    }
    let _stage = stage(json!({})).on_post("/Patient", |_| testing::not_sent(ProblemKind::Connect));
    assert_eq!(
        create(sita()).unwrap_err().summary(),
        "unavailable: http.not-sent.connect"
    );
    let invalid = json!({ "resourceType": "OperationOutcome", "issue": [
        { "severity": "error", "code": "invalid", "expression": ["Patient.name[0].family"] }] });
    for (response, summary) in [
        (
            testing::json(422, invalid),
            "rejected: fhir.invalid (names)",
        ),
        (
            testing::status(404, &[]),
            "misconfigured: http.404 (endpoints.registry)",
        ),
        (testing::status(403, &[]), "denied: http.403"),
        (testing::status(503, &[]), "unavailable: http.503"),
    ] {
        let _stage = stage(json!({})).on_post("/Patient", move |_| response.clone());
        assert_eq!(create(sita()).unwrap_err().summary(), summary);
    }
}

#[test]
fn without_a_number_or_for_another_subject_nothing_is_sent() {
    let stage = stage(json!({}));
    for identifiers in [vec![], vec![Identifier::new("passport", "1")]] {
        let person = Person {
            identifiers,
            ..sita()
        };
        let failure = create(person).unwrap_err();
        assert_eq!(
            failure.summary(),
            "rejected: identifier.missing (identifiers)"
        );
    }
    let household = FhirClientRegistry::create(CreateRequest {
        subject: CreateSubject::Household(adapter_sdk::model::Household::default()),
        extra: Vec::new(),
    });
    assert_eq!(
        household.unwrap_err().summary(),
        "unsupported: create.subject (subject)"
    );
    assert_eq!(stage.requests().len(), 0);
}

#[test]
fn what_has_no_place_is_told_and_what_has_no_code_is_refused() {
    let stage = stage(json!({ "address_levels": { "state": 1 } }))
        .on_post("/Patient", |_| created(201, &[]));
    let area = |level: u8, name: &str| AdministrativeArea {
        level: Some(level),
        name: Some(name.to_owned()),
        ..AdministrativeArea::default()
    };
    let mut person = sita();
    person.identifiers.push(Identifier::new("passport", "P1"));
    person.addresses = vec![Address {
        use_: Some(AddressUse::Home),
        areas: vec![area(1, "Bagmati"), area(3, "Ward 4")],
        ..Address::default()
    }];
    person.related = vec![adapter_sdk::model::RelatedPerson::default()];
    let told = receipt(create(person));
    assert_eq!(
        told.unwritten,
        ["identifiers.1", "addresses.0.areas", "related"]
    );
    let sent = stage.requests()[0].json();
    assert_eq!(
        sent["address"],
        json!([{ "use": "home", "state": "Bagmati" }])
    );

    let other = "nobody knows".to_owned();
    let mut by_name = sita();
    by_name.names[0].use_ = Some(NameUse::Other(other.clone()));
    let refused = [
        (
            Person {
                marital_status: Some(MaritalStatus::Other(other.clone())),
                ..sita()
            },
            "marital-status",
        ),
        (by_name, "names.use"),
        (
            Person {
                status: Some(PersonStatus::Cancelled),
                ..sita()
            },
            "status",
        ),
        (
            Person {
                contacts: vec![Contact {
                    system: ContactSystem::Other(other),
                    ..Contact::phone("1")
                }],
                ..sita()
            },
            "contacts.system",
        ),
    ];
    for (person, field) in refused {
        let failure = create(person).unwrap_err();
        assert_eq!(
            failure.summary(),
            format!("unsupported: code.unknown ({field})")
        );
    }
    assert_eq!(stage.requests().len(), 1);
}

fn dead() -> Person {
    Person {
        status: Some(PersonStatus::Deceased),
        death_date: dates::parse("2026-02-03"),
        ..Person::default()
    }
}

#[test]
fn an_update_changes_the_masked_fields_and_keeps_all_else() {
    let theirs = json!({ "extension": [{ "url": "urn:x:blood", "valueString": "0" }],
        "telecom": [{ "system": "phone", "value": "1" }],
        "meta": { "versionId": "3", "tag": [{ "system": TAG, "code": "op-0" }, { "code": "keep" }] } });
    let stage = registry(json!({}), json!([with(patient("p1", "1"), theirs)])).on(
        Method::Put,
        "/Patient/p1",
        |_| created(200, &[("etag", "W/\"4\"")]),
    );
    let answer = FhirClientRegistry::update(update(dead(), &["status", "death-date", "contacts"]));
    let told = receipt(answer);
    assert_eq!(
        (told.outcome, told.version.as_deref()),
        (Outcome::Applied, Some("4"))
    );
    let sent = stage.requests().pop().unwrap();
    assert_eq!(sent.header("if-match"), Some("W/\"3\""));
    let mut expected = patient("p1", "1");
    expected["deceasedDateTime"] = json!("2026-02-03");
    expected["extension"] = json!([{ "url": "urn:x:blood", "valueString": "0" }]);
    expected["meta"]["tag"] = json!([{ "code": "keep" }, { "system": TAG, "code": "op-1@3" }]);
    // In the mask and empty: cleared.
    assert_eq!(sent.json(), expected);
}

#[test]
fn a_record_that_moved_on_is_a_conflict() {
    let mut request = update(dead(), &["status"]);
    request.version = Some("2".to_owned());
    let stage = registry(json!({}), json!([patient("p1", "1")]));
    let failure = FhirClientRegistry::update(request).unwrap_err();
    assert_eq!(failure.summary(), "conflict: version.moved (version)");
    assert_eq!(stage.requests().len(), 1);
    drop(stage);
    // Between our reading and our writing.
    let _stage =
        registry(json!({}), json!([patient("p1", "1")]))
            .on(Method::Put, "/Patient/p1", |_| testing::status(412, &[]));
    let failure = FhirClientRegistry::update(update(dead(), &["status"])).unwrap_err();
    assert_eq!(failure.summary(), "conflict: http.412");
}

#[test]
fn life_and_death_are_not_said_in_one_breath() {
    let stage = registry(json!({}), json!([patient("p1", "1")]));
    let alive = Person {
        status: Some(PersonStatus::Active),
        ..dead()
    };
    let failure = FhirClientRegistry::update(update(alive, &["status", "death-date"])).unwrap_err();
    assert_eq!(
        failure.summary(),
        "rejected: status.contradiction (death-date)"
    );
    let failure = FhirClientRegistry::update(update(dead(), &["photo"])).unwrap_err();
    assert_eq!(failure.summary(), "unsupported: mask.unwritable (mask)");
    assert_eq!(stage.requests().len(), 2);
}

#[test]
fn a_merge_refers_to_a_record_that_is_there() {
    let merged = |nid: &str| Person {
        status: Some(PersonStatus::Merged),
        replaced_by: vec![Identifier::new("national-id", nid)],
        ..Person::default()
    };
    let stage = stage(json!({}))
        .on_post(SEARCH, |request| {
            let form = common::form(request);
            let nid = if form.contains("%7C2&") { "2" } else { "1" };
            match form.contains("%7C3&") {
                true => bundle(&json!([])),
                false => bundle(&json!([patient(&format!("p{nid}"), nid)])),
            }
        })
        .on(Method::Put, "/Patient/p1", |_| created(200, &[]));
    let mask = ["status", "replaced-by"];
    receipt(FhirClientRegistry::update(update(merged("2"), &mask)));
    let sent = stage.requests().pop().unwrap().json();
    let link = json!([{ "other": { "reference": "Patient/p2" }, "type": "replaced-by" }]);
    assert_eq!((&sent["active"], &sent["link"]), (&json!(false), &link));
    for (person, mask) in [(merged("3"), &mask[..]), (merged("2"), &mask[..1])] {
        let failure = FhirClientRegistry::update(update(person, mask)).unwrap_err();
        assert_eq!(failure.summary(), "rejected: merge.survivor (replaced-by)");
    }
}

#[test]
fn numbers_that_the_caller_cannot_see_stay() {
    let theirs = json!({ "identifier": [
        { "system": NID, "value": "1", "period": { "start": "2001" } },
        { "system": "urn:x:lab", "value": "L1" },
        { "system": NID, "value": "0", "use": "old" },
        { "system": common::IMIS, "value": "07" },
    ] });
    let stage = registry(json!({}), json!([with(patient("p1", "1"), theirs)])).on(
        Method::Put,
        "/Patient/p1",
        |_| created(200, &[]),
    );
    let mut birth = dates::parse("1985").unwrap();
    birth.estimated = true;
    let mut phone = Contact::phone("1");
    phone.extra = vec![adapter_sdk::model::Extra::new("x-use", &json!("home"))];
    let person = Person {
        identifiers: vec![Identifier::new("national-id", "1")],
        birth_date: Some(birth),
        contacts: vec![phone],
        ..Person::default()
    };
    let mask = ["identifiers", "birth-date", "contacts"];
    let told = receipt(FhirClientRegistry::update(update(person, &mask)));
    // Nothing is lost unsaid.
    assert_eq!(told.unwritten, ["contacts.0.extra", "birth-date.estimated"]);
    let sent = stage.requests().pop().unwrap().json();
    assert_eq!(
        sent["identifier"],
        json!([
            { "system": "urn:x:lab", "value": "L1" },
            { "system": NID, "value": "0", "use": "old" },
            { "system": NID, "value": "1", "period": { "start": "2001" } },
        ])
    );
}

//! One person by identifier (ITI-78), and merged records.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::model::{
    Agreement, Identifier, Person, PersonStatus, RelationRole, Unmapped, VerifyQuery,
};
use adapter_sdk::{Find, Verify, dates, testing};
use common::{NID, SEARCH, bundle, by, done, find, form, patient, registry, stage, with};
use serde_json::{Value, json};

#[test]
fn the_number_is_searched_by_post_and_out_of_the_address() {
    let stage = registry(
        json!({ "with_related": true }),
        json!([patient("p1", "1|2,3")]),
    );
    let person = find("1|2,3").unwrap();
    assert_eq!(
        person.identifiers,
        [Identifier::new("national-id", "1|2,3")]
    );
    assert_eq!(person.version.as_deref(), Some("3"));
    let sent = &stage.requests()[0];
    assert_eq!((sent.path.as_str(), sent.query.len()), (SEARCH, 0));
    assert_eq!(sent.header("accept"), Some("application/fhir+json"));
    assert_eq!(
        sent.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    // What separates values in a token is escaped.
    assert_eq!(
        form(sent),
        "identifier=https%3A%2F%2Fexample.org%2Fnid%7C1%5C%7C2%5C%2C3\
         &_revinclude=RelatedPerson%3Apatient&_count=20"
    );
}

#[test]
fn zero_hits_are_not_found_and_several_are_ambiguous() {
    let _stage = registry(json!({}), json!([]));
    assert_eq!(find("1").unwrap_err().summary(), "not-found");
    let _stage = registry(json!({}), json!([patient("p1", "1"), patient("p2", "1")]));
    assert_eq!(
        find("1").unwrap_err().summary(),
        "ambiguous: answer.several (identifiers)"
    );
    let link = json!([{ "relation": "next", "url": "https://cr.example.org/fhir/Patient?p=2" }]);
    let more = with(
        bundle(&json!([patient("p1", "1")])),
        json!({ "link": link }),
    );
    let _stage = stage(json!({})).on_post(SEARCH, move |_| more.clone());
    assert_eq!(
        find("1").unwrap_err().summary(),
        "ambiguous: answer.several (identifiers)"
    );
}

#[test]
fn the_answer_must_fit_the_question() {
    let _stage = registry(json!({}), json!([patient("p1", "2")]));
    assert_eq!(
        find("1").unwrap_err().summary(),
        "unreadable: answer.mismatch"
    );
    let of_another_system = json!({ "identifier": [{ "system": "urn:x:other", "value": "1" }] });
    let _stage = registry(
        json!({}),
        json!([with(patient("p1", "1"), of_another_system)]),
    );
    assert_eq!(
        find("1").unwrap_err().summary(),
        "unreadable: answer.mismatch"
    );
}

#[test]
fn a_scheme_without_a_system_is_refused_before_anything_is_sent() {
    let stage = registry(json!({}), json!([]));
    for scheme in ["passport", "household-id"] {
        let failure = FhirClientRegistry::find(by(scheme, "1")).unwrap_err();
        assert_eq!(
            failure.summary(),
            "rejected: identifier.scheme (identifiers)"
        );
    }
    assert_eq!(stage.requests().len(), 0);
}

#[test]
fn what_changes_the_meaning_of_a_record_refuses_it() {
    let modified = json!({ "modifierExtension": [{ "url": "urn:x", "valueBoolean": true }] });
    let inside =
        json!({ "name": [{ "family": "Rai", "modifierExtension": [{ "url": "urn:x" }] }] });
    for (more, code) in [
        (modified, "fhir.modifier-extension"),
        (inside, "fhir.modifier-extension"),
        (json!({ "implicitRules": "urn:x" }), "fhir.implicit-rules"),
    ] {
        let _stage = registry(json!({}), json!([with(patient("p1", "1"), more)]));
        assert_eq!(
            find("1").unwrap_err().summary(),
            format!("unreadable: {code}")
        );
    }
}

#[test]
fn statuses_and_outcomes_are_typed_failures() {
    let outcome = |code: &str| {
        json!({ "resourceType": "OperationOutcome", "issue": [
            { "severity": "error", "code": code, "diagnostics": "Sita Rai" }] })
    };
    for (status, body, summary) in [
        (401, json!({}), "denied: http.401"),
        (400, outcome("invalid"), "rejected: fhir.invalid"),
        (
            404,
            outcome("not-found"),
            "rejected: pdqm.unknown-domain (identifiers)",
        ),
        (
            404,
            json!({}),
            "misconfigured: http.404 (endpoints.registry)",
        ),
        (503, outcome("transient"), "unavailable: fhir.transient"),
        (200, outcome("exception"), "unavailable: fhir.exception"),
        (200, json!("no bundle"), "unreadable: answer.bundle"),
        (301, json!({}), "unreadable: http.301"),
    ] {
        let _stage = stage(json!({})).on_post(SEARCH, move |_| testing::json(status, body.clone()));
        let failure = find("1").unwrap_err();
        assert_eq!(failure.summary(), summary);
        assert!(!format!("{failure:?}").contains("Sita"));
    }
}

fn merged(id: &str, nid: &str, into: &str) -> Value {
    let link =
        json!([{ "other": { "reference": format!("Patient/{into}") }, "type": "replaced-by" }]);
    with(patient(id, nid), json!({ "active": false, "link": link }))
}

#[test]
fn a_replaced_record_is_told_with_the_numbers_of_the_one_that_stands() {
    let stage = registry(json!({}), json!([merged("p1", "1", "p2")]))
        .on_get("/Patient/p2", |_| merged("p2", "2", "p3"))
        .on_get("/Patient/p3", |_| patient("p3", "3"));
    let person = find("1").unwrap();
    assert_eq!(person.status, Some(PersonStatus::Merged));
    assert_eq!(person.identifiers, [Identifier::new("national-id", "1")]);
    assert_eq!(person.replaced_by, [Identifier::new("national-id", "3")]);
    assert_eq!(stage.requests().len(), 3);
}

#[test]
fn merges_in_a_circle_and_without_end_are_refused() {
    let _stage = registry(json!({}), json!([merged("p1", "1", "p2")]))
        .on_get("/Patient/p2", |_| merged("p2", "2", "p1"));
    assert_eq!(find("1").unwrap_err().summary(), "unreadable: merge.loop");
    let mut stage = registry(
        json!({ "max_merge_hops": 3 }),
        json!([merged("p1", "1", "p2")]),
    );
    for at in 2..10 {
        let next = format!("p{}", at + 1);
        stage = stage.on_get(&format!("/Patient/p{at}"), move |_| merged("p", "2", &next));
    }
    assert_eq!(find("1").unwrap_err().summary(), "unreadable: merge.hops");
    assert_eq!(stage.requests().len(), 4);
}

#[test]
fn a_survivor_that_is_gone_or_named_by_number_alone() {
    let _stage = registry(json!({}), json!([merged("p1", "1", "p2")]));
    let person = find("1").unwrap();
    assert_eq!(person.status, Some(PersonStatus::Merged));
    assert_eq!(
        person.unmapped,
        [Unmapped::new("replaced-by", "Patient/p2")]
    );
    let by_number = json!([{ "type": "replaced-by",
        "other": { "identifier": { "system": NID, "value": "9" } } }]);
    let record = with(
        patient("p1", "1"),
        json!({ "active": false, "link": by_number }),
    );
    let stage = registry(json!({}), json!([record]));
    assert_eq!(
        find("1").unwrap().replaced_by,
        [Identifier::new("national-id", "9")]
    );
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn of_several_records_the_one_stands_that_took_the_place_of_the_others() {
    let both = |into: &str| json!([merged("p1", "1", into), patient("p2", "1")]);
    let _stage = registry(json!({}), both("p2"));
    let person = find("1").unwrap();
    assert_eq!(person.status, Some(PersonStatus::Active));
    // The other was replaced by somebody else: then the number is of two people.
    let _stage = registry(json!({}), both("p7"));
    assert_eq!(
        find("1").unwrap_err().summary(),
        "ambiguous: answer.several (identifiers)"
    );
}

#[test]
fn a_find_yields_the_parents_that_related_persons_tell() {
    let related = |id: &str, code: &str, given: &str| {
        json!({ "resourceType": "RelatedPerson", "id": id, "patient": { "reference": "Patient/p1" },
            "relationship": [{ "coding": [{ "code": code,
                "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode" }] }],
            "name": [{ "given": [given] }] })
    };
    let mut answer = bundle(&json!([patient("p1", "1")]));
    for resource in [
        related("r1", "MTH", "Maya"),
        with(
            related("r2", "FTH", "Ram"),
            json!({ "patient": { "reference": "Patient/p9" } }),
        ),
    ] {
        let entry = json!({ "resource": resource, "search": { "mode": "include" } });
        answer["entry"].as_array_mut().unwrap().push(entry);
    }
    let _stage = stage(json!({ "with_related": true })).on_post(SEARCH, move |_| answer.clone());
    let person = find("1").unwrap();
    // Somebody else's father is not told as hers.
    assert_eq!(person.related.len(), 1);
    assert_eq!(person.related[0].role, RelationRole::Mother);
    assert_eq!(person.related[0].names[0].given, ["Maya"]);
}

#[test]
fn a_server_that_answers_the_patient_itself_is_read() {
    let types = json!({ "identifier_systems": {}, "identifier_types": { "chf-id": "urn:x:types|Code" },
        "search_method": "get" });
    let record = with(
        patient("p1", "1"),
        json!({ "identifier": [
        { "type": { "coding": [{ "system": "urn:x:types", "code": "Code" }] }, "value": "0707" },
        { "type": { "coding": [{ "system": "urn:x:types", "code": "UUID" }] }, "value": "p1" },
    ] }),
    );
    let stage = stage(types).on_get("/Patient", move |_| record.clone());
    let person = done(FhirClientRegistry::find(by("chf-id", "0707"))).unwrap();
    assert_eq!(person.identifiers, [Identifier::new("chf-id", "0707")]);
    assert_eq!(
        person.unmapped,
        [Unmapped::new("identifiers.scheme", "UUID")]
    );
    assert_eq!(
        stage.requests()[0].query[0],
        ("identifier".to_owned(), "0707".to_owned())
    );
}

#[test]
fn a_patient_is_found_by_the_servers_own_id() {
    let record = |_: &_| {
        let mut answer = testing::json(200, with(patient("p1", "1"), json!({ "meta": {} })));
        answer
            .headers
            .push(("etag".to_owned(), "W/\"7\"".to_owned()));
        answer
    };
    let stage = stage(json!({ "resource_id_scheme": "cr-id" })).on_get("/Patient/p1", record);
    let person = done(FhirClientRegistry::find(by("cr-id", "p1"))).unwrap();
    assert_eq!(person.identifier("cr-id"), Some("p1"));
    assert_eq!(person.version.as_deref(), Some("7"));
    let gone = done(FhirClientRegistry::find(by("cr-id", "p2"))).unwrap_err();
    assert_eq!(gone.summary(), "not-found");
    // What is no id is in no path.
    let climbing = done(FhirClientRegistry::find(by("cr-id", "../Group"))).unwrap_err();
    assert_eq!(
        (climbing.summary().as_str(), stage.requests().len()),
        ("not-found", 2)
    );
}

#[test]
fn wanted_identifiers_limit_the_domains_where_the_setting_says_so() {
    let stage = registry(
        json!({ "limit_domains": true }),
        json!([patient("p1", "1")]),
    )
    .wanted_fields(&["names", "identifier.openimis"]);
    find("1").unwrap();
    let sent = form(&stage.requests()[0]);
    assert!(
        sent.contains("&identifier=https%3A%2F%2Fexample.org%2Fopenimis%7C&"),
        "{sent}"
    );
}

#[test]
fn claims_are_compared_and_a_merged_record_is_none_to_compare_with() {
    let claim = |birth: &str| VerifyQuery {
        identifiers: vec![Identifier::new("national-id", "1")],
        claimed: Person {
            birth_date: dates::parse(birth),
            ..Person::default()
        },
    };
    let _stage = registry(json!({}), json!([patient("p1", "1")]));
    for (birth, agreement) in [
        ("1985-05-20", Agreement::Match),
        ("1985-05", Agreement::Close),
        ("1985-05-21", Agreement::Mismatch),
    ] {
        let told = done(FhirClientRegistry::verify(claim(birth))).unwrap();
        assert_eq!(told.overall, agreement);
    }
    let _stage = registry(json!({}), json!([merged("p1", "1", "p2")]));
    let failure = FhirClientRegistry::verify(claim("1985")).unwrap_err();
    assert_eq!(failure.summary(), "rejected: patient.merged (identifiers)");
}

#[test]
fn several_numbers_no_name_a_partial_date_and_codes_that_nobody_knows() {
    let record = json!({ "name": [], "gender": "f", "birthDate": "1985-05",
        "maritalStatus": { "coding": [{ "system": "urn:x:ours", "code": "9" }] },
        "multipleBirthBoolean": true, "deceasedBoolean": true, "identifier": [
            { "system": NID, "value": "1" }, { "system": common::IMIS, "value": "07" },
            { "system": "urn:x:lab", "value": "L1" }] });
    let _stage = registry(json!({}), json!([with(patient("p1", "1"), record)]));
    let person = find("1").unwrap();
    assert_eq!(
        (person.names.len(), person.sex, person.marital_status),
        (0, None, None)
    );
    assert_eq!(person.birth_date, dates::parse("1985-05"));
    assert_eq!(person.status, Some(PersonStatus::Deceased));
    assert_eq!(person.identifiers.len(), 2);
    let told = [
        ("identifiers.scheme", "urn:x:lab"),
        ("sex", "f"),
        ("marital-status", "9"),
    ];
    assert_eq!(
        person.unmapped,
        told.map(|(field, value)| Unmapped::new(field, value))
    );
    assert_eq!(person.extra[1].key, "multiple-birth");
}

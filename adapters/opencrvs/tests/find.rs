//! One person by each number that OpenCRVS knows, in each of its forms.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_opencrvs::OpenCrvs;
use adapter_sdk::http::Method;
use adapter_sdk::model::Agreement;
use adapter_sdk::model::{
    HumanName, Identifier, Person, PersonStatus, RelationRole, Sex, VerifyQuery,
};
use adapter_sdk::{Failure, Find, Verify, dates};
use common::*;
use serde_json::{Value, json};

fn find(scheme: &str, value: &str) -> Result<Person, Failure> {
    OpenCrvs::find(by(scheme, value)).map(|answer| answer.done().unwrap())
}

fn code(failure: &Failure) -> &str {
    failure.code().unwrap_or_default()
}

#[test]
fn a_child_by_registration_number_in_2() {
    let record = document(ONE, "birth", "B1", birth_declaration());
    let stage = stage("2", json!({}))
        .on_post(SEARCH, |_| {
            found(json!([index(ONE, "birth", "B1", json!({}))]))
        })
        .on_get(&format!("/events/events/{ONE}"), move |_| record.clone());
    let child = find("birth-registration-number", "B1").unwrap();
    assert_eq!(child.names, [HumanName::of("Okoro", ["Mina Sol", "Rae"])]);
    assert_eq!(child.sex, Some(Sex::Female));
    assert_eq!(child.birth_date, dates::parse("2024-02-29"));
    assert_eq!(child.identifier("birth-registration-number"), Some("B1"));
    assert_eq!(child.identifier("opencrvs-tracking-id"), Some("TB1"));
    assert_eq!(child.identifier("opencrvs-record-id"), Some(ONE));
    assert_eq!((child.status, child.death_date), (None, None));
    let related: Vec<_> = child
        .related
        .iter()
        .map(|it| (&it.role, it.identifier("national-id")))
        .collect();
    assert_eq!(
        related,
        [
            (&RelationRole::Mother, Some("5550001111")),
            (&RelationRole::Father, Some("5550002222")),
        ]
    );
    let requests = stage.requests();
    assert_eq!(requests.len(), 2);
    let clauses = &requests[0].json()["query"]["clauses"];
    assert_eq!(
        clauses[0],
        json!({
            "eventType": "birth",
            "status": { "type": "anyOf", "terms": ["REGISTERED"] },
            "legalStatuses.REGISTERED.registrationNumber": { "type": "exact", "term": "B1" },
        })
    );
    // The number of a birth stands in the record of a death too.
    assert_eq!(
        clauses[1]["data"],
        json!({ "deceased.brn": { "type": "exact", "term": "B1" } })
    );
    assert_eq!(requests[0].json()["limit"], 10);
    assert_eq!(requests[1].method, Method::Get);
}

#[test]
fn a_child_by_tracking_id_in_1_9_from_the_index_alone() {
    let stage = stage("1.9", json!({})).on_post(SEARCH, |_| {
        found(json!([index(ONE, "birth", "B1", birth_declaration())]))
    });
    let child = find("opencrvs-tracking-id", "TB1").unwrap();
    assert_eq!(child.identifier("birth-registration-number"), Some("B1"));
    assert_eq!(stage.requests().len(), 1);
    let clauses = stage.requests()[0].json()["query"]["clauses"].clone();
    assert_eq!(clauses[1]["eventType"], "death");
    assert_eq!(
        clauses[1]["trackingId"],
        json!({ "type": "exact", "term": "TB1" })
    );
}

#[test]
fn by_record_id_it_is_read_in_2_and_searched_in_1_9() {
    let record = document(ONE, "birth", "B1", birth_declaration());
    let read =
        stage("2", json!({})).on_get(&format!("/events/events/{ONE}"), move |_| record.clone());
    assert!(find("opencrvs-record-id", ONE).is_ok());
    assert_eq!(read.requests().len(), 1);
    // What is no id of OpenCRVS's never becomes part of a path.
    let failure = find("opencrvs-record-id", "..").unwrap_err();
    assert_eq!(code(&failure), "identifier.value");
    assert_eq!(find("opencrvs-record-id", TWO), Err(Failure::not_found()));
    drop(read);
    let searched = stage("1.9", json!({})).on_post(SEARCH, |_| {
        found(json!([index(ONE, "birth", "B1", birth_declaration())]))
    });
    assert!(find("opencrvs-record-id", ONE).is_ok());
    let clauses = searched.requests()[0].json()["query"]["clauses"].clone();
    assert_eq!(clauses[0]["id"], ONE);
}

#[test]
fn somebody_who_was_born_and_died_is_one_person() {
    let birth = json!({
        "child.name": { "firstname": "Ada", "surname": "Bay" },
        "child.gender": "female", "child.dob": "1995-06-30", "child.nid": "5550001111",
    });
    let (one, two) = (
        document(ONE, "birth", "B7", birth),
        document(TWO, "death", "D7", death_declaration()),
    );
    let stage = stage("2", with_child_nid())
        .on_post(SEARCH, |_| {
            found(json!([
                index(ONE, "birth", "B7", json!({})),
                index(TWO, "death", "D7", json!({})),
            ]))
        })
        .on_get(&format!("/events/events/{ONE}"), move |_| one.clone())
        .on_get(&format!("/events/events/{TWO}"), move |_| two.clone());
    let person = find("national-id", "5550001111").unwrap();
    assert_eq!(person.status, Some(PersonStatus::Deceased));
    assert_eq!(person.death_date, dates::parse("2025-03-04"));
    assert_eq!(person.identifier("birth-registration-number"), Some("B7"));
    assert_eq!(person.identifier("death-registration-number"), Some("D7"));
    assert_eq!(person.names, [HumanName::of("Bay", ["Ada"])]);
    // The two disagree of when: what the birth says stands, and the other is told.
    assert_eq!(person.birth_date, dates::parse("1995-06-30"));
    let told = person.unmapped.iter().find(|it| it.field == "birth-date");
    assert_eq!(told.unwrap().value, "1995-07-01");
    assert_eq!(person.related[0].role, RelationRole::Spouse);
    assert_eq!(stage.requests().len(), 3);
}

#[test]
fn graphql_asks_with_variables_and_never_with_values_in_its_text() {
    let evil = "5\") { totalItems } } query { getUser(userId: \"1\") { id } #";
    let births = vec![birth_registration(ONE, "B1", evil)];
    let stage = graphql("1.8", json!({}), births, Vec::new());
    assert!(find("national-id", evil).is_ok());
    for request in stage.requests() {
        let document = request.json()["query"].as_str().unwrap().to_owned();
        assert!(!document.contains("getUser") && !document.contains('5'));
    }
    let variables = stage.requests()[0].json()["variables"].clone();
    assert_eq!(variables["a"]["childIdentifier"], evil);
    assert_eq!(variables["b"]["deceasedIdentifier"], evil);
    assert_eq!(variables["count"], 10);
    let statuses = json!(["REGISTERED", "CERTIFIED", "ISSUED", "CORRECTION_REQUESTED"]);
    assert_eq!(variables["a"]["registrationStatuses"], statuses);
}

#[test]
fn graphql_names_the_middle_name_only_where_the_schema_has_it() {
    for (version, has) in [("1.3", false), ("1.4", false), ("1.5", true), ("1.8", true)] {
        let stage = graphql(
            version,
            json!({}),
            vec![birth_registration(ONE, "B1", "1")],
            Vec::new(),
        );
        let child = find("birth-registration-number", "B1").unwrap();
        assert_eq!(child.birth_date, dates::parse("2024-02-29"));
        assert_eq!(child.names[0].language.as_deref(), Some("en"));
        let document = stage.requests()[1].json()["query"].to_string();
        assert_eq!(document.contains("middleName"), has, "{version}");
        assert_eq!(
            stage.requests()[1].json()["variables"],
            json!({ "id": ONE })
        );
    }
}

#[test]
fn graphql_finds_words_of_numbers_and_others_are_left_out() {
    let births = vec![
        birth_registration(ONE, "2024-B-1", "1"),
        birth_registration(TWO, "2024-B-2", "2"),
    ];
    let _stage = graphql("1.6", json!({}), births, Vec::new());
    let child = find("birth-registration-number", "2024-B-2").unwrap();
    assert_eq!(child.identifier("opencrvs-record-id"), Some(TWO));
    let nobody = find("birth-registration-number", "2024-B-3");
    assert_eq!(nobody, Err(Failure::not_found()));
}

#[test]
fn a_record_that_repeats_another_is_told_as_merged() {
    let mut record = document(ONE, "birth", "B1", birth_declaration());
    let mut duplicate = action(
        "MARK_AS_DUPLICATE",
        "a8",
        "2024-05-01T08:00:00.000Z",
        json!({}),
    );
    duplicate["content"] = json!({ "duplicateOf": TWO });
    let archive = action("ARCHIVE", "a9", "2024-05-02T08:00:00.000Z", json!({}));
    let actions = record["actions"].as_array_mut().unwrap();
    actions.extend([duplicate, archive.clone()]);
    let path = format!("/events/events/{ONE}");
    let merged = stage("2", json!({})).on_get(&path, move |_| record.clone());
    let person = find("opencrvs-record-id", ONE).unwrap();
    assert_eq!(person.status, Some(PersonStatus::Merged));
    assert_eq!(
        person.replaced_by,
        [Identifier::new("opencrvs-record-id", TWO)]
    );
    drop(merged);
    let mut record = document(ONE, "birth", "B1", birth_declaration());
    record["actions"].as_array_mut().unwrap().push(archive);
    let archived = stage("2", json!({})).on_get(&path, move |_| record.clone());
    let person = find("opencrvs-record-id", ONE).unwrap();
    assert_eq!(person.status, Some(PersonStatus::Cancelled));
    drop(archived);
    // A declaration that nobody registered is nobody.
    let mut record = document(ONE, "birth", "B1", birth_declaration());
    record["actions"].as_array_mut().unwrap().pop();
    let _declared = stage("2", json!({})).on_get(&path, move |_| record.clone());
    assert_eq!(find("opencrvs-record-id", ONE), Err(Failure::not_found()));
}

#[test]
fn a_claim_is_compared_with_who_is_found() {
    let deaths = vec![death_registration(ONE, "D1", "5550001111")];
    let _stage = graphql("1.8", json!({}), Vec::new(), deaths);
    let claimed = Person {
        names: vec![HumanName::of("okoro", ["Ada"])],
        birth_date: dates::parse("1996"),
        ..Person::default()
    };
    let query = VerifyQuery {
        identifiers: vec![Identifier::new("national-id", "5550001111")],
        claimed,
    };
    let verified = OpenCrvs::verify(query).unwrap().done().unwrap();
    let of = |field: &str| {
        let found = verified.attributes.iter().find(|it| it.field == field);
        found.unwrap().agreement
    };
    assert_eq!(of("name.family"), Agreement::Match);
    assert_eq!(of("birth-date"), Agreement::Mismatch);
    assert_eq!(verified.overall, Agreement::Mismatch);
}

#[test]
fn a_path_before_the_events_api_is_a_setting() {
    let stage = stage("2", json!({ "events_path": "/api/events" }))
        .on_post("/api/events/events/search", |_| {
            found(Value::Array(Vec::new()))
        });
    assert_eq!(find("national-id", "1"), Err(Failure::not_found()));
    assert_eq!(stage.requests().len(), 1);
}

//! What OpenCRVS has no answer for, or refuses, or answers wrongly.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_opencrvs::OpenCrvs;
use adapter_sdk::model::{FindQuery, Identifier, Person};
use adapter_sdk::{Failure, Find, testing};
use common::*;
use serde_json::json;

fn find(scheme: &str, value: &str) -> Result<Person, Failure> {
    OpenCrvs::find(by(scheme, value)).map(|answer| answer.done().unwrap())
}

fn code(failure: &Failure) -> &str {
    failure.code().unwrap_or_default()
}

#[test]
fn a_record_without_the_number_is_no_answer_of_the_events_api() {
    let _stage = stage("1.9", json!({})).on_post(SEARCH, |_| {
        found(json!([index(ONE, "birth", "B2", birth_declaration())]))
    });
    let failure = find("birth-registration-number", "B1").unwrap_err();
    assert_eq!(failure.summary(), "unreadable: answer.mismatch");
}

#[test]
fn another_record_than_the_one_that_was_read_is_no_answer() {
    let other = document(TWO, "birth", "B1", birth_declaration());
    let _stage = stage("2", json!({}))
        .on_post(SEARCH, |_| {
            found(json!([index(ONE, "birth", "B1", json!({}))]))
        })
        .on_get(&format!("/events/events/{ONE}"), move |_| other.clone());
    let failure = find("birth-registration-number", "B1").unwrap_err();
    assert_eq!(failure.summary(), "unreadable: answer.mismatch");
}

#[test]
fn several_are_ambiguous_and_nobody_is_nobody() {
    let two = || {
        let declaration = json!({ "deceased.nid": "1", "deceased.name": { "surname": "Bay" } });
        found(json!([
            index(ONE, "death", "D1", declaration.clone()),
            index(TWO, "death", "D2", declaration),
        ]))
    };
    let several = stage("1.9", json!({})).on_post(SEARCH, move |_| two());
    assert_eq!(
        code(&find("national-id", "1").unwrap_err()),
        "answer.several"
    );
    drop(several);
    let many = stage("1.9", json!({ "max_records": 1 })).on_post(SEARCH, |request| {
        assert_eq!(request.json()["limit"], 1);
        let one = index(ONE, "death", "D1", json!({ "deceased.nid": "1" }));
        json!({ "results": [one], "total": 7 })
    });
    assert_eq!(
        code(&find("national-id", "1").unwrap_err()),
        "answer.too-many"
    );
    drop(many);
    let nobody = stage("1.9", json!({})).on_post(SEARCH, |_| found(json!([])));
    assert_eq!(find("national-id", "1"), Err(Failure::not_found()));
    drop(nobody);
    // More than were asked for is not believed.
    let _more = stage("1.9", json!({ "max_records": 1 })).on_post(SEARCH, move |_| two());
    assert_eq!(
        code(&find("national-id", "1").unwrap_err()),
        "answer.results"
    );
}

#[test]
fn a_number_that_it_cannot_be_asked_for_is_refused() {
    let reference = stage("1.8", json!({}));
    for scheme in ["passport", "shoe-size"] {
        let failure = find(scheme, "1").unwrap_err();
        assert_eq!(
            failure.summary(),
            "rejected: identifier.scheme (identifiers)"
        );
    }
    let failure = find("national-id", " ").unwrap_err();
    assert_eq!(code(&failure), "identifier.value");
    let none = FindQuery {
        identifiers: Vec::new(),
    };
    assert_eq!(code(&OpenCrvs::find(none).unwrap_err()), "proof");
    assert_eq!(reference.requests().len(), 0);
    drop(reference);
    // The second of two is asked for, where the first cannot be.
    let stage = stage("2", json!({})).on_post(SEARCH, |_| found(json!([])));
    let query = FindQuery {
        identifiers: vec![
            Identifier::new("shoe-size", "41"),
            Identifier::new("passport", "P1"),
        ],
    };
    assert_eq!(OpenCrvs::find(query), Err(Failure::not_found()));
    let clauses = stage.requests()[0].json()["query"]["clauses"].clone();
    let term = json!({ "deceased.passport": { "type": "exact", "term": "P1" } });
    assert_eq!(clauses[0]["data"], term);
}

#[test]
fn what_opencrvs_refuses_is_told_for_what_it_is() {
    let graphql = |status: u16, code: &str| {
        testing::json(
            status,
            json!({ "data": null, "errors": [{
                "message": "about Mina Okoro", "extensions": { "code": code },
            }] }),
        )
    };
    for (answer, expected) in [
        (graphql(200, "UNAUTHENTICATED"), "denied: UNAUTHENTICATED"),
        (
            graphql(429, "RATE_LIMIT_EXCEEDED"),
            "unavailable: RATE_LIMIT_EXCEEDED",
        ),
        (
            graphql(400, "GRAPHQL_VALIDATION_FAILED"),
            "misconfigured: GRAPHQL_VALIDATION_FAILED (settings.version)",
        ),
        (
            graphql(200, "INTERNAL_SERVER_ERROR"),
            "unavailable: INTERNAL_SERVER_ERROR",
        ),
        (graphql(200, "of Mina Okoro"), "other: graphql.error"),
        (testing::status(401, &[]), "denied: http.401"),
        (
            testing::status(404, &[]),
            "misconfigured: http.404 (settings.graphql_path)",
        ),
        (testing::status(503, &[]), "unavailable: http.503"),
        (testing::json(200, json!({})), "unreadable: answer.data"),
        (
            testing::json(200, json!({ "data": { "a": 1 } })),
            "unreadable: answer.results",
        ),
    ] {
        let _stage = stage("1.7", json!({})).on_post(GRAPHQL, move |_| answer.clone());
        let failure = find("national-id", "1").unwrap_err();
        assert_eq!(failure.summary(), expected);
        let said = failure.refusal().and_then(|it| it.message.clone());
        assert!(!said.unwrap_or_default().contains("Mina"));
    }
    for (answer, expected) in [
        (testing::status(401, &[]), "denied: http.401"),
        (
            testing::status(404, &[]),
            "misconfigured: http.404 (settings.events_path)",
        ),
        (testing::status(400, &[]), "rejected: http.400"),
        (testing::json(200, json!([])), "unreadable: answer.results"),
        (
            testing::json(200, json!({ "results": [1] })),
            "unreadable: answer.results",
        ),
        (
            testing::json(
                200,
                json!({ "results": [{ "id": ONE, "type": "marriage" }] }),
            ),
            "unreadable: answer.event-type",
        ),
    ] {
        let _stage = stage("1.9", json!({})).on_post(SEARCH, move |_| answer.clone());
        let failure = find("national-id", "1").unwrap_err();
        assert_eq!(failure.summary(), expected);
    }
}

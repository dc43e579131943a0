//! What became of a write whose answer was lost.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::http::Request;
use adapter_sdk::model::{
    CreateRequest, CreateSubject, Fate, Identifier, LinkChange, Outcome, Person, TraceQuery,
    WriteRequest,
};
use adapter_sdk::{Failure, Trace, dates, testing};
use common::{IMIS, SEARCH, bundle, form, link, patient, registry, stage, update, with};
use serde_json::{Value, json};

const LONG_AGO: &str = "2020-01-01T00:00:00Z";

fn trace(request: WriteRequest, attempted_at: &str) -> Result<Fate, Failure> {
    FhirClientRegistry::trace(TraceQuery {
        operation_key: "op-1".to_owned(),
        request,
        attempted_at: attempted_at.to_owned(),
        state: None,
        answer: None,
    })
}

fn create() -> WriteRequest {
    WriteRequest::Create(CreateRequest {
        subject: CreateSubject::Person(Person {
            identifiers: vec![Identifier::new("national-id", "1")],
            ..Person::default()
        }),
        extra: Vec::new(),
    })
}

fn tagged(key: &str) -> Value {
    let tag = json!([{ "system": "urn:openimis:registry-gateway:operation", "code": key }]);
    with(
        patient("p1", "1"),
        json!({ "meta": { "versionId": "3", "tag": tag } }),
    )
}

fn reference(fate: Result<Fate, Failure>) -> Option<String> {
    match fate.unwrap() {
        Fate::Applied(receipt) => receipt.reference,
        other => panic!("{other:?}"),
    }
}

fn outcome(fate: Result<Fate, Failure>) -> Outcome {
    match fate.unwrap() {
        Fate::Applied(receipt) => receipt.outcome,
        other => panic!("{other:?}"),
    }
}

fn is_by_tag(request: &Request) -> bool {
    form(request).starts_with("_tag=")
}

#[test]
fn a_create_is_found_by_its_tag_or_its_number() {
    let _stage = stage(json!({})).on_post(SEARCH, |request| match is_by_tag(request) {
        true => bundle(&json!([tagged("op-1")])),
        false => bundle(&json!([])),
    });
    assert_eq!(
        reference(trace(create(), LONG_AGO)).as_deref(),
        Some("Patient/p1")
    );
    // A server that knows no tags answers with whom it likes.
    let _stage = stage(json!({})).on_post(SEARCH, |request| match is_by_tag(request) {
        true => bundle(&json!([tagged("op-9")])),
        false => bundle(&json!([patient("p2", "1")])),
    });
    assert_eq!(
        reference(trace(create(), LONG_AGO)).as_deref(),
        Some("Patient/p2")
    );
    let stage = registry(json!({ "operation_tag": "" }), json!([patient("p3", "1")]));
    assert_eq!(
        reference(trace(create(), LONG_AGO)).as_deref(),
        Some("Patient/p3")
    );
    assert_eq!(stage.requests().len(), 1);
    // It is there, and nobody can say by whom.
    assert_eq!(outcome(trace(create(), LONG_AGO)), Outcome::Unchanged);
}

#[test]
fn what_is_nowhere_is_absent_once_it_can_no_longer_arrive() {
    let _stage = registry(json!({}), json!([]));
    assert_eq!(trace(create(), LONG_AGO), Ok(Fate::Absent));
    let failure = trace(create(), &dates::now()).unwrap_err();
    assert_eq!(failure.summary(), "unavailable: trace.too-early");
    assert_eq!(trace(create(), "yesterday"), Ok(Fate::Unknown));
    let _stage = registry(json!({}), json!([patient("p1", "1"), patient("p2", "1")]));
    assert_eq!(trace(create(), LONG_AGO), Ok(Fate::Unknown));
    let _stage = stage(json!({})).on_post(SEARCH, |_| testing::status(503, &[]));
    assert_eq!(
        trace(create(), LONG_AGO).unwrap_err().summary(),
        "unavailable: http.503"
    );
}

#[test]
fn an_update_is_found_by_its_tag_alone() {
    let mut request = update(Person::default(), &["sex"]);
    request.version = Some("3".to_owned());
    let asked = WriteRequest::Update(request.clone());
    let _stage = registry(json!({}), json!([tagged("op-1")]));
    assert_eq!(
        reference(trace(asked.clone(), LONG_AGO)).as_deref(),
        Some("Patient/p1")
    );
    let _stage = registry(json!({}), json!([tagged("op-0")]));
    assert_eq!(trace(asked, LONG_AGO), Ok(Fate::Absent));
    // Somebody wrote since: before or after ours, nobody can tell.
    request.version = Some("2".to_owned());
    assert_eq!(
        trace(WriteRequest::Update(request), LONG_AGO),
        Ok(Fate::Unknown)
    );
}

#[test]
fn a_link_stands_or_it_does_not() {
    let add = || WriteRequest::Link(link(LinkChange::Add));
    let _stage = registry(json!({}), json!([patient("p1", "1")]));
    assert_eq!(trace(add(), LONG_AGO), Ok(Fate::Absent));
    let removed = WriteRequest::Link(link(LinkChange::Remove));
    assert_eq!(
        reference(trace(removed, LONG_AGO)).as_deref(),
        Some("Patient/p1")
    );
    let both = json!({ "identifier": [{ "system": "https://example.org/nid", "value": "1" },
        { "system": IMIS, "value": "070707070" }] });
    let _stage = registry(json!({}), json!([with(patient("p1", "1"), both)]));
    assert_eq!(
        reference(trace(add(), LONG_AGO)).as_deref(),
        Some("Patient/p1")
    );
    let _stage = registry(json!({}), json!([]));
    assert_eq!(trace(add(), LONG_AGO), Ok(Fate::Unknown));
}

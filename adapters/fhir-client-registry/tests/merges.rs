//! What merges and deaths let through, and what they do not.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::http::Method;
use adapter_sdk::model::{Identifier, LinkChange, Outcome, Person, PersonStatus};
use adapter_sdk::testing::Stage;
use adapter_sdk::{Failure, Link, Update};
use common::with;
use common::{NID, SEARCH, bundle, created, form, link, patient, receipt, registry, stage, update};
use serde_json::{Value, json};

const MASK: [&str; 2] = ["status", "replaced-by"];

/// A registry that answers for the national ids 1 and 2, and takes what is put.
fn of_two(one: Value, two: Value) -> Stage {
    stage(json!({}))
        .on_post(SEARCH, move |request| {
            let is_two = form(request).contains("%7C2&");
            bundle(if is_two { &two } else { &one })
        })
        .on(Method::Put, "/Patient/p1", |_| created(200, &[]))
        .on(Method::Put, "/Patient/p2", |_| created(200, &[]))
}

fn replaced(id: &str, nid: &str, by: &str) -> Value {
    let link =
        json!([{ "other": { "reference": format!("Patient/{by}") }, "type": "replaced-by" }]);
    with(patient(id, nid), json!({ "active": false, "link": link }))
}

fn both_numbers() -> Value {
    let numbers = json!([{ "system": NID, "value": "2" }, { "system": NID, "value": "1" }]);
    with(patient("p2", "2"), json!({ "identifier": numbers }))
}

/// Merges 1 into 2.
fn merge() -> Result<adapter_sdk::model::WriteAnswer, Failure> {
    let person = Person {
        status: Some(PersonStatus::Merged),
        replaced_by: vec![Identifier::new("national-id", "2")],
        ..Person::default()
    };
    FhirClientRegistry::update(update(person, &MASK))
}

fn nothing_was_put(stage: &Stage) -> bool {
    stage.requests().iter().all(|it| it.method != Method::Put)
}

#[test]
fn a_merge_never_buries_the_record_that_stands() {
    // Both numbers are on one record.
    let stage = of_two(json!([both_numbers()]), json!([both_numbers()]));
    let failure = merge().unwrap_err();
    assert_eq!(failure.summary(), "rejected: merge.survivor (replaced-by)");
    assert!(nothing_was_put(&stage));
    drop(stage);
    // The merge was done before, and the survivor took the number over.
    let one = json!([replaced("p1", "1", "p2"), both_numbers()]);
    let stage = of_two(one, json!([both_numbers()]));
    let told = receipt(merge());
    assert_eq!(
        (told.outcome, told.reference.as_deref()),
        (Outcome::Unchanged, Some("Patient/p1"))
    );
    assert!(nothing_was_put(&stage));
    drop(stage);
    // Done before, and each has its own number.
    let stage = of_two(
        json!([replaced("p1", "1", "p2")]),
        json!([patient("p2", "2")]),
    );
    assert_eq!(receipt(merge()).outcome, Outcome::Unchanged);
    assert!(nothing_was_put(&stage));
    drop(stage);
    // The survivor is replaced itself: a loop of two would be nobody.
    let stage = of_two(
        json!([patient("p1", "1")]),
        json!([replaced("p2", "2", "p1")]),
    );
    let failure = merge().unwrap_err();
    assert_eq!(failure.summary(), "rejected: merge.survivor (replaced-by)");
    assert!(nothing_was_put(&stage));
    drop(stage);
    // Another took its place already.
    let stage = of_two(
        json!([replaced("p1", "1", "p3")]),
        json!([patient("p2", "2")]),
    );
    let failure = merge().unwrap_err();
    assert_eq!(failure.summary(), "rejected: patient.merged (identifiers)");
    assert!(nothing_was_put(&stage));
}

#[test]
fn a_merge_keeps_the_other_links() {
    let kin = json!({ "other": { "reference": "RelatedPerson/r1" }, "type": "seealso" });
    let one = with(patient("p1", "1"), json!({ "link": [kin] }));
    let stage = of_two(json!([one]), json!([patient("p2", "2")]));
    assert_eq!(receipt(merge()).outcome, Outcome::Applied);
    let sent = stage.requests().pop().unwrap().json();
    let by = json!({ "other": { "reference": "Patient/p2" }, "type": "replaced-by" });
    assert_eq!(sent["link"], json!([kin, by]));
}

#[test]
fn nothing_is_written_into_a_replaced_record() {
    let stage = of_two(json!([replaced("p1", "1", "p2")]), json!([]));
    let dead = Person {
        status: Some(PersonStatus::Deceased),
        ..Person::default()
    };
    for failure in [
        FhirClientRegistry::update(update(Person::default(), &["addresses"])).unwrap_err(),
        FhirClientRegistry::update(update(dead, &["status"])).unwrap_err(),
        FhirClientRegistry::link(link(LinkChange::Add)).unwrap_err(),
        FhirClientRegistry::link(link(LinkChange::Remove)).unwrap_err(),
    ] {
        assert_eq!(failure.summary(), "rejected: patient.merged (identifiers)");
    }
    assert!(nothing_was_put(&stage));
}

fn alive() -> Person {
    Person {
        status: Some(PersonStatus::Active),
        ..Person::default()
    }
}

#[test]
fn a_death_or_a_merge_is_undone_by_who_has_seen_it_alone() {
    let dead = with(patient("p1", "1"), json!({ "deceasedBoolean": true }));
    for record in [dead, replaced("p1", "1", "p2")] {
        let stage = of_two(json!([record]), json!([]));
        let failure = FhirClientRegistry::update(update(alive(), &MASK)).unwrap_err();
        assert_eq!(failure.summary(), "conflict: version.missing (version)");
        assert!(nothing_was_put(&stage));
        let mut seen = update(alive(), &MASK);
        seen.version = Some("3".to_owned());
        assert_eq!(receipt(FhirClientRegistry::update(seen)).unwritten, [""; 0]);
        let sent = stage.requests().pop().unwrap().json();
        assert_eq!(sent["active"], json!(true));
        assert_eq!(
            (sent.get("link"), sent.get("deceasedBoolean")),
            (None, None)
        );
    }
}

#[test]
fn a_day_of_death_that_nobody_knows_makes_nobody_alive() {
    for death in [
        json!({ "deceasedBoolean": true }),
        json!({ "deceasedDateTime": "2025-01-01" }),
    ] {
        let stage = of_two(json!([with(patient("p1", "1"), death)]), json!([]));
        let request = update(Person::default(), &["death-date"]);
        receipt(FhirClientRegistry::update(request));
        let sent = stage.requests().pop().unwrap().json();
        assert_eq!(sent["deceasedBoolean"], json!(true));
        assert_eq!(sent.get("deceasedDateTime"), None);
    }
    // Of whom no death is known none is told.
    let stage = of_two(json!([patient("p1", "1")]), json!([]));
    receipt(FhirClientRegistry::update(update(
        Person::default(),
        &["death-date"],
    )));
    assert_eq!(
        stage
            .requests()
            .pop()
            .unwrap()
            .json()
            .get("deceasedBoolean"),
        None
    );
}

#[test]
fn a_replacement_without_a_merge_is_told_to_be_unwritten() {
    let _stage =
        registry(json!({}), json!([patient("p1", "1")]))
            .on(Method::Put, "/Patient/p1", |_| created(200, &[]));
    let person = Person {
        replaced_by: vec![Identifier::new("national-id", "2")],
        ..alive()
    };
    let told = receipt(FhirClientRegistry::update(update(person, &MASK)));
    assert_eq!(told.unwritten, ["replaced-by"]);
}

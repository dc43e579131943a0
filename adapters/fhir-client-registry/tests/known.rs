//! Creates of whom the registry knows already, and what OpenCR does not do.
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
use adapter_sdk::model::{
    Identifier, LinkChange, Outcome, Person, PersonStatus, TraceQuery, WriteRequest,
};
use adapter_sdk::testing::{self, Stage};
use adapter_sdk::{Link, Trace, Update};
use common::{IMIS, NID, SEARCH, bundle, create, created, find, form, link, patient, receipt};
use common::{registry, sita, stage, update, with};
use serde_json::{Value, json};

/// openIMIS sends its own number first, and the family's among them.
fn of_openimis() -> Person {
    let mut person = sita();
    person.identifiers = vec![
        Identifier::new("household-id", "H1"),
        Identifier::new("openimis", "07"),
        Identifier::new("national-id", "1"),
    ];
    person
}

#[test]
fn a_create_is_conditional_on_every_number_of_the_person() {
    let known = stage(json!({})).on_post("/Patient", |_| testing::json(200, patient("p1", "1")));
    assert_eq!(receipt(create(of_openimis())).outcome, Outcome::Unchanged);
    let condition = format!("identifier={IMIS}|07,{NID}|1");
    let sent = &known.requests()[0];
    assert_eq!(sent.header("if-none-exist"), Some(condition.as_str()));
    drop(known);
    // Another member of the family is not the person.
    let _stage =
        stage(json!({})).on_post("/Patient", |_| testing::json(200, patient("p2", "another")));
    let failure = create(of_openimis()).unwrap_err();
    assert_eq!(failure.summary(), "unreadable: answer.mismatch");
    // A number of the family alone is nobody's.
    let mut nobody = of_openimis();
    nobody.identifiers.truncate(1);
    let failure = create(nobody).unwrap_err();
    assert_eq!(
        failure.summary(),
        "rejected: identifier.missing (identifiers)"
    );
}

fn by_number(more: Value, seven: Value, one: Value) -> Stage {
    stage(more).on_post(SEARCH, move |request| {
        let is_seven = form(request).contains("%7C07&");
        bundle(if is_seven { &seven } else { &one })
    })
}

fn numbered(id: &str, system: &str, value: &str) -> Value {
    let numbers = json!([{ "system": system, "value": value }]);
    with(patient(id, "1"), json!({ "identifier": numbers }))
}

#[test]
fn the_other_forms_look_for_every_number_first() {
    let feed = json!({ "writes": "feed" });
    let one = json!([patient("p1", "1")]);
    let stage = by_number(feed.clone(), json!([]), one.clone());
    let told = receipt(create(of_openimis()));
    assert_eq!(
        (told.outcome, told.reference.as_deref()),
        (Outcome::Unchanged, Some("Patient/p1"))
    );
    assert_eq!(stage.requests().len(), 2);
    drop(stage);
    // Two records, of two people.
    let _stage = by_number(feed.clone(), json!([numbered("p7", IMIS, "07")]), one);
    let failure = create(of_openimis()).unwrap_err();
    assert_eq!(failure.summary(), "ambiguous: answer.several (identifiers)");
    // Whose only record is a replaced one is not known by it.
    let link = json!([{ "other": { "reference": "Patient/p9" }, "type": "replaced-by" }]);
    let replaced = with(patient("p1", "1"), json!({ "link": link }));
    let _stage = by_number(feed, json!([]), json!([replaced]));
    let failure = create(of_openimis()).unwrap_err();
    assert_eq!(failure.summary(), "rejected: patient.merged (identifiers)");
}

#[test]
fn a_create_is_traced_by_every_number() {
    let _stage = by_number(
        json!({ "operation_tag": "" }),
        json!([]),
        json!([patient("p1", "1")]),
    );
    let fate = FhirClientRegistry::trace(TraceQuery {
        operation_key: "op-1".to_owned(),
        request: WriteRequest::Create(adapter_sdk::model::CreateRequest {
            subject: adapter_sdk::model::CreateSubject::Person(of_openimis()),
            extra: Vec::new(),
        }),
        attempted_at: "2020-01-01T00:00:00Z".to_owned(),
        state: None,
        answer: None,
    });
    let adapter_sdk::model::Fate::Applied(told) = fate.unwrap() else {
        panic!("it is there");
    };
    assert_eq!(told.reference.as_deref(), Some("Patient/p1"));
}

fn opencr() -> Value {
    json!({ "server": "opencr", "resource_id_scheme": "cr-id" })
}

#[test]
fn opencr_is_asked_before_it_overwrites() {
    let stage = stage(opencr()).on_get("/Patient", |_| bundle(&json!([patient("p1", "1")])));
    assert_eq!(receipt(create(sita())).outcome, Outcome::Unchanged);
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn opencr_tells_a_reference_in_the_place_of_an_id() {
    let told = |headers: &'static [(&'static str, &'static str)]| {
        let _stage = stage(opencr())
            .on_get("/Patient", |_| bundle(&json!([])))
            .on_post("/Patient", move |_| {
                let body = with(patient("x", "1"), json!({ "id": "Patient/a-1" }));
                let mut answer = testing::json(201, body);
                let headers = headers.iter();
                answer
                    .headers
                    .extend(headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
                answer
            });
        receipt(create(sita()))
    };
    for headers in [&[][..], &[("location", "Patient/a-1")]] {
        let told = told(headers);
        assert_eq!(told.reference.as_deref(), Some("Patient/a-1"));
        assert_eq!(told.identifiers, [Identifier::new("cr-id", "a-1")]);
    }
}

#[test]
fn what_opencr_does_not_do_is_not_sent() {
    let both = json!([{ "system": NID, "value": "1" }, { "system": IMIS, "value": "070707070" }]);
    let record = with(
        patient("p1", "1"),
        json!({ "identifier": both, "telecom": [{ "system": "phone", "value": "1" }] }),
    );
    let stage = stage(opencr())
        .on_get("/Patient", move |_| bundle(&json!([record])))
        .on(Method::Put, "/Patient/p1", |_| created(200, &[]));
    let failure = FhirClientRegistry::link(link(LinkChange::Remove)).unwrap_err();
    assert_eq!(failure.summary(), "unsupported: opencr.link (change)");
    let merged = Person {
        status: Some(PersonStatus::Merged),
        replaced_by: vec![Identifier::new("national-id", "1")],
        ..Person::default()
    };
    let merged = update(merged, &["status", "replaced-by"]);
    let failure = FhirClientRegistry::update(merged).unwrap_err();
    assert_eq!(failure.summary(), "unsupported: opencr.merge (status)");
    // Cleared, shortened, or a part of a name gone: it keeps what it has.
    let mut shorter = sita();
    shorter.names[0].given.clear();
    for (person, mask) in [
        (Person::default(), "contacts"),
        (Person::default(), "birth-date"),
        (sita(), "identifiers"),
        (shorter, "names"),
    ] {
        let failure = FhirClientRegistry::update(update(person, &[mask])).unwrap_err();
        assert_eq!(
            failure.summary(),
            "unsupported: opencr.clears (mask)",
            "{mask}"
        );
    }
    assert!(stage.requests().iter().all(|it| it.method == Method::Get));
    // What replaces and adds is sent.
    receipt(FhirClientRegistry::update(update(sita(), &["birth-date"])));
    assert_eq!(
        stage.requests().pop().unwrap().json()["birthDate"],
        "1985-05"
    );
}

#[test]
fn a_registry_of_rest_clears_what_is_empty() {
    let record = with(patient("p1", "1"), json!({ "telecom": [{ "value": "1" }] }));
    let stage =
        registry(json!({}), json!([record])).on(Method::Put, "/Patient/p1", |_| created(200, &[]));
    receipt(FhirClientRegistry::update(update(
        Person::default(),
        &["contacts"],
    )));
    assert_eq!(stage.requests().pop().unwrap().json().get("telecom"), None);
}

#[test]
fn whom_opencr_knows_by_one_number_is_found() {
    let settings = json!({ "server": "opencr", "lookup": "pixm" });
    let own = json!([{ "name": "targetIdentifier",
        "valueIdentifier": { "system": NID, "value": "1" } }]);
    let foreign = json!([{ "name": "targetIdentifier",
        "valueIdentifier": { "system": "urn:x:lab", "value": "9" } }]);
    for parameter in [own, foreign] {
        let answer = json!({ "resourceType": "Parameters", "parameter": parameter });
        let _stage = stage(settings.clone()).on_get("/Patient/$ihe-pix", move |_| answer.clone());
        assert_eq!(
            find("1").unwrap().identifiers,
            [Identifier::new("national-id", "1")]
        );
    }
    let nobody = json!({ "resourceType": "Parameters", "parameter": [] });
    let _stage = stage(settings).on_get("/Patient/$ihe-pix", move |_| nobody.clone());
    assert_eq!(find("1").unwrap_err().summary(), "not-found");
}

//! Links, and what is written by the PIXm feed, by messages, and to OpenCR.
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
use adapter_sdk::model::{Identifier, LinkChange, Outcome};
use adapter_sdk::{Link, testing};
use common::{IMIS, NID, create, created, link, patient, receipt, registry, sita, stage, with};
use serde_json::{Value, json};

#[test]
fn a_link_is_one_more_identifier_of_the_patient() {
    let stage =
        registry(json!({}), json!([patient("p1", "1")])).on(Method::Put, "/Patient/p1", |_| {
            created(200, &[("etag", "W/\"4\"")])
        });
    let told = receipt(FhirClientRegistry::link(link(LinkChange::Add)));
    assert_eq!(told.outcome, Outcome::Applied);
    let sent = stage.requests().pop().unwrap();
    assert_eq!(sent.header("if-match"), Some("W/\"3\""));
    let own = json!({ "system": NID, "value": "1" });
    let linked = json!({ "system": IMIS, "value": "070707070" });
    assert_eq!(sent.json()["identifier"], json!([own, linked]));
    drop(stage);

    let both = with(patient("p1", "1"), json!({ "identifier": [own, linked] }));
    let stage =
        registry(json!({}), json!([both])).on(Method::Put, "/Patient/p1", |_| created(200, &[]));
    let told = receipt(FhirClientRegistry::link(link(LinkChange::Add)));
    assert_eq!(
        (told.outcome, stage.requests().len()),
        (Outcome::Unchanged, 1)
    );
    receipt(FhirClientRegistry::link(link(LinkChange::Remove)));
    assert_eq!(
        stage.requests().pop().unwrap().json()["identifier"],
        json!([own])
    );
    let mut unknown = link(LinkChange::Add);
    unknown.linked.scheme = "passport".to_owned();
    let failure = FhirClientRegistry::link(unknown).unwrap_err();
    assert_eq!(failure.summary(), "unsupported: identifier.scheme (linked)");
}

#[test]
fn the_feed_puts_by_the_number() {
    let stage =
        registry(json!({ "writes": "feed" }), json!([])).on(Method::Put, "/Patient", |_| {
            created(201, &[("location", "Patient/p7")])
        });
    receipt(create(sita()));
    let sent = stage.requests().pop().unwrap();
    assert_eq!(sent.query, [("identifier".to_owned(), format!("{NID}|1"))]);
    drop(stage);
    // It would overwrite whoever has the number.
    let stage = registry(json!({ "writes": "feed" }), json!([patient("p1", "1")]));
    assert_eq!(receipt(create(sita())).outcome, Outcome::Unchanged);
    assert_eq!(stage.requests().len(), 1);
}

fn answered(code: &str) -> Value {
    json!({ "resourceType": "Bundle", "type": "message", "entry": [{ "resource": {
        "resourceType": "MessageHeader", "eventUri": "urn:ihe:iti:pmir:2019:patient-feed-response",
        "response": { "identifier": "op-1", "code": code } } }] })
}

#[test]
fn a_message_carries_the_patient_and_is_answered() {
    let settings = json!({ "writes": "message", "message_source": "urn:oid:1.2.3",
        "message_destination": "urn:oid:4.5.6" });
    let stage =
        registry(settings.clone(), json!([])).on_post("/$process-message", |_| answered("ok"));
    let told = receipt(create(sita()));
    assert_eq!(
        (told.outcome, told.reference.as_deref()),
        (Outcome::Applied, Some("op-1"))
    );
    let sent = stage.requests().pop().unwrap().json();
    assert_eq!(
        (&sent["resourceType"], &sent["type"]),
        (&json!("Bundle"), &json!("message"))
    );
    let header = &sent["entry"][0]["resource"];
    assert_eq!(header["eventUri"], "urn:ihe:iti:pmir:2019:patient-feed");
    assert_eq!(header["source"]["endpoint"], "urn:oid:1.2.3");
    assert_eq!(header["destination"][0]["endpoint"], "urn:oid:4.5.6");
    // What the header points to is there.
    assert_eq!(header["focus"][0]["reference"], sent["entry"][1]["fullUrl"]);
    let entry = &sent["entry"][1]["resource"]["entry"][0];
    assert_eq!(
        entry["request"],
        json!({ "method": "POST", "url": "Patient" })
    );
    assert_eq!(entry["resource"]["birthDate"], "1985-05");
    drop(stage);

    for (answer, summary) in [
        (
            answered("transient-error"),
            "unavailable: message.transient-error",
        ),
        (answered("fatal-error"), "rejected: message.fatal-error"),
        (
            with(
                answered("ok"),
                json!({ "entry": [{ "resource": {
                "resourceType": "MessageHeader",
                "eventUri": "urn:ihe:iti:pmir:2019:patient-feed-response",
                "response": { "identifier": "another", "code": "ok" } } }] }),
            ),
            "unreadable: answer.mismatch",
        ),
    ] {
        let _stage = registry(settings.clone(), json!([]))
            .on_post("/$process-message", move |_| answer.clone());
        assert_eq!(create(sita()).unwrap_err().summary(), summary);
    }
    let _stage =
        registry(settings, json!([])).on_post("/$process-message", |_| testing::status(202, &[]));
    let told = receipt(create(sita()));
    assert_eq!(told.outcome, Outcome::Other("acknowledged".to_owned()));
}

#[test]
fn messages_need_to_say_who_we_are() {
    let _stage = stage(json!({ "writes": "message" }));
    let failure = create(sita()).unwrap_err();
    assert_eq!(
        failure.summary(),
        "misconfigured: settings.invalid (settings.message_source)"
    );
}

#[test]
fn opencr_tells_the_golden_record_in_a_header_of_its_own() {
    let settings = json!({ "server": "opencr", "client_id": "openimis", "golden_scheme": "cruid",
        "resource_id_scheme": "cr-id" });
    let asked = stage(settings).on_get("/Patient", |_| common::bundle(&json!([])));
    let stage = asked.on_post("/Patient", |_| {
        created(
            200,
            &[("location", "Patient/a"), ("locationcruid", "Patient/gold")],
        )
    });
    let told = receipt(create(sita()));
    // 200 is its word for both: what it was is not known to have been there.
    assert_eq!(told.outcome, Outcome::Applied);
    let numbers = [
        Identifier::new("cr-id", "a"),
        Identifier::new("cruid", "gold"),
    ];
    assert_eq!(told.identifiers, numbers);
    let sent = &stage.requests()[1];
    assert_eq!(sent.header("x-openhim-clientid"), Some("openimis"));
    assert_eq!(sent.header("if-none-exist"), None);
}

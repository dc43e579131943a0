//! What is created, changed and linked, in each of the forms.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_fhir_client_registry::FhirClientRegistry;
use adapter_sdk::http::{Method, ProblemKind, Response};
use adapter_sdk::model::{
    Address, AddressUse, AdministrativeArea, Contact, ContactSystem, CreateRequest, CreateSubject,
    HumanName, Identifier, LinkChange, MaritalStatus, NameUse, Outcome, Person, PersonStatus,
    Receipt, Sex, WriteAnswer,
};
use adapter_sdk::{Create, Failure, Link, Update, dates, testing};
use common::{IMIS, NID, SEARCH, bundle, link, patient, registry, stage, update, with};
use serde_json::{Value, json};

const TAG: &str = "urn:openimis:registry-gateway:operation";

fn sita() -> Person {
    let mut name = HumanName::of("Rai", ["Sita"]);
    name.language = Some("ne-Latn".to_owned());
    Person {
        identifiers: vec![Identifier::new("national-id", "1")],
        names: vec![name],
        sex: Some(Sex::Female),
        birth_date: dates::parse("1985-05"),
        ..Person::default()
    }
}

fn create(person: Person) -> Result<WriteAnswer, Failure> {
    FhirClientRegistry::create(CreateRequest {
        subject: CreateSubject::Person(person),
        extra: Vec::new(),
    })
}

fn receipt(answer: Result<WriteAnswer, Failure>) -> Receipt {
    match answer.unwrap() {
        WriteAnswer::Done(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

fn created(status: u16, headers: &[(&str, &str)]) -> Response {
    testing::status(status, headers)
}

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
    expected["meta"]["tag"] = json!([{ "code": "keep" }, { "system": TAG, "code": "op-1" }]);
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
    let stage = stage(settings).on_post("/Patient", |_| {
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
    let sent = &stage.requests()[0];
    assert_eq!(sent.header("x-openhim-clientid"), Some("openimis"));
    assert_eq!(sent.header("if-none-exist"), None);
}

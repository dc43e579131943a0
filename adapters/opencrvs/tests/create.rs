//! Births and deaths notified, in both forms, and what becomes of one whose answer was lost.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_opencrvs::OpenCrvs;
use adapter_sdk::http::ProblemKind;
use adapter_sdk::model::{
    Address, AdministrativeArea, Contact, CreateRequest, CreateSubject, EventKind, Fate, HumanName,
    Identifier, MaritalStatus, Notification, Outcome, Participant, ParticipantRole, Person, Receipt,
    RelationRole, Sex, TraceQuery, WriteAnswer, WriteRequest,
};
use adapter_sdk::testing::{self, Stage};
use adapter_sdk::{Create, Failure, Trace, dates};
use common::*;
use serde_json::{Value, json};

const NOTIFY: &str = "/events/events/notify";

fn participant(role: ParticipantRole, person: Person) -> Participant {
    Participant {
        role,
        person,
        relation: None,
        extra: Vec::new(),
    }
}

fn place() -> Address {
    Address {
        areas: vec![AdministrativeArea {
            kind: Some("HEALTH_FACILITY".to_owned()),
            code: Some(FACILITY.to_owned()),
            code_system: Some("opencrvs-location".to_owned()),
            ..AdministrativeArea::default()
        }],
        ..Address::default()
    }
}

fn person(given: &str) -> Person {
    Person {
        names: vec![HumanName::of("Okoro", [given])],
        ..Person::default()
    }
}

fn birth() -> Notification {
    let child = Person {
        sex: Some(Sex::Female),
        birth_date: dates::parse("2024-02-29"),
        ..person("Mina")
    };
    let mother = Person {
        identifiers: vec![
            Identifier::new("national-id", "5550001111"),
            Identifier::new("openimis", "I-1"),
        ],
        birth_date: dates::parse("1995"),
        marital_status: Some(MaritalStatus::Married),
        ..person("Ada")
    };
    let mut informant = participant(ParticipantRole::Informant, Person {
        contacts: vec![Contact::phone("0700000001")],
        ..Person::default()
    });
    informant.relation = Some(RelationRole::Mother);
    Notification {
        kind: EventKind::Birth,
        occurred: dates::parse("2024-02-29"),
        place: Some(place()),
        participants: vec![
            participant(ParticipantRole::Child, child),
            participant(ParticipantRole::Mother, mother),
            informant,
            participant(ParticipantRole::Attendant, person("Dr")),
        ],
        household: None,
        extra: Vec::new(),
    }
}

fn request(notification: Notification) -> CreateRequest {
    CreateRequest {
        subject: CreateSubject::Event(notification),
        extra: Vec::new(),
    }
}

fn create(notification: Notification) -> Result<WriteAnswer, Failure> {
    OpenCrvs::create(request(notification))
}

fn office(version: &str) -> Stage {
    stage(version, json!({ "office": OFFICE })).operation_key("op-1")
}

fn receipt(answer: WriteAnswer) -> Receipt {
    match answer {
        WriteAnswer::Done(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_birth_in_one_request_of_2() {
    let stage = office("2").on_post(NOTIFY, |_| document(ONE, "birth", "B1", json!({})));
    let receipt = receipt(create(birth()).unwrap());
    assert_eq!(receipt.outcome, Outcome::AwaitsApproval);
    assert_eq!(receipt.reference.as_deref(), Some("TB1"));
    assert_eq!(
        receipt.identifiers,
        [
            Identifier::new("opencrvs-tracking-id", "TB1"),
            Identifier::new("opencrvs-record-id", ONE),
        ]
    );
    assert_eq!(
        stage.requests()[0].json(),
        json!({
            "eventType": "birth", "transactionId": "op-1", "createdAtLocation": OFFICE,
            "annotation": {},
            "declaration": {
                "child.name": { "firstname": "Mina", "surname": "Okoro" },
                "child.gender": "female", "child.dob": "2024-02-29",
                "child.birthLocation": FACILITY, "child.placeOfBirth": "HEALTH_FACILITY",
                "mother.name": { "firstname": "Ada", "surname": "Okoro" },
                "mother.nid": "5550001111", "mother.maritalStatus": "MARRIED",
                "informant.relation": "MOTHER", "informant.phoneNo": "0700000001",
            },
        })
    );
    // A year alone, a scheme without a field, an attendant: they have no place, and that is told.
    assert_eq!(
        receipt.unwritten,
        [
            "participants.3",
            "participants.1.person.birth-date",
            "participants.1.person.identifiers.1",
        ]
    );
}

#[test]
fn a_birth_in_two_steps_of_1_9() {
    let stage = office("1.9")
        .on_post("/events/events", |_| document(ONE, "birth", "B1", json!({})))
        .on_post("/events/events/notifications", |_| {
            document(ONE, "birth", "B1", json!({}))
        });
    let WriteAnswer::Pending(pending) = create(birth()).unwrap() else {
        panic!("the first step is put on record");
    };
    assert_eq!(pending.retry_after_ms, Some(0));
    assert_eq!(stage.requests().len(), 1);
    let receipt = receipt(<OpenCrvs as Create>::resume(pending.state, None).unwrap());
    assert_eq!(receipt.unwritten.len(), 3);
    let requests = stage.requests();
    assert_eq!(requests[0].json(), json!({ "type": "birth", "transactionId": "op-1" }));
    let second = requests[1].json();
    assert_eq!((&second["eventId"], &second["transactionId"]), (&json!(ONE), &json!("op-1")));
    assert_eq!(second["createdAtLocation"], OFFICE);
    assert_eq!(second["declaration"]["child.dob"], "2024-02-29");
}

#[test]
fn a_birth_as_a_document_up_to_1_8() {
    let stage = office("1.8").on_post("/notification", |_| {
        json!({ "compositionId": ONE, "trackingId": "TRACK", "isPotentiallyDuplicate": true })
    });
    let receipt = receipt(create(birth()).unwrap());
    assert_eq!(receipt.outcome, Outcome::AwaitsApproval);
    assert_eq!(receipt.reference.as_deref(), Some("TRACK"));
    let body = stage.requests()[0].json();
    assert_eq!((body["resourceType"].as_str(), body["type"].as_str()), (Some("Bundle"), Some("document")));
    assert!(body["meta"]["lastUpdated"].is_string());
    let entries = body["entry"].as_array().unwrap();
    let types: Vec<_> = entries.iter().map(|it| it["resource"]["resourceType"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        ["Composition", "Task", "Patient", "Patient", "RelatedPerson", "Encounter"]
    );
    let task = &entries[1]["resource"];
    assert_eq!(task["status"], "draft");
    assert_eq!(task["focus"]["reference"], entries[0]["fullUrl"]);
    assert_eq!(task["code"]["coding"][0]["code"], "BIRTH");
    let office = task["extension"].as_array().unwrap().last().unwrap();
    assert_eq!(office["valueReference"]["reference"], format!("Location/{OFFICE}"));
    // The informant is the mother herself, and each section names an entry.
    assert_eq!(entries[4]["resource"]["patient"]["reference"], entries[3]["fullUrl"]);
    for section in entries[0]["resource"]["section"].as_array().unwrap() {
        let reference = &section["entry"][0]["reference"];
        assert!(entries.iter().any(|it| it["fullUrl"] == *reference), "{section}");
    }
    let mother = &entries[3]["resource"];
    assert_eq!(mother["identifier"][0]["value"], "5550001111");
    assert_eq!(mother["identifier"][0]["type"]["coding"][0]["code"], "NATIONAL_ID");
    assert_eq!(mother["birthDate"], Value::Null);
    let at = &entries[5]["resource"]["location"][0]["location"]["reference"];
    assert_eq!(*at, format!("Location/{FACILITY}"));
    // Without a location of OpenCRVS's it takes nothing.
    let nowhere = Notification {
        place: Some(Address::default()),
        ..birth()
    };
    let failure = create(nowhere).unwrap_err();
    assert_eq!(failure.summary(), "rejected: place.required (place)");
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn the_document_that_is_sent_reads_back_as_what_was_told() {
    use adapter_opencrvs::mapping::bundle;
    let stage = office("1.8").on_post("/notification", |_| json!({ "trackingId": "T" }));
    create(birth()).unwrap();
    let body = stage.requests()[0].json();
    let record = bundle::record(body.as_object().unwrap(), &settings("1.8", json!({}))).unwrap();
    let child = &record.subject().unwrap().person;
    assert_eq!(child.names[0].family.as_deref(), Some("Okoro"));
    assert_eq!((child.sex, &child.birth_date), (Some(Sex::Female), &dates::parse("2024-02-29")));
    assert_eq!(record.parties.len(), 3);
    assert_eq!(record.place.unwrap().areas[0].code.as_deref(), Some(FACILITY));
}

#[test]
fn a_death_with_an_informant_of_their_own() {
    let deceased = Person {
        death_date: dates::parse("2025-03-04"),
        ..person("Ada")
    };
    let mut informant = participant(ParticipantRole::Informant, person("Odo"));
    informant.relation = Some(RelationRole::Son);
    let death = Notification {
        kind: EventKind::Death,
        occurred: dates::parse("2025-03-05"),
        participants: vec![participant(ParticipantRole::Deceased, deceased), informant],
        ..birth()
    };
    let stage = office("1.7").on_post("/notification", |_| json!({ "trackingId": "T" }));
    let told = receipt(create(death.clone()).unwrap());
    // Another day than the deceased's own has no place.
    assert_eq!(told.unwritten, ["occurred"]);
    let body = stage.requests()[0].json();
    let patient = &body["entry"][2]["resource"];
    assert_eq!(patient["deceasedBoolean"], true);
    assert_eq!(patient["deceasedDateTime"], "2025-03-04");
    let related = &body["entry"][4]["resource"];
    assert_eq!(related["relationship"]["coding"][0]["code"], "SON");
    assert_eq!(related["patient"]["reference"], body["entry"][3]["fullUrl"]);
    drop(stage);
    let stage = office("2").on_post(NOTIFY, |_| document(ONE, "death", "D1", json!({})));
    create(death).unwrap();
    let declaration = stage.requests()[0].json()["declaration"].clone();
    assert_eq!(declaration["eventDetails.date"], "2025-03-04");
    assert_eq!(declaration["informant.name"], json!({ "firstname": "Odo", "surname": "Okoro" }));
}

#[test]
fn what_opencrvs_has_no_code_or_no_form_for_is_refused_before_anything_is_sent() {
    let stage = office("2");
    let with = |change: &dyn Fn(&mut Notification)| {
        let mut notification = birth();
        change(&mut notification);
        create(notification).unwrap_err().summary()
    };
    assert_eq!(
        with(&|it| it.participants[1].person.marital_status = Some(MaritalStatus::Polygamous)),
        "unsupported: code.missing (participants.1.person.marital-status)"
    );
    assert_eq!(
        with(&|it| it.participants[2].relation = Some(RelationRole::Cousin)),
        "unsupported: code.missing (participants.2.relation)"
    );
    assert_eq!(
        with(&|it| it.kind = EventKind::Marriage),
        "unsupported: create.subject (subject.kind)"
    );
    assert_eq!(
        with(&|it| it.participants[1].role = ParticipantRole::Child),
        "rejected: participants.role (participants.1.role)"
    );
    assert_eq!(
        with(&|it| drop(it.participants.remove(0))),
        "rejected: participants.role (participants)"
    );
    let nobody = CreateRequest {
        subject: CreateSubject::Person(Person::default()),
        extra: Vec::new(),
    };
    let failure = OpenCrvs::create(nobody).unwrap_err();
    assert_eq!(failure.summary(), "unsupported: create.subject (subject)");
    assert_eq!(stage.requests().len(), 0);
    drop(stage);
    let _unset = common::stage("2", json!({})).operation_key("op-1");
    let failure = create(birth()).unwrap_err();
    assert_eq!(failure.summary(), "misconfigured: settings.invalid (settings.office)");
}

#[test]
fn a_country_with_codes_of_its_own_has_them_written() {
    let codes = json!({ "office": OFFICE, "codes": {
        "sex": { "F": "female" }, "relation": { "COUSIN": "cousin" },
    } });
    let stage = common::stage("2", codes)
        .operation_key("op-1")
        .on_post(NOTIFY, |_| document(ONE, "birth", "B1", json!({})));
    let mut notification = birth();
    notification.participants[2].relation = Some(RelationRole::Cousin);
    create(notification).unwrap();
    let declaration = stage.requests()[0].json()["declaration"].clone();
    assert_eq!((&declaration["child.gender"], &declaration["informant.relation"]), (&json!("F"), &json!("COUSIN")));
}

#[test]
fn how_a_notification_ends() {
    let refusal = "Could not process the Event Notification, as the office of Ada was not found";
    for (answer, expected) in [
        (testing::status(401, &[]), "denied: http.401"),
        (testing::status(403, &[]), "denied: http.403"),
        (testing::status(400, &[]), "rejected: http.400"),
        (testing::status(409, &[]), "conflict: http.409"),
        (
            testing::json(500, json!({ "statusCode": 500, "message": refusal })),
            "rejected: notification.refused",
        ),
    ] {
        let _stage = office("1.8").on_post("/notification", move |_| answer.clone());
        assert_eq!(create(birth()).unwrap_err().summary(), expected);
    }
    // Whether it was done nobody knows.
    let answers = [
        testing::status(500, &[]),
        testing::status(502, &[]),
        testing::status(504, &[]),
        testing::status(200, &[]),
        testing::json(200, json!([])),
    ];
    for answer in answers {
        let status = answer.status;
        let _stage = office("2").on_post(NOTIFY, move |_| answer.clone());
        let ended = create(birth()).unwrap();
        assert!(matches!(ended, WriteAnswer::Unclear(_)), "{status}");
    }
    let _lost = office("2").on_post(NOTIFY, |_| testing::sent_no_answer(ProblemKind::TimedOut));
    assert!(matches!(create(birth()).unwrap(), WriteAnswer::Unclear(_)));
    let _not = office("2").on_post(NOTIFY, |_| testing::not_sent(ProblemKind::Connect));
    assert_eq!(create(birth()).unwrap_err().kind(), "unavailable");
}

#[test]
fn what_was_lost_may_be_sent_again_only_where_the_key_makes_it_one() {
    for (version, fate) in [("2", Fate::Absent), ("1.9", Fate::Absent), ("1.8", Fate::Unknown)] {
        let stage = office(version);
        let query = TraceQuery {
            operation_key: "op-1".to_owned(),
            request: WriteRequest::Create(request(birth())),
            attempted_at: "2026-01-02T03:04:05Z".to_owned(),
            state: None,
        };
        assert_eq!(OpenCrvs::trace(query), Ok(fate), "{version}");
        assert_eq!(stage.requests().len(), 0);
    }
}

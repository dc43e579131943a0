//! Births and deaths notified, in both forms, and what becomes of one whose answer was lost.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;
#[path = "common/notices.rs"]
mod notices;

use adapter_opencrvs::OpenCrvs;
use adapter_sdk::model::{
    Address, EventKind, Identifier, Notification, Outcome, ParticipantRole, Person, Receipt,
    RelationRole, Sex, WriteAnswer,
};
use adapter_sdk::{Create, dates};
use common::*;
use notices::*;
use serde_json::{Value, json};

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
        .on_post("/events/events", |_| {
            document(ONE, "birth", "B1", json!({}))
        })
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
    assert_eq!(
        requests[0].json(),
        json!({ "type": "birth", "transactionId": "op-1" })
    );
    let second = requests[1].json();
    assert_eq!(
        (&second["eventId"], &second["transactionId"]),
        (&json!(ONE), &json!("op-1"))
    );
    assert_eq!(second["createdAtLocation"], OFFICE);
    assert_eq!(second["declaration"]["child.dob"], "2024-02-29");
}

#[test]
fn a_birth_as_a_document_up_to_1_8() {
    let stage = office("1.8").on_post(
        "/notification",
        |_| json!({ "compositionId": ONE, "trackingId": "TRACK", "isPotentiallyDuplicate": true }),
    );
    let receipt = receipt(create(birth()).unwrap());
    assert_eq!(receipt.outcome, Outcome::AwaitsApproval);
    assert_eq!(receipt.reference.as_deref(), Some("TRACK"));
    let body = stage.requests()[0].json();
    assert_eq!(
        (body["resourceType"].as_str(), body["type"].as_str()),
        (Some("Bundle"), Some("document"))
    );
    assert!(body["meta"]["lastUpdated"].is_string());
    let entries = body["entry"].as_array().unwrap();
    let types: Vec<_> = entries
        .iter()
        .map(|it| it["resource"]["resourceType"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "Composition",
            "Task",
            "Patient",
            "Patient",
            "RelatedPerson",
            "Encounter"
        ]
    );
    let task = &entries[1]["resource"];
    assert_eq!(task["status"], "draft");
    assert_eq!(task["focus"]["reference"], entries[0]["fullUrl"]);
    assert_eq!(task["code"]["coding"][0]["code"], "BIRTH");
    let office = task["extension"].as_array().unwrap().last().unwrap();
    assert_eq!(
        office["valueReference"]["reference"],
        format!("Location/{OFFICE}")
    );
    // The informant is the mother herself, and each section names an entry.
    assert_eq!(
        entries[4]["resource"]["patient"]["reference"],
        entries[3]["fullUrl"]
    );
    for section in entries[0]["resource"]["section"].as_array().unwrap() {
        let reference = &section["entry"][0]["reference"];
        assert!(
            entries.iter().any(|it| it["fullUrl"] == *reference),
            "{section}"
        );
    }
    let mother = &entries[3]["resource"];
    assert_eq!(mother["identifier"][0]["value"], "5550001111");
    assert_eq!(
        mother["identifier"][0]["type"]["coding"][0]["code"],
        "NATIONAL_ID"
    );
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
    assert_eq!(
        (child.sex, &child.birth_date),
        (Some(Sex::Female), &dates::parse("2024-02-29"))
    );
    assert_eq!(record.parties.len(), 3);
    assert_eq!(
        record.place.unwrap().areas[0].code.as_deref(),
        Some(FACILITY)
    );
}

#[test]
fn a_death_with_an_informant_of_their_own() {
    let deceased = Person {
        death_date: dates::parse("2025-03-04"),
        ..okoro("Ada")
    };
    let mut informant = participant(ParticipantRole::Informant, okoro("Odo"));
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
    assert_eq!(
        declaration["informant.name"],
        json!({ "firstname": "Odo", "surname": "Okoro" })
    );
}

//! Notifications of ours.
#![allow(dead_code, reason = "each test file uses its part")]

use adapter_opencrvs::OpenCrvs;
use adapter_sdk::model::{
    Address, AdministrativeArea, Contact, CreateRequest, CreateSubject, EventKind, HumanName,
    Identifier, MaritalStatus, Notification, Participant, ParticipantRole, Person, RelationRole,
    Sex, WriteAnswer,
};
use adapter_sdk::testing::Stage;
use adapter_sdk::{Create, Failure, dates};
use serde_json::json;

use super::common::{FACILITY, OFFICE, stage};

pub(crate) const NOTIFY: &str = "/events/events/notify";

pub(crate) fn participant(role: ParticipantRole, person: Person) -> Participant {
    Participant {
        role,
        person,
        relation: None,
        extra: Vec::new(),
    }
}

pub(crate) fn place() -> Address {
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

pub(crate) fn okoro(given: &str) -> Person {
    Person {
        names: vec![HumanName::of("Okoro", [given])],
        ..Person::default()
    }
}

pub(crate) fn birth() -> Notification {
    let child = Person {
        sex: Some(Sex::Female),
        birth_date: dates::parse("2024-02-29"),
        ..okoro("Mina")
    };
    let mother = Person {
        identifiers: vec![
            Identifier::new("national-id", "5550001111"),
            Identifier::new("openimis", "I-1"),
        ],
        birth_date: dates::parse("1995"),
        marital_status: Some(MaritalStatus::Married),
        ..okoro("Ada")
    };
    let mut informant = participant(
        ParticipantRole::Informant,
        Person {
            contacts: vec![Contact::phone("0700000001")],
            ..Person::default()
        },
    );
    informant.relation = Some(RelationRole::Mother);
    Notification {
        kind: EventKind::Birth,
        occurred: dates::parse("2024-02-29"),
        place: Some(place()),
        participants: vec![
            participant(ParticipantRole::Child, child),
            participant(ParticipantRole::Mother, mother),
            informant,
            participant(ParticipantRole::Attendant, okoro("Dr")),
        ],
        household: None,
        extra: Vec::new(),
    }
}

pub(crate) fn request(notification: Notification) -> CreateRequest {
    CreateRequest {
        subject: CreateSubject::Event(notification),
        extra: Vec::new(),
    }
}

pub(crate) fn create(notification: Notification) -> Result<WriteAnswer, Failure> {
    OpenCrvs::create(request(notification))
}

pub(crate) fn office(version: &str) -> Stage {
    stage(version, json!({ "office": OFFICE })).operation_key("op-1")
}

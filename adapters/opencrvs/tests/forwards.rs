//! What country configuration forwards of an action that it accepts.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;
#[path = "common/hooks.rs"]
mod hooks;

use adapter_opencrvs::OpenCrvs;
use adapter_opencrvs::wire::callback::forwarded_action;
use adapter_sdk::model::{EventKind, ParticipantRole, PersonStatus};
use adapter_sdk::{Events, dates};
use common::*;
use hooks::*;
use serde_json::json;

#[test]
fn a_registration_that_country_configuration_forwards() {
    let _stage = hooks();
    let mut record = document(ONE, "birth", "B1", birth_declaration());
    let mut notify = action("NOTIFY", "a0", "2024-03-01T09:00:00.000Z", json!({}));
    notify["createdByUserType"] = json!("system");
    notify["transactionId"] = json!("op-7");
    let actions = record["actions"].as_array_mut().unwrap();
    actions.insert(1, notify);
    // As OpenCRVS posts it: asked for, with the number that country configuration gives it.
    *actions.last_mut().unwrap() = register("a3", "B1", "Requested");
    let event = one(forwarded(FORWARD, "right", &record));
    assert_eq!(event.id, format!("{ONE}:REGISTER"));
    assert_eq!(
        (event.kind.clone(), event.identifiers[0].value.as_str()),
        (EventKind::Birth, "B1")
    );
    assert_eq!(event.caused_by.as_deref(), Some("op-7"));
    assert_eq!(event.occurred, dates::parse("2024-02-29"));
    let numbers: Vec<_> = event
        .participants
        .iter()
        .map(|it| (&it.role, it.person.identifier("national-id")))
        .collect();
    assert_eq!(
        numbers,
        [
            (&ParticipantRole::Child, None),
            (&ParticipantRole::Mother, Some("5550001111")),
            (&ParticipantRole::Father, Some("5550002222")),
            (&ParticipantRole::Informant, Some("5550001111")),
        ]
    );
    // Told again it is the same; accepted since, too.
    let again = one(forwarded(
        "x/triggers/events/birth/actions/REGISTER",
        "right",
        &record,
    ));
    assert_eq!(again, event);
    let mut accepted = register("a4", "B1", "Accepted");
    accepted["originalActionId"] = json!("a3");
    accepted["createdAt"] = json!("2024-03-10T08:00:01.000Z");
    record["actions"].as_array_mut().unwrap().push(accepted);
    assert_eq!(one(forwarded(FORWARD, "right", &record)).id, event.id);
    // Without a number there is none.
    let mut record = document(ONE, "birth", "B1", birth_declaration());
    let register = record["actions"]
        .as_array_mut()
        .unwrap()
        .last_mut()
        .unwrap();
    register
        .as_object_mut()
        .unwrap()
        .remove("registrationNumber");
    assert_eq!(one(forwarded(FORWARD, "right", &record)).identifiers, []);
}

#[test]
fn a_correction_and_a_record_taken_back() {
    let _stage = hooks();
    let mut record = document(ONE, "birth", "B1", birth_declaration());
    let change = json!({ "child.dob": "2024-02-28", "mother.nid": null });
    let request = action(
        "REQUEST_CORRECTION",
        "a5",
        "2024-06-01T08:00:00.000Z",
        change,
    );
    let mut approve = action(
        "APPROVE_CORRECTION",
        "a6",
        "2024-06-02T08:00:00.000Z",
        json!({}),
    );
    approve["requestId"] = json!("a5");
    approve["status"] = json!("Requested");
    record["actions"]
        .as_array_mut()
        .unwrap()
        .extend([request, approve]);
    let path = "trigger/events/birth/actions/APPROVE_CORRECTION";
    let event = one(forwarded(path, "right", &record));
    assert_eq!(
        (event.id.as_str(), event.kind),
        (format!("{ONE}:a6").as_str(), EventKind::Correction)
    );
    let amends = event.amends.unwrap();
    assert_eq!(amends.id, Some(format!("{ONE}:REGISTER")));
    assert_eq!(amends.kind, Some(EventKind::Birth));
    assert_eq!(event.occurred, dates::parse("2024-02-28"));
    assert_eq!(
        event.recorded_at.as_deref(),
        Some("2024-06-02T08:00:00.000Z")
    );
    // What was cleared is gone.
    assert_eq!(event.participants[1].person.identifier("national-id"), None);
    let changed = event.extra.iter().find(|it| it.key == "x-opencrvs-changed");
    assert_eq!(changed.unwrap().value, r#"["child.dob","mother.nid"]"#);
    let archive = action("ARCHIVE", "a7", "2024-07-01T08:00:00.000Z", json!({}));
    record["actions"]
        .as_array_mut()
        .unwrap()
        .push(archive.clone());
    let event = one(forwarded(
        "trigger/events/birth/actions/ARCHIVE",
        "right",
        &record,
    ));
    assert_eq!(
        (event.kind, event.amends.is_some()),
        (EventKind::Cancellation, true)
    );
    assert_eq!(
        event.participants[0].person.status,
        Some(PersonStatus::Cancelled)
    );
    // What was never registered is taken back from nobody.
    let mut record = document(ONE, "birth", "B1", birth_declaration());
    let actions = record["actions"].as_array_mut().unwrap();
    actions.pop();
    actions.push(archive);
    let reception = forwarded("trigger/events/birth/actions/ARCHIVE", "right", &record);
    assert_eq!(
        (reception.response.status, reception.events.len()),
        (200, 0)
    );
}

#[test]
fn actions_that_are_nothing_in_life_are_taken_and_tell_nothing() {
    let _stage = hooks();
    let record = document(ONE, "birth", "B1", birth_declaration());
    for kind in [
        "DECLARE",
        "NOTIFY",
        "PRINT_CERTIFICATE",
        "REQUEST_CORRECTION",
        "ASSIGN",
    ] {
        let path = format!("trigger/events/birth/actions/{kind}");
        let reception = forwarded(&path, "right", &record);
        assert_eq!(
            (reception.response.status, reception.events.len()),
            (200, 0),
            "{kind}"
        );
    }
    let club = document(ONE, "tennis-club-membership", "M1", json!({}));
    let path = "trigger/events/tennis-club-membership/actions/REGISTER";
    assert_eq!(forwarded(path, "right", &club).events, []);
    assert_eq!(forwarded_action("trigger/events/birth"), None);
    let put = callback("PUT", FORWARD, &[], "");
    assert_eq!(OpenCrvs::receive(put).unwrap().response.status, 405);
}

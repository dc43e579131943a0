use adapter_sdk::Events;
use adapter_sdk::model::{Callback, EventKind, ParticipantRole};
use serde_json::json;

use super::{own, stage, told};
use crate::Registrar;

fn called(body: &str) -> Callback {
    Callback {
        method: "POST".into(),
        path: "/told".into(),
        query: Vec::new(),
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
        extra: Vec::new(),
    }
}

#[test]
fn a_callback_is_believed_only_as_far_as_the_registry_confirms_it() {
    let death = json!({
        "type": "event", "id": "c-1", "kind": "death", "version": 2, "occurred": "2026-05-01",
        "recordedAt": "2026-05-02T10:00:00Z", "causedBy": null, "changed": ["died"],
        "people": [{ "role": "deceased", "person": { "id": "R1", "version": 2, "died": "2026-05-01" } }],
    });
    let answer = json!({ "type": "answer", "id": "c-2", "reference": "op-1", "status": 200, "body": told("applied", 1) });
    let _stage = stage()
        .on_get("/events/c-1", move |_| death.clone())
        .on_get("/events/c-2", move |_| answer.clone());
    // What was posted beside the id is not looked at.
    let forged = r#"{"id":"c-1","type":"event","kind":"birth"}"#;
    let reception = Registrar::receive(called(forged)).expect("a reception");
    assert_eq!(
        (reception.response.status, reception.events.len()),
        (204, 1)
    );
    let event = &reception.events[0];
    assert_eq!((&event.kind, event.id.as_str()), (&EventKind::Death, "c-1"));
    assert_eq!(event.changed_fields, ["death-date"]);
    assert_eq!(event.participants[0].role, ParticipantRole::Deceased);
    assert_eq!(event.participants[0].person.identifiers, own());
    let reception = Registrar::receive(called(r#"{"id":"c-2"}"#)).expect("a reception");
    assert_eq!(reception.answers[0].reference, "op-1");
    for (body, status) in [(r#"{"id":"c-9"}"#, 403), ("{}", 400), ("not JSON", 400)] {
        let refused = Registrar::receive(called(body)).expect("a reception");
        assert_eq!(refused.response.status, status, "{body}");
        assert!(refused.events.is_empty() && refused.answers.is_empty());
    }
}

#[test]
fn changes_go_on_from_a_cursor() {
    let stage = stage().on_get("/changes", |_| {
        json!({ "events": [{ "id": "c-1", "kind": "changed", "causedBy": "op-1.addresses" }],
                "next": 8, "more": true })
    });
    let page = Registrar::changes(None, 5).expect("a page");
    assert!(page.more);
    assert_eq!(page.events[0].caused_by.as_deref(), Some("op-1"));
    Registrar::changes(Some(page.cursor), 5).expect("a page");
    let asked = stage.requests().pop().expect("one");
    let query = [("after", "8"), ("limit", "5")];
    assert_eq!(
        asked.query,
        query.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

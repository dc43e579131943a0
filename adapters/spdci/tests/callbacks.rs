//! Callbacks: what life events they tell, and what they are answered.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::model::{
    Callback, Event, EventKind, HouseholdKind, Participant, ParticipantRole, Reception,
};
use adapter_sdk::testing::{self, Stage};
use adapter_sdk::{Events, Failure, dates};
use adapter_spdci::Spdci;
use adapter_spdci::mapping::event::kind;
use common::{group, member, record};
use serde_json::{Value, json};

fn hash_of(token: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(token.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn stage() -> Stage {
    testing::stage()
        .settings(json!({
            "registry_type": "Civil", "sender_id": "openimis",
            "relationship_type_describes": "related-member",
            "callback_token_sha256": hash_of("right"),
        }))
        .endpoint("registry")
}

fn callback(path: &str, token: &str, body: &str) -> Callback {
    Callback {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: Vec::new(),
        headers: vec![("authorization".to_owned(), format!("Bearer {token}"))],
        body: body.as_bytes().to_vec(),
        extra: Vec::new(),
    }
}

fn notification(word: &str, records: Value) -> Value {
    json!({
        "header": { "action": "notify", "status": "succ" },
        "message": { "transaction_id": "t", "notify_event": [{
            "reference_id": "r", "timestamp": "2026-01-02T03:04:05Z",
            "data": { "reg_event_type": word, "reg_records": records },
        }] },
    })
}

fn received(body: &Value) -> Result<Reception, Failure> {
    Spdci::receive(callback("registry/notify", "right", &body.to_string()))
}

fn events(body: &Value) -> Vec<Event> {
    let reception = received(body).unwrap();
    assert_eq!(reception.response.status, 200);
    reception.events
}

fn one(word: &str, records: Value) -> Event {
    let mut events = events(&notification(word, records));
    assert_eq!(events.len(), 1);
    events.remove(0)
}

fn who(participants: &[Participant]) -> Vec<(&ParticipantRole, Option<&str>)> {
    participants
        .iter()
        .map(|it| (&it.role, it.person.identifier("national-id")))
        .collect()
}

#[test]
fn what_is_no_message_is_refused() {
    let _stage = stage();
    let cases = [
        ("registry/on-search", "no json"),
        ("registry/something", "{}"),
        ("registry/on-search", "{}"),
        (
            "registry/on-search",
            r#"{"message": {"search_response": []}}"#,
        ),
        (
            "registry/txn/on-status",
            r#"{"message": {"transaction_id": "t"}}"#,
        ),
    ];
    for (path, body) in cases {
        let reception = Spdci::receive(callback(path, "right", body)).unwrap();
        assert_eq!(reception.response.status, 400, "{path} {body}");
        assert_eq!(reception.answers, []);
    }
    let mut get = callback("registry/notify", "right", "{}");
    get.method = "GET".to_owned();
    assert_eq!(Spdci::receive(get).unwrap().response.status, 405);
    // Kept and shown: an administrator must have the registry's mind changed.
    let encrypted = json!({ "header": { "is_msg_encrypted": true }, "message": {
        "ciphertext": "x",
    } });
    for path in ["registry/on-search", "registry/notify"] {
        let failure = Spdci::receive(callback(path, "right", &encrypted.to_string())).unwrap_err();
        assert_eq!(failure.summary(), "misconfigured: spdci.encrypted");
    }
    for (body, part) in [
        (json!({ "message": {} }), "notify.notify_event"),
        (
            notification("", json!([record("1", "A", "F")])),
            "notify.reg_event_type",
        ),
        (notification("death", json!([])), "notify.reg_records"),
        (notification("death", json!("x")), "notify.reg_records"),
    ] {
        let failure = received(&body).unwrap_err();
        assert_eq!(failure.summary(), format!("unreadable: {part}"));
    }
}

#[test]
fn a_birth_has_child_parents_and_informant() {
    let _stage = stage();
    let related = |role: &str, uin: &str| {
        json!({
            "relationship_type": role,
            "related_member": { "identifier_type": "UIN", "identifier_value": uin },
        })
    };
    let mut child = record("1", "Mira", "F");
    child["identifier"] = json!([
        { "identifier_type": "UIN", "identifier_value": "1" },
        { "identifier_type": "BRN", "identifier_value": "B1" },
    ]);
    child["birth_date"] = json!("2026-01-02");
    child["birth_place"] = json!({ "name": "Hospital", "address_line": "Main road" });
    child["related_person"] = json!([
        related("mother", "2"),
        related("father", "3"),
        related("informant", "4"),
    ]);
    child["parent1_identifier"] = json!({ "identifier_type": "UIN", "identifier_value": "5" });
    let birth = one("spdci-common:RegistryEventType:LiveBirth", child);
    assert_eq!(birth.kind, EventKind::Birth);
    assert_eq!(birth.occurred, dates::parse("2026-01-02"));
    assert!(birth.place.is_some());
    assert_eq!(birth.identifiers.len(), 1);
    assert_eq!(birth.identifiers[0].value, "B1");
    // The order of two parents says nothing: a parent who is named by number only is a parent.
    assert_eq!(
        who(&birth.participants),
        [
            (&ParticipantRole::Child, Some("1")),
            (&ParticipantRole::Parent, Some("5")),
            (&ParticipantRole::Mother, Some("2")),
            (&ParticipantRole::Father, Some("3")),
            (&ParticipantRole::Informant, Some("4")),
        ]
    );
    assert_eq!(birth.unmapped, []);
}

#[test]
fn a_death_a_marriage_and_a_divorce() {
    let _stage = stage();
    let mut dead = record("1", "Mira", "F");
    dead["death_date"] = json!("2026-01-02T00:00:00Z");
    let death = one("Death", dead);
    assert_eq!(death.kind, EventKind::Death);
    assert_eq!(death.occurred, dates::parse("2026-01-02"));
    assert_eq!(
        who(&death.participants),
        [(&ParticipantRole::Deceased, Some("1"))]
    );

    let spouse = |uin: &str, other: &str| {
        let mut spouse = record(uin, "A", "F");
        spouse["marriage_date"] = json!("2026-02-03");
        spouse["related_person"] = json!([{
            "relationship_type": "wife",
            "related_member": { "identifier_type": "UIN", "identifier_value": other },
        }]);
        spouse
    };
    // Two records are the two; one names the other.
    for records in [
        json!([spouse("1", "2"), spouse("2", "1")]),
        json!([spouse("1", "2")]),
    ] {
        let marriage = one("marriage", records);
        assert_eq!(marriage.occurred, dates::parse("2026-02-03"));
        assert_eq!(
            who(&marriage.participants),
            [
                (&ParticipantRole::Spouse, Some("1")),
                (&ParticipantRole::Spouse, Some("2"))
            ]
        );
    }
    let mut one_of = record("1", "A", "F");
    one_of["divorce_date"] = json!("2026-03-04");
    assert_eq!(one("divorce", one_of).occurred, dates::parse("2026-03-04"));
    // Two deaths are two events.
    let two = json!([record("1", "A", "F"), record("2", "B", "M")]);
    let both = events(&notification("death", two));
    assert_eq!(both.len(), 2);
    assert_ne!(both[0].id, both[1].id);
}

#[test]
fn every_kind_by_its_words() {
    for (word, expected) in [
        ("live_birth", EventKind::Birth),
        ("LiveBirth", EventKind::Birth),
        ("birth", EventKind::Birth),
        ("ns:x:fetal_death", EventKind::FetalDeath),
        ("Marriage", EventKind::Marriage),
        ("DIVORCE", EventKind::Divorce),
        ("annulment", EventKind::Annulment),
        ("judicial_separation", EventKind::Separation),
        ("adoption", EventKind::Adoption),
        ("legitimation", EventKind::Parentage),
        ("enrollement", EventKind::EnrolmentChanged),
        ("enrollement_status_change", EventKind::EnrolmentChanged),
        ("Deregister", EventKind::EnrolmentChanged),
        ("ns:x:Migration", EventKind::Other("Migration".to_owned())),
    ] {
        assert_eq!(kind(word), expected, "{word}");
    }
}

#[test]
fn an_event_has_one_name_however_often_it_is_told() {
    let _stage = stage();
    let told = |word: &str, uin: &str, numbers: [&str; 2]| {
        let mut body = notification(word, json!([record(uin, "A", "F")]));
        body["message"]["transaction_id"] = json!(numbers[0]);
        body["message"]["notify_event"][0]["reference_id"] = json!(numbers[1]);
        events(&body).remove(0).id
    };
    let first = told("death", "1", ["t", "r"]);
    assert_eq!(first, told("death", "1", ["t", "r"]));
    for other in [
        told("death", "1", ["t", "s"]),
        told("death", "1", ["u", "r"]),
        told("birth", "1", ["t", "r"]),
    ] {
        assert_ne!(first, other);
    }
    // Some registries give one number to several.
    assert_ne!(first, told("death", "2", ["t", "r"]));
    // Without numbers it is what is said.
    assert_eq!(told("death", "1", ["", ""]), told("death", "1", ["", ""]));
    assert_ne!(told("death", "1", ["", ""]), told("death", "2", ["", ""]));
    // No two lists of parts are one.
    assert_ne!(
        told("death", "1", ["ab", "c"]),
        told("death", "1", ["a", "bc"])
    );
}

#[test]
fn two_events_of_one_callback_have_two_names_under_one_number_too() {
    let _stage = stage();
    let mut body = notification("death", json!([record("1", "A", "F")]));
    let item = |uin: &str| {
        json!({ "reference_id": "r", "data": {
            "reg_event_type": "death", "reg_records": [record(uin, "A", "F")],
        } })
    };
    body["message"]["notify_event"] = json!([item("1"), item("2"), item("1")]);
    let ids: Vec<String> = events(&body).into_iter().map(|it| it.id).collect();
    assert_ne!(ids[0], ids[1], "nobody's death is lost");
    // What is said twice is one event, as when it is told again.
    assert_eq!(ids[0], ids[2]);
}

#[test]
fn a_group_and_an_enrolment_are_told() {
    let _stage = stage();
    let changed = one(
        "update",
        group(Value::Null, json!([member("1", "Mira", "self")])),
    );
    assert_eq!(changed.kind, EventKind::Other("update".to_owned()));
    let household = changed.household.unwrap();
    assert_eq!(
        (household.kind, household.people.len()),
        (HouseholdKind::Household, 1)
    );

    let beneficiary = json!({ "assistance_unit": "1", "member": {
        "member_identifier": "M1",
        "demographic_info": { "person": {
            "identifier_type": "UIN", "identifier_value": "1", "name": { "surname": "Rai" },
        } },
        "programme_identifier": {
            "programme": { "programme_identifier": "P1", "programme_name": "Cash" },
            "enrolment_date": "2026-01-02", "enrolment_status": "Active",
            "benefits": { "benefit_type": "Cash", "benefit_value": "USD 50" },
        },
    } });
    let enrolled = one("enrollement", json!([beneficiary]));
    assert_eq!(enrolled.kind, EventKind::EnrolmentChanged);
    assert_eq!(
        who(&enrolled.participants),
        [(&ParticipantRole::Subject, Some("1"))]
    );
    assert_eq!(enrolled.extra.len(), 1);
    assert_eq!(enrolled.extra[0].key, "enrolments");
    let told: Value = serde_json::from_str(&enrolled.extra[0].value).unwrap();
    assert_eq!(
        told,
        json!([{
            "programme": "P1", "status": "Active", "from": "2026-01-02",
            "benefits": [{ "benefit_type": "Cash", "benefit_value": "USD 50" }],
        }])
    );
}

#[test]
fn the_dialect_of_openimis_is_read() {
    let _stage = stage();
    let body = json!({ "header": {}, "message": { "transaction_id": "t", "notify_request": [{
        "subscription_id": "s", "data": { "event_type": "death", "reg_record": record("1", "A", "F") },
    }] } });
    assert_eq!(events(&body)[0].kind, EventKind::Death);
}

#[test]
fn a_subscription_s_answer_is_acknowledged_and_its_refusal_logged() {
    let stage = stage();
    for (item, logged) in [
        (json!({ "status": "succ", "subscriptions": [] }), 0),
        (
            json!({ "status": "rjct", "status_reason_code": "rjct.filter.invalid" }),
            1,
        ),
    ] {
        let body = json!({ "header": {}, "message": { "subscribe_response": [item] } });
        let path = "registry/on-subscribe";
        let reception = Spdci::receive(callback(path, "right", &body.to_string())).unwrap();
        assert_eq!(reception.response.status, 200);
        assert_eq!(stage.logs().len(), logged);
    }
}

//! Who calls back, what is believed, and what it tells.
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
use adapter_opencrvs::wire::callback::signed_text;
use adapter_sdk::model::{
    Callback, EventKind, ParticipantRole, PersonStatus, Reception, RelationRole,
};
use adapter_sdk::{Events, dates};
use common::*;
use hooks::*;
use serde_json::{Value, json};

/// A delivery, and its signature under this secret as Node.js and Python make it: `createHmac` over
/// `"sha256:" + encodeURIComponent(body)`.
const BODY: &str = r#"{"timestamp":"2026-01-02T03:04:05.678Z","id":"7c1d5b52-0001-4a6e-9d5a-000000000001","event":{"hub":{"topic":"BIRTH_REGISTERED"},"context":[{"resourceType":"Bundle","type":"document","note":"Zoë O'Brien (née Ñandú) – সীতা 𝛼 ~*!/?&=+%"}]}}"#;
const SIGNATURE: &str = "sha256=3c2916a716527645dfd2bb64002ded75813348484926ec8ce6ac0e38c058517c";
const ENCODED_NOTE: &str = "Zo%C3%AB%20O'Brien%20(n%C3%A9e%20%C3%91and%C3%BA)%20%E2%80%93%20%E0%A6%B8%E0%A7%80%E0%A6%A4%E0%A6%BE%20%F0%9D%9B%BC%20~*!%2F%3F%26%3D%2B%25";

fn delivered(body: &str) -> Result<Reception, adapter_sdk::Failure> {
    let signature = format!("sha256={}", hex(&mac(signed_text(body).as_bytes())));
    OpenCrvs::receive(callback(
        "POST",
        "",
        &[("x-hub-signature", &signature)],
        body,
    ))
}

fn bundle(topic: &str, resources: Vec<Value>) -> String {
    let entry: Vec<Value> = resources
        .into_iter()
        .map(|it| json!({ "fullUrl": format!("/fhir/{}/{}/_history/1", it["resourceType"], it["id"]), "resource": it }))
        .collect();
    json!({ "timestamp": "2026-01-02T03:04:05.678Z", "id": "the-subscription", "event": {
        "hub": { "topic": topic },
        "context": [{ "resourceType": "Bundle", "type": "document", "entry": entry }],
    } })
    .to_string()
}

fn concept(code: &str) -> Value {
    json!({ "coding": [{ "system": "x", "code": code }] })
}

fn patient(id: &str, given: &str, types: &[(&str, &str)]) -> Value {
    let identifiers: Vec<Value> = types
        .iter()
        .map(|(kind, value)| json!({ "type": concept(kind), "value": value }))
        .collect();
    json!({
        "resourceType": "Patient", "id": id, "active": true, "identifier": identifiers,
        "name": [{ "use": "en", "family": "Okoro", "given": [given, ""] }], "birthDate": "1995-07",
    })
}

fn task(kind: &str, number: &str) -> Value {
    let of = kind.to_lowercase();
    let system = |name: &str| format!("http://opencrvs.org/specs/id/{of}-{name}");
    json!({
        "resourceType": "Task", "id": "t", "code": concept(kind),
        "focus": { "reference": format!("Composition/{ONE}") },
        "businessStatus": concept("REGISTERED"), "lastModified": "2024-03-10T08:00:00.000Z",
        "identifier": [
            { "system": system("tracking-id"), "value": "TRACK" },
            { "system": system("registration-number"), "value": number },
        ],
    })
}

fn composition(sections: &[(&str, &str)]) -> Value {
    let section: Vec<Value> = sections
        .iter()
        .map(|(code, reference)| json!({ "code": concept(code), "entry": [{ "reference": reference }] }))
        .collect();
    json!({ "resourceType": "Composition", "id": ONE, "section": section })
}

fn birth() -> Vec<Value> {
    let mut child = patient("c", "Mina", &[("BIRTH_REGISTRATION_NUMBER", "B1")]);
    child["birthDate"] = json!("2024-02-29");
    child["gender"] = json!("female");
    vec![
        composition(&[
            ("child-details", "Patient/c"),
            ("mother-details", "Patient/m"),
            ("father-details", "Patient/f"),
            ("informant-details", "RelatedPerson/i"),
            ("birth-encounter", "Encounter/e"),
        ]),
        task("BIRTH", "B1"),
        child,
        patient("m", "Ada", &[("NATIONAL_ID", "5550001111")]),
        json!({ "resourceType": "Patient", "id": "f", "active": false }),
        json!({ "resourceType": "RelatedPerson", "id": "i", "relationship": concept("MOTHER"),
            "patient": { "reference": "Patient/m" } }),
        json!({ "resourceType": "Encounter", "id": "e",
            "location": [{ "location": { "reference": format!("Location/{FACILITY}") } }] }),
        json!({ "resourceType": "Location", "id": FACILITY, "name": "Lakeside Clinic",
            "type": concept("HEALTH_FACILITY") }),
    ]
}

#[test]
fn the_signed_text_is_what_encode_uri_component_makes() {
    let text = signed_text(BODY);
    assert!(
        text.starts_with("sha256:%7B%22timestamp%22%3A%22"),
        "{text}"
    );
    assert!(text.contains(ENCODED_NOTE), "{text}");
    assert_eq!(format!("sha256={}", hex(&mac(text.as_bytes()))), SIGNATURE);
}

#[test]
fn a_delivery_that_two_other_programs_signed_is_believed() {
    let _stage = hooks();
    let believed = OpenCrvs::receive(callback(
        "POST",
        "/",
        &[("x-hub-signature", SIGNATURE)],
        BODY,
    ));
    // It is the sender's; there is only no record in its bundle.
    assert_eq!(believed.unwrap_err().summary(), "unreadable: bundle.task");
}

#[test]
fn who_does_not_prove_who_they_are_brings_nothing() {
    let good = bundle("BIRTH_REGISTERED", birth());
    let signature = format!("sha256={}", hex(&mac(signed_text(&good).as_bytes())));
    let bare = format!("sha256={}", hex(&mac(good.as_bytes())));
    let (short, other) = (&signature[..signature.len() - 2], SIGNATURE);
    let sha1 = signature.replacen("sha256=", "sha1=", 1);
    let sent = |headers: &[(&str, &str)]| {
        OpenCrvs::receive(callback("POST", "/", headers, &good)).unwrap()
    };
    let stage = hooks();
    assert_eq!(sent(&[("x-hub-signature", &signature)]).events.len(), 1);
    for headers in [
        vec![],
        vec![("x-hub-signature", bare.as_str())],
        vec![("x-hub-signature", short)],
        vec![("x-hub-signature", other)],
        vec![("x-hub-signature", sha1.as_str())],
        vec![("x-hub-signature", "sha256=")],
        vec![
            ("x-hub-signature", ""),
            ("x-hub-signature", signature.as_str()),
        ],
        vec![("authorization", "Bearer right")],
    ] {
        let refused = sent(&headers);
        assert_eq!(
            (refused.response.status, refused.events.len()),
            (401, 0),
            "{headers:?}"
        );
    }
    let mut binary = callback("POST", "/", &[("x-hub-signature", &signature)], "");
    binary.body = vec![0xff, 0xfe];
    assert_eq!(OpenCrvs::receive(binary).unwrap().response.status, 401);
    assert_eq!(forwarded(FORWARD, "wrong", &json!({})).response.status, 401);
    assert_eq!(forwarded(FORWARD, "", &json!({})).response.status, 401);
    drop(stage);
    // Where nothing is set nobody can prove anything.
    let _unset = common::stage("1.8", json!({})).key("hook", mac);
    assert_eq!(
        sent(&[("x-hub-signature", &signature)]).response.status,
        401
    );
    assert_eq!(forwarded(FORWARD, "right", &json!({})).response.status, 401);
    let get = callback("GET", "/", &[], "");
    assert_eq!(OpenCrvs::receive(get).unwrap().response.status, 405);
}

#[test]
fn the_challenge_of_a_subscription_is_given_back() {
    let _stage = hooks();
    let asked = |pairs: &[(&str, &str)]| {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let query = pairs.iter().map(owned).collect();
        let callback = Callback {
            query,
            ..callback("GET", "/", &[], "")
        };
        OpenCrvs::receive(callback).unwrap()
    };
    let good = asked(&[
        ("mode", "subscribe"),
        ("challenge", "a\"b"),
        ("topic", "DEATH_REGISTERED"),
    ]);
    assert_eq!(good.response.status, 200);
    let told: Value = serde_json::from_slice(&good.response.body).unwrap();
    assert_eq!(told, json!({ "challenge": "a\"b" }));
    for pairs in [
        vec![
            ("mode", "subscribe"),
            ("challenge", "x"),
            ("topic", "MARRIAGE_REGISTERED"),
        ],
        vec![
            ("mode", "other"),
            ("challenge", "x"),
            ("topic", "BIRTH_REGISTERED"),
        ],
        vec![
            ("mode", "subscribe"),
            ("challenge", ""),
            ("topic", "BIRTH_REGISTERED"),
        ],
        vec![("mode", "subscribe"), ("topic", "BIRTH_REGISTERED")],
    ] {
        assert_eq!(asked(&pairs).response.status, 400, "{pairs:?}");
    }
}

#[test]
fn a_birth_with_its_parents_numbers() {
    let _stage = hooks();
    let event = one(delivered(&bundle("BIRTH_REGISTERED", birth())).unwrap());
    // The delivery's own id is the subscription's, the same each time.
    assert_eq!(event.id, format!("{ONE}:BIRTH_REGISTERED"));
    assert_eq!(event.kind, EventKind::Birth);
    assert_eq!(event.occurred, dates::parse("2024-02-29"));
    assert_eq!(
        event.recorded_at.as_deref(),
        Some("2024-03-10T08:00:00.000Z")
    );
    assert_eq!(event.identifiers[0].value, "B1");
    let place = event.place.unwrap();
    assert_eq!(place.areas[0].name.as_deref(), Some("Lakeside Clinic"));
    assert_eq!(place.areas[0].code.as_deref(), Some(FACILITY));
    let who: Vec<_> = event
        .participants
        .iter()
        .map(|it| {
            (
                &it.role,
                it.person.names[0].given[0].as_str(),
                it.relation.as_ref(),
            )
        })
        .collect();
    assert_eq!(
        who,
        [
            (&ParticipantRole::Child, "Mina", None),
            (&ParticipantRole::Mother, "Ada", None),
            (
                &ParticipantRole::Informant,
                "Ada",
                Some(&RelationRole::Mother)
            ),
        ]
    );
    let mother = &event.participants[1].person;
    assert_eq!(mother.identifier("national-id"), Some("5550001111"));
    assert_eq!(mother.birth_date, dates::parse("1995-07"));
    assert_eq!(event.unmapped, []);
}

#[test]
fn a_death() {
    let _stage = hooks();
    let mut deceased = patient(
        "d",
        "Ada",
        &[("NATIONAL_ID", "5550001111"), ("CLINIC_CARD", "9")],
    );
    deceased["deceasedBoolean"] = json!(true);
    deceased["deceasedDateTime"] = json!("2025-03-04");
    let resources = vec![
        composition(&[
            ("deceased-details", "Patient/d"),
            ("spouse-details", "Patient/s"),
        ]),
        task("DEATH", "D1"),
        deceased,
        patient("s", "Ben", &[("NATIONAL_ID", "5550002222")]),
    ];
    let event = one(delivered(&bundle("DEATH_REGISTERED", resources)).unwrap());
    assert_eq!(
        (event.kind, event.occurred),
        (EventKind::Death, dates::parse("2025-03-04"))
    );
    let person = &event.participants[0].person;
    assert_eq!(person.status, Some(PersonStatus::Deceased));
    assert_eq!(person.identifier("death-registration-number"), Some("D1"));
    assert_eq!(event.participants[1].role, ParticipantRole::Spouse);
    // A type that nobody set up is told, and kept.
    assert_eq!(
        event.unmapped[0].field,
        "participants.0.person.identifiers.scheme"
    );
    assert_eq!(event.unmapped[0].value, "CLINIC_CARD");
    assert!(
        person
            .extra
            .iter()
            .any(|it| it.key == "x-opencrvs-identifier")
    );
}

#[test]
fn without_a_composition_only_the_record_s_own_number_tells_who_is_who() {
    let _stage = hooks();
    let mut resources = birth();
    resources.remove(0);
    let event = one(delivered(&bundle("BIRTH_REGISTERED", resources)).unwrap());
    assert_eq!(event.id, format!("{ONE}:BIRTH_REGISTERED"));
    assert_eq!(event.participants.len(), 1);
    assert_eq!(event.participants[0].role, ParticipantRole::Child);
    let told = (
        event.unmapped[0].field.as_str(),
        event.unmapped[0].value.as_str(),
    );
    assert_eq!(told, ("participants.role", "m"));
}

#[test]
fn a_delivery_that_cannot_be_read_is_a_typed_failure() {
    let _stage = hooks();
    let topic = bundle("MARRIAGE_REGISTERED", birth());
    let other = bundle("DEATH_REGISTERED", birth());
    for (body, expected) in [
        ("{}", "rejected: webhook.event"),
        (r#"{"event":{}}"#, "rejected: webhook.topic"),
        (
            r#"{"event":{"hub":{"topic":"BIRTH_REGISTERED"}}}"#,
            "rejected: webhook.context",
        ),
        (topic.as_str(), "rejected: webhook.topic"),
        (other.as_str(), "unreadable: bundle.event-type"),
    ] {
        assert_eq!(delivered(body).unwrap_err().summary(), expected, "{body}");
    }
    for body in ["", "[]", "not JSON"] {
        assert_eq!(delivered(body).unwrap().response.status, 400);
    }
    let long = format!(r#"{{"event":[{}0]}}"#, "0,".repeat(10_000));
    let failure = delivered(&long).unwrap_err();
    assert_eq!(failure.summary(), "unreadable: answer.list-too-long");
}

//! What of a notification is refused before it is sent, and how one that was sent ends.
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
use adapter_sdk::http::ProblemKind;
use adapter_sdk::model::{
    CreateRequest, CreateSubject, EventKind, Fate, MaritalStatus, Notification, ParticipantRole,
    Person, RelationRole, TraceQuery, WriteAnswer, WriteRequest,
};
use adapter_sdk::{Create, Trace, testing};
use common::*;
use notices::*;
use serde_json::json;

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
    assert_eq!(
        failure.summary(),
        "misconfigured: settings.invalid (settings.office)"
    );
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
    assert_eq!(
        (
            &declaration["child.gender"],
            &declaration["informant.relation"]
        ),
        (&json!("F"), &json!("COUSIN"))
    );
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
    for (version, fate) in [
        ("2", Fate::Absent),
        ("1.9", Fate::Absent),
        ("1.8", Fate::Unknown),
    ] {
        let stage = office(version);
        let query = TraceQuery {
            operation_key: "op-1".to_owned(),
            request: WriteRequest::Create(request(birth())),
            attempted_at: "2026-01-02T03:04:05Z".to_owned(),
            state: None,
            answer: None,
        };
        assert_eq!(OpenCrvs::trace(query), Ok(fate), "{version}");
        assert_eq!(stage.requests().len(), 0);
    }
}

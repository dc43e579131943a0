//! Enrolments: what is sent to a beneficiary registry, what its answers mean, and what became of one
//! whose answer was lost.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::http::{Error, Problem, ProblemKind, Response};
use adapter_sdk::model::{
    Beneficiary, Benefit, Contact, EnrolmentRequest, EnrolmentStatus, Extra, Fate, Household,
    HumanName, Identifier, Outcome, Person, Programme, Sex, TraceQuery, WriteAnswer, WriteRequest,
};
use adapter_sdk::testing::{self, Reply, Stage};
use adapter_sdk::{Enrol, Failure, Find, Opaque, Trace, dates};
use adapter_spdci::Spdci;
use common::{answer, by};
use serde_json::{Value, json};

const UPDATES: &str = "/registry/sync/enrollment/updates";
const ENROLLED: &str = "/registry/sync/enrolled";

fn stage() -> Stage {
    testing::stage()
        .settings(json!({ "registry_type": "IBR", "sender_id": "openimis" }))
        .endpoint("registry")
        .operation_key("op-1")
}

fn request() -> EnrolmentRequest {
    let person = Person {
        identifiers: vec![Identifier::new("national-id", "1")],
        names: vec![HumanName::of("Rai", ["Mira", "Asha"])],
        sex: Some(Sex::Female),
        birth_date: dates::parse("1990-05-20"),
        contacts: vec![Contact::phone("+977 1")],
        ..Person::default()
    };
    EnrolmentRequest {
        programme: Programme {
            identifiers: vec![Identifier::new("programme", "P1")],
            name: Some("Cash".to_owned()),
            extra: Vec::new(),
        },
        beneficiary: Beneficiary::Person(person),
        identifiers: Vec::new(),
        status: EnrolmentStatus::Active,
        previous_status: None,
        reason: None,
        from: dates::parse("2026-01-02"),
        until: None,
        benefits: vec![Benefit {
            type_: "Cash".to_owned(),
            amount: Some("50.00".to_owned()),
            currency: Some("USD".to_owned()),
            frequency: Some("Monthly".to_owned()),
            date: dates::parse("2026-02-01"),
            extra: Vec::new(),
        }],
        version: None,
        extra: Vec::new(),
    }
}

fn answered(status: &str) -> Value {
    json!({ "transaction_id": "op-1", "correlation_id": "c-1", "enrolled_response": [{
        "reference_id": "r", "timestamp": "2026-01-02T03:04:05Z", "status": status,
    }] })
}

fn enrol(answer: impl Into<Reply> + Clone + 'static) -> Result<WriteAnswer, Failure> {
    let _stage = stage().on_post(UPDATES, move |_| answer.clone());
    Spdci::enrol(request())
}

fn status(status: u16, retry_after: Option<&str>, body: &str) -> Response {
    let wait = retry_after.map(|wait| ("retry-after".to_owned(), wait.to_owned()));
    Response {
        status,
        headers: wait.into_iter().collect(),
        body: body.as_bytes().to_vec(),
    }
}

#[test]
fn an_enrolment_is_a_beneficiary() {
    let stage = stage().on_post(UPDATES, |_| answered("succ"));
    let mut request = request();
    request.previous_status = Some(EnrolmentStatus::Enrolled);
    request.extra = vec![Extra::new("status-change-date", &json!("2026-03-04"))];
    request.reason = Some("moved".to_owned());
    let WriteAnswer::Done(receipt) = Spdci::enrol(request).unwrap() else {
        panic!("not done");
    };
    assert_eq!(receipt.outcome, Outcome::Applied);
    assert_eq!(receipt.reference.as_deref(), Some("c-1"));
    assert_eq!(receipt.unwritten, ["reason"]);
    let sent = stage.requests().remove(0).json();
    assert_eq!(
        (&sent["header"]["action"], &sent["header"]["status"]),
        (&json!("notify"), &json!("succ"))
    );
    assert_eq!(
        sent["message"]["transaction_id"], "op-1",
        "the same in every attempt"
    );
    let number = json!([{ "identifier_type": "UIN", "identifier_value": "1" }]);
    assert_eq!(
        sent["message"]["enrolled_updates"]["beneficiaries"],
        json!([{
            "@type": "Beneficiary",
            "assistance_unit": "1",
            "member": {
                "member_identifier": number,
                "demographic_info": {
                    "identifier": number,
                    "name": { "surname": "Rai", "given_name": "Mira", "second_name": "Asha" },
                    "sex": "female",
                    "birth_date": "1990-05-20",
                    "phone_number": ["+977 1"],
                },
                "programme_identifier": {
                    "programme": { "programme_identifier": "P1", "programme_name": "Cash" },
                    "enrolment_date": "2026-01-02",
                    "enrolment_status": "Active",
                    "status_change_date": "2026-03-04",
                    "benefits": [{
                        "benefit_type": "Cash", "benefit_value": "USD 50.00",
                        "benefit_frequency": "Monthly", "benefit_date": "2026-02-01",
                    }],
                },
            },
        }])
    );
}

#[test]
fn what_answers_mean() {
    let outcome = |answer: Value| match enrol(answer) {
        Ok(WriteAnswer::Done(receipt)) => receipt.outcome,
        other => panic!("not done: {other:?}"),
    };
    assert_eq!(outcome(answered("succ")), Outcome::Applied);
    // As the official mock answers: that it has it, and not what it made of it.
    let ack = json!({ "message": { "ack_status": "ACK", "error": {}, "correlation_id": "c" } });
    assert_eq!(outcome(ack), Outcome::Other("acknowledged".to_owned()));
    for waits in ["pdng", "rcvd"] {
        assert!(matches!(
            enrol(answered(waits)),
            Ok(WriteAnswer::Pending(_))
        ));
    }
    let mut refused = answered("rjct");
    assert_eq!(
        enrol(refused.clone()).unwrap_err().summary(),
        "rejected: rjct"
    );
    refused["enrolled_response"][0]["status_reason_code"] = json!("rjct.person_id.invalid");
    assert_eq!(
        enrol(refused).unwrap_err().summary(),
        "rejected: rjct.person_id.invalid (identifiers)"
    );
    let nack = json!({ "message": { "ack_status": "NACK", "error": { "code": "err.request.forbidden" } } });
    assert_eq!(
        enrol(nack).unwrap_err().summary(),
        "denied: err.request.forbidden"
    );
    for (response, summary) in [
        (status(400, None, "{}"), "rejected: http.400"),
        (status(401, None, ""), "denied: http.401"),
        (
            status(404, None, ""),
            "misconfigured: http.404 (settings.paths.enrolment)",
        ),
        (status(429, Some("3"), ""), "unavailable: http.429"),
        (status(503, Some("3"), ""), "unavailable: http.503"),
    ] {
        assert_eq!(enrol(response).unwrap_err().summary(), summary);
    }
}

#[test]
fn what_nobody_knows_is_unclear() {
    let both =
        json!({ "message": { "ack_status": "ACK", "error": { "code": "err.request.bad" } } });
    let unclear = [
        enrol(status(502, None, "")),
        enrol(status(
            504,
            None,
            r#"{"errors": [{"code": "err.request.timeout"}]}"#,
        )),
        enrol(status(500, None, "")),
        enrol(status(503, None, "")),
        enrol(status(200, None, "<html>")),
        enrol(json!({ "message": { "ack_status": "perhaps" } })),
        enrol(answered("perhaps")),
        enrol(both),
        enrol(Error::SentNoAnswer(problem())),
    ];
    for (at, answer) in unclear.into_iter().enumerate() {
        assert!(
            matches!(answer, Ok(WriteAnswer::Unclear(_))),
            "{at}: {answer:?}"
        );
    }
    let failure = enrol(Error::NotSent(problem())).unwrap_err();
    assert_eq!(failure.summary(), "unavailable: http.not-sent.connect");
}

fn problem() -> Problem {
    Problem {
        kind: ProblemKind::Connect,
        message: String::new(),
        retry_after_ms: None,
    }
}

#[test]
fn what_has_no_place_is_refused_before_anything_is_sent() {
    let stage = stage().on_post(UPDATES, |_| answered("succ"));
    let refused = |change: &dyn Fn(&mut EnrolmentRequest)| {
        let mut request = request();
        change(&mut request);
        Spdci::enrol(request).unwrap_err().summary()
    };
    assert_eq!(
        refused(&|it| it.status = EnrolmentStatus::Other("waitlisted".to_owned())),
        "unsupported: status.unknown (status)"
    );
    assert_eq!(
        refused(&|it| it.programme.identifiers.clear()),
        "rejected: programme.missing (programme.identifiers)"
    );
    assert_eq!(
        refused(&|it| it.beneficiary = Beneficiary::Household(Household::default())),
        "unsupported: beneficiary.household (beneficiary)"
    );
    assert_eq!(
        refused(&|it| it.beneficiary = Beneficiary::Person(Person::default())),
        "rejected: identifier.scheme (beneficiary.person.identifiers)"
    );
    assert_eq!(stage.requests(), []);
    let stage = stage.settings(json!({ "registry_type": "Civil", "sender_id": "a" }));
    assert_eq!(
        refused(&|_| {}),
        "unsupported: registry.enrolment (settings.registry_type)"
    );
    assert_eq!(stage.requests(), []);
}

/// A registry that says whether the person is enrolled, and with which status they are found.
fn holding(enrolled: Value, standing: Option<&'static str>) -> Stage {
    stage()
        .on_post(ENROLLED, move |_| enrolled.clone())
        .on_post(common::PATH, move |request| {
            let records = standing.map(beneficiary);
            answer(
                request,
                "succ",
                json!(records.into_iter().collect::<Vec<_>>()),
            )
        })
}

fn beneficiary(standing: &str) -> Value {
    json!({ "assistance_unit": "1", "member": {
        "member_identifier": [{ "identifier_type": "UIN", "identifier_value": "1" }],
        "programme_identifier": {
            "programme": { "programme_identifier": "P1" }, "enrolment_status": standing,
        },
    } })
}

fn said(word: &str) -> Value {
    json!({ "transaction_id": "t", "correlation_id": "c", "enrolled_response": [{
        "status": "succ", "enrolled_status": word,
    }] })
}

fn trace(attempted_at: &str) -> Result<Fate, Failure> {
    trace_of(request(), attempted_at)
}

fn trace_of(request: EnrolmentRequest, attempted_at: &str) -> Result<Fate, Failure> {
    Spdci::trace(TraceQuery {
        operation_key: "op-1".to_owned(),
        request: WriteRequest::Enrolment(request),
        attempted_at: attempted_at.to_owned(),
        state: None,
        answer: None,
    })
}

#[test]
fn a_lost_one_is_looked_for() {
    let long_ago = "2024-01-02T03:04:05Z";
    let holds = holding(said("yes"), Some("active"));
    assert!(matches!(trace(long_ago), Ok(Fate::Applied(_))));
    let asked = holds.requests().remove(0).json();
    assert_eq!(
        asked["message"]["enrolled_criteria"]["query"],
        json!({
            "person_identifier": { "eq": "1" },
            "programme_identifier.program.programme_identifier": { "eq": "P1" },
        })
    );
    drop(holds);
    for (enrolled, standing) in [
        (said("no"), Some("Active")),
        // In it, but not as was sent.
        (said("yes"), Some("Suspended")),
        (said("yes"), None),
        // The official mock says it where an acknowledgement has its status.
        (json!({ "message": { "ack_status": "no" } }), Some("Active")),
    ] {
        let _stage = holding(enrolled, standing);
        assert!(matches!(trace(long_ago), Ok(Fate::Absent)));
        // What has just been sent may still be on its way.
        let early = trace(&dates::now()).unwrap_err();
        let Failure::Unavailable(why) = early else {
            panic!("not later: {early:?}");
        };
        assert_eq!(why.code.as_deref(), Some("trace.too-early"));
        assert!(
            why.retry_after_ms
                .is_some_and(|wait| (50_000..=60_000).contains(&wait))
        );
    }
    // Where `enrolled` is not spoken the search alone tells it.
    let _stage = holding(json!({}), Some("Active"));
    assert!(matches!(trace(long_ago), Ok(Fate::Applied(_))));
    // A registry that tells neither: a person must look.
    let _stage = stage();
    assert!(matches!(trace(long_ago), Ok(Fate::Unknown)));
}

/// Who is in no programme any more is not enrolled: as was asked for.
#[test]
fn a_membership_that_was_to_end_is_not_looked_for_among_members() {
    let long_ago = "2024-01-02T03:04:05Z";
    for (status, word) in [
        (EnrolmentStatus::Ended, "Ended"),
        (EnrolmentStatus::Suspended, "Suspended"),
    ] {
        let ended = EnrolmentRequest {
            status,
            ..request()
        };
        let stage = holding(said("no"), Some(word));
        let fate = trace_of(ended.clone(), long_ago);
        assert!(matches!(fate, Ok(Fate::Applied(_))), "{word}: {fate:?}");
        let asked = stage.requests();
        assert!(asked.iter().all(|it| it.path != ENROLLED), "{word}");
        drop(stage);
        // Who still is a member was not ended.
        let _stage = holding(said("yes"), Some("Active"));
        assert!(matches!(trace_of(ended, long_ago), Ok(Fate::Absent)));
    }
}

#[test]
fn one_that_is_worked_on_is_looked_for_until_it_stands() {
    let state = Opaque::pack(
        4,
        &json!({
            "person": { "identifier_type": "UIN", "identifier_value": "1" },
            "programme": "P1", "status": "Active", "unwritten": ["until"],
        }),
    );
    let state = state.unwrap();
    let stage = holding(said("yes"), Some("Potential"));
    let waiting = <Spdci as Enrol>::resume(state.clone(), None);
    let Ok(WriteAnswer::Pending(pending)) = waiting else {
        panic!("it does not wait: {waiting:?}");
    };
    assert_eq!(pending.retry_after_ms, Some(5_000));
    drop(stage);
    let _stage = holding(said("yes"), Some("Active"));
    let Ok(WriteAnswer::Done(receipt)) = <Spdci as Enrol>::resume(pending.state, None) else {
        panic!("not done");
    };
    assert_eq!(receipt.unwritten, ["until"]);
}

#[test]
fn a_beneficiary_is_found_with_their_programmes() {
    let _stage = holding(said("yes"), Some("Active"));
    let person = Spdci::find(by("national-id", "1")).unwrap().done().unwrap();
    let enrolments = person
        .extra
        .iter()
        .find(|it| it.key == "enrolments")
        .unwrap();
    let told: Value = serde_json::from_str(&enrolments.value).unwrap();
    assert_eq!(told, json!([{ "programme": "P1", "status": "Active" }]));
}

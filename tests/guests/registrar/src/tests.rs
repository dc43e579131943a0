use adapter_sdk::http::{Method, ProblemKind};
use adapter_sdk::model::{
    Address, Beneficiary, CreateRequest, CreateSubject, EnrolmentRequest, EnrolmentStatus, Fate,
    FindQuery, HumanName, Identifier, LinkChange, LinkRequest, NameUse, Outcome, PartialDate,
    Person, Programme, Receipt, Sex, TraceQuery, UpdateRequest, WriteAnswer, WriteRequest,
};
use adapter_sdk::testing::{self, Reply, Stage};
use adapter_sdk::{
    Create, Enrol, Failure, Find, Link, Opaque, Pending, PendingAnswer, Trace, Update,
};
use serde_json::json;

use super::Registrar;

mod events;

fn stage() -> Stage {
    testing::stage().operation_key("op-1").endpoint("registry")
}

fn own() -> Vec<Identifier> {
    vec![Identifier::new("record-id", "R1")]
}

fn ana() -> Person {
    Person {
        names: vec![HumanName {
            use_: Some(NameUse::Official),
            ..HumanName::of("Lima", ["Ana"])
        }],
        sex: Some(Sex::Female),
        birth_date: PartialDate::checked(1990, Some(5), None),
        ..Person::default()
    }
}

fn create(person: Person) -> CreateRequest {
    CreateRequest {
        subject: CreateSubject::Person(person),
        extra: Vec::new(),
    }
}

fn with_address() -> Person {
    let address = Address {
        city: Some("Pokhara".into()),
        ..Address::default()
    };
    Person {
        addresses: vec![address],
        ..ana()
    }
}

fn update(mask: &[&str], version: Option<&str>) -> UpdateRequest {
    UpdateRequest {
        identifiers: own(),
        person: Person {
            sex: Some(Sex::Male),
            ..Person::default()
        },
        mask: mask.iter().map(|&field| field.to_owned()).collect(),
        version: version.map(str::to_owned),
        extra: Vec::new(),
    }
}

fn link(change: LinkChange) -> LinkRequest {
    LinkRequest {
        identifiers: own(),
        change,
        linked: Identifier::new("openimis", "07/1"),
        version: None,
        extra: Vec::new(),
    }
}

fn told(outcome: &str, version: u64) -> serde_json::Value {
    json!({ "outcome": outcome, "id": "R1", "version": version, "reference": format!("R1/{version}") })
}

fn done(answer: Result<WriteAnswer, Failure>) -> Receipt {
    match answer {
        Ok(WriteAnswer::Done(receipt)) => receipt,
        other => panic!("not done: {other:?}"),
    }
}

fn waits(answer: Result<WriteAnswer, Failure>) -> Pending {
    match answer {
        Ok(WriteAnswer::Pending(pending)) => pending,
        other => panic!("does not wait: {other:?}"),
    }
}

#[test]
fn a_record_is_read_and_what_is_no_code_is_reported() {
    let _stage = stage().on_get("/records/R1", |_| {
        json!({ "id": "R1", "version": 3, "names": [{ "family": "Lima", "given": ["Ana"] }],
                "sex": "Z", "born": "1990-05", "died": "2026", "links": [] })
    });
    let person = Registrar::find(FindQuery { identifiers: own() });
    let person = person.expect("an answer").done().expect("a person");
    assert_eq!(person.version.as_deref(), Some("3"));
    assert_eq!(person.birth_date, PartialDate::checked(1990, Some(5), None));
    assert_eq!(person.unmapped[0].field, "sex");
}

#[test]
fn a_create_sends_its_key_and_tells_what_it_did_not_write() {
    let stage = stage().on_post("/records", |_| testing::json(201, told("applied", 1)));
    let receipt = done(Registrar::create(create(ana())));
    assert_eq!(receipt.outcome, Outcome::Applied);
    assert_eq!(receipt.identifiers, own());
    assert_eq!(receipt.version.as_deref(), Some("1"));
    assert_eq!(receipt.unwritten, ["names.0.use"]);
    let sent = &stage.requests()[0];
    assert_eq!(sent.header("idempotency-key"), Some("op-1"));
    assert_eq!(
        sent.json(),
        json!({ "names": [{ "family": "Lima", "given": ["Ana"] }], "sex": "F", "born": "1990-05" })
    );
}

#[test]
fn a_second_step_goes_on_from_its_state_alone() {
    let first = {
        let stage = stage().on_post("/records", |_| testing::json(201, told("applied", 1)));
        let pending = waits(Registrar::create(create(with_address())));
        assert_eq!(stage.requests().len(), 1);
        pending
    };
    assert_eq!((first.retry_after_ms, &first.reference), (Some(0), &None));
    // The answer of the first try at the second step is lost; the next one asks before it sends.
    let stage = testing::stage()
        .endpoint("registry")
        .on_get("/operations/op-1.addresses", |_| {
            testing::json(404, json!({ "state": "unknown" }))
        })
        .on(Method::Put, "/records/R1/addresses", |_| told("applied", 2));
    let receipt = done(<Registrar as Create>::resume(first.state.clone(), None));
    assert_eq!(receipt.version.as_deref(), Some("2"));
    let sent = stage.requests();
    assert_eq!(sent[1].header("idempotency-key"), Some("op-1.addresses"));
    assert_eq!(sent[1].json(), json!([{ "city": "Pokhara" }]));
    // The record stands: a refusal of the second step does not undo the first.
    let _stage = testing::stage()
        .endpoint("registry")
        .on_get("/operations/op-1.addresses", |_| {
            testing::json(404, json!({ "state": "unknown" }))
        })
        .on(Method::Put, "/records/R1/addresses", |_| {
            testing::json(
                422,
                json!({ "code": "value.invalid", "field": "addresses" }),
            )
        });
    let receipt = done(<Registrar as Create>::resume(first.state, None));
    assert_eq!(receipt.unwritten, ["names.0.use", "addresses"]);
    assert_eq!(receipt.identifiers, own());
}

#[test]
fn an_update_writes_its_mask_clears_and_tells_the_version() {
    let stage = stage().on(Method::Patch, "/records/R1", |_| told("applied", 4));
    let receipt = done(Registrar::update(update(
        &["sex", "birth-date", "photo"],
        Some("3"),
    )));
    assert_eq!(receipt.unwritten, ["photo"]);
    let sent = &stage.requests()[0];
    assert_eq!(sent.header("if-match"), Some("\"3\""));
    assert_eq!(sent.json(), json!({ "sex": "M", "born": null }));
    assert_eq!(
        Registrar::update(update(&["photo"], None)),
        Err(Failure::unsupported("mask.unwritable").field("mask"))
    );
    let other = UpdateRequest {
        person: Person {
            sex: Some(Sex::Other),
            ..Person::default()
        },
        ..update(&["sex"], None)
    };
    let refused = Failure::unsupported("sex.other").field("sex");
    assert_eq!(Registrar::update(other), Err(refused));
    assert_eq!(stage.requests().len(), 1);
}

/// Every answer that a write may meet, and what it means.
#[test]
fn what_an_answer_means() {
    let said = |reply: fn() -> Reply| {
        let _stage = stage().on(Method::Patch, "/records/R1", move |_| reply());
        Registrar::update(update(&["sex"], Some("3")))
    };
    let moved = said(|| testing::json(412, json!({ "code": "version.moved" })).into());
    assert_eq!(moved, Err(Failure::conflict("version.moved")));
    let wrong =
        said(|| testing::json(422, json!({ "code": "value.invalid", "field": "born" })).into());
    assert_eq!(
        wrong,
        Err(Failure::rejected("value.invalid").field("birth-date"))
    );
    let unknown = said(|| testing::json(404, json!({ "code": "record.unknown" })).into());
    assert_eq!(unknown, Err(Failure::not_found()));
    let locked = said(|| testing::status(401, &[]).into());
    assert_eq!(locked, Err(Failure::denied("http.401")));
    for (status, reply) in [
        (
            429,
            (|| testing::status(429, &[("retry-after", "3")]).into()) as fn() -> Reply,
        ),
        (503, || testing::status(503, &[("retry-after", "3")]).into()),
    ] {
        let later = Failure::unavailable(format!("http.{status}")).retry_after_ms(Some(3_000));
        assert_eq!(said(reply), Err(later));
    }
    let unsent = said(|| testing::not_sent(ProblemKind::Connect).into());
    assert_eq!(unsent, Err(Failure::unavailable("http.not-sent.connect")));
    // Nobody knows: lost, from something in between, or a success that cannot be read.
    for (reply, code) in [
        (
            (|| testing::sent_no_answer(ProblemKind::Interrupted).into()) as fn() -> Reply,
            None,
        ),
        (|| testing::status(502, &[]).into(), Some("http.502")),
        (|| testing::status(503, &[]).into(), Some("http.503")),
        (|| testing::status(504, &[]).into(), Some("http.504")),
        (
            || testing::status(200, &[]).into(),
            Some("answer.unreadable"),
        ),
    ] {
        match said(reply) {
            Ok(WriteAnswer::Unclear(why)) => assert_eq!(why.code.as_deref(), code),
            other => panic!("{code:?} is not unclear: {other:?}"),
        }
    }
}

#[test]
fn a_later_answer_is_polled_for_or_brought() {
    let pending = {
        let _stage = stage().on(Method::Patch, "/records/R1", |_| {
            testing::json(202, json!({ "reference": "op-1" }))
        });
        waits(Registrar::update(update(&["sex", "photo"], None)))
    };
    assert_eq!(pending.reference.as_deref(), Some("op-1"));
    let resume = |state: &Opaque, answer| <Registrar as Update>::resume(state.clone(), answer);
    let asked = |reply: fn() -> Reply| {
        let _stage = stage().on_get("/operations/op-1", move |_| reply());
        resume(&pending.state, None)
    };
    let underway = asked(|| json!({ "state": "underway", "reference": "op-1" }).into());
    assert_eq!(waits(underway).reference.as_deref(), Some("op-1"));
    // A registry that cannot be asked now has not said no.
    let down = asked(|| testing::status(503, &[("retry-after", "5")]).into());
    assert_eq!(waits(down).retry_after_ms, Some(5_000));
    let there =
        asked(|| json!({ "state": "done", "status": 200, "body": told("applied", 2) }).into());
    assert_eq!(done(there).unwritten, ["photo"]);
    let refused = asked(|| {
        json!({ "state": "refused", "status": 412, "body": { "code": "version.moved" } }).into()
    });
    assert_eq!(refused, Err(Failure::conflict("version.moved")));
    let forgotten = asked(|| testing::json(404, json!({ "state": "unknown" })).into());
    assert!(matches!(forgotten, Ok(WriteAnswer::Unclear(_))));
    let brought = PendingAnswer {
        reference: "op-1".into(),
        data: json!({ "state": "done", "status": 200, "body": told("applied", 2) })
            .to_string()
            .into_bytes(),
    };
    let stage = stage();
    assert_eq!(
        done(resume(&pending.state, Some(brought)))
            .reference
            .as_deref(),
        Some("R1/2")
    );
    assert!(stage.requests().is_empty());
}

#[test]
fn links_and_enrolments_are_sent() {
    let path = "/records/R1/links/openimis/07%2F1";
    let stage = stage()
        .on(Method::Put, path, |_| told("unchanged", 1))
        .on(Method::Delete, path, |_| told("applied", 2))
        .on_post("/enrolments", |_| told("applied", 1));
    assert_eq!(
        done(Registrar::link(link(LinkChange::Add))).outcome,
        Outcome::Unchanged
    );
    assert_eq!(
        done(Registrar::link(link(LinkChange::Remove))).outcome,
        Outcome::Applied
    );
    let enrolment = EnrolmentRequest {
        programme: Programme {
            identifiers: vec![Identifier::new("programme", "cash")],
            name: None,
            extra: Vec::new(),
        },
        beneficiary: Beneficiary::Person(Person {
            identifiers: own(),
            ..Person::default()
        }),
        identifiers: vec![Identifier::new("enrolment", "7")],
        status: EnrolmentStatus::Enrolled,
        previous_status: None,
        reason: None,
        from: PartialDate::checked(2026, Some(1), Some(1)),
        until: None,
        benefits: Vec::new(),
        version: None,
        extra: Vec::new(),
    };
    assert_eq!(done(Registrar::enrol(enrolment)).unwritten, ["identifiers"]);
    let sent = stage.requests().pop().expect("one");
    assert_eq!(
        sent.json(),
        json!({ "programme": "cash", "record": "R1", "status": "enrolled", "reason": null,
                "from": "2026-01-01", "until": null })
    );
}

#[test]
fn what_became_of_a_write() {
    let traced_by = |request: WriteRequest, answer: Option<PendingAnswer>, reply: fn() -> Reply| {
        let _stage = testing::stage()
            .endpoint("registry")
            .on_get("/operations/op-1", move |_| reply());
        Registrar::trace(TraceQuery {
            operation_key: "op-1".into(),
            request,
            attempted_at: "2026-05-01T10:00:00Z".into(),
            state: None,
            answer,
        })
    };
    let traced = |request, reply| traced_by(request, None, reply);
    let link = || WriteRequest::Link(link(LinkChange::Add));
    let there = || json!({ "state": "done", "status": 200, "body": told("applied", 2) }).into();
    assert!(matches!(traced(link(), there), Ok(Fate::Applied(_))));
    // What a callback brought tells it without a question.
    let away = || testing::status(503, &[]).into();
    let brought = PendingAnswer {
        reference: "op-1".into(),
        data: json!({ "state": "done", "status": 200, "body": told("applied", 2) })
            .to_string()
            .into_bytes(),
    };
    let by_callback = traced_by(link(), Some(brought), away);
    assert!(
        matches!(by_callback, Ok(Fate::Applied(_))),
        "{by_callback:?}"
    );
    // Half of it is: `resume` does the rest.
    let half = traced(WriteRequest::Create(create(with_address())), there);
    assert!(matches!(
        half,
        Ok(Fate::Underway(Pending {
            retry_after_ms: Some(0),
            ..
        }))
    ));
    let never = traced(link(), || {
        testing::json(404, json!({ "state": "unknown" })).into()
    });
    assert_eq!(never, Ok(Fate::Absent));
    let refused = traced(link(), || {
        json!({ "state": "refused", "status": 409, "body": { "code": "link.elsewhere" } }).into()
    });
    assert_eq!(
        refused,
        Ok(Fate::Refused(Failure::rejected("link.elsewhere")))
    );
    let works = traced(link(), || json!({ "state": "underway" }).into());
    assert!(matches!(works, Ok(Fate::Underway(_))));
    let keyless = traced(link(), || {
        testing::json(501, json!({ "code": "keys.not-kept" })).into()
    });
    assert_eq!(keyless, Ok(Fate::Unknown));
    let down = traced(link(), || testing::status(503, &[]).into());
    assert_eq!(down, Err(Failure::unavailable("http.503")));
}

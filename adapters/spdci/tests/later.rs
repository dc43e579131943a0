//! The asynchronous search: acknowledged, and answered by a callback or by `txn/status`.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::http::{Request, Response};
use adapter_sdk::model::{Callback, Criterion, Person, SearchQuery, Test, VerifyQuery};
use adapter_sdk::testing::{self, Stage};
use adapter_sdk::{
    Answer, Events, Failure, Find, FindHousehold, Opaque, PendingAnswer, Search, Verify,
};
use adapter_spdci::Spdci;
use common::{answer, by, group, household_of, member, record};
use serde_json::{Value, json};

const SEARCH: &str = "/registry/search";
const STATUS: &str = "/registry/sync/txn/status";

fn ack() -> Value {
    json!({ "message": { "ack_status": "ACK", "timestamp": "", "correlation_id": "c" } })
}

fn settings(registry_type: &str) -> Value {
    json!({
        "registry_type": registry_type, "sender_id": "openimis", "mode": "async",
        "sender_uri": "https://gateway.example/hooks/civil", "status_after_ms": 1_000,
        "trust_transaction_ids": true,
    })
}

/// A registry that acknowledges every search.
fn stage(registry_type: &str) -> Stage {
    testing::stage()
        .settings(settings(registry_type))
        .endpoint("registry")
        .on_post(SEARCH, |_| ack())
}

/// What waits, by its reference, and for how long at most.
fn waiting<T: std::fmt::Debug>(
    answer: Result<Answer<T>, Failure>,
) -> (String, Option<u32>, Opaque) {
    match answer {
        Ok(Answer::Pending(pending)) => {
            let reference = pending.reference.expect("a reference");
            (reference, pending.retry_after_ms, pending.state)
        }
        other => panic!("it does not wait: {other:?}"),
    }
}

fn done<T: std::fmt::Debug>(answer: Result<Answer<T>, Failure>) -> T {
    match answer {
        Ok(Answer::Done(value)) => value,
        other => panic!("not done: {other:?}"),
    }
}

fn last(stage: &Stage) -> Request {
    stage.requests().pop().expect("a request")
}

/// What the callback with this body brings.
fn brought(path: &str, body: &Value) -> Vec<PendingAnswer> {
    let callback = Callback {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
        extra: Vec::new(),
    };
    let reception = Spdci::receive(callback).unwrap();
    assert_eq!(reception.response.status, 200);
    let told: Value = serde_json::from_slice(&reception.response.body).unwrap();
    assert_eq!(told["message"]["ack_status"], "ACK");
    assert_eq!(reception.events, []);
    reception.answers
}

#[test]
fn a_search_is_acknowledged_and_its_callback_goes_on() {
    let stage = stage("Civil");
    let (reference, again, state) = waiting(Spdci::find(by("national-id", "1")));
    assert_eq!(again, Some(1_000));
    let sent = last(&stage);
    let asked = sent.json();
    assert_eq!(sent.path, SEARCH);
    assert_eq!(asked["header"]["action"], "search");
    assert_eq!(
        asked["header"]["sender_uri"],
        "https://gateway.example/hooks/civil"
    );
    assert_eq!(asked["message"]["transaction_id"], json!(reference));

    let body = answer(&sent, "succ", json!([record("1", "Mira", "F")]));
    let answers = brought("registry/on-search", &body);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].reference, reference);
    let found = done(<Spdci as Find>::resume(state, answers.into_iter().next()));
    assert_eq!(found.names[0].given, ["Mira"]);
    assert_eq!(stage.requests().len(), 1);
}

#[test]
fn the_callback_may_leave_a_number_out_or_come_to_the_address_itself() {
    let stage = stage("Civil");
    for (path, remove) in [
        ("/registry/on-search", "/message/transaction_id"),
        ("", "/message/search_response/0/reference_id"),
    ] {
        let (reference, _, state) = waiting(Spdci::find(by("national-id", "1")));
        let mut body = answer(&last(&stage), "succ", json!([record("1", "Mira", "F")]));
        *body.pointer_mut(remove).unwrap() = json!("");
        let answers = brought(path, &body);
        assert_eq!(answers[0].reference, reference, "{remove}");
        done(<Spdci as Find>::resume(state, answers.into_iter().next()));
    }
    // OpenCRVS names the action of the question.
    let (reference, _, _) = waiting(Spdci::find(by("national-id", "1")));
    let mut body = answer(&last(&stage), "succ", json!([]));
    body["header"]["action"] = json!("search");
    assert_eq!(brought("registry", &body)[0].reference, reference);
}

#[test]
fn what_a_callback_refuses_is_refused_and_what_waits_brings_nothing() {
    let stage = stage("Civil");
    let (_, _, state) = waiting(Spdci::find(by("national-id", "1")));
    let mut body = answer(&last(&stage), "rjct", json!([]));
    let item = &mut body["message"]["search_response"][0];
    item["status_reason_code"] = json!("rjct.search.too_many_records_found");
    let answers = brought("registry/on-search", &body);
    let refused = <Spdci as Find>::resume(state, answers.into_iter().next()).unwrap_err();
    assert_eq!(
        refused.summary(),
        "rejected: rjct.search.too_many_records_found (identifiers)"
    );
    for status in ["pdng", "rcvd"] {
        let (_, _, _) = waiting(Spdci::find(by("national-id", "1")));
        let body = answer(&last(&stage), status, json!([]));
        assert_eq!(brought("registry/on-search", &body), []);
    }
}

#[test]
fn somebody_else_s_answer_is_not_taken() {
    let stage = stage("Civil");
    let (_, _, state) = waiting(Spdci::find(by("national-id", "1")));
    let other = answer(&last(&stage), "succ", json!([record("2", "Mira", "F")]));
    let answers = brought("registry/on-search", &other);
    let refused = <Spdci as Find>::resume(state.clone(), answers.into_iter().next());
    assert_eq!(
        refused.unwrap_err().summary(),
        "unreadable: answer.mismatch"
    );
    let mut body = answer(&last(&stage), "succ", json!([record("1", "Mira", "F")]));
    body["message"]["transaction_id"] = json!("another");
    let data = body.to_string().into_bytes();
    let reference = "another".to_owned();
    let refused = <Spdci as Find>::resume(state, Some(PendingAnswer { reference, data }));
    assert_eq!(
        refused.unwrap_err().summary(),
        "unreadable: answer.mismatch"
    );
}

#[test]
fn without_a_callback_the_status_is_asked_ever_more_slowly() {
    let stage = stage("Civil");
    let (reference, _, state) = waiting(Spdci::find(by("national-id", "1")));
    let search = last(&stage);
    let status = move |status: &'static str, records: Value| {
        let told = answer(&search, status, records)["message"].clone();
        json!({ "header": { "status": "succ" }, "message": {
            "txnstatus_response": { "txn_type": "search", "txn_status": told },
        } })
    };
    let pending = status("pdng", json!([]));
    let stage = stage.on_post(STATUS, move |_| pending.clone());
    let (again, wait, state) = waiting(<Spdci as Find>::resume(state, None));
    assert_eq!((again.as_str(), wait), (reference.as_str(), Some(2_000)));
    let asked = last(&stage).json();
    let request = &asked["message"]["txnstatus_request"];
    assert_eq!(asked["header"]["action"], "txn-status");
    assert_eq!(
        (
            &request["txn_type"],
            &request["attribute_type"],
            &request["attribute_value"]
        ),
        (
            &json!("search"),
            &json!("transaction_id"),
            &json!(reference)
        )
    );
    let found = status("succ", json!([record("1", "Mira", "F")]));
    let _stage = stage.on_post(STATUS, move |_| found.clone());
    assert_eq!(done(<Spdci as Find>::resume(state, None)).names.len(), 1);
}

#[test]
fn a_registry_that_tells_no_status_is_waited_for() {
    // The official mocks answer with the schema of the answer.
    let schema = json!({ "transaction_id": 1, "txnstatus_response": { "type": "object" } });
    let refused = json!({ "header": { "status": "rjct" }, "message": {} });
    for told in [schema, refused] {
        let stage = stage("Civil").on_post(STATUS, move |_| told.clone());
        let (reference, _, state) = waiting(Spdci::find(by("national-id", "1")));
        let (again, wait, _) = waiting(<Spdci as Find>::resume(state, None));
        assert_eq!((again, wait), (reference, None));
        drop(stage);
    }
}

#[test]
fn acknowledgements_are_read_in_every_form() {
    let empty = Response {
        status: 202,
        headers: Vec::new(),
        body: Vec::new(),
    };
    let _stage = stage("Civil").on_post(SEARCH, move |_| empty.clone());
    waiting(Spdci::find(by("national-id", "1")));
    let example = json!({ "code": "err.request.bad", "message": "string" });
    for body in [
        // As the official mocks write them.
        json!({ "message": { "ack_status": "ACK", "timestamp": "", "error": example } }),
        json!({ "transaction_id": 1, "search_response": { "status": "pending", "message": "m" } }),
    ] {
        let _stage = stage("Civil").on_post(SEARCH, move |_| body.clone());
        waiting(Spdci::find(by("national-id", "1")));
    }
    let refused = json!({ "message": {
        "ack_status": "NACK", "error": { "code": "err.sender_uri.invalid" },
    } });
    let _stage = stage("Civil").on_post(SEARCH, move |_| refused.clone());
    assert_eq!(
        Spdci::find(by("national-id", "1")).unwrap_err().summary(),
        "misconfigured: err.sender_uri.invalid (settings.sender_uri)"
    );
    // One that answers at once is heard at once.
    let _stage = stage("Civil").on_post(SEARCH, |request| {
        answer(request, "succ", json!([record("1", "Mira", "F")]))
    });
    done(Spdci::find(by("national-id", "1")));
    let _stage = testing::stage()
        .settings(settings("Civil"))
        .endpoint("registry");
    assert_eq!(
        Spdci::find(by("national-id", "1")).unwrap_err().summary(),
        "misconfigured: http.404 (settings.paths.search)"
    );
}

#[test]
fn without_an_address_nothing_is_asked() {
    let mut nowhere = settings("Civil");
    nowhere.as_object_mut().unwrap().remove("sender_uri");
    let stage = stage("Civil").settings(nowhere);
    assert_eq!(
        Spdci::find(by("national-id", "1")).unwrap_err().summary(),
        "misconfigured: spdci.no-callback (settings.sender_uri)"
    );
    assert_eq!(stage.requests(), []);
}

#[test]
fn a_page_of_a_search_comes_later_too() {
    let stage = stage("Civil");
    let query = SearchQuery {
        criteria: vec![Criterion {
            field: "name.family".to_owned(),
            test: Test::Equals("Rai".to_owned()),
        }],
        sort: Vec::new(),
        page_size: 2,
        page: None,
    };
    let (_, _, state) = waiting(Spdci::search(query));
    let mut body = answer(
        &last(&stage),
        "succ",
        json!([record("1", "A", "F"), record("2", "B", "F")]),
    );
    body["message"]["search_response"][0]["pagination"] = json!({ "total_count": 3 });
    let answers = brought("registry/on-search", &body);
    let page = done(<Spdci as Search>::resume(state, answers.into_iter().next()));
    assert_eq!((page.candidates.len(), page.total), (2, Some(3)));
    let (number, size): (u32, u32) = page.next.unwrap().unpack(1).unwrap();
    assert_eq!((number, size), (2, 2));
}

#[test]
fn a_group_and_a_family_come_step_by_step() {
    let social = stage("Social");
    let (_, _, state) = waiting(Spdci::find_household(household_of("national-id", "1")));
    let members = json!([member("1", "Mira", "self")]);
    let body = answer(&last(&social), "succ", json!([group(Value::Null, members)]));
    let answers = brought("registry/on-search", &body);
    let home = done(<Spdci as FindHousehold>::resume(
        state,
        answers.into_iter().next(),
    ));
    assert_eq!((home.people.len(), home.head), (1, Some(0)));
    drop(social);

    let civil = stage("Civil");
    let mut child = record("1", "Mira", "F");
    for (parent, uin) in [("parent1_identifier", "2"), ("parent2_identifier", "3")] {
        child[parent] = json!({ "identifier_type": "UIN", "identifier_value": uin });
    }
    let (_, _, mut state) = waiting(Spdci::find_household(household_of("national-id", "1")));
    let steps = [json!([child]), json!([record("2", "Asha", "F")])];
    for records in steps {
        let answers = brought(
            "registry/on-search",
            &answer(&last(&civil), "succ", records),
        );
        let next = <Spdci as FindHousehold>::resume(state, answers.into_iter().next());
        state = waiting(next).2;
    }
    // Of the second parent the registry has no record.
    let answers = brought(
        "registry/on-search",
        &answer(&last(&civil), "succ", json!([])),
    );
    let family = done(<Spdci as FindHousehold>::resume(
        state,
        answers.into_iter().next(),
    ));
    assert_eq!(family.people.len(), 3);
    assert_eq!(family.people[2].identifier("national-id"), Some("3"));
    assert_eq!(civil.requests().len(), 3);
}

#[test]
fn a_claim_is_not_kept_for_later() {
    let stage = stage("Civil");
    let query = VerifyQuery {
        identifiers: by("national-id", "1").identifiers,
        claimed: Person::default(),
    };
    assert_eq!(
        Spdci::verify(query).unwrap_err().summary(),
        "unsupported: mode.async"
    );
    assert_eq!(stage.requests(), []);
}

//! The stage lends what the gateway lends.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

use adapter_sdk::http::{self, ProblemKind};
use adapter_sdk::{Failure, Opaque, call, log, settings, signing, testing};
use serde_json::{Value, json};

#[test]
fn answers_requests_and_keeps_them() {
    let stage = testing::stage()
        .endpoint("registry")
        .on_post("/search", |request| json!({ "asked": request.json() }))
        .endpoint("other")
        .on_get("/", |_| testing::sent_no_answer(ProblemKind::TimedOut));

    let request = http::endpoint("registry")
        .post("/search")
        .header("X-Trace", "1");
    let answer: Value = request
        .query("page", "2")
        .json(&7)
        .unwrap()
        .send()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(answer, json!({ "asked": 7 }));

    let both = [
        http::endpoint("registry").get("/none"),
        http::endpoint("other").get("/"),
    ];
    let answers = http::send_all(both);
    assert_eq!(answers[0].as_ref().unwrap().status, 404);
    assert_eq!(
        answers[1],
        Err(Failure::unavailable("http.sent-no-answer.timed-out"))
    );

    let requests = stage.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[0].header("x-trace"), Some("1"));
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    assert_eq!(requests[0].query, [("page".to_owned(), "2".to_owned())]);
}

#[test]
fn lends_settings_call_log_and_keys() {
    let stage = testing::stage()
        .settings(json!({ "a": 1 }))
        .purpose("enrolment")
        .languages(&["ne", "en"])
        .key("signature", |data| data.iter().rev().copied().collect());

    assert_eq!(settings::get("a").as_deref(), Some("1"));
    assert_eq!(settings::get("b"), None);
    assert_eq!(call::purpose().as_deref(), Some("enrolment"));
    assert_eq!(call::user(), None);
    assert_eq!(call::languages(), ["ne", "en"]);
    log::warn!("{} records", 3);
    assert_eq!(stage.logs(), [(log::Level::Warn, "3 records".to_owned())]);
    assert_eq!(
        signing::sign("signature", "EdDSA", b"abc"),
        Ok(b"cba".to_vec())
    );
    assert_eq!(
        signing::verify("signature", None, "EdDSA", b"abc", b"abc"),
        Ok(false)
    );
    let failure = signing::sign("another", "EdDSA", b"abc").unwrap_err();
    assert_eq!(failure.summary(), "unsupported: signing.key-not-granted");
}

#[test]
fn is_taken_down_when_dropped() {
    drop(testing::stage().settings(json!({ "a": 1 })));
    assert_eq!(settings::get("a"), None);
}

#[test]
fn a_token_is_read_back_by_its_schema_only() {
    let token = Opaque::pack(1, &("page", 2)).unwrap();
    assert_eq!(token.unpack::<(String, u32)>(1), Ok(("page".to_owned(), 2)));
    assert_eq!(
        token.unpack::<(String, u32)>(2).unwrap_err().summary(),
        "rejected: state.unreadable"
    );
    let token = Opaque {
        schema: 1,
        data: b"{".to_vec(),
    };
    assert_eq!(
        token.unpack::<u32>(1).unwrap_err().summary(),
        "rejected: state.unreadable"
    );
}

//! Every reason code of the specification is a failure of a kind.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::Find;
use adapter_sdk::testing;
use adapter_spdci::{Spdci, reasons};
use common::{by, item, saying};
use serde_json::{Value, json};

/// `SearchStatusReasonCode`, subscribe, unsubscribe: in an item.
const ITEM: &[(&str, &str)] = &[
    ("rjct.reference_id.invalid", "unsupported"),
    ("rjct.reference_id.duplicate", "unavailable"),
    ("rjct.timestamp.invalid", "unsupported"),
    ("rjct.search_criteria.invalid", "rejected"),
    ("rjct.filter.invalid", "rejected"),
    ("rjct.sort.invalid", "rejected"),
    ("rjct.pagination.invalid", "rejected"),
    ("rjct.search.too_many_records_found", "rejected"),
    ("rjct.notify_types.invalid", "rejected"),
    ("rjct.notify_details.invalid", "rejected"),
    ("rjct.person_id.invalid", "rejected"),
    ("rjct.event.already_subscribed", "conflict"),
    ("rjct.subscription_code.invalid", "rejected"),
    ("rjct.requester.invalid", "denied"),
    ("rjct.event.already_unsubscribed", "conflict"),
];

/// `MsgHeaderStatusReasonCode`: in the header.
const HEADER: &[(&str, &str)] = &[
    ("rjct.version.invalid", "unsupported"),
    ("rjct.message_id.duplicate", "unavailable"),
    ("rjct.message_ts.invalid", "unsupported"),
    ("rjct.action.invalid", "unsupported"),
    ("rjct.action.not_supported", "unsupported"),
    ("rjct.total_count.invalid", "unsupported"),
    ("rjct.total_count.limit_exceeded", "rejected"),
    ("rjct.errors.too_many", "rejected"),
];

/// `Error.code`: in an acknowledgement.
const ACKNOWLEDGEMENT: &[(&str, &str)] = &[
    ("err.request.bad", "rejected"),
    ("err.request.unauthorized", "denied"),
    ("err.request.forbidden", "denied"),
    ("err.request.not_found", "unsupported"),
    ("err.request.timeout", "unavailable"),
    ("err.version.not_supported", "unsupported"),
    ("err.request.too_many_requests", "unavailable"),
    ("err.sender_id.invalid", "denied"),
    ("err.sender_uri.invalid", "denied"),
    ("err.receiver_id.invalid", "denied"),
    ("err.signature.missing", "denied"),
    ("err.signature.invalid", "denied"),
    ("err.encryption.invalid", "denied"),
    ("err.service.unavailable", "unavailable"),
];

/// What a find fails with where the registry answers this.
fn failure(body: Value) -> (String, Option<String>) {
    let _stage = saying(body);
    let failure = Spdci::find(by("national-id", "1")).unwrap_err();
    (failure.kind().to_owned(), failure.code().map(str::to_owned))
}

fn expected(code: &str, kind: &str) -> (String, Option<String>) {
    (kind.to_owned(), Some(code.to_owned()))
}

#[test]
fn in_an_item() {
    for (code, kind) in ITEM {
        let body = item(json!({
            "status": "rjct", "status_reason_code": code, "status_reason_message": "Mira is dead",
        }));
        assert_eq!(failure(body), expected(code, kind));
    }
}

#[test]
fn in_the_header() {
    for (code, kind) in HEADER {
        let body = json!({
            "header": { "status": "rjct", "status_reason_code": code }, "message": {},
        });
        assert_eq!(failure(body), expected(code, kind));
    }
}

#[test]
fn in_an_acknowledgement() {
    for (code, kind) in ACKNOWLEDGEMENT {
        for status in ["NACK", "ERR"] {
            let body = json!({ "message": { "ack_status": status, "error": { "code": code } } });
            assert_eq!(failure(body), expected(code, kind));
        }
    }
}

#[test]
fn with_an_http_status() {
    let body = json!({ "errors": [{ "code": "err.request.too_many_requests" }] });
    let mut response = testing::json(400, body);
    response.headers.push(("retry-after".into(), "3".into()));
    let _stage = saying(response);
    let failure = Spdci::find(by("national-id", "1")).unwrap_err();
    assert_eq!(
        failure.summary(),
        "unavailable: err.request.too_many_requests"
    );
    assert!(format!("{failure:?}").contains("Some(3000)"));

    // A gateway's own words count less than its status.
    let _stage = saying(testing::json(401, json!({ "errors": [{ "code": "E17" }] })));
    let failure = Spdci::find(by("national-id", "1")).unwrap_err();
    assert_eq!(failure.summary(), "denied: http.401");
}

#[test]
fn the_table_holds_these_codes_and_no_others() {
    let mut tested: Vec<&str> = [ITEM, HEADER, ACKNOWLEDGEMENT]
        .concat()
        .into_iter()
        .map(|(code, _)| code)
        .collect();
    let mut known: Vec<&str> = reasons::REASONS.iter().map(|(code, _, _)| *code).collect();
    tested.sort_unstable();
    known.sort_unstable();
    assert_eq!(tested, known);
}

#[test]
fn a_code_that_nobody_knows_goes_along() {
    assert_eq!(
        reasons::failure("rjct.moon.full").summary(),
        "rejected: rjct.moon.full"
    );
    assert_eq!(reasons::failure("E17").summary(), "other: E17");
}

#[test]
fn the_registrys_words_stay_behind() {
    let body = item(json!({
        "status": "rjct", "status_reason_code": "rjct.filter.invalid",
        "status_reason_message": "Mira is dead",
    }));
    let stage = saying(body);
    let failure = Spdci::find(by("national-id", "1")).unwrap_err();
    assert!(!format!("{failure:?} {:?}", stage.logs()).contains("Mira"));
}

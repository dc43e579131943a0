//! Every reason code of the specification is a failure of a kind.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod common;

use adapter_sdk::model::{Criterion, SearchQuery, Test};
use adapter_sdk::testing;
use adapter_sdk::{Find, FindHousehold, Search};
use adapter_spdci::Spdci;
use adapter_spdci::reasons::{self, Asked};
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
    ("rjct.version.invalid", "misconfigured"),
    ("rjct.message_id.duplicate", "unavailable"),
    ("rjct.message_ts.invalid", "unsupported"),
    ("rjct.action.invalid", "misconfigured"),
    ("rjct.action.not_supported", "misconfigured"),
    ("rjct.total_count.invalid", "unsupported"),
    ("rjct.total_count.limit_exceeded", "rejected"),
    ("rjct.errors.too_many", "rejected"),
];

/// `Error.code`: in an acknowledgement.
const ACKNOWLEDGEMENT: &[(&str, &str)] = &[
    ("err.request.bad", "rejected"),
    ("err.request.unauthorized", "denied"),
    ("err.request.forbidden", "denied"),
    ("err.request.not_found", "misconfigured"),
    ("err.request.timeout", "unavailable"),
    ("err.version.not_supported", "misconfigured"),
    ("err.request.too_many_requests", "unavailable"),
    ("err.sender_id.invalid", "misconfigured"),
    ("err.sender_uri.invalid", "misconfigured"),
    ("err.receiver_id.invalid", "misconfigured"),
    ("err.signature.missing", "misconfigured"),
    ("err.signature.invalid", "misconfigured"),
    ("err.encryption.invalid", "misconfigured"),
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
fn a_code_that_nobody_knows_goes_along_only_if_it_is_one() {
    let summary = |code| reasons::failure(code, Asked::Identifiers).summary();
    assert_eq!(summary("rjct.moon.full_2"), "rejected: rjct.moon.full_2");
    assert_eq!(summary("err.moon"), "other: err.moon");
    let long = format!("rjct.{}", "x".repeat(200));
    for code in [
        "No record for Jane Doe",
        "rjct.Jane.Doe",
        "rjct.jane doe",
        "rjct.jane-doe",
        "rjct.jane..doe",
        "rjct.",
        "err",
        "JaneDoe",
        "jane.doe",
        "E17",
        &long,
    ] {
        assert_eq!(summary(code), "other: reason.unknown", "{code}");
    }
}

#[test]
fn a_name_in_the_place_of_a_code_stays_behind() {
    let planted = "No record for Jane Doe";
    for body in [
        item(json!({ "status": "rjct", "status_reason_code": planted })),
        item(json!({ "status": "rcvd", "status_reason_code": planted,
            "data": { "reg_records": [common::record("1", "A", "F")] } })),
        json!({ "header": { "status": "rjct", "status_reason_code": planted }, "message": {} }),
        json!({ "message": { "ack_status": "NACK", "error": { "code": planted } } }),
        json!({ "errors": [{ "code": planted }] }),
    ] {
        let stage = saying(body);
        let said = match Spdci::find(by("national-id", "1")) {
            Ok(answer) => format!("{answer:?}"),
            Err(failure) => {
                assert_eq!(failure.summary(), "other: reason.unknown");
                format!("{failure:?}")
            }
        };
        assert!(!format!("{said} {:?}", stage.logs()).contains("Jane"));
    }
}

#[test]
fn a_refusal_names_the_callers_own_field() {
    use Asked::{Criteria, Identifiers, NextPage};
    let about = |code, asked| {
        let failure = reasons::failure(code, asked);
        failure.refusal().and_then(|refusal| refusal.field.clone())
    };
    for (code, identifiers, criteria, next_page) in [
        (
            "rjct.filter.invalid",
            Some("identifiers"),
            Some("criteria"),
            Some("criteria"),
        ),
        (
            "rjct.search.too_many_records_found",
            Some("identifiers"),
            Some("criteria"),
            Some("criteria"),
        ),
        (
            "rjct.pagination.invalid",
            None,
            Some("pageSize"),
            Some("page"),
        ),
        ("rjct.sort.invalid", None, Some("sort"), Some("sort")),
        (
            "rjct.version.invalid",
            Some("settings.version"),
            Some("settings.version"),
            Some("settings.version"),
        ),
        ("rjct.timestamp.invalid", None, None, None),
    ] {
        assert_eq!(about(code, Identifiers).as_deref(), identifiers, "{code}");
        assert_eq!(about(code, Criteria).as_deref(), criteria, "{code}");
        assert_eq!(about(code, NextPage).as_deref(), next_page, "{code}");
    }
    // Every setting that a reason names is one.
    let schema: Value = serde_json::from_str(include_str!("../src/settings.schema.json")).unwrap();
    for (code, kind, field) in reasons::REASONS {
        if let reasons::Field::Setting(name) = field {
            assert_eq!(*kind, reasons::Kind::Misconfigured, "{code}");
            let name = name.strip_prefix("settings.").unwrap();
            assert!(schema["properties"].get(name).is_some(), "{code}");
        }
    }
}

#[test]
fn each_ability_names_its_field() {
    let refuse = |code: &'static str| {
        saying(item(
            json!({ "status": "rjct", "status_reason_code": code }),
        ))
    };
    let _stage = refuse("rjct.filter.invalid");
    let find = Spdci::find(by("national-id", "1")).unwrap_err();
    assert_eq!(
        find.summary(),
        "rejected: rjct.filter.invalid (identifiers)"
    );
    let household = Spdci::find_household(common::household_of("national-id", "1")).unwrap_err();
    assert_eq!(household.summary(), find.summary());
    let mut query = SearchQuery {
        criteria: vec![Criterion {
            field: "sex".to_owned(),
            test: Test::Equals("female".to_owned()),
        }],
        sort: vec![],
        page_size: 2,
        page: None,
    };
    let search = Spdci::search(query.clone()).unwrap_err();
    assert_eq!(search.summary(), "rejected: rjct.filter.invalid (criteria)");
    query.page = Some(adapter_sdk::Opaque {
        schema: 1,
        data: "[2,2]".into(),
    });
    let _stage = refuse("rjct.pagination.invalid");
    let search = Spdci::search(query).unwrap_err();
    assert_eq!(search.summary(), "rejected: rjct.pagination.invalid (page)");
}

#[test]
fn an_address_that_is_not_there_says_nothing_of_the_person() {
    for status in [404, 405, 410] {
        let _stage = saying(testing::status(status, &[]));
        let failure = Spdci::find(by("national-id", "1")).unwrap_err();
        let expected = format!("misconfigured: http.{status} (settings.path)");
        assert_eq!(failure.summary(), expected);
    }
    // The registry's own reason counts before the status.
    let _stage = saying(testing::json(
        404,
        json!({ "errors": [{ "code": "err.request.bad" }] }),
    ));
    let failure = Spdci::find(by("national-id", "1")).unwrap_err();
    assert_eq!(failure.summary(), "rejected: err.request.bad");
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

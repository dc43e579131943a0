//! What becomes a failure, and of which kind: statuses, transport problems, JSON, settings.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

use adapter_sdk::http::{self, Error, Problem, ProblemKind, Response};
use adapter_sdk::testing::{self, json, status};
use adapter_sdk::{Failure, settings};
use serde::Deserialize;
use serde_json::json as value;

fn summary(response: Response) -> String {
    match response.ok() {
        Ok(response) => format!("ok {}", response.status),
        Err(failure) => failure.summary(),
    }
}

#[test]
fn every_status_has_its_failure() {
    for (code, expected) in [
        (200, "ok 200"),
        (202, "ok 202"),
        (301, "unreadable: http.301"),
        (304, "unreadable: http.304"),
        (400, "rejected: http.400"),
        (401, "denied: http.401"),
        (403, "denied: http.403"),
        (404, "not-found"),
        (405, "unsupported: http.405"),
        (408, "unavailable: http.408"),
        (409, "conflict: http.409"),
        (410, "not-found"),
        (412, "conflict: http.412"),
        (422, "rejected: http.422"),
        (429, "unavailable: http.429"),
        (500, "unavailable: http.500"),
        (501, "unsupported: http.501"),
        (503, "unavailable: http.503"),
        (700, "unreadable: http.700"),
    ] {
        assert_eq!(summary(status(code, &[])), expected);
    }
}

#[test]
fn retry_after_in_seconds_or_as_a_date() {
    let wait = |value| status(503, &[("retry-after", value)]).retry_after_ms();
    assert_eq!(wait("120"), Some(120_000));
    assert_eq!(wait("99999999999"), Some(u32::MAX));
    assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
    assert_eq!(wait("Fri, 31 Dec 9999 23:59:59 GMT"), Some(u32::MAX));
    assert_eq!(wait("soon"), None);
    let failure = status(429, &[("retry-after", "2")]).ok().unwrap_err();
    assert_eq!(
        failure,
        Failure::unavailable("http.429").retry_after_ms(Some(2000))
    );
}

#[test]
fn transport_problems_say_whether_it_was_sent() {
    let problem = |kind| Problem {
        kind,
        message: "m".into(),
        retry_after_ms: Some(7),
    };
    let failure = Failure::from(Error::NotSent(problem(ProblemKind::Resting)));
    assert_eq!(
        failure,
        Failure::unavailable("http.not-sent.resting").retry_after_ms(Some(7))
    );
    for (kind, expected) in [
        (
            ProblemKind::TimedOut,
            "unavailable: http.sent-no-answer.timed-out",
        ),
        (
            ProblemKind::Credential,
            "denied: http.sent-no-answer.credential",
        ),
        (
            ProblemKind::RequestRefused,
            "rejected: http.sent-no-answer.request-refused",
        ),
        (
            ProblemKind::AddressRefused,
            "misconfigured: http.sent-no-answer.address-refused",
        ),
        (
            ProblemKind::TooLarge,
            "unreadable: http.sent-no-answer.too-large",
        ),
        (
            ProblemKind::Other("a name".into()),
            "unavailable: http.sent-no-answer.other",
        ),
    ] {
        assert_eq!(
            Failure::from(Error::SentNoAnswer(problem(kind))).summary(),
            expected
        );
    }
}

#[test]
fn an_endpoint_that_is_not_granted_is_not_reached() {
    let _stage = testing::stage();
    let failure = http::endpoint("elsewhere").get("/").send().unwrap_err();
    assert_eq!(
        failure.summary(),
        "misconfigured: http.not-sent.endpoint-not-granted"
    );
}

#[test]
fn unreadable_json_quotes_no_value() {
    #[derive(Debug, Deserialize)]
    struct Record {
        #[allow(dead_code, reason = "only its type counts")]
        number: u32,
    }
    let read = |body| json(200, body).json::<Record>().unwrap_err();
    let failure = read(value!({ "number": "Sudarat" }));
    assert_eq!(failure.summary(), "unreadable: json.shape");
    assert!(!format!("{failure:?}").contains("Sudarat"));
    let cut = Response {
        status: 200,
        headers: vec![],
        body: b"{\"number\": 1".to_vec(),
    };
    assert_eq!(
        cut.json::<Record>().unwrap_err().summary(),
        "unreadable: json.cut-short"
    );
}

#[test]
fn settings_that_do_not_fit_name_the_key() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only the types count")]
    struct Settings {
        sender_id: String,
        #[serde(default)]
        pages: Pages,
    }
    #[derive(Debug, Default, Deserialize)]
    #[allow(dead_code, reason = "only the types count")]
    struct Pages {
        size: u32,
    }
    for (given, expected) in [
        (
            value!({}),
            "misconfigured: settings.invalid (settings.sender_id)",
        ),
        (
            value!({ "sender_id": 1 }),
            "misconfigured: settings.invalid (settings.sender_id)",
        ),
        (
            value!({ "sender_id": "a", "pages": {} }),
            "misconfigured: settings.invalid (settings.pages.size)",
        ),
        (
            value!({ "sender_id": "a", "pages": { "size": "x" } }),
            "misconfigured: settings.invalid (settings.pages.size)",
        ),
        (
            value!({ "sender_id": "a", "page": 1 }),
            "misconfigured: settings.invalid (settings.page)",
        ),
    ] {
        let _stage = testing::stage().settings(given);
        assert_eq!(
            settings::load::<Settings>().unwrap_err().summary(),
            expected
        );
    }
}

#[test]
fn a_code_is_never_a_sentence() {
    for sentence in [
        "No record for Jane Doe",
        " no such person: Ana Lima ",
        "Jane/Doe",
        "Doña",
        "jane\ndoe",
        "",
        " ",
    ] {
        assert_eq!(Failure::rejected(sentence).code(), None, "{sentence:?}");
        assert_eq!(Failure::unavailable(sentence).code(), None, "{sentence:?}");
    }
    assert_eq!(Failure::rejected(" a.B_1:c-2 ").code(), Some("a.B_1:c-2"));
    let longest = "x".repeat(128);
    assert_eq!(Failure::other(&longest).code(), Some(longest.as_str()));
    assert_eq!(Failure::other("x".repeat(129)).code(), None);
}

//! What the registry does wrong, and the problem that a caller gets for it.

use gateway_tests::gateway::TestGateway;
use gateway_tests::stand_in::Fault;

/// Fault, status, code, and the registry's or the adapter's own code.
type Row = (&'static str, u16, &'static str, &'static str);

/// One row for each of the stand-in's words; the test says if one is missing.
const TABLE: &[Row] = &[
    ("slow:20ms", 200, "", ""),
    ("refuse", 422, "rejected", "rjct.search_criteria.invalid"),
    (
        "unavailable",
        503,
        "registry-unavailable",
        "err.service.unavailable",
    ),
    (
        "rate-limited",
        503,
        "registry-unavailable",
        "err.request.too_many_requests",
    ),
    (
        "other-person",
        502,
        "registry-unreadable",
        "answer.mismatch",
    ),
    (
        "other-reference",
        502,
        "registry-unreadable",
        "answer.mismatch",
    ),
    ("broken-json", 502, "registry-unreadable", "json.cut-short"),
    (
        "truncated",
        503,
        "registry-unavailable",
        "http.sent-no-answer.interrupted",
    ),
    ("html", 502, "registry-unreadable", "json.syntax"),
    ("empty", 502, "registry-unreadable", "json.cut-short"),
    (
        "endless",
        502,
        "registry-unreadable",
        "http.sent-no-answer.too-large",
    ),
    (
        "gzip-bomb",
        502,
        "registry-unreadable",
        "http.sent-no-answer.too-large",
    ),
    (
        "redirect",
        502,
        "registry-unreadable",
        "http.sent-no-answer.redirect-refused",
    ),
    (
        "hang-up",
        503,
        "registry-unavailable",
        "http.sent-no-answer.interrupted",
    ),
    (
        "huge",
        502,
        "registry-unreadable",
        "http.sent-no-answer.too-large",
    ),
    ("drip", 504, "out-of-time", ""),
    ("wrong-shape", 502, "registry-unreadable", "answer.mismatch"),
    ("silent", 504, "out-of-time", ""),
    ("unauthorized", 502, "denied", "err.request.unauthorized"),
    ("two-answers", 409, "ambiguous", "answer.several"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_has_its_problem() {
    let tested: Vec<&str> = TABLE
        .iter()
        .map(|(fault, ..)| fault.split(':').next().unwrap_or_default())
        .collect();
    assert_eq!(tested, Fault::words(), "each of the stand-in's faults once");

    // Two of them end only with the call's time.
    let gateway = TestGateway::builder()
        .registry("civil", |civil| {
            // Here the registry's wish to be left alone would hide the next fault.
            civil
                .set("limits.wall_ms", 3_000)
                .set("endpoints.registry.traffic.max_retry_after_ms", 0)
        })
        .start()
        .await;
    let person = gateway.person(3);
    let mut wrong = Vec::new();
    for (fault, status, code, registry_code) in TABLE {
        gateway.stand_in.set_fault(fault.parse().unwrap());
        let answer = gateway.find("civil", &person.uin).send().await;
        let told = answer.json["registryCode"].as_str().unwrap_or_default();
        let got = (answer.status, answer.code(), told);
        if got != (*status, *code, *registry_code) {
            wrong.push(format!("{fault}: {got:?}"));
        }
        if *status != 200 {
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert!(!answer.text.contains(&person.uin), "{}", answer.text);
            assert!(
                !answer.text.contains(&person.name.surname),
                "{}",
                answer.text
            );
        }
        // One fault leaves nothing behind for the next call.
        gateway.stand_in.set_fault(Fault::None);
        gateway.find("civil", &person.uin).send().await.ok();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_to_wait_is_passed_on() {
    let gateway = TestGateway::builder()
        .registry("civil", |civil| {
            civil.set("endpoints.registry.traffic.max_retry_after_ms", 0)
        })
        .start()
        .await;
    let uin = gateway.person(3).uin;
    for (fault, seconds) in [(Fault::Unavailable, "7"), (Fault::RateLimited, "3")] {
        gateway.stand_in.set_fault(fault);
        let answer = gateway.find("civil", &uin).send().await;
        assert_eq!(answer.header("retry-after"), seconds, "{}", answer.text);
    }
}

/// A redirect out of the grant is not followed, wherever it leads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_leads_nowhere() {
    let gateway = TestGateway::start().await;
    let elsewhere = TestGateway::start().await;
    let target = format!("{}/registry/sync/search", elsewhere.stand_in.url());
    gateway.stand_in.set_fault(Fault::Redirect(target));
    let answer = gateway.find("civil", &gateway.person(3).uin).send().await;
    assert_ne!(answer.status, 200);
    assert_eq!(elsewhere.stand_in.requests(), 0);
}

//! What the registry does wrong, and the problem that a caller gets for it.

use gateway_tests::gateway::TestGateway;
use gateway_tests::stand_in::Fault;

/// Fault, status, code, and the registry's own code.
type Row = (&'static str, u16, &'static str, Option<&'static str>);

/// One row for each of the stand-in's words; the test says if one is missing.
const TABLE: &[Row] = &[
    ("slow:20ms", 200, "", None),
    ("refuse", 422, "rejected", Some("rjct.search_criteria.invalid")),
    ("unavailable", 503, "registry-unavailable", None),
    ("rate-limited", 503, "registry-unavailable", None),
    ("other-person", 502, "registry-unreadable", None),
    ("other-reference", 502, "registry-unreadable", None),
    ("broken-json", 502, "registry-unreadable", None),
    ("truncated", 502, "registry-unreadable", None),
    ("html", 502, "registry-unreadable", None),
    ("empty", 502, "registry-unreadable", None),
    ("endless", 502, "registry-unreadable", None),
    ("gzip-bomb", 502, "registry-unreadable", None),
    ("redirect", 502, "registry-failed", None),
    ("hang-up", 503, "registry-unavailable", None),
    ("huge", 502, "registry-unreadable", None),
    ("drip", 504, "out-of-time", None),
    ("wrong-shape", 502, "registry-unreadable", None),
    ("silent", 504, "out-of-time", None),
    ("unauthorized", 502, "denied", None),
    ("two-answers", 409, "ambiguous", None),
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
        .registry("civil", |civil| civil.set("limits.wall_ms", 3_000))
        .start()
        .await;
    let person = gateway.person(3);
    let mut wrong = Vec::new();
    for (fault, status, code, registry_code) in TABLE {
        gateway.stand_in.set_fault(fault.parse().unwrap());
        let answer = gateway.find("civil", &person.uin).send().await;
        let got = (
            answer.status,
            answer.code().to_owned(),
            answer.json["registryCode"].as_str().map(str::to_owned),
        );
        if got.0 != *status || got.1 != *code || got.2.as_deref() != *registry_code {
            wrong.push(format!("{fault}: {got:?}"));
        }
        if *status != 200 {
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert!(!answer.text.contains(&person.uin), "{}", answer.text);
            assert!(!answer.text.contains(&person.name.surname), "{}", answer.text);
        }
        // One fault leaves nothing behind for the next call.
        gateway.stand_in.set_fault(Fault::None);
        gateway.find("civil", &person.uin).send().await.ok();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_to_wait_is_passed_on() {
    let gateway = TestGateway::start().await;
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

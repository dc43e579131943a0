use std::process::Command;

use gateway_tests::components;
use registry_gateway::model::{
    Criterion, Failure, HouseholdQuery, Opaque, Refusal, SearchQuery, Test,
};
use registry_gateway::sandbox::{Answer, Fault, Limit, PendingAnswer};

use crate::bench::{Bench, identifier};

/// Set in the process that `aliased_strings_cost_the_gateway_little` starts.
const ALONE: &str = "HOSTILE_ALONE";

fn garbage(place: &str) -> Fault {
    Fault::Garbage(place.into())
}

#[tokio::test]
pub(super) async fn return_100_mb() {
    let bench = Bench::new()
        .await
        .limits(|limits| limits.memory_bytes = 256 << 20);
    assert_eq!(
        bench.fault("return_100_mb").await,
        Fault::OverLimit(Limit::Answer)
    );
}

#[tokio::test]
pub(super) async fn return_aliased() {
    let bench = Bench::new().await;
    let before = high_water();
    assert_eq!(
        bench.fault("return_aliased").await,
        Fault::OverLimit(Limit::Answer)
    );
    if std::env::var_os(ALONE).is_some() {
        let more = high_water() - before;
        assert!(more < 32 << 20, "the gateway took {more} bytes");
    }
}

/// In a process of its own, where no other test takes memory.
#[test]
fn aliased_strings_cost_the_gateway_little() {
    components::component("hostile-guest");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "hostile::answers::return_aliased"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("1 passed"),
        "the test has another name: {said}"
    );
}

/// The most memory that this process ever had, in bytes.
fn high_water() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.unwrap().trim().trim_end_matches(" kB");
    number.parse::<usize>().unwrap() << 10
}

#[tokio::test]
pub(super) async fn bad_date() {
    let fault = Bench::new().await.fault("bad_date").await;
    assert_eq!(fault, garbage("person.birth-date"));
}

#[tokio::test]
pub(super) async fn bad_json() {
    let fault = Bench::new().await.fault("bad_json").await;
    assert_eq!(fault, garbage("person.extra.1"));
}

#[tokio::test]
pub(super) async fn bad_text() {
    let fault = Bench::new().await.fault("bad_text").await;
    assert_eq!(fault, garbage("its encoding"));
}

/// The failure stays, the sentence goes.
#[tokio::test]
pub(super) async fn sentence_as_code() {
    let bench = Bench::new().await;
    let ran = bench.find("sentence_as_code", &[]).await;
    assert_eq!(
        ran.result.unwrap().unwrap_err(),
        Failure::Rejected(Refusal::default())
    );
    bench.good().await;
}

/// Each step is a call with limits of its own; how often to ask is the gateway's to bound.
#[tokio::test]
pub(super) async fn pend_forever() {
    let bench = Bench::new().await;
    let mut result = bench.find("pend_forever", &[]).await.result;
    for step in 0..3 {
        let Ok(Ok(Answer::Pending(pending))) = result else {
            panic!("step {step}: {result:?}");
        };
        assert_eq!(pending.retry_after_ms, Some(1));
        let answer = PendingAnswer {
            reference: "r".into(),
            data: vec![1],
        };
        let resumed = bench
            .module
            .resume_find(bench.work(), &pending.state, Some(answer));
        result = resumed.await.result;
    }
    bench.good().await;
}

#[tokio::test]
pub(super) async fn huge_state() {
    let bench = Bench::new()
        .await
        .limits(|limits| limits.memory_bytes = 256 << 20);
    assert_eq!(
        bench.fault("huge_state").await,
        Fault::OverLimit(Limit::Answer)
    );
}

/// A state that another schema wrote may be of any size: what goes in is the gateway's own.
#[tokio::test]
async fn a_state_that_does_not_fit_the_guest_harms_only_the_call() {
    let bench = Bench::new()
        .await
        .limits(|limits| limits.memory_bytes = 4 << 20);
    let state = Opaque {
        schema: 9,
        data: vec![0; 8 << 20],
    };
    let ran = bench.module.resume_find(bench.work(), &state, None).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OverLimit(Limit::Memory));
    bench.good().await;
}

#[tokio::test]
async fn an_index_into_nowhere_is_garbage() {
    let bench = Bench::new().await;
    for (value, place) in [
        ("relations", "relations.0"),
        ("members", "members"),
        ("twice", "members"),
        ("head", "head"),
    ] {
        let query = HouseholdQuery {
            identifiers: vec![identifier(value)],
        };
        let ran = bench.module.household(bench.work(), &query).await;
        assert_eq!(ran.result.unwrap_err(), garbage(place), "{value}");
    }
    bench.good().await;
}

#[tokio::test]
async fn a_score_that_is_none_is_garbage() {
    let bench = Bench::new().await;
    for score in ["NaN", "1.5", "-0.1", "inf"] {
        let query = SearchQuery {
            criteria: vec![Criterion {
                field: "name".into(),
                test: Test::Equals(score.into()),
            }],
            sort: Vec::new(),
            page_size: 1,
            page: None,
        };
        let ran = bench.module.search(bench.work(), &query).await;
        assert_eq!(
            ran.result.unwrap_err(),
            garbage("candidates.0.score"),
            "{score}"
        );
    }
    bench.good().await;
}

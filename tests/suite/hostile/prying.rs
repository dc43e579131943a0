use registry_gateway::config::sandbox::SandboxConfig;
use registry_gateway::model::Failure;
use registry_gateway::sandbox::Fault;

use crate::bench::{Bench, config, done};

/// One slot in the pool: every call gets the one that the call before it left.
async fn one_slot() -> Bench {
    Bench::with(&SandboxConfig {
        max_instances: 1,
        ..config()
    })
    .await
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

#[tokio::test]
pub(super) async fn remember() {
    let bench = one_slot().await;
    for _ in 0..3 {
        assert_eq!(bench.report("remember", &[]).await, [pair("calls", "1")]);
    }
}

#[tokio::test]
pub(super) async fn leave_secret() {
    let bench = one_slot().await;
    let ran = bench.find("leave_secret", &[]).await;
    assert!(
        ran.usage.memory > 8 << 20,
        "it was written: {:?}",
        ran.usage
    );
    done(ran);
    bench.good().await;
}

#[tokio::test]
pub(super) async fn look_for_secret() {
    let bench = one_slot().await;
    for _ in 0..3 {
        done(bench.find("leave_secret", &[]).await);
        let found = bench.report("look_for_secret", &[]).await;
        assert_eq!(found[0], pair("secrets", "0"));
        // The guest's own allocator writes a word or two at the edges.
        assert_eq!(found[1].0, "dirty");
        assert!(found[1].1.parse::<u32>().unwrap() < 8, "{found:?}");
    }
}

/// `logs.rs` looks at what is written.
#[tokio::test]
pub(super) async fn log_name() {
    let bench = Bench::new().await;
    done(bench.find("log_name", &["Zwimbatosk"]).await);
}

#[tokio::test]
pub(super) async fn print_name() {
    let bench = Bench::new().await;
    done(bench.find("print_name", &["Zwimbatosk"]).await);
}

#[tokio::test]
pub(super) async fn panic_with_name() {
    let bench = Bench::new().await;
    let ran = bench.find("panic_with_name", &["Zwimbatosk"]).await;
    let fault = ran.result.unwrap_err();
    assert_eq!(fault, Fault::Trapped);
    // What goes to callers and audit holds nothing of the message.
    assert!(!format!("{fault:?} {fault}").contains("Zwimbatosk"));
    bench.good().await;
}

#[tokio::test]
pub(super) async fn log_answer() {
    let bench = Bench::new().await;
    let ran = bench.find("log_answer", &[]).await;
    assert!(matches!(ran.result, Ok(Err(Failure::Misconfigured(_)))));
}

#[tokio::test]
pub(super) async fn log_callers_words() {
    let bench = Bench::new().await;
    done(bench.find("log_callers_words", &[]).await);
}

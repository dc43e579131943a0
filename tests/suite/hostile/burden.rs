use std::time::Duration;

use registry_gateway::sandbox::{Fault, Limit};

use crate::bench::{Bench, done};
use crate::peer::Peer;

#[tokio::test]
pub(super) async fn spin() {
    let bench = Bench::new().await;
    let hurried = bench.limits(|limits| limits.cpu_ms = 50);
    let ran = hurried.find("spin", &[]).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OutOfCpu);
    assert!(
        ran.usage.cpu >= Duration::from_millis(50),
        "{:?}",
        ran.usage
    );
    hurried.good().await;
}

#[tokio::test]
pub(super) async fn sleep() {
    let bench = Bench::new().await.limits(|limits| limits.wall_ms = 300);
    let ran = bench.find("sleep", &[]).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OutOfTime);
    // It waited, and was not charged for that.
    assert!(ran.usage.wall >= Duration::from_millis(300));
    assert!(
        ran.usage.cpu < Duration::from_millis(150),
        "{:?}",
        ran.usage
    );
    bench.limits(|limits| limits.wall_ms = 600_000).good().await;
}

/// Not the processor's limit but the clock's: the guest waits on, wherever it computed before.
#[tokio::test]
pub(super) async fn compute_then_sleep() {
    let bench = Bench::new().await.limits(|limits| limits.wall_ms = 3_000);
    let ran = bench.find("compute_then_sleep", &[]).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OutOfTime);
    assert!(ran.usage.cpu > Duration::from_millis(1), "{:?}", ran.usage);
    assert!(
        ran.usage.cpu < Duration::from_millis(2_000),
        "{:?}",
        ran.usage
    );
    bench.good().await;
}

#[tokio::test]
pub(super) async fn grow_memory() {
    let bench = Bench::new()
        .await
        .limits(|limits| limits.memory_bytes = 8 << 20);
    let ran = bench.find("grow_memory", &[]).await;
    assert_eq!(ran.result.unwrap_err(), Fault::OverLimit(Limit::Memory));
    assert!(ran.usage.memory > 4 << 20, "{:?}", ran.usage);
    assert!(ran.usage.memory <= 8 << 20, "{:?}", ran.usage);
    bench.good().await;
}

#[tokio::test]
pub(super) async fn recurse() {
    let bench = Bench::new().await;
    assert_eq!(bench.fault("recurse").await, Fault::OutOfStack);
}

/// Rust keeps arrays on a stack of its own within linear memory: its end is a bad address.
#[tokio::test]
pub(super) async fn recurse_with_frames() {
    let bench = Bench::new().await;
    assert_eq!(bench.fault("recurse_with_frames").await, Fault::Trapped);
}

#[tokio::test]
pub(super) async fn panic() {
    assert_eq!(Bench::new().await.fault("panic").await, Fault::Trapped);
}

#[tokio::test]
pub(super) async fn unreachable() {
    assert_eq!(
        Bench::new().await.fault("unreachable").await,
        Fault::Trapped
    );
}

/// Ends the guest, not the gateway.
#[tokio::test]
pub(super) async fn exit() {
    assert_eq!(Bench::new().await.fault("exit").await, Fault::Trapped);
}

/// So many as are allowed, and the rest told why: by itself and all at the same time.
#[tokio::test]
pub(super) async fn flood_http() {
    let peer = Peer::start("ok", Duration::ZERO).await;
    let bench = Bench::new().await.endpoints(peer.granted());
    let bench = bench.limits(|limits| limits.http_calls = 60);
    let ran = bench.find("flood_http", &[]).await;
    assert_eq!(ran.usage.http_calls, 60);
    assert!(ran.usage.http_wait > Duration::ZERO);
    let ends: Vec<String> = done(ran)
        .unmapped
        .into_iter()
        .map(|end| end.value)
        .collect();
    let refused = "unavailable: http.not-sent.limit-reached";
    assert!(ends[..60].iter().all(|end| end == "200"), "{ends:?}");
    assert!(ends[60..].iter().all(|end| end == refused), "{ends:?}");
    assert_eq!((ends.len(), peer.asked().len()), (100, 60));
    bench.good().await;
}

/// A full log fails no call. `logs.rs` counts what is kept.
#[tokio::test]
pub(super) async fn flood_log() {
    let bench = Bench::new().await;
    done(bench.find("flood_log", &[]).await);
    bench.good().await;
}

#[tokio::test]
pub(super) async fn flood_stdout() {
    let bench = Bench::new().await;
    done(bench.find("flood_stdout", &[]).await);
    bench.good().await;
}

#[tokio::test]
pub(super) async fn flood_timers() {
    let fault = Bench::new().await.fault("flood_timers").await;
    assert_eq!(fault, Fault::OverLimit(Limit::Handles));
}

#[tokio::test]
pub(super) async fn much_random() {
    let fault = Bench::new().await.fault("much_random").await;
    assert_eq!(fault, Fault::Trapped);
}

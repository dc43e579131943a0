//! What a call is charged for its requests, and where their limits end them.

use std::time::Duration;

use crate::bench::{Bench, done};
use crate::peer::Peer;

const SLOW: Duration = Duration::from_millis(400);

async fn bench(peer: &Peer) -> Bench {
    Bench::new().await.endpoints(peer.granted())
}

/// The one end of the one request.
async fn end(bench: &Bench) -> String {
    bench.report("good_http", &[]).await.remove(0).1
}

#[tokio::test]
async fn waiting_for_the_registry_is_not_computing() {
    let peer = Peer::start("ok", SLOW).await;
    let bench = bench(&peer).await.limits(|limits| limits.cpu_ms = 300);
    let ran = bench.find("good_http", &[]).await;
    let usage = ran.usage;
    done(ran);
    assert_eq!(usage.http_calls, 1);
    assert!(usage.http_wait >= SLOW, "{usage:?}");
    assert!(usage.wall >= usage.http_wait, "{usage:?}");
    assert!(usage.cpu < SLOW / 2, "{usage:?}");
}

/// The guest is told, with what is left of its time: it may still answer.
#[tokio::test]
async fn a_registry_that_is_too_slow_ends_with_the_call() {
    let peer = Peer::start("ok", Duration::from_secs(600)).await;
    let bench = bench(&peer).await.limits(|limits| limits.wall_ms = 300);
    let ran = bench.find("good_http", &[]).await;
    // Whoever looks first: the request's own deadline or the call's.
    match ran.result {
        Err(fault) => assert_eq!(fault.word(), "out-of-time"),
        Ok(_) => assert!(done(ran).unmapped[0].value.contains("sent-no-answer")),
    }
}

#[tokio::test]
async fn bytes_out_are_bounded() {
    let peer = Peer::start("ok", Duration::ZERO).await;
    let bench = bench(&peer).await;
    // The path, the query and its name, a header and its name, the body: 7 + 6 + 22 + 5.
    let exactly = "/inside".len() + "qa b&c".len() + "content-typetext/plain".len() + "hello".len();
    let exactly = u64::try_from(exactly).unwrap();
    let bench = bench.limits(|limits| limits.http_bytes_out = exactly - 1);
    assert_eq!(
        end(&bench).await,
        "unavailable: http.not-sent.limit-reached"
    );
    assert_eq!(peer.asked().len(), 0);
    let bench = bench.limits(|limits| limits.http_bytes_out = exactly);
    assert_eq!(end(&bench).await, "200");
}

#[tokio::test]
async fn bytes_in_are_bounded() {
    let peer = Peer::start(&"x".repeat(1_000), Duration::ZERO).await;
    let bench = bench(&peer)
        .await
        .limits(|limits| limits.http_bytes_in = 999);
    assert_eq!(
        end(&bench).await,
        "unavailable: http.sent-no-answer.limit-reached"
    );
    let bench = bench.limits(|limits| limits.http_bytes_in = 1_000);
    assert_eq!(end(&bench).await, "200");
}

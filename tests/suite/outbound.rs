//! What a call is charged for its requests, and where their limits end them.

use std::time::Duration;

use gateway_tests::fault_proxy::{FaultProxy, Mode, Step};

use crate::bench::{Bench, done};
use crate::peer::{self, Peer};

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

/// A proxy that answers each request with this, and a bench that is granted it.
async fn answering(answer: &str, end: Option<Step>) -> (FaultProxy, Bench) {
    let proxy = FaultProxy::start().await;
    let steps = [Step::Send(answer.into())].into_iter().chain(end);
    proxy.set(Mode::Instead(steps.collect())).await;
    let endpoints = peer::grant(&proxy.url("http"), "max_response_bytes = 1000");
    let bench = Bench::new().await.endpoints(endpoints);
    (proxy, bench)
}

/// A redirect that is followed is a request too, for the registry as for the call's limit.
#[tokio::test]
async fn redirects_are_counted_as_requests() {
    let again = "HTTP/1.1 302 Found\r\nlocation: /base/path/flood\r\ncontent-length: 0\r\n\r\n";
    let (proxy, bench) = answering(again, None).await;
    let mut bench = bench.limits(|limits| limits.http_calls = 10);
    let ran = bench.find("flood_http", &[]).await;
    assert_eq!((ran.usage.http_calls, proxy.requests()), (10, 10));
    let ends = ends(done(ran));
    // Three redirects each, and then one.
    assert_eq!(
        ends[..2],
        ["unreadable: http.sent-no-answer.redirect-refused"; 2]
    );
    assert_eq!(ends[2], "unavailable: http.sent-no-answer.limit-reached");
    assert!(
        ends[3..]
            .iter()
            .all(|end| end == "unavailable: http.not-sent.limit-reached")
    );

    // At the same time, they share what is left: fifty and no redirect, fifty and two each.
    for (calls, total) in [(60, 50), (150, 150)] {
        let before = proxy.requests();
        bench = bench.limits(|limits| limits.http_calls = calls);
        let ran = bench.find("flood_http", &["at once"]).await;
        assert_eq!(u64::from(ran.usage.http_calls), total);
        assert_eq!(proxy.requests() - before, total);
    }
}

/// What broke off was read all the same.
#[tokio::test]
async fn answers_that_are_too_large_are_counted_as_far_as_they_were_read() {
    let large = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(3_000));
    let (proxy, bench) = answering(&large, Some(Step::Close)).await;
    let bench = bench.limits(|limits| limits.http_bytes_in = 5_000);
    let ends = ends(done(bench.find("flood_http", &[]).await));
    let large = ends
        .iter()
        .filter(|end| *end == "unreadable: http.sent-no-answer.too-large");
    // Each took more than its limit of 1,000 bytes, and at most the 3,000 that there were.
    assert!((1..=4).contains(&large.count()), "{ends:?}");
    assert!((2..=5).contains(&proxy.requests()), "{}", proxy.requests());
    assert_eq!(ends[99], "unavailable: http.not-sent.limit-reached");
}

fn ends(person: registry_gateway::model::Person) -> Vec<String> {
    person.unmapped.into_iter().map(|end| end.value).collect()
}

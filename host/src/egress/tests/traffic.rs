//! The guard before a real listener.

use super::peer::Reply;
use super::*;
use crate::config::traffic::{BreakerConfig, TrafficConfig};

const DEAD: &[u8] = b"HTTP/1.1 503 Gone\r\nContent-Length: 0\r\n\r\n";

fn with(base: &str, traffic: TrafficConfig) -> EndpointConfig {
    EndpointConfig {
        traffic,
        ..config(base)
    }
}

/// Three failures in a row.
fn touchy() -> TrafficConfig {
    TrafficConfig {
        breaker: BreakerConfig {
            consecutive_failures: 3,
            rest_ms: 60_000,
            ..BreakerConfig::default()
        },
        ..TrafficConfig::default()
    }
}

#[tokio::test]
async fn an_endpoint_that_fails_is_left_alone() {
    let peer = Peer::start(|_| Reply::AnswerAndClose(DEAD.to_vec())).await;
    let endpoints = endpoints(with(&peer.url(""), touchy()));
    for _ in 0..3 {
        assert!(!endpoints.resting());
        assert_eq!(
            send(&endpoints, get("/a")).await.expect("an answer").status,
            503
        );
    }
    assert!(endpoints.resting());
    for _ in 0..5 {
        let error = send(&endpoints, get("/a")).await.expect_err("it rests");
        assert_eq!(
            (error.sent, error.kind),
            (Sent::NotSent, ProblemKind::Resting)
        );
        let again = error.retry_after_ms.expect("when to come again");
        assert!((30_000..=60_000).contains(&again), "{again}");
    }
    assert_eq!(peer.seen().len(), 3);
    let counted: Vec<_> = endpoints
        .refusals()
        .filter(|(.., count)| *count > 0)
        .collect();
    assert_eq!(counted, [("search", Refusal::Failing, 5)]);
}

#[tokio::test]
async fn a_request_that_breaks_a_rule_takes_no_turn() {
    let peer = Peer::answering(peer::OK).await;
    let endpoints = endpoints(with(
        &peer.url(""),
        TrafficConfig {
            requests_per_second: Some(0.001),
            ..TrafficConfig::default()
        },
    ));
    assert_error(
        send(&endpoints, get("no slash")).await,
        Sent::NotSent,
        ProblemKind::RequestRefused,
    );
    send(&endpoints, get("/a")).await.expect("the first turn");
    assert_error(
        send(&endpoints, get("/a")).await,
        Sent::NotSent,
        ProblemKind::Resting,
    );
}

#[tokio::test]
async fn no_more_requests_at_the_same_time_than_agreed() {
    let peer = Peer::start(|_| Reply::Late(Duration::from_millis(50), peer::OK.into())).await;
    let endpoints = endpoints(with(
        &peer.url(""),
        TrafficConfig {
            max_in_flight: Some(3),
            max_wait_ms: 20_000,
            ..TrafficConfig::default()
        },
    ));
    let sends = (0..12).map(|_| send(&endpoints, get("/a")));
    let began = Instant::now();
    for answer in futures_util::future::join_all(sends).await {
        answer.expect("an answer");
    }
    assert_eq!(peer.seen().len(), 12);
    assert!(
        began.elapsed() >= Duration::from_millis(200),
        "four rounds of three"
    );
}

/// Taking over a configuration makes new endpoints: what was learned stays, where they are alike.
#[tokio::test]
async fn taking_over_a_configuration_forgets_nothing() {
    let peer = Peer::start(|_| Reply::AnswerAndClose(DEAD.to_vec())).await;
    let egress = Egress::new();
    let build = |traffic| {
        build_with(&egress, with(&peer.url(""), traffic), Credential::None).expect("builds")
    };
    let before = build(touchy());
    for _ in 0..3 {
        send(&before, get("/a")).await.expect("an answer");
    }
    let after = build(touchy());
    assert!(after.resting());
    drop(before);
    assert!(build(touchy()).resting());
    let other = build(TrafficConfig {
        max_wait_ms: 1,
        ..touchy()
    });
    assert!(!other.resting(), "other rules, another guard");
}

#[test]
fn a_value_without_sense_is_named() {
    let traffic = TrafficConfig {
        burst: 0,
        ..TrafficConfig::default()
    };
    let config = with("https://registry.example", traffic);
    let error = build_with(&Egress::new(), config, Credential::None).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "registry crvs, endpoint search, traffic.burst: 0 lets no request through; leave it out for 1"
    );
}

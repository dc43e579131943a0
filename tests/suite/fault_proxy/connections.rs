//! Connections that are slow, cut, reset, or lead to nobody.

use std::time::Duration;

use gateway_tests::fault_proxy::{Mode, Place, Step};

use super::{Behind, Case, TIMEOUT};

const UNAVAILABLE: &str = "registry-unavailable";
const TIMED_OUT: &str = "http.sent-no-answer.timed-out";
const INTERRUPTED: &str = "http.sent-no-answer.interrupted";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_silent_ones_end_with_the_endpoint_s_time() {
    let slow = |name, mode| -> Case { (name, mode, 503, UNAVAILABLE, TIMED_OUT) };
    let pause = Duration::from_millis(50);
    let cases = vec![
        slow("late", Mode::Late(TIMEOUT * 5)),
        slow(
            "a byte at a time in the head",
            Mode::Trickle(Place::Head, pause),
        ),
        slow(
            "a byte at a time in the body",
            Mode::Trickle(Place::Body, pause),
        ),
        slow("never an answer", Mode::Stuck(Place::Start)),
        slow("never the rest of the head", Mode::Stuck(Place::Head)),
        slow("never the rest of the body", Mode::Stuck(Place::Body)),
        ("a little late", Mode::Late(TIMEOUT / 20), 200, "", ""),
    ];
    Behind::start().await.run(cases, 1).await;
}

/// The call's own time, where it is the shorter one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_slow_ends_with_the_call_s_time() {
    let behind = Behind::with("http", |civil| {
        civil
            .set("limits.wall_ms", 1_000)
            .set("endpoints.registry.timeout_ms", 600_000)
    })
    .await;
    let slow = |name, mode| -> Case { (name, mode, 504, "out-of-time", "") };
    let cases = vec![
        slow("never an answer", Mode::Stuck(Place::Start)),
        slow(
            "a byte at a time",
            Mode::Trickle(Place::Body, Duration::from_millis(50)),
        ),
    ];
    behind.run(cases, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_off_is_interrupted_and_sent_once() {
    let broken = |name, mode| -> Case { (name, mode, 503, UNAVAILABLE, INTERRUPTED) };
    let cases = vec![
        broken("closed in the head", Mode::Cut(Place::Head)),
        broken("closed in the body", Mode::Cut(Place::Body)),
        broken("reset instead of an answer", Mode::Reset(Place::Start)),
        broken("reset in the head", Mode::Reset(Place::Head)),
        broken("reset in the body", Mode::Reset(Place::Body)),
        broken("reset at once", Mode::Instead(vec![Step::Reset])),
        broken("closed at once", Mode::Instead(vec![Step::Close])),
    ];
    Behind::start().await.run(cases, 1).await;
}

/// A fresh connection for each, since a kept one has been answered before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_take_the_request_gets_it_once_or_never() {
    let behind = Behind::start().await;
    behind.proxy.set(Mode::Deaf).await;
    let found = behind.find().await;
    assert_eq!(found, (503, UNAVAILABLE.into(), TIMED_OUT.into()));
    behind.recovers().await;

    let behind = Behind::start().await;
    behind.proxy.set(Mode::Refused).await;
    for _ in 0..3 {
        let found = behind.find().await;
        let connect = "http.not-sent.connect";
        assert_eq!(found, (503, UNAVAILABLE.into(), connect.into()));
    }
    assert_eq!(behind.proxy.connections(), 0);
    behind.recovers().await;
}

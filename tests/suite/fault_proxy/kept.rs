//! Connections that are kept, and are not what they were when the next request wants them.

use std::time::Duration;

use gateway_tests::fault_proxy::{Mode, Place};
use tokio::time::sleep;

use super::{Behind, answers};

/// Longer than the proxy takes to end a connection after its answer.
const NOTICED: Duration = Duration::from_millis(150);

/// A server may close a kept connection at any moment. Who asks later is answered on a new one. For
/// who asks in that moment it is chance whether the gateway notices before it writes: it is answered
/// on a new one, or told as interrupted, and never sent twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_that_ended_costs_at_most_one_answer() {
    let behind = Behind::start().await;
    for mode in [Mode::CloseAfter, Mode::ResetAfter] {
        let (mut later, mut at_once) = (0, 0);
        behind.proxy.set(mode.clone()).await;
        for round in 0..40 {
            let waits = round % 2 == 0;
            if waits {
                sleep(NOTICED).await;
            }
            let (seen, asked) = (behind.proxy.requests(), behind.gateway.stand_in.requests());
            let (status, code, registry_code) = behind.find().await;
            match (status, &*code, &*registry_code) {
                (200, "", "") if waits => later += 1,
                (200, "", "") => at_once += 1,
                (503, "registry-unavailable", "http.sent-no-answer.interrupted") => {}
                other => panic!("{mode:?}: {other:?}"),
            }
            assert!(behind.proxy.requests() - seen <= 1, "{mode:?}: sent twice");
            assert!(behind.gateway.stand_in.requests() - asked <= 1);
        }
        // Not all: the machine may be so busy that nothing is noticed in time.
        assert!(
            later >= 15,
            "{mode:?}: {later} and {at_once} of 20 answered"
        );
        // The last one asked at once: its connection is about to end as well.
        sleep(NOTICED * 10).await;
        behind.recovers().await;
    }
}

/// Closed or reset by the very request that wanted to use it: seen once, and not tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_that_ends_with_the_request_is_interrupted() {
    let behind = Behind::start().await;
    for mode in [Mode::Cut(Place::Start), Mode::Reset(Place::Start)] {
        behind.recovers().await;
        let connections = behind.proxy.connections();
        let seen = behind.proxy.requests();
        behind.proxy.set(mode.clone()).await;
        let interrupted = "http.sent-no-answer.interrupted";
        let expected = (503, "registry-unavailable".into(), interrupted.into());
        assert_eq!(behind.find().await, expected, "{mode:?}");
        assert_eq!(behind.proxy.requests(), seen + 1, "{mode:?}");
        assert_eq!(behind.proxy.connections(), connections, "on the kept one");
    }
    behind.recovers().await;
}

/// What comes unasked on a kept connection is nobody's answer: the connection is given up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_answer_is_not_the_next_one_s() {
    let behind = Behind::start().await;
    behind.recovers().await;
    let body = |text: &str| {
        format!(
            "HTTP/1.1 404 Not Found\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        )
    };
    let two = format!("{}{}", body("first"), body("second"));
    let connections = behind.proxy.connections();
    behind.proxy.set(answers(two)).await;
    let (status, code, registry_code) = behind.find().await;
    let expected = (503, "registry-misconfigured", "http.404");
    assert_eq!((status, &*code, &*registry_code), expected);
    behind.recovers().await;
    assert_eq!(behind.proxy.connections(), connections + 1);
}

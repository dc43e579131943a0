//! Connections that are kept, and are not what they were when the next request wants them.

use gateway_tests::fault_proxy::{Mode, Place};

use super::{Behind, answers};

/// A server may close a kept connection at any moment. Whether the gateway notices before it writes
/// the next request is chance: it is then answered on a new connection, or told as interrupted, and
/// never sent twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_that_ended_costs_at_most_one_answer() {
    let behind = Behind::start().await;
    for mode in [Mode::CloseAfter, Mode::ResetAfter] {
        let mut answered = 0;
        for _ in 0..20 {
            behind.proxy.set(mode.clone()).await;
            let (seen, asked) = (behind.proxy.requests(), behind.gateway.stand_in.requests());
            let (status, code, registry_code) = behind.find().await;
            match (status, &*code, &*registry_code) {
                (200, "", "") => answered += 1,
                (503, "registry-unavailable", "http.sent-no-answer.interrupted") => {}
                other => panic!("{mode:?}: {other:?}"),
            }
            assert!(behind.proxy.requests() - seen <= 1, "{mode:?}: sent twice");
            assert!(behind.gateway.stand_in.requests() - asked <= 1);
        }
        assert!(answered > 10, "{mode:?}: {answered} of 20 answered");
    }
    behind.recovers().await;
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

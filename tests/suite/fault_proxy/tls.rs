//! An `https` endpoint behind which is no TLS, or one that nobody vouches for.

use std::time::Duration;

use gateway_tests::fault_proxy::{Mode, Step};

use tokio::time::sleep;

use super::{Behind, answers, begins};

/// Longer than the gateway takes to see that a kept connection ended.
const NOTICED: Duration = Duration::from_millis(150);
/// The beginning of a server's handshake: a record of 122 bytes, and no more.
const HELLO: [u8; 11] = [22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3];

/// Nothing was sent, whatever it is: the adapter may say so of a write. With TLS again, the next call
/// is answered, in the registry's one turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_tls_nothing_is_sent() {
    let authority = "endpoints.registry.ca_file";
    let behind = Behind::with("https", |civil| civil.set(authority, "file:authority.pem")).await;
    let drip = Step::Drip(vec![0], Duration::from_millis(50));
    let cases = [
        ("garbage", begins([0xf0; 500], Step::Hold), "tls"),
        (
            "garbage without end",
            Mode::Instead(vec![Step::Repeat(vec![0xf0])]),
            "tls",
        ),
        (
            "plain HTTP",
            answers("HTTP/1.1 400 Bad Request\r\n\r\n"),
            "tls",
        ),
        (
            "an alert",
            begins([21, 3, 3, 0, 2, 2, 40], Step::Hold),
            "tls",
        ),
        ("a certificate of nobody", Mode::SelfSigned, "tls"),
        ("cut at once", Mode::Instead(vec![Step::Close]), "connect"),
        (
            "cut in the handshake",
            begins(HELLO, Step::Close),
            "connect",
        ),
        (
            "reset in the handshake",
            begins(HELLO, Step::Reset),
            "connect",
        ),
        ("silence", Mode::Instead(vec![Step::Hold]), "timed-out"),
        (
            "silence in the handshake",
            begins(HELLO, Step::Hold),
            "timed-out",
        ),
        ("a byte at a time", begins(HELLO, drip), "timed-out"),
        ("nobody reads", Mode::Deaf, "timed-out"),
        ("nobody listens", Mode::Refused, "connect"),
        ("garbage again", begins([0xf0; 500], Step::Hold), "tls"),
    ];
    let good = cases.len() as u64 + 1;
    let mut wrong = Vec::new();
    let trusted = async || {
        behind.proxy.set(Mode::Tls).await;
        assert_eq!(behind.find().await.0, 200);
    };
    for (name, mode, kind) in cases {
        trusted().await;
        let sent = behind.proxy.bytes_out();
        behind.proxy.set(mode).await;
        sleep(NOTICED).await;
        let got = behind.find().await;
        let code = format!("http.not-sent.{kind}");
        if got != (503, "registry-unavailable".to_owned(), code) {
            wrong.push(format!("{name}: {got:?}"));
        }
        let read = behind.proxy.bytes_out() - sent;
        if read > super::READ_AT_MOST {
            wrong.push(format!("{name}: {read} bytes read"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    trusted().await;
    assert_eq!(behind.proxy.requests(), 0, "none came through without TLS");
    assert_eq!(behind.gateway.stand_in.requests(), good);
}

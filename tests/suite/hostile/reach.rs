use std::net::TcpListener;
use std::time::Duration;

use hostile_guest::reach::{ESCAPES, FORBIDDEN_HEADERS};

use crate::bench::Bench;
use crate::peer::{BASE, Peer};

/// What the SDK makes of a refused request.
const REFUSED: &str = "rejected: http.not-sent.request-refused";

fn all_refused(attempts: &[(String, String)]) {
    assert!(!attempts.is_empty());
    for (what, end) in attempts {
        assert_eq!(end, "refused", "{what}");
    }
}

#[tokio::test]
pub(super) async fn files() {
    all_refused(&Bench::new().await.report("files", &[]).await);
}

#[tokio::test]
pub(super) async fn sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    all_refused(&Bench::new().await.report("sockets", &[&port]).await);
    let nobody = listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
pub(super) async fn environment() {
    let known = Bench::new().await.report("environment", &[]).await;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        known,
        [
            pair("variables", "0"),
            pair("arguments", "0"),
            pair("folder", "refused"),
        ]
    );
}

#[tokio::test]
pub(super) async fn good_http() {
    let peer = Peer::start("ok", Duration::ZERO).await;
    let bench = Bench::new().await.endpoints(peer.granted());
    let end = bench.report("good_http", &[]).await;
    assert_eq!(end, [("inside".to_owned(), "200".to_owned())]);
    let asked = peer.asked().remove(0);
    assert!(
        asked.starts_with(&format!("POST {BASE}/inside?q=a")),
        "{asked}"
    );
    for line in [
        format!("host: {}", peer.host()),
        "authorization: Bearer the-token".into(),
        "x-tenant: health".into(),
    ] {
        assert!(asked.contains(&format!("\r\n{line}\r\n")), "{asked}");
    }
    assert!(asked.ends_with("\r\n\r\nhello"), "{asked}");
}

#[tokio::test]
pub(super) async fn unknown_endpoint() {
    let peer = Peer::start("ok", Duration::ZERO).await;
    let bench = Bench::new().await.endpoints(peer.granted());
    let end = bench.report("unknown_endpoint", &[]).await;
    let refused = "misconfigured: http.not-sent.endpoint-not-granted";
    assert_eq!(end, [("treasury".to_owned(), refused.to_owned())]);
    assert_eq!(peer.asked().len(), 0);
}

#[tokio::test]
pub(super) async fn set_headers() {
    let peer = Peer::start("ok", Duration::ZERO).await;
    let bench = Bench::new().await.endpoints(peer.granted());
    let ends = bench.report("set_headers", &[]).await;
    assert_eq!(ends.len(), FORBIDDEN_HEADERS.len());
    for (name, end) in ends {
        assert_eq!(end, REFUSED, "{name}");
    }
    assert_eq!(peer.asked().len(), 0);
}

/// What `escapes` tries everything with does arrive where it may.
#[tokio::test]
pub(super) async fn any_request() {
    let peer = Peer::start("ok", Duration::ZERO).await;
    let bench = Bench::new().await.endpoints(peer.granted());
    let arguments = ["PURGE", "/a", "header", "x-a", "1", "query", "q", "a&b"];
    let end = bench.report("any_request", &arguments).await;
    assert_eq!(end, [("end".to_owned(), "200".to_owned())]);
    let asked = peer.asked().remove(0);
    assert!(
        asked.starts_with(&format!("PURGE {BASE}/a?q=a%26b HTTP/1.1\r\n")),
        "{asked}"
    );
    assert!(asked.contains("\r\nx-a: 1\r\n"), "{asked}");
}

#[tokio::test]
pub(super) async fn leave_base_path() {
    let peer = Peer::start("ok", Duration::ZERO).await;
    let limited = Bench::new().await.endpoints(peer.granted());
    let bench = limited.limits(|limits| limits.http_calls = 100);
    let ends = bench.report("leave_base_path", &[]).await;
    assert_eq!(ends.len(), ESCAPES.len());
    for (path, end) in ends {
        assert_eq!(end, REFUSED, "{path:?}: {:?}", peer.asked());
    }
    assert_eq!(peer.asked().len(), 0);
}

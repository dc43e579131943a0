use std::net::TcpListener;

use crate::bench::Bench;

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

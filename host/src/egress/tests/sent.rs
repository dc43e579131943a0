use super::peer::Reply;
use super::*;

/// A port on which nobody listens.
async fn closed_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("bind");
    listener.local_addr().expect("address").port()
}

fn short(base: &str) -> EndpointConfig {
    EndpointConfig {
        timeout_ms: 200,
        ..config(base)
    }
}

/// Never resolves.
struct Stuck;

#[async_trait]
impl Lookup for Stuck {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn nobody_listens() {
    let base = format!("http://127.0.0.1:{}", closed_port().await);
    let result = send(&endpoints(config(&base)), get("/a")).await;
    assert_error(result, Sent::NotSent, ProblemKind::Connect);
}

#[tokio::test]
async fn no_tls_on_the_other_side() {
    let peer = Peer::answering(peer::OK).await;
    let talks_first = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("bind");
    let port = talks_first.local_addr().expect("address").port();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = talks_first.accept().await.expect("accept");
        stream
            .write_all(b"220 mail.example ESMTP\r\n")
            .await
            .expect("write");
        let mut rest = Vec::new();
        let _until_closed = stream.read_to_end(&mut rest).await;
    });
    let result = send(
        &endpoints(config(&format!("https://127.0.0.1:{port}"))),
        get("/a"),
    )
    .await;
    assert_error(result, Sent::NotSent, ProblemKind::Tls);
    assert!(peer.seen().is_empty());
}

/// Whichever limit ends it, the connect timeout or the request's own: nothing was sent.
#[tokio::test]
async fn time_runs_out_before_there_is_a_connection() {
    let egress = Egress::with_lookup(Arc::new(Stuck));
    for (connect_timeout_ms, timeout_ms) in [(50, 5_000), (5_000, 50)] {
        let config = EndpointConfig {
            connect_timeout_ms,
            timeout_ms,
            ..config("http://registry.example")
        };
        let endpoints = build_with(&egress, config, Credential::None).expect("builds");
        let result = send(&endpoints, Request::new(Method::POST, "/a")).await;
        assert_error(result, Sent::NotSent, ProblemKind::TimedOut);
    }
    // A TCP connection without a TLS handshake is none either.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("bind");
    let base = format!("https://{}", silent.local_addr().expect("address"));
    let result = send(&endpoints(short(&base)), Request::new(Method::POST, "/a")).await;
    assert_error(result, Sent::NotSent, ProblemKind::TimedOut);
}

#[tokio::test]
async fn time_runs_out_after_the_request_went_out() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    for kind in 0..3 {
        let peer = Peer::start(move |_| match kind {
            0 => Reply::Silence,
            1 => Reply::Trickle(head.to_vec()),
            _ => Reply::Trickle(b"HTTP/1.1 200 OK\r\nx-slow: ".to_vec()),
        })
        .await;
        let result = send(
            &endpoints(short(&peer.url(""))),
            Request::new(Method::POST, "/a"),
        )
        .await;
        assert_error(result, Sent::SentNoAnswer, ProblemKind::TimedOut);
        assert_eq!(peer.seen().len(), 1);
    }
}

/// More than the buffers hold, to somebody who does not read.
#[tokio::test]
async fn time_runs_out_while_the_request_goes_out() {
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("bind");
    let base = format!("http://{}", deaf.local_addr().expect("address"));
    let endpoints = endpoints(EndpointConfig {
        max_request_bytes: 256 << 20,
        ..short(&base)
    });
    let mut request = Request::new(Method::POST, "/a");
    request.body = Some(vec![0; 128 << 20].into());
    assert_error(
        send(&endpoints, request).await,
        Sent::SentNoAnswer,
        ProblemKind::TimedOut,
    );
}

#[tokio::test]
async fn the_shortest_limit_counts() {
    let peer = Peer::start(|_| Reply::Silence).await;
    let endpoints = endpoints(EndpointConfig {
        timeout_ms: 600_000,
        ..config(&peer.url(""))
    });
    let mut request = get("/a");
    request.timeout = Some(Duration::from_millis(50));
    assert_error(
        send(&endpoints, request).await,
        Sent::SentNoAnswer,
        ProblemKind::TimedOut,
    );
    let mut request = get("/a");
    request.timeout = Some(Duration::MAX);
    let soon = Bounds {
        deadline: Instant::now() + Duration::from_millis(50),
        ..bounds()
    };
    let result = endpoints.send("search", request, soon).await;
    assert_error(result, Sent::SentNoAnswer, ProblemKind::TimedOut);
    let past = Bounds {
        deadline: Instant::now() - Duration::from_millis(1),
        ..bounds()
    };
    let result = endpoints.send("search", get("/a"), past).await;
    assert_error(result, Sent::NotSent, ProblemKind::LimitReached);
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn the_time_limit_is_for_all_hops_together() {
    let peer = Peer::start(|_| {
        Reply::Late(
            Duration::from_millis(80),
            b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n".to_vec(),
        )
    })
    .await;
    let config = EndpointConfig {
        max_redirects: 200,
        ..short(&peer.url(""))
    };
    let result = send(&endpoints(config), get("/a")).await;
    assert_error(result, Sent::SentNoAnswer, ProblemKind::TimedOut);
}

/// A write is seen once, whatever the peer does to its connection.
#[tokio::test]
async fn nothing_is_sent_twice() {
    let peer = Peer::start(|_| Reply::AnswerAndClose(Vec::new())).await;
    let endpoints = endpoints(config(&peer.url("")));
    for sent in 1..=3 {
        let mut request = Request::new(Method::POST, "/a");
        request.body = Some("once".into());
        let result = send(&endpoints, request).await;
        assert_error(result, Sent::SentNoAnswer, ProblemKind::Interrupted);
        assert_eq!(peer.seen().len(), sent);
    }
}

#[tokio::test]
async fn endpoints_do_not_share_connections() {
    let peer = Peer::answering(peer::OK).await;
    let configs = ["a", "b"].map(|name| (name.to_owned(), config(&peer.url(""))));
    let endpoints = Endpoints::build(
        &Egress::new(),
        "crvs",
        &BTreeMap::from(configs),
        &BTreeMap::new(),
        &BTreeMap::new(),
    )
    .expect("builds");
    for name in ["a", "b", "a", "b"] {
        endpoints
            .send(name, get("/a"), bounds())
            .await
            .expect("an answer");
    }
    assert_eq!(peer.connections(), 2, "one each, and each is kept");
}

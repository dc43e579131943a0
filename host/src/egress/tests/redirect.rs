use super::peer::Reply;
use super::*;

fn redirect(status: u16, location: &str) -> Reply {
    Reply::Answer(
        format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
            .into(),
    )
}

/// Redirects `/api/from` once; all else is answered.
async fn redirecting(status: u16, location: &str) -> Peer {
    let location = location.to_owned();
    Peer::start(move |request| {
        if request.contains(" /api/from") {
            redirect(status, &location)
        } else {
            Reply::Answer(peer::OK.into())
        }
    })
    .await
}

#[tokio::test]
async fn redirects_within_the_grant_are_followed() {
    for (status, method, location) in [
        (301, "GET", "/api/to"),
        (302, "GET", "to"),
        (303, "GET", "./to"),
        (307, "GET", "/api/to#f"),
        (308, "GET", "/api/to"),
        (302, "HEAD", "/api/to"),
        (307, "POST", "/api/to"),
        (308, "PUT", "to"),
    ] {
        let peer = redirecting(status, location).await;
        let endpoints = endpoints(config(&peer.url("/api")));
        let mut request = Request::new(method.parse().expect("method"), "/from");
        request.query = vec![("q".into(), "personal".into())];
        request.headers = vec![("x-a".into(), "1".into())];
        if status >= 307 {
            request.body = Some("body".into());
        }
        let response = send(&endpoints, request).await.expect("an answer");
        assert_eq!(response.status, 200, "{status} {location}");
        let seen = peer.seen();
        assert_eq!(seen.len(), 2);
        assert!(
            seen[1].starts_with(&format!("{method} /api/to HTTP/1.1")),
            "{}",
            seen[1]
        );
        assert!(
            seen[1].contains("x-a: 1\r\n") && !seen[1].contains("referer"),
            "{}",
            seen[1]
        );
        assert_eq!(seen[1].ends_with("\r\n\r\nbody"), status >= 307);
    }
}

#[tokio::test]
async fn redirects_out_of_the_grant_are_refused() {
    let other = Peer::answering(peer::OK).await;
    let locations = [
        other.url("/api/to"),
        "https://127.0.0.1/api/to".into(),
        "http://127.0.0.1/api/to".into(),
        "http://169.254.169.254/latest/meta-data".into(),
        "http://localhost/api/to".into(),
        "//evil.example/api/to".into(),
        "\\\\evil.example/api".into(),
        "/\\evil.example/api".into(),
        "/admin".into(),
        "/".into(),
        "/apix/to".into(),
        "/API/to".into(),
        "../admin".into(),
        "/api/../admin".into(),
        "/api/%2e%2e/admin".into(),
        "/api/..%2fadmin".into(),
        "/api/..;/admin".into(),
        "file:///etc/passwd".into(),
        "ftp://127.0.0.1/api".into(),
        "javascript:1".into(),
        "data:,x".into(),
        "http://".into(),
        "//".into(),
        "/api/a b".into(),
        "http:\\\\evil.example".into(),
        "/api//../../admin".into(),
    ];
    for location in locations {
        let peer = redirecting(302, &location).await;
        let result = send(&endpoints(config(&peer.url("/api"))), get("/from")).await;
        assert_error(result, Sent::SentNoAnswer, ProblemKind::RedirectRefused);
        assert_eq!(peer.seen().len(), 1, "{location}");
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_write_is_not_turned_into_a_read() {
    for (status, method) in [
        (301, "POST"),
        (302, "POST"),
        (303, "POST"),
        (303, "DELETE"),
        (302, "PATCH"),
    ] {
        let peer = redirecting(status, "/api/to").await;
        let request = Request::new(method.parse().expect("method"), "/from");
        let result = send(&endpoints(config(&peer.url("/api"))), request).await;
        assert_error(result, Sent::SentNoAnswer, ProblemKind::RedirectRefused);
        assert_eq!(peer.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_loop_ends() {
    let peer = Peer::start(|_| redirect(302, "/api/from")).await;
    let mut config = config(&peer.url("/api"));
    config.max_redirects = 2;
    let result = send(&endpoints(config), get("/from")).await;
    assert_error(result, Sent::SentNoAnswer, ProblemKind::RedirectRefused);
    assert_eq!(peer.seen().len(), 3);
}

/// A redirect is a request of its own, and the call has only so many.
#[tokio::test]
async fn redirects_are_counted_and_bounded_by_the_call() {
    let peer = Peer::start(|request| match request.split(' ').nth(1) {
        Some("/api/from") => redirect(302, "/api/by"),
        Some("/api/by") => redirect(302, "/api/to"),
        _ => Reply::Answer(peer::OK.into()),
    })
    .await;
    let endpoints = endpoints(config(&peer.url("/api")));
    for left in 0..4 {
        let before = peer.seen().len();
        let bounds = Bounds {
            max_further_requests: left,
            ..bounds()
        };
        let result = endpoints.send("search", get("/from"), bounds).await;
        let followed = left.min(2);
        let spent = match &result {
            Ok(response) => response.spent,
            Err(error) => error.spent,
        };
        assert_eq!(spent.further_requests, followed);
        assert_eq!(peer.seen().len() - before, 1 + followed as usize);
        if left < 2 {
            assert_error(result, Sent::SentNoAnswer, ProblemKind::LimitReached);
        } else {
            assert_eq!(result.expect("an answer").spent.body_bytes, 2);
        }
    }
}

#[tokio::test]
async fn what_is_no_redirect_is_an_answer() {
    for answer in [
        "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
        "HTTP/1.1 300 Multiple Choices\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
    ] {
        let peer = Peer::answering(answer).await;
        let response = send(&endpoints(config(&peer.url("/api"))), get("/a"))
            .await
            .expect(answer);
        assert!(answer.contains(&response.status.to_string()));
    }
}

#[tokio::test]
async fn a_location_is_told_below_the_base_or_not_at_all() {
    let base = format!("/t/{SECRET}");
    for (location, expected) in [
        (format!("{base}/Patient/7?v=1"), Some("/Patient/7?v=1")),
        (format!("http://evil.example{base}/Patient/7"), None),
        ("/admin".to_owned(), None),
    ] {
        let peer = Peer::answering(&format!(
            "HTTP/1.1 201 Created\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        ))
        .await;
        let endpoints = endpoints(config(&peer.url("/t/${secret:tenant}")));
        let response = send(&endpoints, Request::new(Method::POST, "/Patient"))
            .await
            .expect("created");
        let location = response.headers.iter().find(|(name, _)| name == "location");
        assert_eq!(location.map(|(_, value)| value.as_str()), expected);
    }
}

#[tokio::test]
async fn after_the_first_hop_nothing_is_not_sent() {
    // 127.0.0.1 on the first lookup, nothing afterwards; each hop needs a connection of its own.
    let peer = Peer::start(|_| {
        Reply::AnswerAndClose(
            b"HTTP/1.1 307 Go\r\nLocation: /to\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
                .to_vec(),
        )
    })
    .await;
    let egress = Egress::with_lookup(Script::new(&[&["127.0.0.1"], &[]]));
    let base = format!("http://registry.example:{}", peer.address.port());
    let endpoints = build_with(&egress, config(&base), Credential::None).expect("builds");
    let result = send(&endpoints, Request::new(Method::POST, "/from")).await;
    assert_error(result, Sent::SentNoAnswer, ProblemKind::Dns);
}

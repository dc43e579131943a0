use super::*;
use crate::egress::header::{HeaderRefused, ReservedNames};

fn admit(name: &str, value: &str) -> Result<(), HeaderRefused> {
    let mut reserved = ReservedNames::default();
    reserved.insert(&"x-tenant".parse().expect("name"));
    reserved
        .admit(&[(name.to_owned(), value.to_owned())])
        .map(|_| ())
}

#[test]
fn headers_of_the_gateway_are_refused_in_every_spelling() {
    for name in [
        "Host",
        "host",
        "HOST",
        "Authorization",
        "authorization",
        "Proxy-Authorization",
        "proxy-connection",
        "Proxy-Authenticate",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "transfer_encoding",
        "Upgrade",
        "Content-Length",
        "content_length",
        "Expect",
        "Cookie",
        "Set-Cookie",
        "Forwarded",
        "X-Forwarded-For",
        "x_forwarded_for",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Prefix",
        "Via",
        "Accept-Encoding",
        "X-Real-IP",
        "X-Original-URL",
        "X-Rewrite-URL",
        "x_original_url",
        "X-Host",
        "HTTP2-Settings",
        "Traceparent",
        "TRACEPARENT",
        "tracestate",
        "Baggage",
        "X-Tenant",
        "x_tenant",
    ] {
        let result = admit(name, "1");
        assert!(
            matches!(result, Err(HeaderRefused::Reserved(_))),
            "{name}: {result:?}"
        );
    }
}

#[test]
fn broken_names_and_values_are_refused() {
    for name in [
        "", " ", "a b", "a:b", "a\r\nb", "a\0", "é", "a,b", "host ", " host", "\thost", "(a)",
        "a=b", ":path",
    ] {
        assert_eq!(admit(name, "1"), Err(HeaderRefused::Name), "{name:?}");
    }
    for value in [
        "a\r\nHost: evil",
        "a\nb",
        "a\rb",
        "\0",
        "a\u{7f}",
        "é",
        "\u{1b}",
    ] {
        assert!(
            matches!(admit("x-a", value), Err(HeaderRefused::Value(_))),
            "{value:?}"
        );
    }
    let many: Vec<_> = (0..65).map(|n| (format!("x-{n}"), String::new())).collect();
    assert_eq!(
        ReservedNames::default().admit(&many),
        Err(HeaderRefused::TooMany)
    );
    assert_eq!(
        admit("x-a", &"a".repeat(17 * 1024)),
        Err(HeaderRefused::TooLong)
    );
}

#[test]
fn other_headers_pass() {
    for name in [
        "Accept",
        "Content-Type",
        "Accept-Language",
        "If-Match",
        "Prefer",
        "X-Request-Id",
        "Signature",
        "Digest",
        "Range",
    ] {
        admit(name, "a, b; c=\"d\"").expect(name);
    }
}

#[tokio::test]
async fn configured_headers_are_set_and_refused_from_adapters() {
    let peer = Peer::answering(peer::OK).await;
    let mut config = config(&peer.url("/t/${secret:tenant}/api"));
    config.headers = BTreeMap::from([("X-Tenant".into(), "health-${secret:tenant}".into())]);
    let endpoints = endpoints(config);
    send(&endpoints, get("/a")).await.expect("an answer");
    let mut request = get("/a");
    request.headers = vec![("x-tenant".into(), "personal".into())];
    let result = send(&endpoints, request).await;
    assert_error(result, Sent::NotSent, ProblemKind::RequestRefused);
    let seen = peer.seen();
    assert_eq!(seen.len(), 1);
    assert!(
        seen[0].starts_with(&format!("GET /t/{SECRET}/api/a HTTP/1.1\r\n")),
        "{}",
        seen[0]
    );
    assert!(
        seen[0].contains(&format!("x-tenant: health-{SECRET}\r\n")),
        "{}",
        seen[0]
    );
}

#[tokio::test]
async fn too_many_or_too_long_headers_of_an_answer_end_it() {
    let many: String = (0..140).map(|n| format!("x-{n}: 1\r\n")).collect();
    let long = format!("x-long: {}\r\n", "a".repeat(70 * 1024));
    // Over what the HTTP library itself takes in.
    let very_many: String = (0..2_000).map(|n| format!("x-{n}: 1\r\n")).collect();
    let very_long = format!("x-long: {}\r\n", "a".repeat(1024 * 1024));
    for headers in [many, long, very_many, very_long] {
        let answer = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 2\r\n\r\nok");
        let peer = Peer::answering(&answer).await;
        let result = send(&endpoints(config(&peer.url(""))), get("/a")).await;
        assert_error(result, Sent::SentNoAnswer, ProblemKind::TooLarge);
    }
}

#[tokio::test]
async fn header_values_beyond_ascii_come_as_text() {
    let peer = Peer::start(|_| {
        peer::Reply::Answer(
            b"HTTP/1.1 200 OK\r\nx-utf8: \xc3\xa9\r\nx-latin: \xe9\r\nContent-Length: 0\r\n\r\n"
                .to_vec(),
        )
    })
    .await;
    let response = send(&endpoints(config(&peer.url(""))), get("/a"))
        .await
        .expect("an answer");
    assert_eq!(
        response.headers,
        [("x-utf8", "é"), ("x-latin", "é")].map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
}

/// A server that hands out the next token does so in the header in which it takes it.
#[test]
fn an_answers_headers_that_an_adapter_may_not_set_it_does_not_see() {
    let mut reserved = ReservedNames::default();
    reserved.insert(&"x-auth-token".parse().expect("name"));
    let mut headers = http::HeaderMap::new();
    for name in [
        "X-Auth-Token",
        "x-auth-token",
        "x_auth_token",
        "set-cookie",
        "etag",
    ] {
        headers.append(
            http::HeaderName::from_bytes(name.as_bytes()).expect("name"),
            "value".parse().expect("value"),
        );
    }
    let seen = reserved.visible(&headers);
    assert_eq!(seen, [("etag".to_owned(), "value".to_owned())]);
}

use url::Url;

use super::*;
use crate::egress::path::{Base, PathRefused, check_path};

fn base() -> Base {
    Base::new(Url::parse("https://r.example/api/v1/").expect("url"))
        .unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn paths_that_some_server_reads_otherwise_are_refused() {
    use PathRefused::*;
    let tries = [
        ("", Beginning),
        ("a", Beginning),
        ("//", Beginning),
        ("//evil.example/a", Beginning),
        ("///a", Beginning),
        ("http://evil.example/", Beginning),
        ("?a", Beginning),
        ("#a", Beginning),
        ("../a", Beginning),
        (".", Beginning),
        ("@evil.example", Beginning),
        (":80/a", Beginning),
        ("\\a", Beginning),
        (" /a", Beginning),
        ("\t/a", Beginning),
        ("/..", Dots),
        ("/../", Dots),
        ("/../a", Dots),
        ("/a/..", Dots),
        ("/a/../b", Dots),
        ("/a/../../b", Dots),
        ("/.", Dots),
        ("/./a", Dots),
        ("/a/.", Dots),
        ("/a/./b", Dots),
        ("/a//../b", Dots),
        ("/%2e", Dots),
        ("/%2e/", Dots),
        ("/%2E%2E/a", Dots),
        ("/%2e%2e/a", Dots),
        ("/.%2e/a", Dots),
        ("/%2e./a", Dots),
        ("/a/%2E%2e", Dots),
        ("/a/.%2E/b", Dots),
        ("/..;/a", Dots),
        ("/..;x=1/a", Dots),
        ("/a/..;/b", Dots),
        ("/%2e%2e;/a", Dots),
        ("/..%3b/a", Dots),
        ("/.;/a", Dots),
        ("/%252e%252e/a", Dots),
        ("/%252E/a", Dots),
        ("/%25252e%25252e/a", Dots),
        ("/..%252fa", Dots),
        ("/a%252f..%255cb", Dots),
        ("/..%253b/a", Dots),
        ("/a%2fb", Encoded),
        ("/a%2Fb", Encoded),
        ("/..%2fa", Encoded),
        ("/..%5ca", Encoded),
        ("/%5c..%5ca", Encoded),
        ("/a%5Cb", Encoded),
        ("/%00", Encoded),
        ("/a%0d%0aHost:%20evil", Encoded),
        ("/%09", Encoded),
        ("/%7f", Encoded),
        ("/%1f", Encoded),
        ("/a?b", Character),
        ("/a#b", Character),
        ("/a\\b", Character),
        ("/..\\a", Character),
        ("/\\..\\a", Character),
        ("/a b", Character),
        ("/a\tb", Character),
        ("/a\nb", Character),
        ("/a\r\nHost: evil", Character),
        ("/a\0", Character),
        ("/é", Character),
        ("/\u{ff0e}\u{ff0e}/a", Character),
        ("/a\u{2215}b", Character),
        ("/a\u{202e}", Character),
        ("/{id}", Character),
        ("/a|b", Character),
        ("/a\"b", Character),
        ("/<a>", Character),
        ("/a^b", Character),
        ("/a`b", Character),
        ("/[a]", Character),
        ("/\u{7f}", Character),
        ("/%", Encoding),
        ("/%2", Encoding),
        ("/%zz", Encoding),
        ("/a%", Encoding),
        ("/%2x", Encoding),
        ("/%u002e", Encoding),
        ("/%+2", Encoding),
        ("/%c0%ae%c0%ae/a", Encoding),
        ("/%c0%af", Encoding),
        ("/%e0%80%ae", Encoding),
        ("/%ff", Encoding),
        ("/%f0%80%80%ae", Encoding),
    ];
    assert!(tries.len() >= 80, "{}", tries.len());
    for (path, rule) in tries {
        assert_eq!(check_path(path), Err(rule), "{path:?}");
        assert!(base().join(path, &[]).is_err(), "{path:?}");
    }
    let long = format!("/{}", "a".repeat(16 * 1024));
    assert_eq!(check_path(&long), Err(TooLong));
    let query = vec![("q".to_owned(), "x".repeat(17 * 1024))];
    assert_eq!(base().join("/a", &query), Err(TooLong));
}

#[test]
fn usual_paths_arrive_as_they_are() {
    for path in [
        "/",
        "/Patient",
        "/Patient/123",
        "/Patient/123/_history/2",
        "/Patient/$everything",
        "/a/b/",
        "/a//b",
        "/a.b",
        "/...",
        "/..a",
        "/a..",
        "/.well-known/jwks.json",
        "/a;v=1",
        "/a:b",
        "/a@b",
        "/a,b",
        "/a=b",
        "/a&b",
        "/a!b",
        "/a'b",
        "/(a)*+",
        "/~a",
        "/a-b_c",
        "/%20",
        "/%C3%A9",
        "/%e1%8a%a0",
        "/a%3Fb",
        "/a%23b",
        "/%252f",
        "/100%25/a%252eb",
        "/a%25",
    ] {
        let url = base()
            .join(path, &[])
            .unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!(url.as_str(), format!("https://r.example/api/v1{path}"));
    }
}

#[test]
fn a_query_cannot_become_anything_else() {
    let query = vec![
        ("a b&c".to_owned(), "#/../?é%2e\r\n".to_owned()),
        ("empty".to_owned(), String::new()),
    ];
    let url = base().join("/p", &query).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        url.as_str(),
        "https://r.example/api/v1/p?a%20b%26c=%23%2F..%2F%3F%C3%A9%252e%0D%0A&empty="
    );
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    assert_eq!(pairs, query);
}

#[test]
fn a_redirect_keeps_origin_user_and_base() {
    let from = Url::parse("https://r.example/api/v1/a/b").expect("url");
    let to = |location: &str| base().redirect(&from, location).map(String::from);
    for (location, expected) in [
        ("/api/v1/c", "https://r.example/api/v1/c"),
        ("c?d=e#f", "https://r.example/api/v1/a/c?d=e"),
        ("../c", "https://r.example/api/v1/c"),
        (
            "https://R.EXAMPLE:443/api/v1/c",
            "https://r.example/api/v1/c",
        ),
        ("/api/v1", "https://r.example/api/v1"),
    ] {
        assert_eq!(to(location), Ok(expected.to_owned()), "{location}");
    }
    for location in [
        "https://user@r.example/api/v1/c",
        "https://:p@r.example/api/v1/c",
        "https://r.example:444/api/v1/c",
        "http://r.example/api/v1/c",
        "https://r.example./api/v1/c",
        "https://r.example.evil/api/v1/c",
        "https://evil.example/api/v1/c",
        "/api/v10/c",
        "/api/v1x",
        "/api",
        "../../../../c",
        "/api/v1/%2e%2e/%2e%2e/c",
        "/api/v1/..%2fc",
        "/api/v1/..;/c",
        "/api/v1/c\\d",
        "\t/api/v1/c",
        "/api/v1/c\nd",
        "wss://r.example/api/v1/c",
    ] {
        assert!(to(location).is_err(), "{location:?}: {:?}", to(location));
    }
}

#[tokio::test]
async fn a_refused_path_reaches_nobody() {
    let peer = Peer::answering(peer::OK).await;
    let endpoints = endpoints(config(&peer.url("/api")));
    for path in [
        "/../admin",
        "/%2e%2e/admin",
        "/..;/admin",
        "//evil",
        "/a?personal=1",
        "/a\r\nX: y",
    ] {
        let result = send(&endpoints, get(path)).await;
        assert_error(result, Sent::NotSent, ProblemKind::RequestRefused);
    }
    assert_eq!(peer.connections(), 0);
}

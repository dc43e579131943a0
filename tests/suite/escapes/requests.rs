//! Paths, queries and headers of an adapter that would rather speak to somebody else.

use registry_gateway::config::endpoint::EndpointConfig;

use super::arena::Arena;
use super::judge::MARK;
use super::{End, REFUSED, Shown, Try, granted};

/// Below the base path, for a URL that is put together.
const PATHS: &[&str] = &[
    "/..",
    "/../",
    "/../../admin",
    "/../../../admin",
    "/./../../admin",
    "/a/../../../admin",
    "/a//../../../../admin",
    "/%2e%2e/%2e%2e/admin",
    "/.%2e/%2E./admin",
    "/%2E%2E",
    "/..;/..;/admin",
    "/..;x=1/admin",
    "/%2e%2e;/admin",
    "/..%3b/admin",
    "/..%2fadmin",
    "/..%2Fadmin",
    "/%2e%2e%2fadmin",
    "/..\\admin",
    "/..%5cadmin",
    "/%5c..%5c..%5cadmin",
    "/\\..\\..\\admin",
    "/%252e%252e/admin",
    "/..%252fadmin",
    "/%25252e%25252e/admin",
    "/%c0%ae%c0%ae/admin",
    "/..%c0%afadmin",
    "/a#/../../admin",
    "/a b",
    "/a HTTP/1.1",
    "/\r\nHost: outside.example",
    "/a HTTP/1.1\r\nHost: outside.example\r\nx: ",
    "/a HTTP/1.1\r\n\r\nGET /admin",
    "/a\nb",
    "/a\tb",
    "/a\0b",
    "/é",
    "/\u{ff0e}\u{ff0e}/admin",
    "/a\\b",
    "os/admin",
    "../admin",
    "../../admin",
    "?a/../../admin&outside=1",
    "//127.0.0.1:OUTSIDE/a",
    "/\\127.0.0.1:OUTSIDE/a",
    "\\\\127.0.0.1:OUTSIDE/a",
    "http://127.0.0.1:OUTSIDE/a",
    "HTTP://127.0.0.1:OUTSIDE/a",
    "http:\\\\127.0.0.1:OUTSIDE/a",
    "https://127.0.0.1:OUTSIDE/a",
    " http://127.0.0.1:OUTSIDE/a",
    "\thttp://127.0.0.1:OUTSIDE/a",
    "/\t/127.0.0.1:OUTSIDE/a",
    "\n//127.0.0.1:OUTSIDE/a",
    "file:///etc/passwd",
];
/// Behind a base URL that has no path, where the path would go on in the host.
const TAILS: &[&str] = &[
    "@127.0.0.1:OUTSIDE/a",
    ":pass@127.0.0.1:OUTSIDE/a",
    "0@127.0.0.1:OUTSIDE/a",
    ".outside.example/a",
];
/// The gateway's own, and what servers and proxies take for them.
const HEADERS: &[&str] = &[
    "Host",
    "hOsT",
    "Authorization",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Cookie",
    "Connection",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "transfer_encoding",
    "Content-Length",
    "Upgrade",
    "HTTP2-Settings",
    "Expect",
    "Via",
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X_Forwarded_Host",
    "X-Forwarded-Server",
    "X-Host",
    "X-HTTP-Host-Override",
    "X-Original-URL",
    "X-Original-Host",
    "X-Rewrite-URL",
    "X-Real-IP",
    "X-Forwarded",
    "Client-IP",
    "Client-Cert",
    "X-Client-Cert-Subject",
    "X-SSL-Client-S-DN",
    "SSL_CLIENT_VERIFY",
    "Remote_User",
    "X-Remote-User",
    "CF-Connecting-IP",
    "X-Envoy-Original-Path",
];
/// Names that end a header, or begin another.
const NAMES: &[&str] = &[
    ":authority",
    ":path",
    "",
    " Host",
    "Host ",
    "Host\t",
    "\r\nHost",
    "x: 1\r\nHost",
    "Host: outside.example\r\nx",
    "Hóst",
    "Host\0",
];
/// Values that end a header, or go on in the next line.
const VALUES: &[&str] = &[
    "a\r\nHost: outside.example",
    "a\nHost: outside.example",
    "a\r\n\r\nGET /admin HTTP/1.1\r\nHost: outside.example",
    "a\r\n Host: outside.example",
    "a\r\n\tfolded: outside.example",
    "a\rHost: outside.example",
    "a\0outside.example",
    "outside.example\u{7f}",
    "é outside.example",
];
/// Values that would become parameters, or end the target. They arrive, as values.
const QUERIES: &[(&str, &str)] = &[
    ("q", "a&outside=1"),
    ("q", "a;outside=1"),
    ("q", "a#outside"),
    ("q", "a HTTP/1.1\r\nHost: outside.example\r\nx: "),
    ("q", "a\r\nHost: outside.example"),
    ("q", "é"),
    ("q&outside", "1"),
    ("q=1&outside", "1"),
    ("q;outside", "1"),
];

pub(super) fn tries(arena: &Arena) -> Vec<Try> {
    let mut all = Vec::new();
    let here = |text: &str| text.replace("OUTSIDE", &arena.outside.to_string());
    let refused = |name: String, endpoint: EndpointConfig, request: &[&str]| Try {
        request: request.iter().map(|word| here(word)).collect(),
        end: End::Answers(vec![REFUSED]),
        shown: Shown::Naively,
        ..Try::new(name, endpoint)
    };
    for path in PATHS {
        let name = format!("the path {path:?}");
        all.push(refused(name, granted(arena), &["GET", path]));
    }
    let bare = EndpointConfig {
        base_url: format!("http://127.0.0.1:{}", arena.port),
        ..granted(arena)
    };
    for tail in TAILS {
        let name = format!("behind the host {tail:?}");
        all.push(refused(name, bare.clone(), &["GET", tail]));
    }
    for method in ["CONNECT", "TRACE", "GET /admin HTTP/1.1\r\nx:", "get"] {
        let mut it = refused(
            format!("the method {method:?}"),
            granted(arena),
            &[method, "/a"],
        );
        if !method.contains(' ') {
            it.shown = Shown::NotHere;
        }
        all.push(it);
    }
    for name in HEADERS {
        let request = ["GET", "/a", "header", name, MARK];
        all.push(refused(
            format!("the header {name}"),
            granted(arena),
            &request,
        ));
    }
    for name in NAMES {
        let request = ["GET", "/a", "header", name, MARK];
        all.push(refused(
            format!("the header's name {name:?}"),
            granted(arena),
            &request,
        ));
    }
    for value in VALUES {
        let request = ["GET", "/a", "header", "x-a", value];
        all.push(refused(
            format!("the header's value {value:?}"),
            granted(arena),
            &request,
        ));
    }
    let twice = ["GET", "/a", "header", "x-a", "1", "header", "host", MARK];
    all.push(refused("a second header".into(), granted(arena), &twice));
    for (name, value) in QUERIES {
        let request = ["GET", "/a", "query", name, value];
        let mut it = refused(
            format!("the query {name:?} {value:?}"),
            granted(arena),
            &request,
        );
        it.end = End::Answers(vec!["200"]);
        all.push(it);
    }
    all
}

//! Reaches for what it was not granted.

use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::{env, fs};

use adapter_sdk::http::{self, Method};
use adapter_sdk::model::Identifier;

use crate::{Found, report};

/// Headers that no adapter may set.
pub const FORBIDDEN_HEADERS: &[&str] = &[
    "Host",
    "authorization",
    "Proxy-Authorization",
    "Connection",
    "Transfer-Encoding",
    "Content-Length",
    "Upgrade",
    "TE",
    "Keep-Alive",
];

/// Spellings of a path that leaves the endpoint's base path.
pub const ESCAPES: &[&str] = &[
    "/../outside",
    "/inside/../../outside",
    "/%2e%2e/outside",
    "/.%2E/outside",
    "/..%2foutside",
    "/..%5coutside",
    "/..\\outside",
    "/inside/%252e%252e/../..",
    "..",
    "outside",
    "//outside.example/",
    "http://outside.example/",
    "@outside.example/",
    "/\r\nHost: outside.example",
    "/path?query=in-the-path",
    "/path#fragment",
    "",
];

/// An endpoint of which the registry's configuration does not know.
pub fn unknown_endpoint(_: &[Identifier]) -> Found {
    let end = send(http::endpoint("treasury").get("/"));
    report(vec![("treasury".into(), end)])
}

/// What the grant allows.
pub fn good_http(_: &[Identifier]) -> Found {
    let end = send(
        http::endpoint("registry")
            .post("/inside")
            .query("q", "a b&c")
            .body("text/plain", "hello"),
    );
    report(vec![("inside".into(), end)])
}

/// Each of [`FORBIDDEN_HEADERS`] alone.
pub fn set_headers(_: &[Identifier]) -> Found {
    let attempts = FORBIDDEN_HEADERS.iter().map(|name| {
        let end = send(
            http::endpoint("registry")
                .get("/inside")
                .header(*name, "outside.example"),
        );
        ((*name).to_owned(), end)
    });
    report(attempts.collect())
}

/// Each of [`ESCAPES`].
pub fn leave_base_path(_: &[Identifier]) -> Found {
    let attempts = ESCAPES.iter().map(|path| {
        (
            (*path).to_owned(),
            send(http::endpoint("registry").get(*path)),
        )
    });
    report(attempts.collect())
}

/// Any one request: the arguments are method and path, and then names and values by threes, a word
/// before them that says whether it is a `header` or of the `query`.
pub fn any_request(arguments: &[Identifier]) -> Found {
    let mut words = arguments.iter().map(|argument| argument.value.clone());
    let (method, path) = (words.next(), words.next().unwrap_or_default());
    let method = match method.as_deref() {
        None | Some("GET") => Method::Get,
        Some("POST") => Method::Post,
        Some(other) => Method::Other(other.into()),
    };
    let mut request = http::endpoint("registry").request(method, path);
    while let (Some(what), Some(name), Some(value)) = (words.next(), words.next(), words.next()) {
        request = match &*what {
            "header" => request.header(name, value),
            _ => request.query(name, value),
        };
    }
    report(vec![("end".into(), send(request))])
}

/// Reads, lists, writes and makes files.
pub fn files(_: &[Identifier]) -> Found {
    report(vec![
        attempt("read", fs::read("/etc/passwd")),
        attempt("read relative", fs::read("config.toml")),
        attempt("list", fs::read_dir("/").map(Iterator::count)),
        attempt("list here", fs::read_dir(".").map(Iterator::count)),
        attempt("write", fs::write("/tmp/hostile", "here")),
        attempt("make", fs::create_dir_all("/tmp/hostile-folder")),
        attempt("look", fs::metadata("/proc/self/environ").map(|_| ())),
    ])
}

/// Opens every kind of socket. The first argument is the port of somebody who listens.
pub fn sockets(arguments: &[Identifier]) -> Found {
    let port = arguments.first().map_or("80", |port| port.value.as_str());
    let listener = format!("127.0.0.1:{port}");
    report(vec![
        attempt("connect", TcpStream::connect(&listener)),
        attempt(
            "connect by name",
            TcpStream::connect(format!("localhost:{port}")),
        ),
        attempt("look up", "localhost:80".to_socket_addrs()),
        attempt("listen", TcpListener::bind("127.0.0.1:0")),
        attempt(
            "datagram",
            UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"x", &listener)),
        ),
    ])
}

/// Counts what it may know of the process around it.
#[allow(
    clippy::disallowed_methods,
    reason = "the guest tries what the gateway's own code may not"
)]
pub fn environment(_: &[Identifier]) -> Found {
    report(vec![
        ("variables".into(), env::vars().count().to_string()),
        ("arguments".into(), env::args().count().to_string()),
        attempt("folder", env::current_dir().and_then(fs::read_dir)),
    ])
}

fn attempt<T>(what: &str, end: std::io::Result<T>) -> (String, String) {
    let end = end.map_or("refused", |_| "allowed");
    (what.to_owned(), end.to_owned())
}

fn send(request: http::Builder) -> String {
    match request.send() {
        Ok(response) => response.status.to_string(),
        Err(failure) => failure.summary(),
    }
}

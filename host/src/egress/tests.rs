//! Against real listeners on loopback, which an endpoint reaches only where its grant lists it.

mod address;
mod body;
mod build;
mod credential;
mod header;
mod path;
mod peer;
mod probe;
mod proxy;
mod redirect;
mod refresh;
mod sent;
mod session;
mod tls;
mod tls_peer;
mod traffic;
mod tunnel;

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http::Method;
use secrecy::SecretString;

use self::peer::Peer;
use super::*;
use crate::config::endpoint::{Credential, CredentialConfig};

/// What no error, log or `Debug` may hold.
const SECRET: &str = "s3cret-value";

/// Answers from a script, one list per lookup; the last one repeats.
struct Script {
    answers: Vec<Vec<&'static str>>,
    asked: AtomicUsize,
    names: Mutex<Vec<String>>,
}

impl Script {
    fn new(answers: &[&[&'static str]]) -> Arc<Self> {
        Arc::new(Self {
            answers: answers.iter().map(|list| list.to_vec()).collect(),
            asked: AtomicUsize::new(0),
            names: Mutex::default(),
        })
    }
}

#[async_trait]
impl Lookup for Script {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.names.lock().expect("names").push(name.to_owned());
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = self.answers.get(asked).or(self.answers.last());
        let list = answer.ok_or_else(|| io::Error::other("no such name"))?;
        Ok(list.iter().map(|a| a.parse().expect("address")).collect())
    }
}

fn config(base_url: &str) -> EndpointConfig {
    EndpointConfig {
        allow_networks: vec!["127.0.0.1/32".parse().expect("network")],
        timeout_ms: 5_000,
        connect_timeout_ms: 2_000,
        ..EndpointConfig::new(base_url)
    }
}

fn secrets() -> BTreeMap<String, SecretString> {
    BTreeMap::from([
        ("tenant".to_owned(), SecretString::from(SECRET)),
        ("odd".to_owned(), SecretString::from("a/../b?c")),
    ])
}

fn build_with(
    egress: &Egress,
    config: EndpointConfig,
    secured: impl Into<EndpointSecrets>,
) -> Result<Endpoints, EgressError> {
    Endpoints::build(
        egress,
        "crvs",
        &BTreeMap::from([("search".to_owned(), config)]),
        &secrets(),
        &BTreeMap::from([("search".to_owned(), secured.into())]),
    )
}

fn endpoints(config: EndpointConfig) -> Endpoints {
    build_with(&Egress::new(), config, Credential::None).expect("builds")
}

fn bounds() -> Bounds {
    Bounds {
        max_response_bytes: u64::MAX,
        max_further_requests: u32::MAX,
        deadline: Instant::now() + Duration::from_secs(20),
    }
}

fn get(path: &str) -> Request {
    Request::new(Method::GET, path)
}

async fn send(endpoints: &Endpoints, request: Request) -> Result<Response, SendError> {
    let result = endpoints.send("search", request, bounds()).await;
    if let Err(error) = &result {
        let text = format!("{error} {error:?}");
        for hidden in ["http:", "https:", "127.0.0", "personal", SECRET] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
    result
}

fn assert_error(result: Result<Response, SendError>, sent: Sent, kind: ProblemKind) {
    let error = result.expect_err("an error");
    assert_eq!((error.sent, &error.kind), (sent, &kind), "{error:?}");
}

#[tokio::test]
async fn a_request_goes_out_and_an_answer_comes_in() {
    let peer = Peer::answering(
        "HTTP/1.1 404 Not Found\r\nX-Trace: 7\r\nSet-Cookie: a=b\r\nContent-Type: application/json\r\n\
         Content-Length: 2\r\nKeep-Alive: timeout=5\r\n\r\n{}",
    )
    .await;
    let endpoints = endpoints(config(&peer.url("/api/v1/")));
    let mut request = Request::new(Method::POST, "/Patient/%C3%A9");
    request.query = vec![
        ("name".into(), "personal é&=+ x".into()),
        ("_count".into(), "1".into()),
    ];
    request.headers = vec![("Accept".into(), "application/fhir+json".into())];
    request.body = Some("{\"a\":1}".into());
    let response = send(&endpoints, request).await.expect("an answer");
    assert_eq!(response.status, 404);
    assert_eq!(response.body, "{}");
    assert_eq!(
        response.headers,
        [("x-trace", "7"), ("content-type", "application/json")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
    );
    let seen = peer.seen();
    assert_eq!(seen.len(), 1);
    let first = "POST /api/v1/Patient/%C3%A9?name=personal%20%C3%A9%26%3D%2B%20x&_count=1 HTTP/1.1";
    assert!(seen[0].starts_with(first), "{}", seen[0]);
    assert!(seen[0].contains("accept: application/fhir+json\r\n"));
    assert!(seen[0].contains("content-length: 7\r\n"));
    assert!(seen[0].contains(&format!("host: {}\r\n", peer.address)));
    assert!(seen[0].ends_with("\r\n\r\n{\"a\":1}"));
    assert!(!format!("{response:?} {endpoints:?}").contains("Patient"));
}

#[tokio::test]
async fn only_granted_names_are_endpoints() {
    let peer = Peer::answering(peer::OK).await;
    let endpoints = endpoints(config(&peer.url("")));
    assert_eq!(endpoints.names().collect::<Vec<_>>(), ["search"]);
    for name in ["", "Search", "search ", "http://127.0.0.1", "other"] {
        let result = endpoints.send(name, get("/"), bounds()).await;
        assert_error(result, Sent::NotSent, ProblemKind::EndpointNotGranted);
    }
    assert!(peer.seen().is_empty());
}

#[tokio::test]
async fn methods_are_words_in_capitals_and_make_no_tunnels() {
    let peer = Peer::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let endpoints = endpoints(config(&peer.url("")));
    for word in [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY", "OPTIONS",
    ] {
        let method = Method::from_bytes(word.as_bytes()).expect("method");
        let response = send(&endpoints, Request::new(method, "/a"))
            .await
            .expect(word);
        assert_eq!(response.status, 200);
    }
    let before = peer.seen().len();
    for word in ["CONNECT", "TRACE", "TRACK", "get", "Post", "G.T", "X1"] {
        let method = Method::from_bytes(word.as_bytes()).expect("method");
        let result = send(&endpoints, Request::new(method, "/a")).await;
        assert_error(result, Sent::NotSent, ProblemKind::RequestRefused);
    }
    assert_eq!(peer.seen().len(), before);
}

/// The environment of a process is set only from outside it, so this runs itself again.
#[test]
fn system_proxies_are_ignored() {
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    proxy.set_nonblocking(true).expect("nonblocking");
    let url = format!("http://{}", proxy.local_addr().expect("address"));
    let mut again = std::process::Command::new(std::env::current_exe().expect("this test"));
    again.args([
        "--exact",
        "egress::tests::behind_a_system_proxy",
        "--ignored",
    ]);
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ] {
        again.env(name, &url);
    }
    again.env_remove("no_proxy").env_remove("NO_PROXY");
    let output = again.output().expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
    let connected = proxy.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(
        connected,
        Err(io::ErrorKind::WouldBlock),
        "the proxy was used"
    );
}

#[tokio::test]
#[ignore = "started by system_proxies_are_ignored"]
async fn behind_a_system_proxy() {
    let peer = Peer::answering(peer::OK).await;
    let by_name = format!("http://registry.example:{}", peer.address.port());
    let egress = Egress::with_lookup(Script::new(&[&["127.0.0.1"]]));
    for base in [peer.url(""), by_name] {
        let endpoints = build_with(&egress, config(&base), Credential::None).expect("builds");
        assert_eq!(
            send(&endpoints, get("/a")).await.expect("an answer").status,
            200
        );
    }
    assert!(
        peer.seen()
            .iter()
            .all(|seen| seen.starts_with("GET /a HTTP/1.1"))
    );
}

#[test]
fn the_default_credential_is_none() {
    assert_eq!(CredentialConfig::default(), CredentialConfig::None {});
}

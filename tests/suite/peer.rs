//! A registry that answers everything the same way, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use registry_gateway::config::endpoint::{Credential, EndpointConfig};
use registry_gateway::egress::{Egress, Endpoints};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Below which the endpoint is granted.
pub(crate) const BASE: &str = "/base/path";

/// Stops with the test's runtime.
pub(crate) struct Peer {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    /// Answers 200 with this body, after this time.
    pub(crate) async fn start(body: &str, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::default();
        let (log, body) = (Arc::clone(&asked), Arc::<str>::from(body));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&log), body.clone(), delay));
            }
        });
        Self { port, asked }
    }

    /// The grant: one endpoint, `registry`, with a bearer token and a header of the configuration.
    pub(crate) fn granted(&self) -> Arc<Endpoints> {
        grant(&format!("http://{}", self.host()), "")
    }

    /// The requests so far, head and body.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// The same for any origin, with more lines of configuration.
pub(crate) fn grant(origin: &str, more: &str) -> Arc<Endpoints> {
    let config: EndpointConfig = toml::from_str(&format!(
        r#"
        base_url = "{origin}{BASE}"
        allow_networks = ["127.0.0.0/8"]
        headers = {{ "x-tenant" = "health" }}
        credential = {{ kind = "bearer", token = "env:REGISTRY_SECRET_TEST" }}
        {more}
        "#
    ))
    .unwrap();
    let token = "the-token".into();
    let endpoints = Endpoints::build(
        &Egress::new(),
        "test",
        &BTreeMap::from([("registry".into(), config)]),
        &BTreeMap::new(),
        &BTreeMap::from([("registry".into(), Credential::Bearer { token }.into())]),
    );
    Arc::new(endpoints.unwrap())
}

/// A grant of no endpoint at all.
pub(crate) fn nowhere() -> Arc<Endpoints> {
    let none = Endpoints::build(
        &Egress::new(),
        "test",
        &BTreeMap::new(),
        &BTreeMap::new(),
        &BTreeMap::new(),
    );
    Arc::new(none.unwrap())
}

async fn serve(
    mut stream: TcpStream,
    asked: Arc<Mutex<Vec<String>>>,
    body: Arc<str>,
    delay: Duration,
) {
    while let Some(request) = read(&mut stream).await {
        asked.lock().unwrap().push(request);
        tokio::time::sleep(delay).await;
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// One request, whole. None: the connection ended.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let same = name.eq_ignore_ascii_case("content-length");
                same.then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

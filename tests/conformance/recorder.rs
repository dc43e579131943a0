//! Between gateway and peer: passes requests on and keeps what was sent and what prism says of it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use serde_json::Value;

/// Where prism lists what is wrong with the request, and with its own answer.
const VIOLATIONS: &str = "sl-violations";

/// One request that reached the peer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// What was sent.
    pub(crate) request: Value,
    /// What the peer answered.
    pub(crate) status: u16,
    /// What prism says of the request. What it says of its own answer is left out: the document's
    /// examples do not hold to the document.
    pub(crate) violations: Vec<Value>,
}

impl Exchange {
    pub(crate) fn criteria(&self) -> &Value {
        &self.request["message"]["search_request"][0]["search_criteria"]
    }
}

/// A recorder under way; it ends with the test's runtime.
pub(crate) struct Recorder {
    pub(crate) url: String,
    kept: Arc<Mutex<Vec<Exchange>>>,
}

#[derive(Clone)]
struct Wire {
    peer: String,
    echo: bool,
    client: reqwest::Client,
    kept: Arc<Mutex<Vec<Exchange>>>,
}

impl Recorder {
    /// Passes on as it is.
    pub(crate) async fn before(peer: &str) -> Self {
        Self::start(peer, false).await
    }

    /// Also writes the question's `transaction_id` and `reference_id` into the answer. The peers'
    /// answers are fixed and carry the numbers of a question that nobody asked, so that the adapter
    /// refuses them before it reads on.
    pub(crate) async fn echoing(peer: &str) -> Self {
        Self::start(peer, true).await
    }

    async fn start(peer: &str, echo: bool) -> Self {
        let kept = Arc::default();
        let wire = Wire {
            peer: peer.to_owned(),
            echo,
            client: crate::gateway::client(),
            kept: Arc::clone(&kept),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass_on).with_state(wire);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, kept }
    }

    /// What reached the peer since this was last asked. Never nothing: a call that reached nobody
    /// would violate nothing either.
    pub(crate) fn take(&self) -> Vec<Exchange> {
        let exchanges = std::mem::take(&mut *self.kept.lock().unwrap());
        assert!(!exchanges.is_empty(), "no request reached the peer");
        exchanges
    }
}

async fn pass_on(
    State(wire): State<Wire>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request: Value = serde_json::from_slice(&body).expect("the request is JSON");
    let mut out = wire.client.request(method, format!("{}{uri}", wire.peer));
    for name in [header::CONTENT_TYPE, header::ACCEPT, header::AUTHORIZATION] {
        if let Some(value) = headers.get(&name) {
            out = out.header(name, value);
        }
    }
    let answer = out.body(body).send().await.expect("the peer answers");
    let status = answer.status();
    let said = answer.headers().get(VIOLATIONS);
    let said: Vec<Value> = said.map_or_else(Vec::new, |said| {
        serde_json::from_slice(said.as_bytes()).expect("violations are JSON")
    });
    let mut answer = answer.bytes().await.unwrap();
    if wire.echo && status.is_success() {
        answer = echoed(&request, &answer);
    }
    wire.kept.lock().unwrap().push(Exchange {
        request,
        status: status.as_u16(),
        violations: said
            .into_iter()
            .filter(|violation| violation["location"][0] == "request")
            .collect(),
    });
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(answer))
        .unwrap()
}

fn echoed(request: &Value, answer: &[u8]) -> Bytes {
    let mut answer: Value = serde_json::from_slice(answer).expect("the answer is JSON");
    let asked = &request["message"];
    answer["message"]["transaction_id"] = asked["transaction_id"].clone();
    for item in answer["message"]["search_response"]
        .as_array_mut()
        .expect("the answer has items")
    {
        item["reference_id"] = asked["search_request"][0]["reference_id"].clone();
    }
    answer.to_string().into()
}

//! The listener, the routes and the answers.

use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::answer::{self, Refused};
use super::beneficiaries::{self, Beneficiaries};
use super::envelope::{self, Envelope, Refusal, Reject};
use super::fault::Fault;
use super::later::{self, Later};
use super::misbehave::{self, HangUp};
use super::people::Population;
use super::records::{self, Records};
use super::token::Tokens;
use super::{Options, Received};

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// As started.
    pub(crate) options: Options,
    /// Everyone.
    pub(crate) people: Population,
    /// What can be written to.
    pub(crate) records: Records,
    /// What is answered later.
    pub(crate) later: Later,
    /// Who is in which programme.
    pub(crate) beneficiaries: Beneficiaries,
    /// Who may ask.
    pub(crate) tokens: Tokens,
    /// The fault of every request.
    pub(crate) fault: Mutex<Fault>,
    /// Requests received, apart from tokens and health.
    pub(crate) requests: AtomicU64,
    /// The last of them.
    pub(crate) last: Mutex<Option<Received>>,
    recent: Mutex<Vec<String>>,
}

impl Shared {
    /// The state of a server that hasn't been asked yet.
    pub(crate) fn new(options: Options, records: Records) -> Self {
        Self {
            records,
            later: Later::new(),
            beneficiaries: Beneficiaries::default(),
            people: Population::new(options.seed, options.people),
            tokens: Tokens::new(
                options.bearer.clone(),
                options.oauth.clone(),
                options.token_lifetime,
            ),
            fault: Mutex::new(options.fault.clone()),
            requests: AtomicU64::new(0),
            last: Mutex::default(),
            recent: Mutex::default(),
            options,
        }
    }

    /// True for a message that came before; the last thousand are remembered.
    fn is_repeated(&self, message_id: &str) -> bool {
        let mut recent = lock(&self.recent);
        let repeated = recent.iter().any(|known| known == message_id);
        if !repeated {
            if recent.len() == 1_000 {
                recent.remove(0);
            }
            recent.push(message_id.to_owned());
        }
        repeated
    }
}

/// The lock, whatever a thread that held it died of: a stand-in goes on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves until dropped, and takes its connections with it.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let router = router(shared);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        // Out of descriptors, or the peer gone already: the next one may do better.
        let Ok((stream, _)) = accepted else {
            tokio::task::yield_now().await;
            continue;
        };
        // Small answers must not wait for the delayed acknowledgement of the last one.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = service_fn(move |request| respond(router.clone(), request));
        // Served by hand and not by axum, which has no way to close without an answer.
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new());
        connections.spawn(server.serve_connection(TokioIo::new(stream), service));
    }
}

async fn respond(
    router: Router,
    request: Request<hyper::body::Incoming>,
) -> Result<Response, io::Error> {
    let Ok::<Response, Infallible>(response) = router.oneshot(request.map(Body::new)).await;
    match response.extensions().get::<HangUp>() {
        Some(HangUp) => Err(io::Error::other("told to hang up")),
        None => Ok(response),
    }
}

fn router(shared: Arc<Shared>) -> Router {
    let path = |end: &str| format!("{}/registry/sync/{end}", shared.options.prefix);
    Router::new()
        .route(&path("search"), post(search))
        .route(&path("txn/status"), post(status))
        .route("/oauth2/client/token", post(token))
        .route("/healthz", get(|| async { "ok\n" }))
        .merge(records::routes(&shared))
        .merge(later::routes(&shared.options.prefix))
        .merge(beneficiaries::routes(&shared.options.prefix))
        .fallback(|State(shared): State<Arc<Shared>>| async move {
            shared.requests.fetch_add(1, Ordering::Relaxed);
            let body = answer::error("err.request.not_found", "no such path");
            (StatusCode::NOT_FOUND, Json(body))
        })
        .layer(DefaultBodyLimit::max(4 << 20))
        .with_state(shared)
}

async fn token(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (status, answer) = shared.tokens.issue(query.as_deref(), &headers, &body);
    (status, Json(answer)).into_response()
}

async fn search(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let number = receive(&shared, &uri, &headers, &body);
    let fault = fault(&shared, number, &body);
    if let Fault::Slow(delay) = fault {
        tokio::time::sleep(delay).await;
    }
    if let Some(response) = misbehave::instead(&fault).await {
        return response;
    }
    match admit(&shared, &headers, &body, "search") {
        Ok(envelope) => {
            if let Some(found) = beneficiaries::search(&shared, &body) {
                return Json(found).into_response();
            }
            // A search among a million takes a while, and must not hold up the other connections.
            let found = tokio::task::spawn_blocking(move || {
                let mut answer = answer::found(&shared, number, envelope, &fault);
                misbehave::twist(&fault, &mut answer);
                misbehave::send(&fault, answer)
            });
            found
                .await
                .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
        Err(refusal) => answer::refuse(&shared, number, "on-search", refusal),
    }
}

/// What is answered at once is not kept: there is nothing to ask about it.
async fn status(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let number = receive(&shared, &uri, &headers, &body);
    let fault = fault(&shared, number, &[]);
    if let Some(response) = misbehave::instead(&fault).await {
        return response;
    }
    match admit(&shared, &headers, &body, "txn-status") {
        Ok(Envelope {
            sender_id,
            transaction_id,
            ..
        }) => {
            if let Some(told) = later::status_of(&shared, &body) {
                return answer::status(&shared, number, &sender_id, &transaction_id, told);
            }
            let reject = Reject::new("rjct.action.not_supported", "no transactions are kept here");
            let refusal = Refusal::Header {
                reject,
                sender_id,
                transaction_id,
            };
            answer::refuse(&shared, number, "txn-on-status", Refused::Message(refusal))
        }
        Err(refusal) => answer::refuse(&shared, number, "txn-on-status", refusal),
    }
}

pub(crate) fn receive(shared: &Shared, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> u64 {
    let (path, headers, body) = (uri.path().to_owned(), headers.clone(), body.clone());
    *lock(&shared.last) = Some(Received {
        path,
        headers,
        body,
    });
    shared.requests.fetch_add(1, Ordering::Relaxed) + 1
}

pub(crate) fn fault(shared: &Shared, number: u64, body: &[u8]) -> Fault {
    let fault = lock(&shared.fault).clone();
    if fault != Fault::None && number.is_multiple_of(shared.options.fault_every.max(1)) {
        return fault;
    }
    let whole: Value = serde_json::from_slice(body).unwrap_or_default();
    let searches = whole
        .pointer("/message/search_request")
        .and_then(Value::as_array);
    let queries = searches
        .into_iter()
        .flatten()
        .map(|search| &search["search_criteria"]["query"]);
    queries.filter_map(asked).next().unwrap_or_default()
}

/// The fault that a UIN anywhere in a query asks for.
fn asked(query: &Value) -> Option<Fault> {
    match query {
        Value::String(text) => Fault::of_uin(text),
        Value::Array(values) => values.iter().find_map(asked),
        Value::Object(values) => values.values().find_map(asked),
        _ => None,
    }
}

pub(crate) fn admit(
    shared: &Shared,
    headers: &HeaderMap,
    body: &[u8],
    action: &str,
) -> Result<Envelope, Refused> {
    if !shared.tokens.admits(headers) {
        return Err(Refused::Credential);
    }
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Refused::MediaType);
    }
    let envelope = envelope::read(body, action).map_err(Refused::Message)?;
    if shared.options.refuse_repeats && shared.is_repeated(&envelope.message_id) {
        let reject = Reject::new("rjct.message_id.duplicate", "message_id was used already");
        let Envelope {
            sender_id,
            transaction_id,
            ..
        } = envelope;
        return Err(Refused::Message(Refusal::Header {
            reject,
            sender_id,
            transaction_id,
        }));
    }
    Ok(envelope)
}

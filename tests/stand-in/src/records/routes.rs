//! The requests of the records API.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post, put};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::book::{Action, Answered};
use super::content::Problem;
use super::{Happening, Hook, Mishap};
use crate::misbehave::{HangUp, unauthorized};
use crate::server::{Shared, lock};

type Served = State<Arc<Shared>>;

/// The routes, all behind the credential.
pub(crate) fn routes(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    Router::new()
        .route("/records", post(create))
        .route("/records/{id}", get(record).patch(update))
        .route("/records/{id}/addresses", put(addresses))
        .route(
            "/records/{id}/links/{scheme}/{value}",
            put(link).delete(link),
        )
        .route("/enrolments", post(enrol))
        .route("/operations/{key}", get(operation))
        .route("/events", post(register))
        .route("/events/{id}", get(event))
        .route("/changes", get(changes))
        .route("/hook", put(hook))
        .route_layer(middleware::from_fn_with_state(Arc::clone(shared), admit))
}

async fn admit(State(shared): Served, request: Request, next: Next) -> Response {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    match shared.tokens.admits(request.headers()) {
        true => next.run(request).await,
        false => unauthorized(),
    }
}

async fn create(State(shared): Served, headers: HeaderMap, body: Bytes) -> Response {
    match object(&body) {
        Ok(content) => {
            write(
                shared,
                &headers,
                "POST /records",
                &body,
                Action::Create(content),
            )
            .await
        }
        Err(problem) => reply(problem.answer()),
    }
}

async fn update(
    State(shared): Served,
    Path(record): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let print = format!("PATCH /records/{record}");
    match object(&body) {
        Ok(change) => {
            let action = Action::Update {
                record,
                version: if_match(&headers),
                change,
                kind: "update",
            };
            write(shared, &headers, &print, &body, action).await
        }
        Err(problem) => reply(problem.answer()),
    }
}

async fn addresses(
    State(shared): Served,
    Path(record): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let print = format!("PUT /records/{record}/addresses");
    let Ok(list) = serde_json::from_slice::<Value>(&body) else {
        return reply(Problem::new(StatusCode::BAD_REQUEST, "body.json").answer());
    };
    let action = Action::Update {
        record,
        version: if_match(&headers),
        change: Map::from_iter([("addresses".to_owned(), list)]),
        kind: "addresses",
    };
    write(shared, &headers, &print, &body, action).await
}

async fn link(
    State(shared): Served,
    Path((record, scheme, value)): Path<(String, String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let print = format!("{method} /records/{record}/links/{scheme}/{value}");
    let action = Action::Link {
        record,
        version: if_match(&headers),
        scheme,
        value,
        add: method == Method::PUT,
    };
    write(shared, &headers, &print, &Bytes::new(), action).await
}

async fn enrol(State(shared): Served, headers: HeaderMap, body: Bytes) -> Response {
    match object(&body) {
        Ok(told) => {
            write(
                shared,
                &headers,
                "POST /enrolments",
                &body,
                Action::Enrol(told),
            )
            .await
        }
        Err(problem) => reply(problem.answer()),
    }
}

/// Any write: its key, its mishap, and then what it asks for.
async fn write(
    shared: Arc<Shared>,
    headers: &HeaderMap,
    print: &str,
    body: &Bytes,
    action: Action,
) -> Response {
    let key = headers.get("idempotency-key");
    let Some(key) = key
        .and_then(|key| key.to_str().ok())
        .filter(|key| !key.is_empty())
    else {
        return reply(Problem::new(StatusCode::BAD_REQUEST, "key.missing").answer());
    };
    let key = key.to_owned();
    let version = if_match(headers).unwrap_or_default();
    let print = format!("{print} {version} {}", String::from_utf8_lossy(body));
    let records = &shared.records;
    records.book().arrived(&key);
    let mishap = lock(&records.mishaps).next(&print);
    match mishap {
        None => reply(records.apply(&key, &print, &action)),
        Some(Mishap::Late(delay)) => {
            let answered = records.apply(&key, &print, &action);
            tokio::time::sleep(delay).await;
            reply(answered)
        }
        Some(Mishap::LostBefore) => hang_up(),
        Some(Mishap::LostAfter) => {
            records.apply(&key, &print, &action);
            hang_up()
        }
        Some(Mishap::Status {
            status,
            applied,
            retry_after,
        }) => {
            if applied {
                records.apply(&key, &print, &action);
            }
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            let mut response = (status, "<h1>not the registry</h1>").into_response();
            if let Some(seconds) = retry_after {
                response
                    .headers_mut()
                    .insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
        Some(Mishap::Later { after, calls_back }) => {
            if let Some(known) = records.accept(&key, &print) {
                return reply(known);
            }
            let answered = (StatusCode::ACCEPTED, json!({ "reference": key }));
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let finish = shared
                    .records
                    .finish(&key, &print, action, after, calls_back);
                finish.await;
            });
            reply(answered)
        }
    }
}

async fn record(State(shared): Served, Path(id): Path<String>) -> Response {
    match shared.records.record(&id) {
        Some(record) => {
            let tag = [(header::ETAG, format!("\"{}\"", record["version"]))];
            (tag, Json(record)).into_response()
        }
        None => reply(Problem::unknown_record().answer()),
    }
}

async fn operation(State(shared): Served, Path(key): Path<String>) -> Response {
    match shared.records.forgets_keys {
        true => reply(Problem::new(StatusCode::NOT_IMPLEMENTED, "keys.not-kept").answer()),
        false => reply(shared.records.book().operation(&key)),
    }
}

async fn register(State(shared): Served, body: Bytes) -> Response {
    let happening = object(&body).and_then(|body| Happening::read(&body));
    match happening.map_err(Problem::told) {
        Ok(happening) => match shared.records.register(&happening) {
            Ok(id) => reply((StatusCode::CREATED, json!({ "id": id }))),
            Err((status, body)) => refused(status, body),
        },
        Err((status, body)) => refused(status, body),
    }
}

async fn event(State(shared): Served, Path(id): Path<String>) -> Response {
    match shared.records.told(&id) {
        Some(told) => Json(told).into_response(),
        None => reply(Problem::new(StatusCode::NOT_FOUND, "event.unknown").answer()),
    }
}

/// Events in one page at most, and where nothing is said.
const PAGE: usize = 100;

async fn changes(State(shared): Served, RawQuery(query): RawQuery) -> Response {
    let (mut after, mut limit) = (0, PAGE);
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let number = match &*name {
            "after" => &mut after,
            "limit" => &mut limit,
            _ => continue,
        };
        match value.parse() {
            Ok(value) => *number = value,
            Err(_) => return reply(Problem::field("value.invalid", &name).answer()),
        }
    }
    let limit = limit.clamp(1, PAGE);
    Json(shared.records.book().changes(after, limit)).into_response()
}

#[derive(Deserialize)]
struct WantedHook {
    url: url::Url,
    secret: String,
}

async fn hook(State(shared): Served, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(WantedHook { url, secret }) if url.scheme() == "http" => {
            shared.records.set_hook(Some(Hook { url, secret }));
            StatusCode::NO_CONTENT.into_response()
        }
        _ => reply(Problem::field("value.invalid", "url").answer()),
    }
}

fn if_match(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::IF_MATCH)?;
    value.to_str().ok().map(str::to_owned)
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    serde_json::from_slice(body).map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "body.json"))
}

fn refused(status: u16, body: Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    reply((status, body))
}

fn reply((status, body): Answered) -> Response {
    (status, Json(body)).into_response()
}

fn hang_up() -> Response {
    let mut response = StatusCode::OK.into_response();
    response.extensions_mut().insert(HangUp);
    response
}

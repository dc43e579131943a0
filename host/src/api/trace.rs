//! A number for every request, a line in the log and a count: route patterns only, never a path,
//! query or body.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use crate::gateway::Gateway;

const HEADER: &str = "x-request-id";
/// A caller's own number is taken over if it looks like one.
const MAX_REQUEST_ID: usize = 64;

/// The request's number, in the answer, the audit and the log.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

pub(super) async fn number(mut request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(HEADER)
        .and_then(|id| id.to_str().ok());
    let id = given
        .filter(|id| plain(id))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, id);
    }
    response
}

pub(super) async fn count(
    State(gateway): State<Gateway>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let id = request.extensions().get::<RequestId>().cloned();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    gateway.metrics().request(&route, status);
    tracing::info!(
        request_id = id.map(|id| id.0),
        http.route = route,
        http.status = status,
        elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// Long digits could be a person's number: callers use UUIDs or words.
fn plain(id: &str) -> bool {
    (1..=MAX_REQUEST_ID).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

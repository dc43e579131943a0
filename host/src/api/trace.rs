//! A number for every request, a line in the log and a count: route patterns only, never a path,
//! query or body.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;
use uuid::Uuid;

use super::problem::numbered;
use crate::gateway::Gateway;
use crate::model::TraceContext;
use crate::telemetry::{Field, Side, Span};

const HEADER: &str = "x-request-id";

/// The request's number, in the answer, the audit and the log.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// The trace that the request is part of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trace(pub(super) Option<TraceContext>);

pub(super) async fn number(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(HEADER);
    let given = given.and_then(|id| taken_over(id.as_bytes()));
    let id = given.unwrap_or_else(Uuid::now_v7).to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = numbered(next.run(request).await, &id);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, id);
    }
    response
}

pub(super) async fn count(
    State(gateway): State<Gateway>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let id = request.extensions().get::<RequestId>().cloned();
    let id = id.map(|id| id.0).unwrap_or_default();
    let mut span = span(&request, &route, &id);
    request.extensions_mut().insert(Trace(span.context()));
    // At the highest level: it is there whatever the log's filter says.
    let line = tracing::error_span!("request", request_id = id);
    let response = next.run(request).instrument(line.clone()).await;
    let status = response.status();
    gateway.metrics().request(&route, status.as_u16());
    span.set_status(status.as_u16());
    if status.is_server_error() {
        span.failed();
    }
    let _line = line.enter();
    tracing::info!(
        http.route = route,
        http.status = status.as_u16(),
        elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// A span of the request, under the caller's where there is one. What probes and scrapes ask every
/// second has none.
fn span(request: &Request, route: &str, id: &str) -> Span {
    let mut given = request.headers().get_all("traceparent").iter();
    let parent = match (given.next(), given.next()) {
        (Some(one), None) => one.to_str().ok().and_then(TraceContext::parse),
        _ => None,
    };
    if !route.starts_with("/v1/") {
        return Span::none(parent);
    }
    // The router takes no other method: any word could stand there.
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        _ => "_OTHER",
    };
    let mut span = Span::begin(Side::Server, format!("{method} {route}"), parent);
    span.set(Field::Method, method);
    span.set(Field::Route, route);
    span.set(Field::RequestId, id);
    span
}

/// A caller's own number is taken over if it is a UUID. Any other text could be a person's name or
/// number, and it would stand in the log and the audit.
fn taken_over(id: &[u8]) -> Option<Uuid> {
    Uuid::try_parse_ascii(id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_is_taken_over_in_one_form() {
        let one = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        for form in [
            one,
            "67E55044-10B1-426F-9247-BB680E5FE0C8",
            "67e5504410b1426f9247bb680e5fe0c8",
            "{67e55044-10b1-426f-9247-bb680e5fe0c8}",
            "urn:uuid:67e55044-10b1-426f-9247-bb680e5fe0c8",
        ] {
            let taken = taken_over(form.as_bytes()).map(|id| id.to_string());
            assert_eq!(taken.as_deref(), Some(one), "{form}");
        }
        for other in ["", "1000000000", "sita-devi", "67e55044-10b1", "\u{967}"] {
            assert_eq!(taken_over(other.as_bytes()), None, "{other}");
        }
    }
}

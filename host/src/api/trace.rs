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

/// The request's number, in the answer, the audit and the log.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

pub(super) async fn number(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(HEADER);
    let given = given.and_then(|id| taken_over(id.as_bytes()));
    let id = given.unwrap_or_else(Uuid::now_v7).to_string();
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

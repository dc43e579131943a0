use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::gateway::{Gateway, GatewayError};

/// Whether the process answers.
///
/// Takes no key: whoever reaches the port may ask. It tells nothing else.
#[utoipa::path(get, path = "/healthz", tag = "health",
    responses((status = 200, description = "It answers", body = String, content_type = "text/plain")))]
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether calls should be sent here: registries are loaded, audit rows can be written, and the
/// gateway is not about to stop. `detail` says what is not so. A gateway that serves a registry with an
/// older module than it should is ready, and says that it is degraded.
///
/// Takes no key: whoever reaches the port may ask.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "Calls can be answered", body = String, content_type = "text/plain"),
        (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn ready(State(gateway): State<Gateway>) -> Result<String, Problem> {
    match gateway.ready().await {
        Ok(()) => Ok(readiness(&gateway)),
        Err(why) => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not-ready",
            why.to_string(),
        )),
    }
}

/// Whoever may ask is not told why: the reason is for administrators.
fn readiness(gateway: &Gateway) -> String {
    let mut text = "ready\n".to_owned();
    for behind in gateway.behind().iter() {
        text.push_str(&format!(
            "degraded: {} is served by {} and not by {}: `node list` says why\n",
            behind.registry, behind.serves, behind.committed
        ));
    }
    text
}

/// The process's figures, for Prometheus.
///
/// Takes no key: whoever reaches the port reads the registries' names and how often each is asked,
/// nothing of a person. Let the reverse proxy keep it to the monitoring's network.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text")))]
pub(super) async fn metrics(State(gateway): State<Gateway>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    // Of a thousand registries it is megabytes: nobody's lookup waits for that.
    match tokio::task::spawn_blocking(move || gateway.figures()).await {
        Ok(text) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(_) => Problem::from(GatewayError::Internal).into_response(),
    }
}

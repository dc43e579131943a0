//! The audit handed out, and what of it is removed.

use std::convert::Infallible;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Auditors, By};
use crate::api::problem::Problem;
use crate::gateway::Gateway;

/// Hands out the whole audit as lines of JSON, with what is needed to verify it elsewhere.
#[utoipa::path(
    get,
    path = "/admin/v1/audit/export",
    tag = "audit",
    responses(
        (status = 200, description = "One JSON object per line; the last has `\"line\": \"done\"`", body = String, content_type = "application/x-ndjson"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn export(
    State(gateway): State<Gateway>,
    By(acting, _): By<Auditors>,
) -> Result<Response, Problem> {
    let (first, lines) = gateway.export_audit(&acting).await?;
    let first = futures_util::stream::once(async { Ok::<_, Infallible>(first) });
    let lines = futures_util::stream::unfold(lines, |mut lines| async move {
        let line = lines.recv().await?;
        Some((Ok(line), lines))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(first.chain(lines))).into_response())
}

/// What was removed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct PrunedResponse {
    /// How many rows.
    rows: u64,
}

/// Removes now what was kept for `audit.retention_days`.
#[utoipa::path(
    post,
    path = "/admin/v1/audit/prune",
    tag = "audit",
    responses(
        (status = 200, description = "What was removed", body = PrunedResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn prune(
    State(gateway): State<Gateway>,
    By(acting, _): By<Auditors>,
) -> Result<Json<PrunedResponse>, Problem> {
    let rows = gateway.prune_audit(&acting).await?;
    Ok(Json(PrunedResponse { rows }))
}

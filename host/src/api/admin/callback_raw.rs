//! A callback as it came. It may tell of anybody: whoever looks says why.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Administrators, By, Named, named};
use crate::api::body::Body;
use crate::api::check;
use crate::api::problem::Problem;
use crate::gateway::{AdminError, Gateway};

/// Why somebody looks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct RawRequest {
    /// 1 to 512 bytes. It is in the audit: nothing of a person belongs here.
    purpose: String,
}

/// A callback as it came.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct RawCallbackResponse {
    method: String,
    /// Below the registry's address of callbacks.
    path: String,
    query: Vec<RawPair>,
    /// `authorization`, `cookie` and `proxy-authorization` are masked.
    headers: Vec<RawPair>,
    /// In Base64 (RFC 4648, section 4).
    body: String,
    /// The body, where it is UTF-8.
    text: Option<String>,
}

/// A name and its value.
#[derive(Serialize, ToSchema)]
struct RawPair {
    name: String,
    value: String,
}

/// Shows a callback as it came, to see why its adapter cannot read it.
#[utoipa::path(
    post,
    path = "/admin/v1/callbacks/{id}/raw",
    operation_id = "raw_callback",
    tag = "events",
    params(("id" = String, Path, description = "The callback's id")),
    request_body = RawRequest,
    responses(
        (status = 200, description = "What came", body = RawCallbackResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not told", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn raw(
    State(gateway): State<Gateway>,
    By(by, _): By<Administrators>,
    id: Named,
    Body(request): Body<RawRequest>,
) -> Result<Json<RawCallbackResponse>, Problem> {
    check::text("purpose", &request.purpose)?;
    let unknown = |_| AdminError::Unknown {
        what: "callback",
        name: String::new(),
    };
    let id: Uuid = named("callback", id)?.parse().map_err(unknown)?;
    let came = gateway.raw_callback(&by, &request.purpose, id).await?;
    let pairs = |pairs: Vec<(String, String)>| -> Vec<RawPair> {
        let pairs = pairs.into_iter();
        pairs.map(|(name, value)| RawPair { name, value }).collect()
    };
    Ok(Json(RawCallbackResponse {
        method: came.method,
        path: came.path,
        query: pairs(came.query),
        headers: pairs(came.headers),
        body: STANDARD.encode(&came.body),
        text: String::from_utf8(came.body).ok(),
    }))
}

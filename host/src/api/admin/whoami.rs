use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::{By, Staff};
use crate::api::problem::Problem;
use crate::model::Role;

/// Who administers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WhoamiResponse {
    /// The caller's name in the audit.
    name: String,
    /// What it is there for.
    roles: Vec<Role>,
    /// This gateway's version.
    version: &'static str,
}

/// Whose key it is.
#[utoipa::path(
    get,
    path = "/admin/v1/whoami",
    tag = "administration",
    responses(
        (status = 200, description = "The caller", body = WhoamiResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn whoami(By(acting, _): By<Staff>) -> Json<WhoamiResponse> {
    Json(WhoamiResponse {
        name: acting.caller.name.clone(),
        roles: acting.caller.roles().to_vec(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

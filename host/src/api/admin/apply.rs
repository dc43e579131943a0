use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Administrators, By};
use crate::api::body::Configuration;
use crate::api::problem::Problem;
use crate::gateway::{
    AppliedRegistries, Exported, FieldDifference, Gateway, RegistriesToApply, RegistryDifference,
};

/// Registries as they should be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct ApplyRequest {
    /// By name, each with the keys of a registries' file. `module` is the digest of a module that is
    /// here.
    #[schema(value_type = Object)]
    registries: Map<String, Value>,
    /// Only say what would be changed. Default: false.
    #[serde(default)]
    dry_run: bool,
    /// Remove registries that are not among these. Default: false.
    #[serde(default)]
    prune: bool,
    /// The `revision` of an earlier answer: apply only if nobody has changed a registry since.
    #[serde(default)]
    expected_revision: Option<String>,
}

/// What was, or would be, changed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct ApplyResponse {
    /// What the registries are now.
    revision: String,
    /// Whether it was done.
    applied: bool,
    /// Whether there is any difference.
    changed: bool,
    /// By name: those that were asked for, and those that go.
    registries: Vec<RegistryDifferenceResponse>,
}

/// What becomes of a registry.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RegistryDifferenceResponse {
    /// Its name.
    registry: String,
    /// `added`, `changed`, `removed` or `unchanged`.
    what: &'static str,
    /// By path.
    fields: Vec<FieldDifferenceResponse>,
}

/// What becomes of a field.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FieldDifferenceResponse {
    /// `endpoints.registry.timeout_ms`.
    field: String,
    /// Left out: it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Value>,
    /// Left out: it is no longer there.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Value>,
}

/// All that is configured, apart from what is secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct ExportResponse {
    /// By name, as `apply` takes them.
    #[schema(value_type = Object)]
    registries: Map<String, Value>,
    /// Without their keys, which nobody can export.
    #[schema(value_type = Vec<Object>)]
    callers: Vec<Value>,
    /// What of the gateway's own configuration decides over registries.
    #[schema(value_type = Object)]
    gateway: Map<String, Value>,
}

/// Makes registries what they should be, all of them or none.
#[utoipa::path(
    post,
    path = "/admin/v1/registries/apply",
    operation_id = "apply_registries",
    tag = "administration",
    request_body = ApplyRequest,
    responses(
        (status = 200, description = "What was, or would be, changed", body = ApplyResponse),
        (status = 409, description = "They are no longer what was expected", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Some would not work: `findings` has every reason", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn apply(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    Configuration(request): Configuration<ApplyRequest>,
) -> Result<Json<ApplyResponse>, Problem> {
    let asked = RegistriesToApply {
        registries: request.registries,
        dry_run: request.dry_run,
        prune: request.prune,
        expected: request.expected_revision,
    };
    let done = gateway.apply_registries(&acting, asked).await?;
    Ok(Json(done.into()))
}

/// Gives all that is configured, in the form in which `apply` takes it.
#[utoipa::path(
    get,
    path = "/admin/v1/registries/export",
    operation_id = "export_registries",
    tag = "administration",
    responses(
        (status = 200, description = "All that is configured", body = ExportResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn export(
    State(gateway): State<Gateway>,
    _by: By<Administrators>,
) -> Result<Json<ExportResponse>, Problem> {
    let Exported {
        registries,
        callers,
        gateway,
    } = gateway.export().await?;
    Ok(Json(ExportResponse {
        registries,
        callers,
        gateway,
    }))
}

impl From<AppliedRegistries> for ApplyResponse {
    fn from(done: AppliedRegistries) -> Self {
        Self {
            revision: done.revision,
            applied: done.applied,
            changed: done.registries.iter().any(RegistryDifference::is_any),
            registries: done.registries.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<RegistryDifference> for RegistryDifferenceResponse {
    fn from(it: RegistryDifference) -> Self {
        Self {
            registry: it.registry,
            what: it.what.as_str(),
            fields: it.fields.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<FieldDifference> for FieldDifferenceResponse {
    fn from(it: FieldDifference) -> Self {
        Self {
            field: it.field,
            from: it.from,
            to: it.to,
        }
    }
}

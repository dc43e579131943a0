use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{By, Implementers, Named, Staff, named};
use crate::api::body::Body;
use crate::api::problem::Problem;
use crate::api::upload::Upload;
use crate::gateway::{Description, Gateway, ModuleView};
use crate::model::Ability;

/// All modules.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct ModulesResponse {
    /// By adapter, the oldest first; retired ones too.
    modules: Vec<ModuleResponse>,
}

/// A module.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct ModuleResponse {
    /// `sha256:` and 64 hexadecimal digits of the file.
    digest: String,
    /// The adapter's name.
    adapter: String,
    /// Its version.
    version: String,
    /// Where it stands.
    state: ModuleState,
    /// How large the file is.
    size_bytes: u64,
    /// When it came first.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The caller who brought it, or the reference that it was pulled by.
    #[serde(skip_serializing_if = "Option::is_none")]
    came_by: Option<String>,
    /// The number of the trusted key that signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_by: Option<String>,
    /// Since when its bytes are gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    retired_at: Option<Timestamp>,
    /// The registries that it serves.
    serves: Vec<String>,
    /// The registries that it may serve next.
    candidate_of: Vec<String>,
    /// What it says of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<DescriptionResponse>,
}

/// A module that would be admitted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct CheckedModuleResponse {
    /// `sha256:` and 64 hexadecimal digits of the file.
    digest: String,
    /// The adapter's name.
    adapter: String,
    /// Its version.
    version: String,
    /// The number of the trusted key that signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_by: Option<String>,
    /// How many recordings it was checked with.
    recordings: usize,
    /// What it says of itself.
    description: DescriptionResponse,
}

/// The file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code, reason = "for the document alone")]
struct Wasm(Vec<u8>);

/// What a module says of itself.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DescriptionResponse {
    /// One sentence.
    summary: String,
    /// SPDX expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    licence: Option<String>,
    /// Where the source is.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// What it can do.
    abilities: Vec<Ability>,
    /// The endpoints that it calls by name.
    endpoints: Vec<EndpointNeedResponse>,
    /// JSON Schema of a registry's settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    settings_schema: Option<serde_json::Value>,
    /// The numbers of the forms of states, cursors and page tokens that it reads.
    readable_states: Vec<u32>,
    /// The fields that a search can test.
    searchable_fields: Vec<String>,
}

/// An endpoint that a module calls by name.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EndpointNeedResponse {
    /// Its name in the registry's configuration.
    name: String,
    /// What it is for.
    summary: String,
    /// The adapter does nothing without it.
    required: bool,
}

/// Where a module stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ModuleState {
    /// It may be given to registries.
    Admitted,
    /// It is loaded beside what serves one, and may serve it next.
    Staged,
    /// The same, and it answers a share of its lookups, which nobody is told.
    Shadow,
    /// It serves one or more, whatever else it may serve next.
    Active,
    /// Its bytes are gone.
    Retired,
}

/// Lists the modules.
#[utoipa::path(
    get,
    path = "/admin/v1/modules",
    tag = "modules",
    responses(
        (status = 200, description = "The modules", body = ModulesResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn list(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
) -> Result<Json<ModulesResponse>, Problem> {
    let modules = gateway.modules().await?;
    let modules = modules.into_iter().map(ModuleResponse::of).collect();
    Ok(Json(ModulesResponse { modules }))
}

/// Shows a module.
#[utoipa::path(
    get,
    path = "/admin/v1/modules/{digest}",
    tag = "modules",
    params(("digest" = String, Path, description = "The module's digest")),
    responses(
        (status = 200, description = "The module", body = ModuleResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn one(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    digest: Named,
) -> Result<Json<ModuleResponse>, Problem> {
    let module = gateway.module(&named("module", digest)?).await?;
    Ok(Json(ModuleResponse::of(module)))
}

/// Admits a module and stores it. Nothing serves by that.
#[utoipa::path(
    post,
    path = "/admin/v1/modules",
    tag = "modules",
    request_body(content = Wasm, content_type = "application/wasm"),
    responses(
        (status = 201, description = "The module is stored", body = ModuleResponse),
        (status = 422, description = "It is not admitted: every finding", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn add(
    State(gateway): State<Gateway>,
    By(acting, _): By<Implementers>,
    Upload { bytes, place }: Upload,
) -> Result<(StatusCode, Json<ModuleResponse>), Problem> {
    let module = gateway.add_module(&acting, bytes, place).await?;
    Ok((StatusCode::CREATED, Json(ModuleResponse::of(module))))
}

/// Looks at a module as if it were brought, and stores nothing.
#[utoipa::path(
    post,
    path = "/admin/v1/modules/check",
    tag = "modules",
    request_body(content = Wasm, content_type = "application/wasm"),
    responses(
        (status = 200, description = "It would be admitted", body = CheckedModuleResponse),
        (status = 422, description = "It would not: every finding", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn check(
    State(gateway): State<Gateway>,
    By(acting, _): By<Implementers>,
    Upload { bytes, place }: Upload,
) -> Result<Json<CheckedModuleResponse>, Problem> {
    let checked = gateway.check_module(&acting, bytes, place).await?;
    Ok(Json(CheckedModuleResponse {
        digest: checked.digest,
        adapter: checked.description.name.clone(),
        version: checked.description.version.clone(),
        signed_by: checked.signed_by,
        recordings: checked.recordings,
        description: DescriptionResponse::of(checked.description),
    }))
}

/// A module to pull.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct PullRequest {
    /// `oci://host/repository@sha256:…`, of a registry in `admission.oci`.
    reference: String,
}

/// Pulls a module from an OCI registry, admits and stores it. One that was pulled is not pulled again.
#[utoipa::path(
    post,
    path = "/admin/v1/modules/pull",
    tag = "modules",
    request_body = PullRequest,
    responses(
        (status = 201, description = "The module is stored", body = ModuleResponse),
        (status = 422, description = "It is not there, or not admitted: every finding", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn pull(
    State(gateway): State<Gateway>,
    By(acting, _): By<Implementers>,
    Body(PullRequest { reference }): Body<PullRequest>,
) -> Result<(StatusCode, Json<ModuleResponse>), Problem> {
    let place = gateway.admission_place().await?;
    let module = gateway.pull_module(&acting, &reference, place).await?;
    Ok((StatusCode::CREATED, Json(ModuleResponse::of(module))))
}

/// Removes a module's bytes, where nothing needs them. It stays known by its digest.
#[utoipa::path(
    delete,
    path = "/admin/v1/modules/{digest}",
    tag = "modules",
    params(("digest" = String, Path, description = "The module's digest")),
    responses(
        (status = 204, description = "Its bytes are gone"),
        (status = 409, description = "Something needs it", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn retire(
    State(gateway): State<Gateway>,
    By(acting, _): By<Implementers>,
    digest: Named,
) -> Result<StatusCode, Problem> {
    gateway
        .retire_module(&acting, &named("module", digest)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

impl ModuleResponse {
    fn of(view: ModuleView) -> Self {
        let ModuleView {
            summary,
            description,
            serves,
            candidate_of,
            in_shadow,
        } = view;
        let (came_by, signed_by, retired_at) = match summary.facts {
            None => (None, None, None),
            Some(facts) => (Some(facts.came_by), facts.signed_by, facts.retired_at),
        };
        Self {
            state: match retired_at {
                Some(_) => ModuleState::Retired,
                None if !serves.is_empty() => ModuleState::Active,
                None if in_shadow => ModuleState::Shadow,
                None if !candidate_of.is_empty() => ModuleState::Staged,
                None => ModuleState::Admitted,
            },
            digest: summary.digest,
            adapter: summary.adapter,
            version: summary.version,
            size_bytes: summary.size_bytes,
            created_at: summary.created_at,
            came_by,
            signed_by,
            retired_at,
            serves,
            candidate_of,
            description: description.map(DescriptionResponse::of),
        }
    }
}

impl DescriptionResponse {
    fn of(told: Description) -> Self {
        let endpoints = told.endpoints.into_iter();
        let endpoints = endpoints.map(|need| EndpointNeedResponse {
            name: need.name,
            summary: need.summary,
            required: need.required,
        });
        Self {
            summary: told.summary,
            licence: told.licence,
            source: told.source,
            abilities: told.abilities,
            endpoints: endpoints.collect(),
            settings_schema: told.settings_schema,
            readable_states: told.readable_states,
            searchable_fields: told.searchable_fields,
        }
    }
}

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Administrators, By, Named, Staff, named};
use crate::api::problem::Problem;
use crate::gateway::{AdministeredRegistry, Gateway, Readiness};
use crate::model::Ability;

/// All registries that are configured.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct AdministeredRegistriesResponse {
    /// By name.
    registries: Vec<AdministeredRegistryResponse>,
}

/// A registry as it is configured, and whether it can be asked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct AdministeredRegistryResponse {
    /// Its name in the API.
    name: String,
    /// For people.
    summary: String,
    /// Whether it can be asked now.
    state: AdministeredState,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The digest of its module.
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    /// The adapter's name, as the module says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    adapter: Option<String>,
    /// The adapter's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// What it can do, where it is ready.
    abilities: Vec<Ability>,
    /// When it was last applied, enabled or disabled.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Timestamp>,
    /// Of one registry alone: all of it as a file has it, with places of secrets and no secret.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<Value>,
}

/// Whether a registry can be asked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum AdministeredState {
    Ready,
    Disabled,
    NotReady,
}

/// Lists the registries that are configured.
#[utoipa::path(
    get,
    path = "/admin/v1/registries",
    operation_id = "administered_registries",
    tag = "administration",
    responses(
        (status = 200, description = "The registries", body = AdministeredRegistriesResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn list(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
) -> Result<Json<AdministeredRegistriesResponse>, Problem> {
    let views = gateway.administered().await?.into_iter();
    let registries = views.map(|view| AdministeredRegistryResponse {
        configuration: None,
        ..view.into()
    });
    let registries = registries.collect();
    Ok(Json(AdministeredRegistriesResponse { registries }))
}

/// Shows a registry with its whole configuration.
#[utoipa::path(
    get,
    path = "/admin/v1/registries/{registry}",
    operation_id = "administered_registry",
    tag = "administration",
    params(("registry" = String, Path, description = "The registry's name")),
    responses(
        (status = 200, description = "The registry", body = AdministeredRegistryResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn one(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    registry: Named,
) -> Result<Json<AdministeredRegistryResponse>, Problem> {
    let view = gateway
        .administered_one(&named("registry", registry)?)
        .await?;
    Ok(Json(view.into()))
}

/// Makes a registry take calls.
#[utoipa::path(
    post,
    path = "/admin/v1/registries/{registry}/enable",
    operation_id = "enable_registry",
    tag = "administration",
    params(("registry" = String, Path, description = "The registry's name")),
    responses(
        (status = 200, description = "The registry as it is now", body = AdministeredRegistryResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn enable(
    State(gateway): State<Gateway>,
    by: By<Administrators>,
    registry: Named,
) -> Result<Json<AdministeredRegistryResponse>, Problem> {
    switch(gateway, by, named("registry", registry)?, true).await
}

/// Makes a registry take no more calls. Calls under way end.
#[utoipa::path(
    post,
    path = "/admin/v1/registries/{registry}/disable",
    operation_id = "disable_registry",
    tag = "administration",
    params(("registry" = String, Path, description = "The registry's name")),
    responses(
        (status = 200, description = "The registry as it is now", body = AdministeredRegistryResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn disable(
    State(gateway): State<Gateway>,
    by: By<Administrators>,
    registry: Named,
) -> Result<Json<AdministeredRegistryResponse>, Problem> {
    switch(gateway, by, named("registry", registry)?, false).await
}

/// Removes a registry. Its audit rows stay.
#[utoipa::path(
    delete,
    path = "/admin/v1/registries/{registry}",
    operation_id = "delete_registry",
    tag = "administration",
    params(("registry" = String, Path, description = "The registry's name")),
    responses(
        (status = 204, description = "There is none of that name any more"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn remove(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    registry: Named,
) -> Result<StatusCode, Problem> {
    gateway
        .delete_registry(&acting, &named("registry", registry)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn switch(
    gateway: Gateway,
    By(acting, _): By<Administrators>,
    name: String,
    enabled: bool,
) -> Result<Json<AdministeredRegistryResponse>, Problem> {
    gateway.enable_registry(&acting, &name, enabled).await?;
    let view = gateway.administered_one(&name).await?;
    Ok(Json(view.into()))
}

impl From<AdministeredRegistry> for AdministeredRegistryResponse {
    fn from(view: AdministeredRegistry) -> Self {
        let (state, reason) = match view.readiness {
            Readiness::Ready => (AdministeredState::Ready, None),
            Readiness::Disabled => (AdministeredState::Disabled, None),
            Readiness::NotReady(why) => (AdministeredState::NotReady, Some(why)),
        };
        Self {
            name: view.name,
            summary: view.summary,
            state,
            reason,
            module: view.module,
            adapter: view.adapter,
            version: view.version,
            abilities: view.abilities,
            updated_at: view.updated_at,
            configuration: view.configuration,
        }
    }
}

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use super::request::Known;
use crate::gateway::{Gateway, GatewayError, RegistryState, RegistryView};
use crate::model::Ability;

/// The registries that the caller may ask.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegistriesResponse {
    /// By name.
    registries: Vec<RegistryResponse>,
}

/// A registry and what can be asked of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegistryResponse {
    /// Its name in the API.
    name: String,
    /// For people.
    summary: String,
    /// Whether it can be asked now.
    state: StateWord,
    /// What this caller may ask of it.
    abilities: Vec<Ability>,
    /// What every call must state: `purpose`, `legal-basis`, `user`, `entity`, `consent`.
    required: Vec<String>,
    /// The adapter that serves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    adapter: Option<AdapterResponse>,
}

/// The adapter that serves a registry.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AdapterResponse {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
    /// The module's digest.
    module: String,
}

/// Whether a registry can be asked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum StateWord {
    Ready,
    Disabled,
    NotReady,
}

/// Lists the registries that the caller may ask.
#[utoipa::path(
    get,
    path = "/v1/registries",
    tag = "registries",
    responses(
        (status = 200, description = "The registries", body = RegistriesResponse),
        (status = 401, description = "No known key", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    Known(caller): Known,
) -> Json<RegistriesResponse> {
    let views = gateway.registries(|name| caller.may_ask(name));
    let registries = views
        .into_iter()
        .map(|view| {
            let name = view.name.clone();
            RegistryResponse::of(view, |ability| caller.may(&name, ability))
        })
        .collect();
    Json(RegistriesResponse { registries })
}

/// Shows one registry.
#[utoipa::path(
    get,
    path = "/v1/registries/{registry}",
    tag = "registries",
    params(("registry" = String, Path, description = "The registry's name")),
    responses(
        (status = 200, description = "The registry", body = RegistryResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn one(
    State(gateway): State<Gateway>,
    Known(caller): Known,
    registry: Result<Path<String>, PathRejection>,
) -> Result<Json<RegistryResponse>, Problem> {
    // A name that is not UTF-8 is the name of none: axum's own answer is no problem+json.
    let Path(registry) = registry.map_err(|_| GatewayError::UnknownRegistry)?;
    let mut views = gateway.registries(|name| name == registry && caller.may_ask(name));
    let view = views.pop().ok_or(GatewayError::UnknownRegistry)?;
    Ok(Json(RegistryResponse::of(view, |ability| {
        caller.may(&registry, ability)
    })))
}

impl RegistryResponse {
    fn of(view: RegistryView, may: impl Fn(Ability) -> bool) -> Self {
        let (state, abilities, required, adapter) = match view.state {
            RegistryState::Disabled => (StateWord::Disabled, Vec::new(), Vec::new(), None),
            RegistryState::NotReady => (StateWord::NotReady, Vec::new(), Vec::new(), None),
            RegistryState::Ready {
                adapter,
                version,
                module,
                abilities,
                required,
            } => (
                StateWord::Ready,
                abilities.into_iter().filter(|a| may(*a)).collect(),
                required.iter().map(|r| r.as_str().to_owned()).collect(),
                Some(AdapterResponse {
                    name: adapter,
                    version,
                    module,
                }),
            ),
        };
        Self {
            name: view.name,
            summary: view.summary,
            state,
            abilities,
            required,
            adapter,
        }
    }
}

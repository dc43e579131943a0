use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Administrators, By};
use crate::api::body::Body;
use crate::api::problem::Problem;
use crate::gateway::{AdminError, CallerView, Gateway, NewCaller, RegistryGrant};
use crate::model::{Ability, Role};

/// A caller to add.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct CallerRequest {
    /// Its name in the audit, for ever: 1 to 128 bytes.
    name: String,
    /// What it is there for. Default: `client`.
    #[serde(default)]
    roles: Option<Vec<Role>>,
    /// The registries that it may ask, by name. Left out: all.
    #[serde(default)]
    registries: Option<Vec<String>>,
    /// What it may ask of them. Left out: everything.
    #[serde(default)]
    abilities: Option<Vec<Ability>>,
}

/// A caller that was added.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct AddedCallerResponse {
    /// Its name.
    name: String,
    /// Its key, this once: the gateway keeps only a hash of it.
    key: String,
}

/// All callers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct CallersResponse {
    /// By name, revoked ones too.
    callers: Vec<CallerResponse>,
}

/// A caller.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CallerResponse {
    /// Its name in the audit.
    name: String,
    /// Whether its key is taken.
    state: CallerState,
    /// What it is there for.
    roles: Vec<Role>,
    /// The registries that it may ask; none here: all.
    registries: Option<Vec<String>>,
    /// What it may ask of them.
    abilities: Vec<Ability>,
    /// When it was added.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    /// Since when its key is no longer taken.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

/// Whether a caller's key is taken.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum CallerState {
    Active,
    Revoked,
    /// Its row cannot be read: revoke it.
    Damaged,
}

/// Lists the callers.
#[utoipa::path(
    get,
    path = "/admin/v1/callers",
    tag = "callers",
    responses(
        (status = 200, description = "The callers", body = CallersResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn list(
    State(gateway): State<Gateway>,
    _by: By<Administrators>,
) -> Result<Json<CallersResponse>, Problem> {
    let views = gateway.callers().await?;
    let callers = views.into_iter().map(CallerResponse::of).collect();
    Ok(Json(CallersResponse { callers }))
}

/// Adds a caller and gives its key.
#[utoipa::path(
    post,
    path = "/admin/v1/callers",
    tag = "callers",
    request_body = CallerRequest,
    responses(
        (status = 201, description = "The caller and its key", body = AddedCallerResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn add(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    Body(request): Body<CallerRequest>,
) -> Result<(StatusCode, Json<AddedCallerResponse>), Problem> {
    let new = NewCaller {
        name: request.name,
        roles: request.roles.unwrap_or_else(|| vec![Role::Client]),
        registries: match request.registries {
            None => RegistryGrant::All,
            Some(names) => RegistryGrant::Named(names),
        },
        abilities: request.abilities.unwrap_or_else(|| Ability::ALL.to_vec()),
    };
    let added = gateway.add_caller(&acting, new).await?;
    let added = AddedCallerResponse {
        name: added.name,
        key: added.key,
    };
    Ok((StatusCode::CREATED, Json(added)))
}

/// Takes a caller's key out of use. Its name stays taken.
#[utoipa::path(
    delete,
    path = "/admin/v1/callers/{caller}",
    tag = "callers",
    params(("caller" = String, Path, description = "The caller's name")),
    responses(
        (status = 204, description = "Its key is no longer taken"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn revoke(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    caller: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path(name) = caller.map_err(|_| AdminError::Unknown {
        what: "caller",
        name: String::new(),
    })?;
    gateway.revoke_caller(&acting, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl CallerResponse {
    fn of(view: CallerView) -> Self {
        let Some(known) = view.known else {
            return Self {
                name: view.name,
                state: CallerState::Damaged,
                roles: Vec::new(),
                registries: Some(Vec::new()),
                abilities: Vec::new(),
                created_at: None,
                revoked_at: None,
            };
        };
        Self {
            name: view.name,
            state: known
                .revoked_at
                .map_or(CallerState::Active, |_| CallerState::Revoked),
            roles: known.roles,
            registries: match known.registries {
                RegistryGrant::All => None,
                RegistryGrant::Named(names) => Some(names),
            },
            abilities: known.abilities,
            created_at: Some(known.created_at),
            revoked_at: known.revoked_at,
        }
    }
}

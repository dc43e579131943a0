use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller_keys::{AddedKeyResponse, KeyResponse};
use super::{Administrators, By, Named, named};
use crate::api::body::Body;
use crate::api::problem::Problem;
use crate::gateway::{CallerSettings, CallerView, Gateway, NewCaller};
use crate::model::{CallerLimits, Grant, Role};

/// A caller to add.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct CallerRequest {
    /// Its name in the audit, for ever: 1 to 128 bytes, without brackets and colons.
    name: String,
    /// What it is there for. Default: `client`.
    #[serde(default)]
    roles: Option<Vec<Role>>,
    /// What it may ask, and see. Default: for a client everything that the registries' policies
    /// allow, for others nothing.
    #[serde(default)]
    grants: Option<Vec<Grant>>,
    /// How much it may ask. Default: as the gateway is configured.
    #[serde(default)]
    limits: Option<CallerLimits>,
    /// From when on its key is not taken. Default: never.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    key_expires_at: Option<Timestamp>,
}

/// All that a caller may, in place of what it could before.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct CallerSettingsRequest {
    /// What it is there for.
    roles: Vec<Role>,
    /// What it may ask, and see.
    grants: Vec<Grant>,
    /// How much it may ask. Left out: as the gateway is configured.
    #[serde(default)]
    limits: Option<CallerLimits>,
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
pub(in crate::api) struct CallerResponse {
    /// Its name in the audit.
    name: String,
    /// Whether its keys are taken.
    state: CallerState,
    /// What it is there for.
    roles: Vec<Role>,
    /// What it may ask, and see.
    grants: Vec<Grant>,
    /// How much it may ask; none: as the gateway is configured.
    limits: Option<CallerLimits>,
    /// Its keys, the oldest first; those that ended too, for 90 days and more.
    keys: Vec<KeyResponse>,
    /// When it was added.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    /// Since when none of its keys is taken.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
}

/// Whether a caller's keys are taken.
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
        (status = 201, description = "The caller and its key", body = AddedKeyResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn add(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    Body(request): Body<CallerRequest>,
) -> Result<(StatusCode, Json<AddedKeyResponse>), Problem> {
    let roles = request.roles.unwrap_or_else(|| vec![Role::Client]);
    let all = roles.contains(&Role::Client).then(Grant::everything);
    let new = NewCaller {
        name: request.name,
        settings: CallerSettings {
            grants: request.grants.unwrap_or_else(|| all.into_iter().collect()),
            roles,
            limits: request.limits,
        },
        key_expires_at: request.key_expires_at,
    };
    let added = gateway.add_caller(&acting, new).await?;
    Ok((StatusCode::CREATED, Json(AddedKeyResponse::of(added))))
}

/// Shows a caller.
#[utoipa::path(
    get,
    path = "/admin/v1/callers/{caller}",
    tag = "callers",
    params(("caller" = String, Path, description = "The caller's name")),
    responses(
        (status = 200, description = "The caller", body = CallerResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn one(
    State(gateway): State<Gateway>,
    _by: By<Administrators>,
    caller: Named,
) -> Result<Json<CallerResponse>, Problem> {
    let view = gateway.caller_named(&named("caller", caller)?).await?;
    Ok(Json(CallerResponse::of(view)))
}

/// Replaces what a caller may. Its keys stay.
#[utoipa::path(
    put,
    path = "/admin/v1/callers/{caller}",
    tag = "callers",
    params(("caller" = String, Path, description = "The caller's name")),
    request_body = CallerSettingsRequest,
    responses(
        (status = 204, description = "It may that from now on, and no more"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn set(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    caller: Named,
    Body(request): Body<CallerSettingsRequest>,
) -> Result<StatusCode, Problem> {
    let settings = CallerSettings {
        roles: request.roles,
        grants: request.grants,
        limits: request.limits,
    };
    let name = named("caller", caller)?;
    gateway.set_caller(&acting, &name, settings).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes all of a caller's keys out of use, for good. Its name stays taken.
#[utoipa::path(
    delete,
    path = "/admin/v1/callers/{caller}",
    tag = "callers",
    params(("caller" = String, Path, description = "The caller's name")),
    responses(
        (status = 204, description = "None of its keys is taken"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn revoke(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    caller: Named,
) -> Result<StatusCode, Problem> {
    gateway
        .revoke_caller(&acting, &named("caller", caller)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

impl CallerResponse {
    fn of(view: CallerView) -> Self {
        let Some(known) = view.known else {
            return Self {
                name: view.name,
                state: CallerState::Damaged,
                roles: Vec::new(),
                grants: Vec::new(),
                limits: None,
                keys: Vec::new(),
                created_at: None,
                revoked_at: None,
            };
        };
        let state = match known.revoked_at {
            None => CallerState::Active,
            Some(_) => CallerState::Revoked,
        };
        Self {
            name: view.name,
            state,
            roles: known.settings.roles,
            grants: known.settings.grants,
            limits: known.settings.limits,
            keys: known.keys.into_iter().map(KeyResponse::of).collect(),
            created_at: Some(known.created_at),
            revoked_at: known.revoked_at,
        }
    }
}

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Administrators, By, Named};
use crate::api::body::Body;
use crate::api::problem::Problem;
use crate::gateway::{AddedKey, AdminError, CallerKey, Gateway, KeyWish};

/// A key to add.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct KeyRequest {
    /// From when on it is not taken. Default: never.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Where it takes the place of the caller's other keys: they end so many seconds from now, 90
    /// days at most. Left out: they go on.
    #[serde(default)]
    overlap_seconds: Option<u32>,
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct AddedKeyResponse {
    /// Whose it is.
    name: String,
    /// The key, this once: the gateway keeps only a hash of it.
    key: String,
    /// What it is revoked by.
    key_id: String,
    /// From when on it is not taken.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// A key, without what opens the door.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyResponse {
    /// What it is revoked by.
    id: String,
    /// How it begins; empty where that was not kept.
    prefix: String,
    /// Whether it is taken.
    state: KeyState,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From when on it is not taken.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Since when it is not taken, by an administrator's word.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// In which hour it was last used, told up to minutes late.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

/// Whether a key is taken.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum KeyState {
    Active,
    Expired,
    Revoked,
}

/// Gives a caller another key, beside its others or in their place.
#[utoipa::path(
    post,
    path = "/admin/v1/callers/{caller}/keys",
    tag = "callers",
    params(("caller" = String, Path, description = "The caller's name")),
    request_body = KeyRequest,
    responses(
        (status = 201, description = "The key", body = AddedKeyResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn add(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    caller: Named,
    Body(request): Body<KeyRequest>,
) -> Result<(StatusCode, Json<AddedKeyResponse>), Problem> {
    let Path(caller) = caller.map_err(|_| unknown("caller"))?;
    let overlap = request.overlap_seconds.map(i64::from);
    let wish = KeyWish {
        expires_at: request.expires_at,
        overlap: overlap.map(SignedDuration::from_secs),
    };
    let added = gateway.add_key(&acting, &caller, wish).await?;
    Ok((StatusCode::CREATED, Json(AddedKeyResponse::of(added))))
}

/// Takes one key of a caller out of use.
#[utoipa::path(
    delete,
    path = "/admin/v1/callers/{caller}/keys/{key}",
    tag = "callers",
    params(
        ("caller" = String, Path, description = "The caller's name"),
        ("key" = String, Path, description = "The key's id"),
    ),
    responses(
        (status = 204, description = "It is no longer taken"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn revoke(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path((caller, key)) = path.map_err(|_| unknown("key"))?;
    let key = Uuid::parse_str(&key).map_err(|_| unknown("key"))?;
    gateway.revoke_key(&acting, &caller, key).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(what: &'static str) -> AdminError {
    AdminError::Unknown {
        what,
        name: String::new(),
    }
}

impl AddedKeyResponse {
    pub(super) fn of(added: AddedKey) -> Self {
        Self {
            name: added.caller,
            key: added.key,
            key_id: added.known.id.to_string(),
            expires_at: added.known.expires_at,
        }
    }
}

impl KeyResponse {
    pub(super) fn of(key: CallerKey) -> Self {
        let state = match key.revoked_at {
            Some(_) => KeyState::Revoked,
            None if key.lives(Timestamp::now()) => KeyState::Active,
            None => KeyState::Expired,
        };
        Self {
            id: key.id.to_string(),
            prefix: key.prefix,
            state,
            created_at: key.created_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
            last_used_at: key.last_used_at,
        }
    }
}

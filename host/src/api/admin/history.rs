//! What ran when.

use axum::Json;
use axum::extract::{RawQuery, State};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{By, Named, Staff, named};
use crate::api::problem::Problem;
use crate::gateway::{Activation, AdminError, Gateway};

/// Changes that are told where nobody asks for another number.
const LIMIT: u32 = 100;

/// What served a registry.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct HistoryResponse {
    /// Its name.
    registry: String,
    /// The newest first. With `at`: the one that held then, if any.
    activations: Vec<ActivationResponse>,
}

/// One change of what serves.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ActivationResponse {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The digest of what served from then on. Null: nothing did.
    module: Option<String>,
    /// What served until then.
    previous: Option<String>,
    /// Whose act it was.
    caller: String,
    /// `apply`, `activate`, `rollback`, `enable`, `disable` or `delete`; `known` for what served
    /// before there was a history.
    why: String,
}

/// Tells what served a registry when. Also of one that is deleted.
#[utoipa::path(
    get,
    path = "/admin/v1/registries/{registry}/history",
    tag = "swap",
    params(
        ("registry" = String, Path, description = "The registry's name"),
        ("at" = Option<String>, Query, format = DateTime, description = "Only what held at that time (RFC 3339)"),
        ("limit" = Option<u32>, Query, description = "At most so many changes: 1 to 1000, default 100"),
    ),
    responses(
        (status = 200, description = "What served", body = HistoryResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn history(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    registry: Named,
    RawQuery(query): RawQuery,
) -> Result<Json<HistoryResponse>, Problem> {
    let registry = named("registry", registry)?;
    let Asked { at, limit } = Asked::read(query.as_deref().unwrap_or_default())?;
    let rows = gateway.history(&registry, at, limit).await?;
    Ok(Json(HistoryResponse {
        registry,
        activations: rows.into_iter().map(Into::into).collect(),
    }))
}

struct Asked {
    at: Option<Timestamp>,
    limit: u32,
}

impl Asked {
    fn read(query: &str) -> Result<Self, AdminError> {
        let mut asked = Self {
            at: None,
            limit: LIMIT,
        };
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let wrong = |problem: &str| AdminError::Invalid {
                field: key.chars().take(64).collect(),
                problem: problem.into(),
            };
            match &*key {
                "at" => {
                    let at = value
                        .parse()
                        .map_err(|_| wrong("write it as 2026-03-01T14:03:00Z"))?;
                    asked.at = Some(at);
                }
                "limit" => {
                    let limit = value.parse().ok();
                    let limit = limit.filter(|limit| (1..=1_000).contains(limit));
                    asked.limit = limit.ok_or_else(|| wrong("a number from 1 to 1000"))?;
                }
                _ => return Err(wrong("there is no such parameter: `at` and `limit` are")),
            }
        }
        Ok(asked)
    }
}

impl From<Activation> for ActivationResponse {
    fn from(row: Activation) -> Self {
        Self {
            at: row.at,
            module: row.module_digest,
            previous: row.previous,
            caller: row.caller,
            why: row.why,
        }
    }
}

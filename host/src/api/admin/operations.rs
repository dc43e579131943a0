//! The operations of all callers, without what is written and what was told.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Administrators, By, Named, Staff, named};
use crate::api::body::Body;
use crate::api::check;
use crate::api::operations::{OperationLine, OperationResponse};
use crate::api::problem::Problem;
use crate::api::query::{Parameters, invalid};
use crate::gateway::{AdminError, Gateway, OperationFilter, OperationState, Resolution};
use crate::model::Ability;

/// Operations that are told where nobody asks for another number.
const LIMIT: u32 = 100;
const MOST: u32 = 1_000;

/// Operations, the newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct OperationsResponse {
    operations: Vec<AdministeredOperationLine>,
    /// Asks for those before them, as `before`. Null: there are no more.
    next: Option<i64>,
}

/// An operation and its caller.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct AdministeredOperationLine {
    /// Whose it is.
    caller: String,
    #[serde(flatten)]
    operation: OperationLine,
}

/// An operation, its caller and its history.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct AdministeredOperationResponse {
    /// Whose it is.
    caller: String,
    #[serde(flatten)]
    operation: OperationResponse,
}

/// What became of an operation of which nobody knew.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct ResolveRequest {
    /// What a person found out.
    #[serde(rename = "as")]
    as_: ResolvedAs,
    /// How they know: a word of lower-case letters, digits and hyphens, at most 64: `asked-the-registry`.
    /// It is in the audit and in the operation's history.
    reason: String,
}

/// What a person found out.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ResolvedAs {
    /// The registry has it.
    Applied,
    /// The registry does not have it, and never will.
    Rejected,
}

/// Lists operations.
#[utoipa::path(
    get,
    path = "/admin/v1/operations",
    operation_id = "list_operations",
    tag = "operations",
    params(
        ("registry" = Option<String>, Query, description = "Only of this registry"),
        ("state" = Option<String>, Query, description = "Only in this state"),
        ("ability" = Option<String>, Query, description = "Only this: create, update, link or enrolment"),
        ("caller" = Option<String>, Query, description = "Only of this caller"),
        ("before" = Option<i64>, Query, description = "The `next` of a page"),
        ("limit" = Option<u32>, Query, description = "At most so many: 1 to 1000, default 100"),
    ),
    responses(
        (status = 200, description = "The operations", body = OperationsResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn list(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    uri: Uri,
) -> Result<Json<OperationsResponse>, Problem> {
    let known = ["registry", "state", "ability", "caller", "before", "limit"];
    let asked = Parameters::of(&uri, &known)?;
    let state = asked.text("state")?.map(|word| {
        OperationState::parse(&word).ok_or_else(|| {
            let states = OperationState::ALL.map(OperationState::as_str).join(", ");
            invalid("state", format!("one of {states}"))
        })
    });
    let ability = asked.text("ability")?.map(|word| {
        let known = Ability::parse(&word).filter(|it| Ability::WRITES.contains(it));
        known.ok_or_else(|| {
            let writes = Ability::WRITES.map(Ability::as_str).join(", ");
            invalid("ability", format!("one of {writes}"))
        })
    });
    let limit = asked.limit("limit", MOST)?.unwrap_or(LIMIT);
    let filter = OperationFilter {
        registry: asked.text("registry")?,
        state: state.transpose()?,
        ability: ability.transpose()?,
        caller: asked.text("caller")?,
        subject: None,
        before: asked.number("before")?,
        limit,
    };
    let found = gateway.operations(&filter).await?;
    let full = found.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = found.last().map(|last| last.position).filter(|_| full);
    let operations = found
        .into_iter()
        .map(|operation| AdministeredOperationLine {
            caller: operation.caller.clone(),
            operation: operation.into(),
        });
    Ok(Json(OperationsResponse {
        operations: operations.collect(),
        next,
    }))
}

/// Shows an operation and its history.
#[utoipa::path(
    get,
    path = "/admin/v1/operations/{id}",
    operation_id = "show_operation",
    tag = "operations",
    params(("id" = String, Path, description = "The operation's id")),
    responses(
        (status = 200, description = "The operation", body = AdministeredOperationResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn one(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    id: Named,
) -> Result<Json<AdministeredOperationResponse>, Problem> {
    let view = gateway.administered_operation(read(id)?).await?;
    Ok(Json(AdministeredOperationResponse {
        caller: view.operation.caller.clone(),
        operation: view.into(),
    }))
}

/// Sends an operation once more: one that was given up, or of which somebody knows that it was not done.
#[utoipa::path(
    post,
    path = "/admin/v1/operations/{id}/replay",
    operation_id = "replay_operation",
    tag = "operations",
    params(("id" = String, Path, description = "The operation's id")),
    responses(
        (status = 204, description = "It is accepted anew"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn replay(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    id: Named,
) -> Result<StatusCode, Problem> {
    gateway.replay_operation(&acting, read(id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Cancels an operation that was not sent, or was given up.
#[utoipa::path(
    post,
    path = "/admin/v1/operations/{id}/cancel",
    operation_id = "cancel_any_operation",
    tag = "operations",
    params(("id" = String, Path, description = "The operation's id")),
    responses(
        (status = 204, description = "It is cancelled"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn cancel(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    id: Named,
) -> Result<StatusCode, Problem> {
    gateway.cancel_operation(&acting, read(id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Settles an operation of which nobody knew what became of it.
#[utoipa::path(
    post,
    path = "/admin/v1/operations/{id}/resolve",
    operation_id = "resolve_operation",
    tag = "operations",
    params(("id" = String, Path, description = "The operation's id")),
    request_body = ResolveRequest,
    responses(
        (status = 204, description = "It is settled, and those behind it go on"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn resolve(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    id: Named,
    Body(request): Body<ResolveRequest>,
) -> Result<StatusCode, Problem> {
    check::word("reason", &request.reason)?;
    let resolution = match request.as_ {
        ResolvedAs::Applied => Resolution::Applied,
        ResolvedAs::Rejected => Resolution::Rejected,
    };
    gateway
        .resolve_operation(&acting, read(id)?, resolution, request.reason)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no id names no operation.
fn read(id: Named) -> Result<Uuid, AdminError> {
    let id = named("operation", id)?;
    id.parse().map_err(|_| AdminError::Unknown {
        what: "operation",
        name: String::new(),
    })
}

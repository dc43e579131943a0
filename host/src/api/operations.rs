//! Writes: accepted, and asked for later.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::admin::{Named, named};
use super::body::Body;
use super::prefer::Preferences;
use super::problem::Problem;
use super::request::{Asked, Known, Statements};
use super::trace::RequestId;
use super::writes::WriteBody;
use crate::gateway::{
    Acting, Gateway, GatewayError, IDEMPOTENCY_KEY_MAX_BYTES, NewWrite, Operation, OperationState,
    OperationStep, OperationView,
};
use crate::model::Receipt;

/// An operation, as it stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperationResponse {
    #[serde(flatten)]
    operation: OperationLine,
    /// What the registry did.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Receipt>,
    /// How it came there, from the beginning.
    history: Vec<StepResponse>,
}

/// Where an operation stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperationLine {
    /// Its name.
    id: String,
    /// The registry's name.
    registry: String,
    /// `create`, `update`, `link` or `enrolment`.
    ability: String,
    /// `accepted`, `delivering`, `waiting`, `pending`, `applied`, `rejected`, `conflict`,
    /// `outcome-unknown`, `given-up` or `cancelled`.
    state: &'static str,
    /// Why, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The registry's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    registry_code: Option<String>,
    /// The field of the request that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// One of many, for which nobody waits.
    bulk: bool,
    #[schema(value_type = String, format = DateTime)]
    accepted_at: Timestamp,
    /// Since when it stands there.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// How many attempts began.
    attempts: u32,
    /// When it is looked at next, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    /// After it nothing is tried any more.
    #[schema(value_type = String, format = DateTime)]
    deadline: Timestamp,
    /// The digest of the module that was asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
}

/// One step of an operation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StepResponse {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Where it stood from then on.
    state: &'static str,
    /// How many attempts had begun.
    attempt: u32,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The registry's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    registry_code: Option<String>,
    /// Whose doing it was, of a step that somebody took.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// Takes a write, which is delivered later. What was taken is not lost.
#[utoipa::path(
    post,
    path = "/v1/registries/{registry}/operations",
    operation_id = "accept_operation",
    tag = "operations",
    params(
        ("registry" = String, Path, description = "The registry's name"),
        ("Idempotency-Key" = String, Header, description = "Names the write for ever, for this caller and registry: 1 to 255 bytes. Sent again under it, the same write is the same operation"),
        ("Prefer" = Option<String>, Header, description = "`wait=5`: answer when it has ended, or after so many seconds, at most 30"),
        Statements
    ),
    request_body = WriteBody,
    responses(
        (status = 200, description = "It was taken, and has ended", body = OperationResponse),
        (status = 202, description = "It was taken; `Location` tells where it is", body = OperationResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not taken", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn accept(
    State(gateway): State<Gateway>,
    Asked(mut asking): Asked,
    headers: HeaderMap,
    Body(mut body): Body<WriteBody>,
) -> Result<(StatusCode, HeaderMap, Json<OperationResponse>), Problem> {
    let idempotency_key = idempotency_key(&headers)?;
    let prefers = Preferences {
        // It always is.
        responds_async: false,
        ..Preferences::of(&headers)
    };
    let request = body.request()?;
    asking.call.languages = body.languages;
    asking.call.consent = body.consent;
    let caller = asking.caller.clone();
    let new = NewWrite {
        request,
        subject: body.subject,
        idempotency_key,
        bulk: body.bulk,
        deadline: body.deadline,
    };
    let id = gateway.accept(asking, new).await?.id;
    let view = match prefers.wait {
        Some(wait) => gateway.operation_when_over(&caller, id, wait).await?,
        None => gateway.operation(&caller, id).await?,
    };
    let mut told = HeaderMap::new();
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/operations/{id}")) {
        told.insert(header::LOCATION, place);
    }
    if prefers.wait.is_some() {
        let name = HeaderName::from_static("preference-applied");
        told.insert(name, prefers.applied());
    }
    let status = match view.operation.state {
        OperationState::Accepted
        | OperationState::Delivering
        | OperationState::Waiting
        | OperationState::Pending => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    Ok((status, told, Json(view.into())))
}

/// Shows one of the caller's own operations.
#[utoipa::path(
    get,
    path = "/v1/operations/{id}",
    operation_id = "get_operation",
    tag = "operations",
    params(("id" = String, Path, description = "The operation's id")),
    responses(
        (status = 200, description = "The operation", body = OperationResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn one(
    State(gateway): State<Gateway>,
    Known(caller): Known,
    id: Named,
) -> Result<Json<OperationResponse>, Problem> {
    let view = gateway.operation(&caller, own(id)?).await?;
    Ok(Json(view.into()))
}

/// Takes back one of the caller's own operations, as long as it was not sent.
#[utoipa::path(
    post,
    path = "/v1/operations/{id}/cancel",
    operation_id = "cancel_operation",
    tag = "operations",
    params(("id" = String, Path, description = "The operation's id")),
    responses(
        (status = 200, description = "It is cancelled", body = OperationResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn cancel(
    State(gateway): State<Gateway>,
    Known(caller): Known,
    Extension(request_id): Extension<RequestId>,
    id: Named,
) -> Result<Json<OperationResponse>, Problem> {
    let id = own(id)?;
    let by = Acting {
        caller: caller.clone(),
        request_id: request_id.0,
    };
    gateway.cancel_own_operation(&by, id).await?;
    Ok(Json(gateway.operation(&caller, id).await?.into()))
}

/// What is no id is nobody's.
fn own(id: Named) -> Result<Uuid, Problem> {
    let id = named("operation", id).ok();
    let id = id.and_then(|id| id.parse().ok());
    id.ok_or_else(|| GatewayError::UnknownOperation.into())
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    const NAME: &str = "Idempotency-Key";
    let Some(value) = headers.get(NAME) else {
        let detail = "name the write, for ever: a UUID does";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "missing-field", detail).field(NAME));
    };
    let text = value.to_str().map(str::trim).unwrap_or_default();
    if text.is_empty() || text.len() > IDEMPOTENCY_KEY_MAX_BYTES {
        let detail = format!("visible ASCII, 1 to {IDEMPOTENCY_KEY_MAX_BYTES} bytes");
        return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-request", detail).field(NAME));
    }
    Ok(text.to_owned())
}

impl From<OperationView> for OperationResponse {
    fn from(view: OperationView) -> Self {
        Self {
            operation: view.operation.into(),
            receipt: view.receipt,
            history: view.history.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Operation> for OperationLine {
    fn from(operation: Operation) -> Self {
        let goes_on = matches!(
            operation.state,
            OperationState::Accepted | OperationState::Waiting | OperationState::Pending
        );
        Self {
            id: operation.id.to_string(),
            registry: operation.registry,
            ability: operation.ability,
            state: operation.state.as_str(),
            reason: operation.reason,
            registry_code: operation.code,
            field: operation.field,
            bulk: operation.bulk,
            accepted_at: operation.accepted_at,
            changed_at: operation.changed_at,
            attempts: operation.attempts,
            // Of an attempt under way it is the lease.
            next_attempt_at: operation.due_at.filter(|_| goes_on),
            deadline: operation.give_up_at,
            module: operation.module_digest,
        }
    }
}

impl From<OperationStep> for StepResponse {
    fn from(step: OperationStep) -> Self {
        Self {
            at: step.at,
            state: step.state.as_str(),
            attempt: step.attempt,
            reason: step.reason,
            registry_code: step.code,
            by: step.by,
        }
    }
}

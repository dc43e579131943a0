//! The audit read: pages of calls and acts.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Auditors, By};
use crate::api::problem::Problem;
use crate::api::query::Parameters;
use crate::gateway::{ActEntry, AuditEntry, AuditFilter, Gateway};

/// Most entries of one page.
pub(super) const MAX_PAGE: u32 = 1_000;
const PAGE: u32 = 100;

/// What a search reads of the URL, for the API's document alone. Nothing of a person belongs there.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "described here, read by `Parameters`")]
pub(in crate::api) struct CallsQuery {
    /// Begun at that time (RFC 3339) or later.
    #[param(required = false, value_type = String)]
    since: Option<Timestamp>,
    /// Begun before that time.
    #[param(required = false, value_type = String)]
    until: Option<Timestamp>,
    /// Of that caller.
    #[param(required = false, value_type = String)]
    caller: Option<String>,
    /// About that registry.
    #[param(required = false, value_type = String)]
    registry: Option<String>,
    /// For that purpose.
    #[param(required = false, value_type = String)]
    purpose: Option<String>,
    /// Of the request of that id.
    #[param(rename = "requestId", required = false, value_type = String)]
    request_id: Option<String>,
    /// The `next` of the page before.
    #[param(required = false, value_type = String)]
    before: Option<String>,
    /// At most so many, 1 to 1,000. Default: 100.
    #[param(required = false, value_type = u32)]
    limit: Option<u32>,
}

/// The same of acts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "described here, read by `Parameters`")]
pub(in crate::api) struct ActsQuery {
    /// Begun at that time (RFC 3339) or later.
    #[param(required = false, value_type = String)]
    since: Option<Timestamp>,
    /// Begun before that time.
    #[param(required = false, value_type = String)]
    until: Option<Timestamp>,
    /// Of that caller.
    #[param(required = false, value_type = String)]
    caller: Option<String>,
    /// About that registry.
    #[param(required = false, value_type = String)]
    registry: Option<String>,
    /// Of that kind: `caller.add`.
    #[param(required = false, value_type = String)]
    act: Option<String>,
    /// Of the request of that id.
    #[param(rename = "requestId", required = false, value_type = String)]
    request_id: Option<String>,
    /// The `next` of the page before.
    #[param(required = false, value_type = String)]
    before: Option<String>,
    /// At most so many, 1 to 1,000. Default: 100.
    #[param(required = false, value_type = u32)]
    limit: Option<u32>,
}

/// A page of calls.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct CallsResponse {
    /// The newest first.
    calls: Vec<CallResponse>,
    /// `before` of the next page. None: there is none. There may be one behind a page with few calls, or
    /// none: a page ends after 20,000 that were looked at.
    next: Option<String>,
}

/// Who asked what, why, and what came of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct CallResponse {
    id: String,
    #[schema(value_type = String, format = DateTime)]
    began_at: Timestamp,
    /// None: it is under way, or the gateway died in between.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    request_id: String,
    caller: String,
    user: Option<String>,
    entity: Option<String>,
    purpose: Option<String>,
    legal_basis: Option<String>,
    registry: String,
    ability: String,
    /// The digest of the module that served it.
    module: String,
    /// `done`, or a word for why not.
    outcome: Option<String>,
    /// The registry's own code.
    code: Option<String>,
    /// How many people were asked about, counted by their identifiers.
    asked: usize,
    /// How many people were told of, counted by their identifiers.
    disclosed: usize,
}

/// A page of acts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct ActsResponse {
    /// The newest first.
    acts: Vec<ActResponse>,
    /// `before` of the next page. None: there is none.
    next: Option<String>,
}

/// What was done, by whom, and what came of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ActResponse {
    id: String,
    #[schema(value_type = String, format = DateTime)]
    began_at: Timestamp,
    /// None: it is under way, or the gateway died in between.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    request_id: String,
    caller: String,
    act: String,
    registry: Option<String>,
    module: Option<String>,
    subject: Option<String>,
    /// `done`, or a word for why not.
    outcome: Option<String>,
    /// What was changed.
    #[schema(value_type = Option<Object>)]
    detail: Option<serde_json::Value>,
}

/// Lists calls, the newest first.
#[utoipa::path(
    get,
    path = "/admin/v1/audit/calls",
    tag = "audit",
    params(CallsQuery),
    responses(
        (status = 200, description = "A page of calls", body = CallsResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn calls(
    State(gateway): State<Gateway>,
    By(acting, _): By<Auditors>,
    uri: Uri,
) -> Result<Json<CallsResponse>, Problem> {
    let (filter, before, limit) = search(&uri, "purpose")?;
    let page = gateway.audit_calls(&acting, filter, before, limit).await?;
    Ok(Json(CallsResponse {
        calls: page.entries.into_iter().map(Into::into).collect(),
        next: page.next.map(|next| next.to_string()),
    }))
}

/// Lists acts of administration, the newest first. Reading the audit is one.
#[utoipa::path(
    get,
    path = "/admin/v1/audit/acts",
    tag = "audit",
    params(ActsQuery),
    responses(
        (status = 200, description = "A page of acts", body = ActsResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn acts(
    State(gateway): State<Gateway>,
    By(acting, _): By<Auditors>,
    uri: Uri,
) -> Result<Json<ActsResponse>, Problem> {
    let (filter, before, limit) = search(&uri, "act")?;
    let page = gateway.audit_acts(&acting, filter, before, limit).await?;
    Ok(Json(ActsResponse {
        acts: page.entries.into_iter().map(Into::into).collect(),
        next: page.next.map(|next| next.to_string()),
    }))
}

/// What both may be searched by, and what one of them may beside.
fn search(uri: &Uri, own: &'static str) -> Result<(AuditFilter, Option<Uuid>, u32), Problem> {
    let known = &[
        "since",
        "until",
        "caller",
        "registry",
        own,
        "requestId",
        "before",
        "limit",
    ];
    let parameters = Parameters::of(uri, known)?;
    let filter = AuditFilter {
        since: parameters.time("since")?,
        until: parameters.time("until")?,
        caller: parameters.text("caller")?,
        registry: parameters.text("registry")?,
        purpose: parameters.text("purpose")?,
        act: parameters.text("act")?,
        request_id: parameters.text("requestId")?,
    };
    let before = parameters.id("before")?;
    let limit = parameters.limit("limit", MAX_PAGE)?.unwrap_or(PAGE);
    Ok((filter, before, limit))
}

impl From<AuditEntry> for CallResponse {
    fn from(AuditEntry { begin, end }: AuditEntry) -> Self {
        Self {
            id: begin.id.to_string(),
            began_at: begin.at,
            ended_at: end.as_ref().map(|end| end.at),
            request_id: begin.request_id,
            caller: begin.caller,
            user: begin.user,
            entity: begin.entity,
            purpose: begin.purpose,
            legal_basis: begin.legal_basis,
            registry: begin.registry,
            ability: begin.ability,
            module: begin.module_digest,
            asked: begin.asked.len(),
            disclosed: end.as_ref().map_or(0, |end| end.disclosed.len()),
            outcome: end.as_ref().map(|end| end.outcome.clone()),
            code: end.and_then(|end| end.code),
        }
    }
}

impl From<ActEntry> for ActResponse {
    fn from(ActEntry { begin, end }: ActEntry) -> Self {
        let (ended_at, outcome) = end.unzip();
        let detail = begin.detail.as_deref();
        Self {
            id: begin.id.to_string(),
            began_at: begin.at,
            ended_at,
            request_id: begin.request_id,
            caller: begin.caller,
            act: begin.act,
            registry: begin.registry,
            module: begin.module_digest,
            subject: begin.subject,
            outcome,
            detail: detail.and_then(|detail| serde_json::from_str(detail).ok()),
        }
    }
}

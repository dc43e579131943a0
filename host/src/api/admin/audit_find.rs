//! Who looked a person up. The person is in the body alone, and in the audit as a keyed hash.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::audit_reading::{CallResponse, MAX_PAGE};
use super::{Auditors, By};
use crate::api::body::Body;
use crate::api::check;
use crate::api::problem::Problem;
use crate::api::query::invalid;
use crate::gateway::{FindPage, FoundCall, Gateway};
use crate::model::Identifier;

/// Of whom.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct AuditFindRequest {
    /// Of one person, as callers and registries write them.
    identifiers: Vec<Identifier>,
    /// The `next` of the page before.
    #[serde(default)]
    after: Option<String>,
    /// At most so many, 1 to 1,000. Default: 1,000.
    #[serde(default)]
    limit: Option<u32>,
    /// Go through every row and do not believe the index, which is no part of the chain.
    #[serde(default)]
    whole: bool,
}

/// Who asked about the person, or was told of them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct AuditFindResponse {
    /// The oldest first.
    calls: Vec<FoundResponse>,
    /// `after` of the next page. None: there is none.
    next: Option<String>,
    /// How many rows the index had not reached: they were gone through, so that nothing is left out.
    scanned_rows: u64,
    /// How many of those cannot be read, since somebody has changed them.
    unreadable_rows: u64,
}

/// A call that is about the person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FoundResponse {
    call: CallResponse,
    /// Whether the person was asked about.
    was_asked: bool,
    /// Whether the caller was told of the person.
    was_disclosed: bool,
}

/// Finds everybody who asked about a person, or was told of one.
#[utoipa::path(
    post,
    path = "/admin/v1/audit/find",
    tag = "audit",
    request_body = AuditFindRequest,
    responses(
        (status = 200, description = "The calls", body = AuditFindResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn find(
    State(gateway): State<Gateway>,
    By(acting, _): By<Auditors>,
    Body(request): Body<AuditFindRequest>,
) -> Result<Json<AuditFindResponse>, Problem> {
    check::identifiers(&request.identifiers, false)?;
    let limit = request.limit.unwrap_or(MAX_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(invalid(
            "limit",
            format!("a whole number from 1 to {MAX_PAGE}"),
        ));
    }
    let after = request.after.map(|after| {
        let bad = |_| invalid("after", "the `next` of a page");
        after.parse::<Uuid>().map_err(bad)
    });
    let page = FindPage {
        after: after.transpose()?,
        limit,
        whole: request.whole,
    };
    let identifiers = request.identifiers.into_iter();
    let identifiers: Vec<_> = identifiers.map(|it| (it.scheme, it.value)).collect();
    let found = gateway.find_in_audit(&acting, &identifiers, page).await?;
    Ok(Json(AuditFindResponse {
        calls: found.calls.into_iter().map(Into::into).collect(),
        next: found.next.map(|next| next.to_string()),
        scanned_rows: found.scanned,
        unreadable_rows: found.unreadable,
    }))
}

impl From<FoundCall> for FoundResponse {
    fn from(found: FoundCall) -> Self {
        Self {
            was_asked: found.asked,
            was_disclosed: found.disclosed,
            call: found.entry.into(),
        }
    }
}

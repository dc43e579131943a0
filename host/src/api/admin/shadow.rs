//! What the candidate would have answered.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::swap::SwapResponse;
use super::{Administrators, By, Named, Staff, named};
use crate::api::body::Body;
use crate::api::problem::Problem;
use crate::gateway::{Gateway, ShadowReport};

/// How much the candidate answers.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct ShadowRequest {
    /// Percent of the lookups: 1 to 100.
    share_percent: u8,
}

/// What came of the candidate's answers, on this gateway, since it began. No value of an answer is in
/// it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct ShadowResponse {
    /// Lookups that both were asked.
    compared: u64,
    /// Of those, with no difference at all.
    same: u64,
    /// Lookups that the candidate was not asked for want of room.
    dropped: u64,
    /// Of the compared, where it asked the registry something else. That is not sent, and what it made
    /// of the silence says little.
    asked_otherwise: u64,
    /// Differences by field.
    fields: Vec<FieldResponse>,
    /// Where one answered and the other did not.
    outcomes: Vec<OutcomeResponse>,
}

/// Differences of one field.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FieldResponse {
    /// Names of the model; `[]` is each of a list.
    path: String,
    /// Both have it, and it differs.
    changed: u64,
    /// Only the module that serves has it.
    missing: u64,
    /// Only the candidate has it.
    added: u64,
    /// Numbers of requests, the newest last.
    examples: Vec<String>,
}

/// Answers that only one of them gave.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OutcomeResponse {
    /// `done`, or the word for why the module that serves did not answer.
    live: &'static str,
    /// The same of the candidate.
    candidate: &'static str,
    /// How often.
    count: u64,
    /// Numbers of requests, the newest last.
    examples: Vec<String>,
}

/// Has the candidate answer a share of the lookups too. Its answers are counted where they differ, and
/// told to nobody; it sends nothing to the registry.
#[utoipa::path(
    post,
    path = "/admin/v1/registries/{registry}/shadow",
    tag = "swap",
    params(("registry" = String, Path, description = "The registry's name")),
    request_body = ShadowRequest,
    responses(
        (status = 200, description = "It answers", body = SwapResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn begin(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    registry: Named,
    Body(request): Body<ShadowRequest>,
) -> Result<Json<SwapResponse>, Problem> {
    let name = named("registry", registry)?;
    let done = gateway
        .shadow(&acting, &name, request.share_percent)
        .await?;
    Ok(Json(done.into()))
}

/// Shows where the candidate's answers differ.
#[utoipa::path(
    get,
    path = "/admin/v1/registries/{registry}/shadow",
    tag = "swap",
    params(("registry" = String, Path, description = "The registry's name")),
    responses(
        (status = 200, description = "Counts", body = ShadowResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn report(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    registry: Named,
) -> Result<Json<ShadowResponse>, Problem> {
    let report = gateway.shadow_report(&named("registry", registry)?).await?;
    Ok(Json(report.into()))
}

impl From<ShadowReport> for ShadowResponse {
    fn from(report: ShadowReport) -> Self {
        let fields = report
            .fields
            .into_iter()
            .map(|(path, field)| FieldResponse {
                path,
                changed: field.changed,
                missing: field.missing,
                added: field.added,
                examples: field.examples.into(),
            });
        let outcomes = report.outcomes.into_iter();
        let outcomes = outcomes.map(|((live, candidate), seen)| OutcomeResponse {
            live,
            candidate,
            count: seen.count,
            examples: seen.examples.into(),
        });
        Self {
            compared: report.compared,
            same: report.same,
            dropped: report.dropped,
            asked_otherwise: report.asked_otherwise,
            fields: fields.collect(),
            outcomes: outcomes.collect(),
        }
    }
}

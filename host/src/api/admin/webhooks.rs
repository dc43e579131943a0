//! Webhooks: who is told of events where, and how far that is.

mod shown;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Administrators, By, Named, Staff, named};
use crate::api::body::Body;
use crate::api::problem::Problem;
use crate::api::query::invalid;
use crate::gateway::{Gateway, NewWebhook};
use crate::model::position_of;
use shown::{
    AddedWebhookResponse, PingResponse, RotatedSecretResponse, WebhookResponse, WebhooksResponse,
};

/// The secret before goes on for so long, where nobody says.
const OVERLAP_SECONDS: u32 = 24 * 60 * 60;

/// A webhook to add.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct WebhookRequest {
    /// 1 to 64 letters, digits, hyphens, underscores and dots.
    name: String,
    /// Who is told: of what it may read by `GET /v1/events`, and no more.
    caller: String,
    /// Where messages go, by `POST`. Its host is in the gateway's `[webhooks] allow_hosts`.
    url: String,
    /// What the caller states, as a reading does in `Registry-Purpose`.
    #[serde(default)]
    purpose: Option<String>,
    /// As `Registry-Legal-Basis`.
    #[serde(default)]
    legal_basis: Option<String>,
    /// As `Registry-User`.
    #[serde(default)]
    user: Option<String>,
    /// As `Registry-Entity`.
    #[serde(default)]
    entity: Option<String>,
    /// Events of these registries alone. Left out: of all that the caller may read.
    #[serde(default)]
    registries: Vec<String>,
    /// Events of these kinds alone, such as `death`. Left out: all.
    #[serde(default)]
    kinds: Vec<String>,
    /// Events behind this cursor, a `next` or `cursor` of the feed; `e1-0` is before the first. Left
    /// out: what is new from now on.
    #[serde(default)]
    after: Option<String>,
}

/// From where on messages go again.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct ReplayRequest {
    /// A `next` or `cursor` of the feed or of a message; `e1-0` is before the first.
    after: String,
}

/// Another secret is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct RotateRequest {
    /// So many seconds messages are signed with the secret before, too; at most 7 days. Default: a day.
    #[serde(default)]
    overlap_seconds: Option<u32>,
}

/// Lists webhooks.
#[utoipa::path(
    get,
    path = "/admin/v1/webhooks",
    tag = "webhooks",
    responses(
        (status = 200, description = "The webhooks", body = WebhooksResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn list(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
) -> Result<Json<WebhooksResponse>, Problem> {
    let listed = gateway.webhooks().await?;
    Ok(Json(WebhooksResponse::of(listed)))
}

/// Adds a webhook. Its secret is told this once.
#[utoipa::path(
    post,
    path = "/admin/v1/webhooks",
    tag = "webhooks",
    request_body = WebhookRequest,
    responses(
        (status = 201, description = "It is added, and sends", body = AddedWebhookResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn add(
    State(gateway): State<Gateway>,
    By(by, _): By<Administrators>,
    Body(request): Body<WebhookRequest>,
) -> Result<(StatusCode, Json<AddedWebhookResponse>), Problem> {
    let after = request.after.as_deref().map(position).transpose()?;
    let new = NewWebhook {
        name: request.name,
        caller: request.caller,
        url: request.url,
        purpose: request.purpose,
        legal_basis: request.legal_basis,
        user: request.user,
        entity: request.entity,
        registries: request.registries,
        kinds: request.kinds,
        after,
    };
    let added = gateway.add_webhook(&by, new).await?;
    Ok((StatusCode::CREATED, Json(AddedWebhookResponse::of(added))))
}

/// Shows a webhook.
#[utoipa::path(
    get,
    path = "/admin/v1/webhooks/{webhook}",
    tag = "webhooks",
    params(("webhook" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The webhook", body = WebhookResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn one(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    name: Named,
) -> Result<Json<WebhookResponse>, Problem> {
    let known = gateway.webhook(&named("webhook", name)?).await?;
    Ok(Json(WebhookResponse::of(known)))
}

/// Removes a webhook.
#[utoipa::path(
    delete,
    path = "/admin/v1/webhooks/{webhook}",
    tag = "webhooks",
    params(("webhook" = String, Path, description = "Its name")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn remove(
    State(gateway): State<Gateway>,
    By(by, _): By<Administrators>,
    name: Named,
) -> Result<StatusCode, Problem> {
    gateway
        .remove_webhook(&by, &named("webhook", name)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Pauses a webhook: no message goes until it is resumed.
#[utoipa::path(
    post,
    path = "/admin/v1/webhooks/{webhook}/pause",
    tag = "webhooks",
    params(("webhook" = String, Path, description = "Its name")),
    responses(
        (status = 204, description = "It is paused"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn pause(
    State(gateway): State<Gateway>,
    By(by, _): By<Administrators>,
    name: Named,
) -> Result<StatusCode, Problem> {
    gateway.pause_webhook(&by, &named("webhook", name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Resumes a webhook, from where it stopped.
#[utoipa::path(
    post,
    path = "/admin/v1/webhooks/{webhook}/resume",
    tag = "webhooks",
    params(("webhook" = String, Path, description = "Its name")),
    responses(
        (status = 204, description = "It sends"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn resume(
    State(gateway): State<Gateway>,
    By(by, _): By<Administrators>,
    name: Named,
) -> Result<StatusCode, Problem> {
    let name = named("webhook", name)?;
    gateway.resume_webhook(&by, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends the events behind a cursor, those that were sent already too, under their old ids.
#[utoipa::path(
    post,
    path = "/admin/v1/webhooks/{webhook}/replay",
    tag = "webhooks",
    params(("webhook" = String, Path, description = "Its name")),
    request_body = ReplayRequest,
    responses(
        (status = 204, description = "It goes on from there"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn replay(
    State(gateway): State<Gateway>,
    By(by, _): By<Administrators>,
    name: Named,
    Body(request): Body<ReplayRequest>,
) -> Result<StatusCode, Problem> {
    let after = position(&request.after)?;
    let name = named("webhook", name)?;
    gateway.replay_webhook(&by, &name, after).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a webhook another secret, told this once. Messages are signed with both for a while.
#[utoipa::path(
    post,
    path = "/admin/v1/webhooks/{webhook}/secret",
    tag = "webhooks",
    params(("webhook" = String, Path, description = "Its name")),
    request_body = RotateRequest,
    responses(
        (status = 200, description = "The secret", body = RotatedSecretResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn rotate(
    State(gateway): State<Gateway>,
    By(by, _): By<Administrators>,
    name: Named,
    Body(request): Body<RotateRequest>,
) -> Result<Json<RotatedSecretResponse>, Problem> {
    let overlap = i64::from(request.overlap_seconds.unwrap_or(OVERLAP_SECONDS));
    let overlap = SignedDuration::from_secs(overlap);
    let name = named("webhook", name)?;
    let rotated = gateway.rotate_webhook_secret(&by, &name, overlap).await?;
    Ok(Json(RotatedSecretResponse::of(rotated)))
}

/// Sends a message that tells of nobody, `webhook.ping`, and says what came of it.
#[utoipa::path(
    post,
    path = "/admin/v1/webhooks/{webhook}/ping",
    tag = "webhooks",
    params(("webhook" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "What came of it", body = PingResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn ping(
    State(gateway): State<Gateway>,
    By(by, _): By<Administrators>,
    name: Named,
) -> Result<Json<PingResponse>, Problem> {
    let pinged = gateway.ping_webhook(&by, &named("webhook", name)?).await?;
    Ok(Json(PingResponse::of(pinged)))
}

fn position(cursor: &str) -> Result<i64, Problem> {
    position_of(cursor)
        .ok_or_else(|| invalid("after", "a `next` or `cursor` of the feed, such as e1-0"))
}

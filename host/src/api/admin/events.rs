//! Life events and callbacks: where each stands, and nobody in it.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Administrators, By, Named, Staff, named};
use crate::api::problem::Problem;
use crate::api::query::Parameters;
use crate::gateway::{AdminError, CallbackView, EventView, Gateway};

/// Most of one page.
const MAX_PAGE: u32 = 1_000;
const PAGE: u32 = 100;

/// What a list reads of the URL, for the API's document alone.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "described here, read by `Parameters`")]
pub(in crate::api) struct EventsQuery {
    /// Of that registry.
    #[param(required = false, value_type = String)]
    registry: Option<String>,
    /// The `next` of the page before.
    #[param(required = false, value_type = i64)]
    before: Option<i64>,
    /// At most so many, 1 to 1,000. Default: 100.
    #[param(required = false, value_type = u32)]
    limit: Option<u32>,
}

/// The same of callbacks.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "described here, read by `Parameters`")]
pub(in crate::api) struct CallbacksQuery {
    /// Of that registry.
    #[param(required = false, value_type = String)]
    registry: Option<String>,
    /// `new`, `received`, `refused`, `unreadable` or `failed`.
    #[param(required = false, value_type = String)]
    state: Option<String>,
    /// The `next` of the page before.
    #[param(required = false, value_type = i64)]
    before: Option<i64>,
    /// At most so many, 1 to 1,000. Default: 100.
    #[param(required = false, value_type = u32)]
    limit: Option<u32>,
}

/// Events, the newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct EventsResponse {
    events: Vec<EventResponse>,
    /// `before` of the next page. None: there is none.
    next: Option<i64>,
}

/// An event, without what happened to whom.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EventResponse {
    /// In the order of the feed.
    position: i64,
    registry: String,
    /// What happened. A registry's own word is `other` here.
    kind: String,
    /// When the registry recorded it.
    #[schema(value_type = Option<String>, format = DateTime)]
    recorded_at: Option<Timestamp>,
    /// When it was stored here.
    #[schema(value_type = String, format = DateTime)]
    stored_at: Timestamp,
    /// The digest of the module that read it.
    module: String,
    /// The callback that brought it. None: the registry was asked.
    callback: Option<String>,
    /// Whether it can still be read.
    kept: bool,
}

/// Callbacks, the newest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct CallbacksResponse {
    callbacks: Vec<CallbackLine>,
    /// `before` of the next page. None: there is none.
    next: Option<i64>,
}

/// A callback, without what came.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CallbackLine {
    /// In the order of arrival.
    number: i64,
    id: String,
    /// The registry whose address was called. Who called is known where it was `received`.
    registry: String,
    method: String,
    /// In bytes, as it is kept.
    size: u64,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// Since when it stands where it stands.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
    /// `new`: not read yet; `received`: read, and what it brought is stored; `refused`: the sender did
    /// not prove who they are, or the adapter does not take it; `unreadable` and `failed`: it is kept,
    /// and can be replayed.
    state: &'static str,
    /// How often it was taken up.
    attempts: u32,
    /// A word for why.
    reason: Option<String>,
    /// The registry's own code.
    code: Option<String>,
    /// The digest of the module that read it last.
    module: Option<String>,
    /// What the registry was answered.
    status: Option<u16>,
    /// How many events it brought that were not known.
    events: u32,
}

/// Lists events.
#[utoipa::path(
    get,
    path = "/admin/v1/events",
    tag = "events",
    params(EventsQuery),
    responses(
        (status = 200, description = "The events", body = EventsResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn list(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    uri: Uri,
) -> Result<Json<EventsResponse>, Problem> {
    let given = Parameters::of(&uri, &["registry", "before", "limit"])?;
    let registry = given.text("registry")?;
    let limit = given.limit("limit", MAX_PAGE)?.unwrap_or(PAGE);
    let before = given.number("before")?;
    let events = gateway.events(registry.as_deref(), before, limit).await?;
    let events: Vec<_> = events.into_iter().map(EventResponse::of).collect();
    let next = full(&events, limit).map(|last| last.position);
    Ok(Json(EventsResponse { events, next }))
}

/// Lists callbacks.
#[utoipa::path(
    get,
    path = "/admin/v1/callbacks",
    tag = "events",
    params(CallbacksQuery),
    responses(
        (status = 200, description = "The callbacks", body = CallbacksResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn callbacks(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    uri: Uri,
) -> Result<Json<CallbacksResponse>, Problem> {
    let given = Parameters::of(&uri, &["registry", "state", "before", "limit"])?;
    let (registry, state) = (given.text("registry")?, given.text("state")?);
    let limit = given.limit("limit", MAX_PAGE)?.unwrap_or(PAGE);
    let before = given.number("before")?;
    let listed = gateway.callbacks(registry.as_deref(), state.as_deref(), before, limit);
    let callbacks: Vec<_> = listed.await?.into_iter().map(CallbackLine::of).collect();
    let next = full(&callbacks, limit).map(|last| last.number);
    Ok(Json(CallbacksResponse { callbacks, next }))
}

/// Has a callback read again that is `unreadable` or `failed`, within a few seconds.
#[utoipa::path(
    post,
    path = "/admin/v1/callbacks/{id}/replay",
    tag = "events",
    params(("id" = String, Path, description = "The callback's id")),
    responses(
        (status = 204, description = "It will be read"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn replay(
    State(gateway): State<Gateway>,
    By(by, _): By<Administrators>,
    id: Named,
) -> Result<StatusCode, Problem> {
    let id = callback_id(id)?;
    gateway.replay_callback(&by, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives up a callback that is `unreadable` or `failed`, or is `new` and waits: what came is gone.
#[utoipa::path(
    post,
    path = "/admin/v1/callbacks/{id}/discard",
    operation_id = "discard_callback",
    tag = "events",
    params(("id" = String, Path, description = "The callback's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn discard(
    State(gateway): State<Gateway>,
    By(by, _): By<Administrators>,
    id: Named,
) -> Result<StatusCode, Problem> {
    let id = callback_id(id)?;
    gateway.discard_callback(&by, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no id is no callback's.
fn callback_id(id: Named) -> Result<Uuid, Problem> {
    let unknown = |_| AdminError::Unknown {
        what: "callback",
        name: String::new(),
    };
    Ok(named("callback", id)?.parse().map_err(unknown)?)
}

fn full<T>(listed: &[T], limit: u32) -> Option<&T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    listed.last().filter(|_| listed.len() >= limit)
}

impl EventResponse {
    fn of(view: EventView) -> Self {
        Self {
            position: view.position,
            registry: view.registry,
            kind: view.kind,
            recorded_at: view.recorded_at,
            stored_at: view.stored_at,
            module: view.module,
            callback: view.callback.map(|id| id.to_string()),
            kept: view.is_kept,
        }
    }
}

impl CallbackLine {
    fn of(view: CallbackView) -> Self {
        Self {
            number: view.number,
            id: view.id.to_string(),
            registry: view.registry,
            method: view.method,
            size: view.size,
            received_at: view.received_at,
            changed_at: view.changed_at,
            state: view.state,
            attempts: view.attempts,
            reason: view.reason,
            code: view.code,
            module: view.module,
            status: view.status,
            events: view.events,
        }
    }
}

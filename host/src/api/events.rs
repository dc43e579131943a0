//! `/v1/events`: callers read life events.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;
use super::query::{Parameters, invalid};
use super::request::{Statements, proof, stated};
use crate::gateway::{FeedQuery, Gateway, MAX_FEED_LIMIT, MAX_FEED_WAIT};
use crate::model::{FeedEntry, cursor_of, position_of};

/// Events of one reading, where the caller does not say.
const LIMIT: u32 = 100;

/// What a reading takes of the URL, for the API's document alone.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "described here, read by `Parameters`")]
pub(super) struct FeedParameters {
    /// The `next` of the reading before. Left out: from the first event that is kept.
    #[param(required = false, value_type = String)]
    after: Option<String>,
    /// At most so many, 1 to 500. Default: 100.
    #[param(required = false, value_type = u32)]
    limit: Option<u32>,
    /// Where there is none, so many seconds for the next, 0 to 60. Default: 0.
    #[param(required = false, value_type = u32)]
    wait: Option<u32>,
}

/// Events, in order. Each comes at least once: keep `next` once they are dealt with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedResponse {
    events: Vec<FeedEntry>,
    /// Where to go on.
    next: String,
    /// Where the newest event is, of whichever registry. As `next`: there is no more now.
    newest: String,
}

/// Reads life events, of those registries whose events the caller is granted: of people whom it has
/// linked, or of all where its grant says so.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    params(FeedParameters, Statements),
    responses(
        (status = 200, description = "The events", body = FeedResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn feed(
    State(gateway): State<Gateway>,
    request: Request,
) -> Result<Json<FeedResponse>, Problem> {
    let (mut parts, _) = request.into_parts();
    // Nobody else learns which parameters there are.
    let (_, call) = stated(&mut parts, &gateway).await?;
    let given = Parameters::of(&parts.uri, &["after", "limit", "wait"])?;
    let after = match given.text("after")? {
        None => 0,
        Some(text) => position_of(&text)
            .ok_or_else(|| invalid("after", "the `next` or `cursor` of an earlier reading"))?,
    };
    let longest = i64::try_from(MAX_FEED_WAIT.as_secs()).unwrap_or(i64::MAX);
    let wait = given.number("wait")?.unwrap_or(0);
    if wait > longest {
        return Err(invalid("wait", "whole seconds from 0 to 60"));
    }
    let query = FeedQuery {
        after,
        limit: given.limit("limit", MAX_FEED_LIMIT)?.unwrap_or(LIMIT),
        wait: Duration::from_secs(wait.unsigned_abs()),
    };
    let page = gateway.feed(proof(&parts)?, &call, query).await?;
    Ok(Json(FeedResponse {
        events: page.events.into_iter().map(FeedEntry::from).collect(),
        next: cursor_of(page.next),
        newest: cursor_of(page.newest),
    }))
}

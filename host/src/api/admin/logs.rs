//! What a registry's adapter logs, as it comes: server-sent events. The lines are masked already.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, interval_at};

use super::{By, Named, Staff, named, session};
use crate::api::problem::Problem;
use crate::config::api::ApiConfig;
use crate::gateway::{Following, Gateway, Said, TooSlow};

/// How often it is looked whether the reader still may, and whether the gateway ends; and a sign of
/// life for what stands in between.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two signs of life.
const SIGN: u32 = 15;

/// How many may read at the same time. The router puts it into every request.
#[derive(Clone)]
pub(in crate::api) struct Readers {
    places: Arc<Semaphore>,
    longest: Duration,
}

/// A line, as data of an event `line`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineEvent<'a> {
    at: jiff::Timestamp,
    level: &'static str,
    module: &'a str,
    request_id: &'a str,
    text: &'a str,
}

struct Reading {
    gateway: Gateway,
    parts: Parts,
    following: Following,
    /// Oldest last.
    kept: Vec<Arc<Said>>,
    look: tokio::time::Interval,
    looks: u32,
    over: bool,
    until: Instant,
    _place: OwnedSemaphorePermit,
}

impl Readers {
    pub(in crate::api) fn of(config: &ApiConfig) -> Self {
        let most = usize::try_from(config.max_log_readers).unwrap_or(usize::MAX);
        Self {
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            longest: Duration::from_millis(config.log_reading_max_ms),
        }
    }
}

/// The last lines that a registry's adapter logged, and each that it logs from now on. Events:
/// `line` (at, level, module, requestId, text), `dropped` (lines: the reader was too slow) and
/// `ended` (the session, the key or the gateway ended, or `api.log_reading_max_ms` have passed: ask
/// again); after the latter two nothing comes.
#[utoipa::path(
    get,
    operation_id = "follow_logs",
    path = "/admin/v1/registries/{registry}/logs",
    tag = "administration",
    params(("registry" = String, Path, description = "The registry's name")),
    responses(
        (status = 200, description = "Server-sent events, without end", body = String, content_type = "text/event-stream"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn follow(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    Extension(readers): Extension<Readers>,
    registry: Named,
    request: Request,
) -> Result<Response, Problem> {
    let following = gateway.follow(&named("registry", registry)?)?;
    let place = readers.places.try_acquire_owned().map_err(|_| {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "busy",
            "api.max_log_readers read logs already: close a page that follows one",
        )
    })?;
    let (parts, _) = request.into_parts();
    let reading = Reading {
        gateway,
        parts,
        kept: following.kept.iter().rev().cloned().collect(),
        following,
        look: interval_at(Instant::now() + LOOK, LOOK),
        looks: 0,
        over: false,
        until: Instant::now() + readers.longest,
        _place: place,
    };
    // A reverse proxy that collects answers would keep the lines to itself.
    let headers = [(HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((headers, Sse::new(events(reading))).into_response())
}

fn events(reading: Reading) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(reading, |mut reading| async move {
        if reading.over {
            return None;
        }
        let event = reading.next().await;
        Some((Ok(event), reading))
    })
}

impl Reading {
    async fn next(&mut self) -> Event {
        if let Some(said) = self.kept.pop() {
            return line(&said);
        }
        loop {
            tokio::select! {
                said = self.following.next() => return match said {
                    Ok(said) => line(&said),
                    Err(TooSlow { lines }) => {
                        self.over = true;
                        Event::default().event("dropped").data(format!("{{\"lines\":{lines}}}"))
                    }
                },
                _ = self.look.tick() => {
                    self.looks += 1;
                    let over = self.gateway.is_stopping() || Instant::now() >= self.until;
                    if over || !session::still(&self.parts, &self.gateway).await {
                        self.over = true;
                        return Event::default().event("ended").data("{}");
                    }
                    if self.looks.is_multiple_of(SIGN) {
                        return Event::default().comment("");
                    }
                }
            }
        }
    }
}

fn line(said: &Said) -> Event {
    let data = LineEvent {
        at: said.at,
        level: said.level,
        module: &said.module,
        request_id: &said.request_id,
        text: &said.text,
    };
    let text = serde_json::to_string(&data).unwrap_or_default();
    Event::default().event("line").data(text)
}

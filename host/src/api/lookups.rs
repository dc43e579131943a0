//! Lookups whose registry answers later: their caller comes back for the answer.

use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::admin::{Named, named};
use super::find::FindResponse;
use super::household::HouseholdResponse;
use super::prefer::Preferences;
use super::problem::Problem;
use super::request::{Known, Stated, proof};
use super::search::SearchResponse;
use super::verify::VerifyResponse;
use crate::gateway::{Gateway, GatewayError, KeptLookup, LookedUp};

/// A lookup that its registry has not answered yet.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LookupResponse {
    /// Its name: random, and nothing of what was asked.
    id: String,
    /// The registry's name.
    registry: String,
    /// `find`, `household`, `search` or `verify`.
    ability: String,
    /// `pending`.
    state: &'static str,
    #[schema(value_type = String, format = DateTime)]
    accepted_at: Timestamp,
    /// From then on it is over, whether the registry answered or not.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// What a lookup answers, as it would have answered at once.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[allow(
    clippy::large_enum_variant,
    reason = "it is made once, and written at once"
)]
pub(super) enum LookupAnswer {
    /// Of `find`.
    Find(FindResponse),
    /// Of `household`.
    Household(HouseholdResponse),
    /// Of `search`.
    Search(SearchResponse),
    /// Of `verify`.
    Verify(VerifyResponse),
}

/// An answer, or where to come back for it.
pub(super) enum Reply<T> {
    Now(T),
    Later(KeptLookup, Preferences),
}

impl<T> Reply<T> {
    /// Of what the gateway said. A lookup that is kept is no problem.
    pub(super) fn of<A>(
        said: Result<A, GatewayError>,
        prefers: Preferences,
        render: impl FnOnce(A) -> T,
    ) -> Result<Self, GatewayError> {
        match said {
            Ok(answer) => Ok(Self::Now(render(answer))),
            Err(GatewayError::Kept(kept)) => Ok(Self::Later(*kept, prefers)),
            Err(error) => Err(error),
        }
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let (kept, prefers) = match self {
            Self::Now(answer) => return Json(answer).into_response(),
            Self::Later(kept, prefers) => (kept, prefers),
        };
        let mut told = HeaderMap::new();
        if let Ok(place) = HeaderValue::from_str(&format!("/v1/lookups/{}", kept.id)) {
            told.insert(header::LOCATION, place);
        }
        let seconds = kept.come_again.as_millis().div_ceil(1_000).max(1);
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        told.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        if prefers != Preferences::default() {
            let name = HeaderName::from_static("preference-applied");
            told.insert(name, prefers.applied());
        }
        let body = LookupResponse {
            id: kept.id.to_string(),
            registry: kept.registry,
            ability: kept.ability,
            state: "pending",
            accepted_at: kept.accepted_at,
            expires_at: kept.expires_at,
        };
        (StatusCode::ACCEPTED, told, Json(body)).into_response()
    }
}

/// Comes back for the answer of one of the caller's own lookups. It is told, masked and written into the
/// audit as the lookup's own answer would have been, by what the caller may now; a failure of the
/// registry too.
#[utoipa::path(
    get,
    path = "/v1/lookups/{id}",
    operation_id = "get_lookup",
    tag = "lookups",
    params(
        ("id" = String, Path, description = "The lookup's id, from `Location`"),
        ("Prefer" = Option<String>, Header, description = "`wait=5`: answer when the registry has, or after so many seconds, at most 30"),
    ),
    responses(
        (status = 200, description = "What the registry answered", body = LookupAnswer),
        (status = 202, description = "It has not answered yet; `Retry-After` says when to come again", body = LookupResponse),
        (status = "4XX", description = "Refused, by the gateway or the registry; 410 `lookup-over`: its time is over", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered; come again until it is over", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn one(
    State(gateway): State<Gateway>,
    asked: Stated,
    parts: Parts,
    id: Named,
) -> Result<Reply<LookupAnswer>, Problem> {
    let (id, Stated(_, call)) = (own(id)?, asked);
    let prefers = Preferences {
        // It was said when it was asked.
        responds_async: false,
        ..Preferences::of(&parts.headers)
    };
    let wait = prefers.wait.unwrap_or_default();
    let said = gateway.lookup(proof(&parts)?, id, call, wait).await;
    let reply = Reply::of(said, prefers, |answer| match answer {
        LookedUp::Person(answer) => LookupAnswer::Find(FindResponse::of(answer)),
        LookedUp::Household(answer) => LookupAnswer::Household(HouseholdResponse::of(answer)),
        LookedUp::Page(answer) => LookupAnswer::Search(SearchResponse::of(answer)),
        LookedUp::Verification(answer) => LookupAnswer::Verify(VerifyResponse::of(answer)),
    });
    Ok(reply?)
}

/// Drops one of the caller's own lookups, with what its registry answered.
#[utoipa::path(
    delete,
    path = "/v1/lookups/{id}",
    operation_id = "forget_lookup",
    tag = "lookups",
    params(("id" = String, Path, description = "The lookup's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn forget(
    State(gateway): State<Gateway>,
    Known(caller): Known,
    id: Named,
) -> Result<StatusCode, Problem> {
    gateway.forget_lookup(&caller, own(id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no id is nobody's.
fn own(id: Named) -> Result<Uuid, Problem> {
    let id = named("lookup", id).ok();
    let id = id.and_then(|id| id.parse().ok());
    id.ok_or_else(|| GatewayError::UnknownLookup.into())
}

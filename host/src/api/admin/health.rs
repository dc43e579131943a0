use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{By, Named, Staff, named};
use crate::api::problem::Problem;
use crate::gateway::{AdminError, Gateway, Hour, RegistryState, Went};

/// How the registries are, and did over the last hour.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct HealthResponse {
    /// By name.
    registries: Vec<RegistryHealthResponse>,
}

/// How a registry is, and did over the last hour, on the node that answers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct RegistryHealthResponse {
    /// Its name.
    registry: String,
    /// For people.
    summary: String,
    /// `ready`, `disabled` or `not-ready`.
    state: &'static str,
    /// The module that serves it, by digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    /// The whole hour.
    hour: WentResponse,
    /// Each minute, oldest first, the one under way last. Only where one registry is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes: Option<Vec<MinuteResponse>>,
}

/// A minute, and how calls went in it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MinuteResponse {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[serde(flatten)]
    went: WentResponse,
}

/// How calls went in some time.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WentResponse {
    /// Answered, also with "nobody has that identifier".
    answered: u64,
    /// The registry could not or did not answer, or its adapter broke.
    failed: u64,
    /// Not asked: the caller, the policy or a limit stood against it.
    refused: u64,
    /// Half of those that were asked took so long or less, in milliseconds: to half an octave.
    #[serde(skip_serializing_if = "Option::is_none")]
    p50_ms: Option<u64>,
    /// 95 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    p95_ms: Option<u64>,
    /// 99 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_ms: Option<u64>,
}

/// How all registries are, and did over the last hour on the node that answers.
#[utoipa::path(
    get,
    operation_id = "health_of_registries",
    path = "/admin/v1/health",
    tag = "administration",
    responses(
        (status = 200, description = "The registries", body = HealthResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn all(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
) -> Result<Json<HealthResponse>, Problem> {
    let views = gateway.registries(|_| true);
    let of = |view: crate::gateway::RegistryView| {
        let hour = gateway.hour(&view.name)?;
        Ok(RegistryHealthResponse::of(view, hour, false))
    };
    let registries: Result<_, AdminError> = views.into_iter().map(of).collect();
    Ok(Json(HealthResponse {
        registries: registries?,
    }))
}

/// How a registry is, and did in each minute of the last hour on the node that answers.
#[utoipa::path(
    get,
    operation_id = "health_of_registry",
    path = "/admin/v1/registries/{registry}/health",
    tag = "administration",
    params(("registry" = String, Path, description = "The registry's name")),
    responses(
        (status = 200, description = "The registry", body = RegistryHealthResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn one(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    registry: Named,
) -> Result<Json<RegistryHealthResponse>, Problem> {
    let name = named("registry", registry)?;
    let hour = gateway.hour(&name)?;
    let view = gateway.registries(|other| other == name).pop();
    let view = view.ok_or_else(|| unknown(name))?;
    Ok(Json(RegistryHealthResponse::of(view, hour, true)))
}

fn unknown(name: String) -> AdminError {
    AdminError::Unknown {
        what: "registry",
        name,
    }
}

impl RegistryHealthResponse {
    fn of(view: crate::gateway::RegistryView, hour: Hour, minutes: bool) -> Self {
        let (state, module) = match view.state {
            RegistryState::Disabled => ("disabled", None),
            RegistryState::NotReady => ("not-ready", None),
            RegistryState::Ready { module, .. } => ("ready", Some(module)),
        };
        let told = hour.minutes.into_iter().map(|minute| MinuteResponse {
            at: minute.at,
            went: WentResponse::of(minute.went),
        });
        Self {
            registry: view.name,
            summary: view.summary,
            state,
            module,
            hour: WentResponse::of(hour.whole),
            minutes: minutes.then(|| told.collect()),
        }
    }
}

impl WentResponse {
    pub(super) fn of(went: Went) -> Self {
        let ms = |took: Option<std::time::Duration>| {
            took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
        };
        Self {
            answered: went.answered,
            failed: went.failed,
            refused: went.refused,
            p50_ms: ms(went.p50),
            p95_ms: ms(went.p95),
            p99_ms: ms(went.p99),
        }
    }
}

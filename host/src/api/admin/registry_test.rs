use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Administrators, By, Named, named};
use crate::api::body::Body;
use crate::api::problem::Problem;
use crate::gateway::{End, Gateway, RegistryTest, Step};
use crate::model::Identifier;

/// What to test a registry with.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct TrialRequest {
    /// Of somebody whom the registry knows: asked for once, as any lookup. Left out: nobody is.
    #[serde(default)]
    identifier: Option<TrialIdentifier>,
}

/// An identifier.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TrialIdentifier {
    /// As the registry's settings name it.
    scheme: String,
    /// The number or code.
    value: String,
}

/// What of a registry works.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct RegistryTestResponse {
    /// Its name.
    registry: String,
    /// Whether nothing failed.
    works: bool,
    /// In the order in which they were made.
    steps: Vec<TrialStepResponse>,
}

/// A step of a test.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TrialStepResponse {
    /// `configuration`, `endpoints.registry`, `mapping`.
    place: String,
    /// Of an endpoint: `name`, `address`, `connection`, `tls`, `credential`, `answer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'static str>,
    /// How it ended.
    state: TrialState,
    /// What was found, or what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// How a step of a test ended.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum TrialState {
    Works,
    Fails,
    NotReached,
}

/// Goes the way to a registry, step by step, and says what fails.
#[utoipa::path(
    post,
    path = "/admin/v1/registries/{registry}/test",
    operation_id = "test_registry",
    tag = "administration",
    params(("registry" = String, Path, description = "The registry's name")),
    request_body = TrialRequest,
    responses(
        (status = 200, description = "What works and what does not", body = RegistryTestResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn test(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    registry: Named,
    Body(request): Body<TrialRequest>,
) -> Result<Json<RegistryTestResponse>, Problem> {
    let identifier = request.identifier.map(|it| Identifier {
        scheme: it.scheme,
        value: it.value,
        normalisation: None,
        extra: Vec::new(),
    });
    let name = named("registry", registry)?;
    let tested = gateway.test_registry(&acting, &name, identifier).await?;
    Ok(Json(tested.into()))
}

impl From<RegistryTest> for RegistryTestResponse {
    fn from(tested: RegistryTest) -> Self {
        Self {
            works: tested.works(),
            registry: tested.registry,
            steps: tested.steps.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Step> for TrialStepResponse {
    fn from(Step { place, step, end }: Step) -> Self {
        let (state, told, remedy) = match end {
            End::Works(told) => (TrialState::Works, Some(told), None),
            End::Fails { problem, remedy } => (TrialState::Fails, Some(problem), Some(remedy)),
            End::NotReached => (TrialState::NotReached, None, None),
        };
        Self {
            place,
            step,
            state,
            told,
            remedy,
        }
    }
}

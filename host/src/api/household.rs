use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Wishes};
use super::check;
use super::find::Source;
use super::lookups::{LookupResponse, Reply};
use super::prefer::{Preferences, PrefersLater};
use super::problem::Problem;
use super::request::{Asked, Statements};
use crate::gateway::{Answered, Gateway};
use crate::model::{Consent, Household, HouseholdQuery, Identifier};

/// Whose household to look up.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct HouseholdRequest {
    /// Of the household itself, or of one of its people.
    identifiers: Vec<Identifier>,
    /// Top-level fields of each person that are wanted; left out: all that the policy shows.
    #[serde(default)]
    fields: Vec<String>,
    /// BCP 47, best first.
    #[serde(default)]
    languages: Vec<String>,
    /// The person's agreement.
    #[serde(default)]
    consent: Option<Consent>,
}

/// The household or family.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct HouseholdResponse {
    household: Household,
    source: Source,
}

/// Looks up the household or family of somebody.
#[utoipa::path(
    post,
    path = "/v1/registries/{registry}/household",
    tag = "lookups",
    params(("registry" = String, Path, description = "The registry's name"), PrefersLater, Statements),
    request_body = HouseholdRequest,
    responses(
        (status = 200, description = "The household", body = HouseholdResponse),
        (status = 202, description = "The registry answers later, and the caller prefers to come back: `Location` tells where", body = LookupResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn household(
    State(gateway): State<Gateway>,
    Asked(mut asking): Asked,
    prefers: Preferences,
    Body(request): Body<HouseholdRequest>,
) -> Result<Reply<HouseholdResponse>, Problem> {
    check::identifiers(&request.identifiers, false)?;
    let query = HouseholdQuery {
        identifiers: request.identifiers,
    };
    Wishes {
        fields: request.fields,
        languages: request.languages,
        consent: request.consent,
        proof: None,
    }
    .apply(&mut asking)?;
    let said = gateway.household(asking, query).await;
    Ok(Reply::of(said, prefers, HouseholdResponse::of)?)
}

impl HouseholdResponse {
    pub(super) fn of(answered: Answered<Household>) -> Self {
        let (household, source) = Source::of(answered);
        Self { household, source }
    }
}

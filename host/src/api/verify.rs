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
use crate::model::{Consent, Identifier, Person, Proof, Verification, VerifyQuery};

/// What is claimed of whom.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct VerifyRequest {
    /// Whose record to compare with.
    identifiers: Vec<Identifier>,
    /// Only filled fields are checked. A date may be its text alone: `"birthDate": "1987-04"`.
    /// `unmapped` is refused.
    claimed: Person,
    /// BCP 47, best first.
    #[serde(default)]
    languages: Vec<String>,
    /// The person's agreement.
    #[serde(default)]
    consent: Option<Consent>,
    /// What the person handed over.
    #[serde(default)]
    proof: Option<Proof>,
}

/// Whether the claims agree, and nothing else.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct VerifyResponse {
    verification: Verification,
    source: Source,
}

/// Says whether claims about a person agree with the registry.
#[utoipa::path(
    post,
    path = "/v1/registries/{registry}/verify",
    tag = "lookups",
    params(("registry" = String, Path, description = "The registry's name"), PrefersLater, Statements),
    request_body = VerifyRequest,
    responses(
        (status = 200, description = "How the claims compare", body = VerifyResponse),
        (status = 202, description = "The registry answers later, and the caller prefers to come back: `Location` tells where", body = LookupResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn verify(
    State(gateway): State<Gateway>,
    Asked(mut asking): Asked,
    prefers: Preferences,
    Body(request): Body<VerifyRequest>,
) -> Result<Reply<VerifyResponse>, Problem> {
    check::identifiers(&request.identifiers, request.proof.is_some())?;
    check::claimed(&request.claimed)?;
    let query = VerifyQuery {
        identifiers: request.identifiers,
        claimed: request.claimed,
    };
    Wishes {
        languages: request.languages,
        consent: request.consent,
        proof: request.proof,
        ..Wishes::default()
    }
    .apply(&mut asking)?;
    let said = gateway.verify(asking, query).await;
    Ok(Reply::of(said, prefers, VerifyResponse::of)?)
}

impl VerifyResponse {
    pub(super) fn of(answered: Answered<Verification>) -> Self {
        let (verification, source) = Source::of(answered);
        Self {
            verification,
            source,
        }
    }
}

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Wishes};
use super::check;
use super::lookups::{LookupResponse, Reply};
use super::prefer::{Preferences, PrefersLater};
use super::problem::Problem;
use super::request::{Asked, Statements};
use crate::gateway::{Answered, Gateway};
use crate::model::{Consent, FindQuery, Identifier, Person, Proof};

/// Whom to look up.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FindRequest {
    /// Of one person. May be left out where `proof` says who it is.
    #[serde(default)]
    identifiers: Vec<Identifier>,
    /// Top-level fields of a person that are wanted; left out: all that the policy shows.
    #[serde(default)]
    fields: Vec<String>,
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

/// Whom the registry knows by that.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FindResponse {
    person: Person,
    source: Source,
}

/// What gave the answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Source {
    /// The registry's name.
    registry: String,
    /// The digest of the module that answered.
    #[schema(example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    module: String,
}

impl Source {
    pub(super) fn of<T>(answered: Answered<T>) -> (T, Self) {
        let source = Self {
            registry: answered.registry,
            module: answered.module,
        };
        (answered.value, source)
    }
}

/// Looks up one person by identifier.
#[utoipa::path(
    post,
    path = "/v1/registries/{registry}/find",
    tag = "lookups",
    params(("registry" = String, Path, description = "The registry's name"), PrefersLater, Statements),
    request_body = FindRequest,
    responses(
        (status = 200, description = "The person", body = FindResponse),
        (status = 202, description = "The registry answers later, and the caller prefers to come back: `Location` tells where", body = LookupResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn find(
    axum::extract::State(gateway): axum::extract::State<Gateway>,
    Asked(mut asking): Asked,
    prefers: Preferences,
    Body(request): Body<FindRequest>,
) -> Result<Reply<FindResponse>, Problem> {
    check::identifiers(&request.identifiers, request.proof.is_some())?;
    let query = FindQuery {
        identifiers: request.identifiers,
    };
    Wishes {
        fields: request.fields,
        languages: request.languages,
        consent: request.consent,
        proof: request.proof,
    }
    .apply(&mut asking)?;
    let said = gateway.find(asking, query).await;
    Ok(Reply::of(said, prefers, FindResponse::of)?)
}

impl FindResponse {
    pub(super) fn of(answered: Answered<Person>) -> Self {
        let (person, source) = Source::of(answered);
        Self { person, source }
    }
}

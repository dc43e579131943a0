//! Links: which registry's person is which of the caller's people.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::admin::{Named, named};
use super::body::{Body, Wishes};
use super::check::{self, invalid};
use super::find::Source;
use super::problem::Problem;
use super::request::{Known, Stated, Statements};
use super::trace::RequestId;
use crate::gateway::{
    Acting, Asking, Gateway, GatewayError, LinkQuery, LinkRefused, LinkView, NewLink, Way,
};
use crate::model::{Agreement, Consent, Identifier, Person, Proof};

/// Whom to link with whom.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LinkBody {
    /// The caller's own name for the person, 1 to 512 bytes.
    subject: String,
    /// The registry's name.
    registry: String,
    /// The registry's numbers of the person. It is asked by the first; the others must be the same
    /// record's.
    identifiers: Vec<Identifier>,
    /// What the caller holds of the person. Of it only what the registry's policy takes for evidence is
    /// compared: by default `birthDate` and the family name of the first of `names`.
    #[serde(default)]
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

/// Whose links: `subject`, or `registry` and `identifier`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LinkSearch {
    /// The caller's own name for the person.
    #[serde(default)]
    subject: Option<String>,
    /// The registry's name. Beside `subject` it may be left out.
    #[serde(default)]
    registry: Option<String>,
    /// A number of the registry's.
    #[serde(default)]
    identifier: Option<Identifier>,
    /// Those too that stand no more.
    #[serde(default)]
    ended: bool,
}

/// Why a link ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkEnding {
    /// A word of lower-case letters, digits and hyphens, at most 64: `wrong-person`. It is in the audit.
    reason: String,
}

/// Links that stand now.
#[derive(Serialize, ToSchema)]
pub(super) struct LinkedResponse {
    /// One for each identifier, those too that stood before.
    links: Vec<LinkResponse>,
    source: Source,
}

/// Links, the oldest first.
#[derive(Serialize, ToSchema)]
pub(super) struct LinksResponse {
    links: Vec<LinkResponse>,
}

/// A link.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkResponse {
    /// The caller's own name for the person.
    subject: String,
    /// The registry's number. Left out where its policy hides identifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(flatten)]
    link: LinkLine,
}

/// A link, and nobody in it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkLine {
    /// Its name.
    id: String,
    /// The registry's name.
    registry: String,
    /// The scheme of the registry's number.
    scheme: String,
    /// The same of all links of one record of the registry.
    record: String,
    /// How what the caller held agreed, by its path in the model.
    evidence: BTreeMap<String, Agreement>,
    /// How it was known.
    by: LinkProvenance,
    #[schema(value_type = String, format = DateTime)]
    linked_at: Timestamp,
    /// Left out: it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<LinkEnded>,
}

/// Where a link comes from.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LinkProvenance {
    /// `verify` or `find`: the lookup that told. `create` or `link`: the operation that was applied.
    ability: String,
    /// The digest of the module that answered.
    module: String,
    /// The number of the request that asked, in the audit too.
    request_id: String,
    /// The operation, where it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    /// The caller's user, as it stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}

/// How a link ended.
#[derive(Serialize, ToSchema)]
struct LinkEnded {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// A word for why.
    reason: String,
    /// Whose doing it was.
    by: String,
}

/// Links one of the caller's people with the registry's, if the registry's record agrees with what is
/// claimed.
#[utoipa::path(
    post,
    path = "/v1/links",
    operation_id = "link",
    tag = "links",
    params(Statements),
    request_body = LinkBody,
    responses(
        (status = 200, description = "They are linked", body = LinkedResponse),
        (status = 409, description = "`ambiguous`: what is claimed is not enough, or disagrees. `linked-otherwise`: one of them is somebody else's; `links` shows both", body = Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn add(
    State(gateway): State<Gateway>,
    Stated(caller, call): Stated,
    Body(body): Body<LinkBody>,
) -> Result<Json<LinkedResponse>, Problem> {
    check::text("subject", &body.subject)?;
    check::text("registry", &body.registry)?;
    check::identifiers(&body.identifiers, false)?;
    if body.claimed != Person::default() {
        check::claimed(&body.claimed)?;
    }
    let mut asking = Asking {
        caller,
        registry: body.registry,
        call,
        way: Way::default(),
    };
    Wishes {
        languages: body.languages,
        consent: body.consent,
        proof: body.proof,
        ..Wishes::default()
    }
    .apply(&mut asking)?;
    let new = NewLink {
        subject: body.subject.clone(),
        identifiers: body.identifiers.clone(),
        claimed: body.claimed,
    };
    let linked = gateway.link(asking, new).await.map_err(|why| match why {
        LinkRefused::Ambiguous(findings) => Problem::ambiguous(findings),
        LinkRefused::Otherwise { place, standing } => {
            Problem::linked_otherwise(place, *standing, body.subject, &body.identifiers)
        }
        LinkRefused::Other(error) => error.into(),
    })?;
    let (links, source) = Source::of(linked);
    let links = links.into_iter().map(LinkResponse::of).collect();
    Ok(Json(LinkedResponse { links, source }))
}

/// Finds the caller's links by either side.
#[utoipa::path(
    post,
    path = "/v1/links/search",
    operation_id = "search_links",
    tag = "links",
    params(Statements),
    request_body = LinkSearch,
    responses(
        (status = 200, description = "The links", body = LinksResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn search(
    State(gateway): State<Gateway>,
    Stated(caller, call): Stated,
    Body(body): Body<LinkSearch>,
) -> Result<Json<LinksResponse>, Problem> {
    if let Some(registry) = &body.registry {
        check::text("registry", registry)?;
    }
    let query = match (body.subject, body.identifier, body.registry) {
        (Some(subject), None, registry) => {
            check::text("subject", &subject)?;
            LinkQuery::Subject { subject, registry }
        }
        (None, Some(identifier), Some(registry)) => {
            check::text("identifier.scheme", &identifier.scheme)?;
            check::text("identifier.value", &identifier.value)?;
            LinkQuery::Identifier {
                registry,
                identifier,
            }
        }
        (None, Some(_), None) => {
            return Err(invalid("registry", "name the registry whose number it is"));
        }
        _ => {
            return Err(invalid(
                "body",
                "give exactly one of subject and identifier",
            ));
        }
    };
    let links = gateway.links(&caller, &call, query, body.ended).await?;
    let links = links.into_iter().map(LinkResponse::of).collect();
    Ok(Json(LinksResponse { links }))
}

/// Ends one of the caller's own links. What stood stays known.
#[utoipa::path(
    delete,
    path = "/v1/links/{id}",
    operation_id = "end_link",
    tag = "links",
    params(("id" = String, Path, description = "The link's id")),
    request_body = LinkEnding,
    responses(
        (status = 204, description = "It stands no more"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn end(
    State(gateway): State<Gateway>,
    Known(caller): Known,
    Extension(request_id): Extension<RequestId>,
    id: Named,
    Body(ending): Body<LinkEnding>,
) -> Result<StatusCode, Problem> {
    let reason = ending.reason()?;
    let id = named("link", id).ok();
    // What is no id is nobody's.
    let id: Option<Uuid> = id.and_then(|id| id.parse().ok());
    let id = id.ok_or(GatewayError::UnknownLink)?;
    let by = Acting {
        caller,
        request_id: request_id.0,
    };
    gateway.end_own_link(&by, id, &reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl LinkEnding {
    /// A word: a sentence could tell of the person.
    pub(super) fn reason(self) -> Result<String, Problem> {
        check::word("reason", &self.reason)?;
        Ok(self.reason)
    }
}

impl LinkResponse {
    fn of(mut view: LinkView) -> Self {
        let people = view.people.take();
        let (subject, value) = match people {
            Some(people) => (people.subject, people.value),
            None => (String::new(), None),
        };
        Self {
            subject,
            value,
            link: view.into(),
        }
    }
}

impl From<LinkView> for LinkLine {
    fn from(view: LinkView) -> Self {
        Self {
            id: view.id.to_string(),
            registry: view.registry,
            scheme: view.scheme,
            record: view.record.to_string(),
            evidence: view.evidence,
            by: LinkProvenance {
                ability: view.ability,
                module: view.module,
                request_id: view.request_id,
                operation: view.operation.map(|id| id.to_string()),
                user: view.by_user,
            },
            linked_at: view.linked_at,
            ended: view.ended.map(|ended| LinkEnded {
                at: ended.at,
                reason: ended.why,
                by: ended.by,
            }),
        }
    }
}

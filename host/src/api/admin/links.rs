//! The links of all callers: where and when, and nobody in them.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Administrators, By, Named, Staff, named};
use crate::api::body::Body;
use crate::api::links::{LinkEnding, LinkLine};
use crate::api::problem::Problem;
use crate::api::query::{Parameters, invalid};
use crate::gateway::{AdminError, Gateway, LinkFilter, LinkView};

/// Links that are told where nobody asks for another number.
const LIMIT: u32 = 100;
const MOST: u32 = 1_000;

/// Links, the newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct AdministeredLinksResponse {
    links: Vec<AdministeredLink>,
    /// Asks for those before them, as `before`. Null: there are no more.
    next: Option<String>,
}

/// A link and its caller.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct AdministeredLink {
    /// Whose person it is.
    caller: String,
    #[serde(flatten)]
    link: LinkLine,
}

/// Lists links.
#[utoipa::path(
    get,
    path = "/admin/v1/links",
    operation_id = "list_links",
    tag = "links",
    params(
        ("registry" = Option<String>, Query, description = "Only of this registry"),
        ("caller" = Option<String>, Query, description = "Only of this caller"),
        ("ended" = Option<bool>, Query, description = "Those too that stand no more. Default: false"),
        ("before" = Option<String>, Query, description = "The `next` of a page"),
        ("limit" = Option<u32>, Query, description = "At most so many: 1 to 1000, default 100"),
    ),
    responses(
        (status = 200, description = "The links", body = AdministeredLinksResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn list(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    uri: Uri,
) -> Result<Json<AdministeredLinksResponse>, Problem> {
    let known = ["registry", "caller", "ended", "before", "limit"];
    let asked = Parameters::of(&uri, &known)?;
    let ended = match asked.text("ended")?.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(invalid("ended", "true or false")),
    };
    let limit = asked.limit("limit", MOST)?.unwrap_or(LIMIT);
    let filter = LinkFilter {
        registry: asked.text("registry")?,
        caller: asked.text("caller")?,
        ended,
        before: asked.id("before")?,
        limit,
    };
    let links = gateway.administered_links(&filter).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let next = links.last().filter(|_| links.len() >= limit);
    Ok(Json(AdministeredLinksResponse {
        next: next.map(|link| link.id.to_string()),
        links: links.into_iter().map(AdministeredLink::of).collect(),
    }))
}

/// Shows one link.
#[utoipa::path(
    get,
    path = "/admin/v1/links/{id}",
    operation_id = "show_link",
    tag = "links",
    params(("id" = String, Path, description = "The link's id")),
    responses(
        (status = 200, description = "The link", body = AdministeredLink),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(in crate::api) async fn one(
    State(gateway): State<Gateway>,
    _by: By<Staff>,
    id: Named,
) -> Result<Json<AdministeredLink>, Problem> {
    let link = gateway.administered_link(read(id)?).await?;
    Ok(Json(AdministeredLink::of(link)))
}

/// Ends a link. What stood stays known.
#[utoipa::path(
    post,
    path = "/admin/v1/links/{id}/end",
    operation_id = "end_any_link",
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
pub(in crate::api) async fn end(
    State(gateway): State<Gateway>,
    By(acting, _): By<Administrators>,
    id: Named,
    Body(ending): Body<LinkEnding>,
) -> Result<StatusCode, Problem> {
    gateway
        .end_link(&acting, read(id)?, &ending.reason()?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is no id names no link.
fn read(id: Named) -> Result<Uuid, AdminError> {
    let id = named("link", id)?;
    id.parse().map_err(|_| AdminError::Unknown {
        what: "link",
        name: String::new(),
    })
}

impl AdministeredLink {
    fn of(view: LinkView) -> Self {
        Self {
            caller: view.caller.clone(),
            link: view.into(),
        }
    }
}

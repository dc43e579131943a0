use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Body, Wishes};
use super::check::{self, MAX_ITEMS, invalid};
use super::find::Source;
use super::lookups::{LookupResponse, Reply};
use super::prefer::{Preferences, PrefersLater};
use super::problem::Problem;
use super::request::{Asked, Statements};
use crate::gateway::{Answered, Gateway, MAX_PAGE_SIZE, PageAnswer};
use crate::model::{Candidate, Consent, Criterion, Extra, SearchQuery, SortKey, Test, Unmapped};

/// A page that fits a screen.
const DEFAULT_PAGE_SIZE: u32 = 20;

/// Whom to look for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SearchRequest {
    /// All of them hold.
    criteria: Vec<CriterionRequest>,
    /// First key first.
    #[serde(default)]
    sort: Vec<SortKey>,
    /// 1 to 100. Default: 20.
    #[serde(default = "default_page_size")]
    #[schema(minimum = 1, maximum = 100, default = 20)]
    page_size: u32,
    /// `next` of an earlier answer to the same question.
    #[serde(default)]
    page: Option<String>,
    /// Top-level fields of a person that are wanted; left out: all that the policy shows.
    #[serde(default)]
    fields: Vec<String>,
    /// BCP 47, best first.
    #[serde(default)]
    languages: Vec<String>,
    /// The person's agreement.
    #[serde(default)]
    consent: Option<Consent>,
}

/// One thing that must hold: `field`, and exactly one of the tests.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CriterionRequest {
    /// A path in the model: `name.family`, `name.given`, `birth-date`, `sex`, `contact.phone`,
    /// `identifier.<scheme>`.
    #[schema(example = "name.family")]
    field: String,
    /// The same value.
    #[serde(default)]
    equals: Option<String>,
    /// One of these values.
    #[serde(default)]
    any_of: Option<Vec<String>>,
    /// Begins so.
    #[serde(default)]
    starts_with: Option<String>,
    /// As the registry understands likeness.
    #[serde(default)]
    fuzzy: Option<String>,
    /// Between two values, both included.
    #[serde(default)]
    range: Option<crate::model::ValueRange>,
}

/// One page of people.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SearchResponse {
    /// Best first, where the registry ranks.
    candidates: Vec<Candidate>,
    /// How many there are in all, where the registry tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Send it as `page`, with the same question, for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// What has no field of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extra: Vec<Extra>,
    /// What of the answer as a whole the adapter did not map.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unmapped: Vec<Unmapped>,
    source: Source,
}

/// Looks up people by what is known of them.
#[utoipa::path(
    post,
    path = "/v1/registries/{registry}/search",
    tag = "lookups",
    params(("registry" = String, Path, description = "The registry's name"), PrefersLater, Statements),
    request_body = SearchRequest,
    responses(
        (status = 200, description = "A page of people, perhaps empty", body = SearchResponse),
        (status = 202, description = "The registry answers later, and the caller prefers to come back: `Location` tells where", body = LookupResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not answered", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
pub(super) async fn search(
    State(gateway): State<Gateway>,
    Asked(mut asking): Asked,
    prefers: Preferences,
    Body(request): Body<SearchRequest>,
) -> Result<Reply<SearchResponse>, Problem> {
    if !(1..=MAX_PAGE_SIZE).contains(&request.page_size) {
        return Err(invalid("pageSize", "from 1 to 100"));
    }
    if request.criteria.is_empty() {
        return Err(invalid("criteria", "at least one is needed"));
    }
    for (field, items) in [
        ("criteria", request.criteria.len()),
        ("sort", request.sort.len()),
    ] {
        if items > MAX_ITEMS {
            return Err(invalid(field, "too many: at most 32"));
        }
    }
    for (at, key) in request.sort.iter().enumerate() {
        check::text(&format!("sort.{at}.field"), &key.field)?;
    }
    let criteria = request.criteria.into_iter().enumerate();
    let query = SearchQuery {
        criteria: criteria
            .map(|(at, criterion)| criterion.check(at))
            .collect::<Result<_, _>>()?,
        sort: request.sort,
        page_size: request.page_size,
        page: None,
    };
    Wishes {
        fields: request.fields,
        languages: request.languages,
        consent: request.consent,
        proof: None,
    }
    .apply(&mut asking)?;
    let named = Named::of(&query);
    let said = gateway.search(asking, query, request.page).await;
    let reply = Reply::of(said, prefers, SearchResponse::of);
    reply.map_err(|error| Problem::from(error).rename_field(|f| named.path(f)))
}

impl SearchResponse {
    pub(super) fn of(answered: Answered<PageAnswer>) -> Self {
        let (page, source) = Source::of(answered);
        Self {
            candidates: page.candidates,
            total: page.total,
            next: page.next,
            extra: page.extra,
            unmapped: page.unmapped,
            source,
        }
    }
}

/// Where the request names which field of the model. An adapter refuses a field by the caller's own
/// word for it: a problem says where that word stands, and repeats no value of the request.
struct Named(Vec<(String, String)>);

impl Named {
    fn of(query: &SearchQuery) -> Self {
        let criteria = query.criteria.iter().enumerate();
        let criteria =
            criteria.map(|(at, one)| (one.field.clone(), format!("criteria.{at}.field")));
        let sort = query.sort.iter().enumerate();
        let sort = sort.map(|(at, one)| (one.field.clone(), format!("sort.{at}.field")));
        Self(criteria.chain(sort).collect())
    }

    fn path(&self, field: &str) -> Option<String> {
        let named = self.0.iter().find(|(name, _)| name == field);
        named.map(|(_, path)| path.clone())
    }
}

impl CriterionRequest {
    fn check(self, at: usize) -> Result<Criterion, Problem> {
        let here = format!("criteria.{at}");
        check::text(&format!("{here}.field"), &self.field)?;
        let tests = [
            self.equals.map(Test::Equals),
            self.any_of.map(Test::AnyOf),
            self.starts_with.map(Test::StartsWith),
            self.fuzzy.map(Test::Fuzzy),
            self.range.map(Test::Range),
        ];
        let mut given = tests.into_iter().flatten();
        let (Some(test), None) = (given.next(), given.next()) else {
            let problem = "exactly one of equals, anyOf, startsWith, fuzzy and range";
            return Err(invalid(here, problem));
        };
        match &test {
            Test::Equals(value) => check::text(&format!("{here}.equals"), value)?,
            Test::StartsWith(value) => check::text(&format!("{here}.startsWith"), value)?,
            Test::Fuzzy(value) => check::text(&format!("{here}.fuzzy"), value)?,
            Test::AnyOf(values) => {
                if values.is_empty() || values.len() > MAX_ITEMS {
                    return Err(invalid(format!("{here}.anyOf"), "1 to 32 values"));
                }
                for (nth, value) in values.iter().enumerate() {
                    check::text(&format!("{here}.anyOf.{nth}"), value)?;
                }
            }
            Test::Range(range) => {
                if range.from.is_none() && range.to.is_none() {
                    return Err(invalid(format!("{here}.range"), "give from, to or both"));
                }
                for (name, end) in [("from", &range.from), ("to", &range.to)] {
                    if let Some(value) = end {
                        check::text(&format!("{here}.range.{name}"), value)?;
                    }
                }
            }
        }
        Ok(Criterion {
            field: self.field,
            test,
        })
    }
}

fn default_page_size() -> u32 {
    DEFAULT_PAGE_SIZE
}

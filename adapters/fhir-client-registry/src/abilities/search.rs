//! People by what is known of them: ITI-78, or ITI-119 with scores and grades.

use adapter_sdk::model::{Candidate, Extra, Page, SearchQuery, Unmapped};
use adapter_sdk::{Answer, Failure, Search, call, http};
use fhir_r4::bundle::{Bundle, Entry, MatchGrade};
use fhir_r4::lookup;
use fhir_r4::mapping;
use fhir_r4::server::{FHIR_JSON, NextPage, ignored};
use serde_json::{Value, json};

use crate::exchange::Registry;
use crate::settings::SearchBy;
use crate::{ENDPOINT, FhirClientRegistry, PAGE_TOKEN, query};

impl Search for FhirClientRegistry {
    fn search(query: SearchQuery) -> Result<Answer<Page>, Failure> {
        let registry = Registry::load()?;
        let page = match (&query.page, registry.settings.search) {
            (Some(token), SearchBy::Search) => {
                let next: NextPage = token.unpack(PAGE_TOKEN)?;
                let response = registry.server.next("Patient", &next)?.send()?;
                searched(&registry, &lookup::answer(&registry.server, &response)?)?
            }
            (None, SearchBy::Search) => {
                let asked = asked(&registry, &query)?;
                let body = registry.search("Patient", &asked)?;
                // Whoever fits the rest alone is not whom the caller asked for.
                if ignored(&Bundle::read(&body, "Patient")?, &asked).is_some() {
                    return Err(Failure::unsupported("search.ignored").field("criteria"));
                }
                searched(&registry, &body)?
            }
            (None, SearchBy::Match) => matched(&registry, &query)?,
            (Some(_), SearchBy::Match) => {
                return Err(Failure::rejected("state.unreadable").field("page"));
            }
        };
        Ok(page.into())
    }
}

fn asked(registry: &Registry, query: &SearchQuery) -> Result<fhir_r4::server::Parameters, Failure> {
    let mut asked = query::parameters(&query.criteria, &registry.settings)?;
    asked.extend(fhir_r4::query::sort(&query.sort)?);
    asked.push(("_count".to_owned(), count(registry, query).to_string()));
    Ok(asked)
}

fn count(registry: &Registry, query: &SearchQuery) -> u32 {
    query
        .page_size
        .clamp(1, registry.settings.max_page_size.max(1))
}

fn searched(registry: &Registry, body: &Value) -> Result<Page, Failure> {
    let bundle = Bundle::read(body, "Patient")?;
    let next = registry.server.next_page(&bundle, "Patient")?;
    let next = next.map(|it| it.pack(PAGE_TOKEN)).transpose()?;
    Ok(Page {
        next,
        ..page(registry, &bundle)?
    })
}

/// ITI-119. It has no pages: what there is more is left out, and said so.
fn matched(registry: &Registry, query: &SearchQuery) -> Result<Page, Failure> {
    if !query.sort.is_empty() {
        return Err(Failure::unsupported("search.sort").field("sort"));
    }
    let patient = query::to_match(&query.criteria, &registry.settings)?;
    let only_certain = call::get("only-certain-matches").as_deref() == Some("true");
    let parameters = json!({ "resourceType": "Parameters", "parameter": [
        { "name": "resource", "resource": patient },
        { "name": "onlyCertainMatches", "valueBoolean": only_certain },
        { "name": "count", "valueInteger": count(registry, query) },
    ] });
    let request = http::endpoint(ENDPOINT)
        .post("/Patient/$match")
        .body(FHIR_JSON, parameters.to_string());
    let response = registry.server.headed(request).send()?;
    if response.status == 404 {
        return Err(Failure::misconfigured("http.404").field("settings.search"));
    }
    let body = fhir_r4::server::body(&registry.server, &response)?;
    let bundle = Bundle::read(&body, "Patient")?;
    let mut page = page(registry, &bundle)?;
    if bundle.next.is_some() {
        page.extra
            .push(Extra::new(registry.rules.key("more"), &json!(true)));
    }
    Ok(page)
}

fn page(registry: &Registry, bundle: &Bundle<'_>) -> Result<Page, Failure> {
    let mut page = Page::of([]);
    let is_patient = |it: &&Entry<'_>| it.is_match && it.kind == "Patient";
    for entry in bundle.entries.iter().filter(is_patient) {
        mapping::check(entry.resource, "Patient")?;
        let grade = match entry.grade {
            Some(MatchGrade::CertainlyNot) => continue,
            Some(MatchGrade::Unknown) => {
                page.unmapped
                    .push(Unmapped::new("candidates.grade", "unknown code"));
                None
            }
            Some(MatchGrade::Grade(grade)) => Some(grade),
            None => None,
        };
        page.candidates.push(Candidate {
            person: mapping::patient(entry.resource, &registry.rules),
            score: entry.score,
            grade,
        });
    }
    page.total = bundle.total;
    if !bundle.warnings.is_empty() {
        let key = registry.rules.key("warnings");
        page.extra.push(Extra::new(key, &json!(bundle.warnings)));
    }
    Ok(page)
}

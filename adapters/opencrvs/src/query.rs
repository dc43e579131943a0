//! What is asked, in OpenCRVS's words.

mod clauses;
mod criteria;
mod parameters;

use adapter_sdk::Failure;
use adapter_sdk::model::Identifier;
use serde_json::Value;

pub use criteria::{SEARCHABLE, Sought, by_criteria, holds};

use crate::mapping::address::is_id;
use crate::settings::{Kind, Settings};

/// The identifier that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Our scheme of it.
    pub scheme: String,
    /// Its value.
    pub value: String,
}

/// Among whom somebody is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Those whom a record is about: the child, the deceased.
    Subjects,
    /// Parents and spouses too.
    Everybody,
}

/// How OpenCRVS is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// For a record by its id.
    Read(String),
    /// By `searchEvents`, each of these parameters a search.
    Parameters(Vec<Value>),
    /// By the events API's search, any of these clauses.
    Clauses(Vec<Value>),
}

/// The first identifier that OpenCRVS can be asked for, and how.
///
/// # Errors
/// `rejected` with code `identifier.scheme` or `identifier.value`; `unsupported` with code `proof` where
/// there is no identifier at all.
pub fn asked(
    identifiers: &[Identifier],
    whom: Whom,
    settings: &Settings,
) -> Result<(Asked, Plan), Failure> {
    if identifiers.is_empty() {
        return Err(Failure::unsupported("proof").message("OpenCRVS looks up by identifier"));
    }
    let refused = |code: &str| Failure::rejected(code).field("identifiers");
    for identifier in identifiers {
        let asked = Asked {
            scheme: identifier.scheme.clone(),
            value: identifier.value.trim().to_owned(),
        };
        let Some(plan) = plan(&asked, whom, settings) else {
            continue;
        };
        let is_read = matches!(plan, Plan::Read(_));
        if asked.value.is_empty() || (is_read && !is_id(&asked.value)) {
            return Err(refused("identifier.value"));
        }
        return Ok((asked, plan));
    }
    Err(refused("identifier.scheme"))
}

fn plan(asked: &Asked, whom: Whom, settings: &Settings) -> Option<Plan> {
    if asked.scheme == settings.schemes.record && !is_searched_by_id(settings) {
        return Some(Plan::Read(asked.value.clone()));
    }
    let plan = match settings.has_events_api() {
        true => Plan::Clauses(clauses::by_identifier(asked, whom, settings)),
        false => Plan::Parameters(parameters::by_identifier(asked, whom, settings)),
    };
    match &plan {
        Plan::Clauses(none) | Plan::Parameters(none) if none.is_empty() => None,
        _ => Some(plan),
    }
}

/// 1.9 has no address of one event for systems.
fn is_searched_by_id(settings: &Settings) -> bool {
    settings.version == crate::settings::Version::V1_9
}

/// The kind of record that a scheme numbers.
fn registration(scheme: &str, settings: &Settings) -> Option<Kind> {
    let kinds = [Kind::Birth, Kind::Death].into_iter();
    let mut kinds = kinds.filter(|kind| settings.registration_scheme(*kind) == scheme);
    kinds.next()
}

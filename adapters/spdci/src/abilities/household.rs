//! The group of a social registry, or the parents in a civil one.

use adapter_sdk::model::{Household, HouseholdQuery, Identifier, Person};
use adapter_sdk::{Answer, Failure, FindHousehold, log, settings};

use super::find;
use crate::Spdci;
use crate::exchange::{self, Question};
use crate::mapping::{self, Carried};
use crate::query;
use crate::settings::{RegistryType, Settings};
use crate::wire::answer::Found;
use crate::wire::record::Record;

impl FindHousehold for Spdci {
    fn find_household(query: HouseholdQuery) -> Result<Answer<Household>, Failure> {
        let settings: Settings = settings::load()?;
        let asked = query::asked(&query.identifiers, &settings)?;
        let household = match settings.registry_type {
            RegistryType::Social => group(&asked, &settings),
            RegistryType::Civil => kinship(&asked, &settings),
        };
        household.map(Answer::Done)
    }
}

/// The group with this number, or with a member of this number.
fn group(asked: &Carried, settings: &Settings) -> Result<Household, Failure> {
    let query = query::by_identifier(asked, "Group", settings);
    let mut question = Question::one(query, settings.household_record_type());
    question.response_entity = Some("Group");
    let found = exchange::ask(question, settings)?;
    let [value] = found.records.as_slice() else {
        return Err(match found.records.len() {
            0 => Failure::not_found(),
            _ => Failure::ambiguous("answer.several").field("identifiers"),
        });
    };
    let record = Record::new(value).ok_or_else(|| Failure::unreadable("answer.record"))?;
    if !mapping::is_group(&record) {
        return Err(Failure::unreadable("answer.record_type"));
    }
    mapping::check_asked(asked, &mapping::all_identifiers(&record), settings)?;
    Ok(mapping::household(&record, settings))
}

/// The person, and the parents whom the record names.
fn kinship(asked: &Carried, settings: &Settings) -> Result<Household, Failure> {
    let found = exchange::ask(find::question(asked, settings), settings)?;
    let record = find::only(&found, asked, settings)?;
    let named = mapping::parents(&record);
    let questions = named
        .iter()
        .map(|parent| find::question(parent, settings))
        .collect();
    let answers = exchange::ask_all(questions, settings)?;
    let parents = named
        .iter()
        .zip(answers)
        .map(|(parent, answer)| known(parent, answer, settings));
    let parents = parents.collect::<Result<Vec<Person>, Failure>>()?;
    Ok(mapping::kinship(
        mapping::person(&record, settings),
        parents,
    ))
}

/// A parent as the registry knows them, or by number alone where it knows no more. Any other
/// failure ends the call: half a family must not look like a whole one.
fn known(
    parent: &Carried,
    answer: Result<Found, Failure>,
    settings: &Settings,
) -> Result<Person, Failure> {
    let found = match answer {
        Ok(found) if found.records.is_empty() => None,
        Ok(found) => Some(found),
        Err(failure) => return Err(failure),
    };
    if let Some(found) = found {
        return Ok(mapping::person(
            &find::only(&found, parent, settings)?,
            settings,
        ));
    }
    log::info!("a parent has no record of their own");
    let scheme = settings.scheme(&parent.identifier_type);
    Ok(Person {
        identifiers: scheme
            .map(|scheme| Identifier::new(scheme, &parent.value))
            .into_iter()
            .collect(),
        ..Person::default()
    })
}

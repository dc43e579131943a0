//! The group of a social registry, or the parents in a civil one.

use std::collections::VecDeque;

use adapter_sdk::model::{Household, HouseholdQuery, Identifier, Person};
use adapter_sdk::{Answer, Failure, FindHousehold, Opaque, PendingAnswer, log, settings};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::find;
use crate::Spdci;
use crate::exchange::later::{self, Heard};
use crate::exchange::{self, Question};
use crate::mapping::{self, Carried};
use crate::query;
use crate::settings::{Mode, RegistryType, Settings};
use crate::wire::answer::Found;
use crate::wire::record::Record;

/// What an answer is for.
#[derive(Debug, Deserialize, Serialize)]
enum Step {
    /// The group with this number, or with a member of this number.
    Group(Carried),
    /// The person of a kinship.
    Person(Carried),
    /// The first parent that is left; whoever comes before is known.
    Parent {
        asked: Carried,
        records: Vec<Value>,
        left: VecDeque<Carried>,
        known: Vec<(Carried, Vec<Value>)>,
    },
}

impl FindHousehold for Spdci {
    fn find_household(query: HouseholdQuery) -> Result<Answer<Household>, Failure> {
        let settings: Settings = settings::load()?;
        let asked = query::asked(&query.identifiers, &settings)?;
        let (question, step) = match (settings.registry_type, settings.mode) {
            (RegistryType::Ibr, _) => return Err(Failure::unsupported("registry.household")),
            (RegistryType::Civil, Mode::Sync) => return Ok(kinship(&asked, &settings)?.into()),
            (RegistryType::Civil, Mode::Async) => {
                (find::question(&asked, &settings), Step::Person(asked))
            }
            (RegistryType::Social, _) => (group_question(&asked, &settings), Step::Group(asked)),
        };
        let heard = later::begin(question, step, &settings)?;
        go_on(heard, &settings)
    }

    fn resume(state: Opaque, answer: Option<PendingAnswer>) -> Result<Answer<Household>, Failure> {
        let settings: Settings = settings::load()?;
        go_on(later::go_on(&state, answer, &settings)?, &settings)
    }
}

fn go_on(mut heard: Heard<Step>, settings: &Settings) -> Result<Answer<Household>, Failure> {
    loop {
        let (found, step) = match heard {
            Heard::Now(found, step) => (found, step),
            Heard::Later(pending) => return Ok(Answer::Pending(pending)),
        };
        let (asked, records, left, known) = match step {
            Step::Group(asked) => return Ok(group(&found, &asked, settings)?.into()),
            Step::Person(asked) => {
                let left = mapping::parents(&find::only(&found, &asked, settings)?).into();
                (asked, found.records, left, Vec::new())
            }
            Step::Parent {
                asked,
                records,
                mut left,
                mut known,
            } => {
                known.extend(left.pop_front().map(|parent| (parent, found.records)));
                (asked, records, left, known)
            }
        };
        let Some(parent) = left.front() else {
            return Ok(family(&asked, records, known, settings)?.into());
        };
        let question = find::question(parent, settings);
        let step = Step::Parent {
            asked,
            records,
            left,
            known,
        };
        heard = later::begin(question, step, settings)?;
    }
}

fn family(
    asked: &Carried,
    records: Vec<Value>,
    parents: Vec<(Carried, Vec<Value>)>,
    settings: &Settings,
) -> Result<Household, Failure> {
    let of = |records| Found {
        records,
        total: None,
    };
    let person = find::person(&of(records), asked, settings)?;
    let parents = parents
        .into_iter()
        .map(|(parent, records)| known(&parent, Ok(of(records)), settings));
    Ok(mapping::kinship(person, parents.collect::<Result<_, _>>()?))
}

fn group_question(asked: &Carried, settings: &Settings) -> Question {
    let query = query::by_identifier(asked, "Group", settings);
    let mut question = Question::one(query, settings.household_record_type());
    question.response_entity = Some("Group");
    question
}

fn group(found: &Found, asked: &Carried, settings: &Settings) -> Result<Household, Failure> {
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

/// The person, and the parents whom the record names: all parents at the same time.
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

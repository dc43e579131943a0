//! One person by identifier.

use adapter_sdk::model::{FindQuery, Person};
use adapter_sdk::{Answer, Failure, Find, Opaque, PendingAnswer, settings};

use crate::Spdci;
use crate::exchange::{Question, later};
use crate::mapping::{self, Carried};
use crate::query;
use crate::settings::Settings;
use crate::wire::answer::Found;
use crate::wire::record::Record;

impl Find for Spdci {
    fn find(query: FindQuery) -> Result<Answer<Person>, Failure> {
        let settings: Settings = settings::load()?;
        let asked = query::asked(&query.identifiers, &settings)?;
        let heard = later::begin(question(&asked, &settings), asked, &settings)?;
        heard.then(|found, asked| person(&found, &asked, &settings))
    }

    fn resume(state: Opaque, answer: Option<PendingAnswer>) -> Result<Answer<Person>, Failure> {
        let settings: Settings = settings::load()?;
        let heard = later::go_on::<Carried>(&state, answer, &settings)?;
        heard.then(|found, asked| person(&found, &asked, &settings))
    }
}

/// The person whom an answer is about.
pub(super) fn person(
    found: &Found,
    asked: &Carried,
    settings: &Settings,
) -> Result<Person, Failure> {
    Ok(mapping::person(&only(found, asked, settings)?, settings))
}

/// The question for one person.
pub(super) fn question(asked: &Carried, settings: &Settings) -> Question {
    Question::one(
        query::by_identifier(asked, "Person", settings),
        settings.find_record_type(),
    )
}

/// The one record that an answer is about.
pub(super) fn only<'a>(
    found: &'a Found,
    asked: &Carried,
    settings: &Settings,
) -> Result<Record<'a>, Failure> {
    let mut people = Vec::new();
    for value in &found.records {
        let record = Record::new(value).ok_or_else(|| Failure::unreadable("answer.record"))?;
        if mapping::is_group(&record) {
            // A social registry may answer with the group: the person is one of its people.
            mapping::check_asked(asked, &mapping::all_identifiers(&record), settings)?;
            let members = mapping::members(record).into_iter();
            let is_asked = |member: &Record<'_>| {
                let numbers = numbers(member);
                numbers.iter().any(|one| one.answers(asked, settings))
            };
            people.extend(members.filter(is_asked));
        } else {
            mapping::check_asked(asked, &numbers(&record), settings)?;
            people.push(record);
        }
    }
    match people.len() {
        0 if found.records.is_empty() => Err(Failure::not_found()),
        0 => Err(Failure::unreadable("answer.record_type")),
        1 => people.pop().ok_or_else(Failure::not_found),
        _ => Err(Failure::ambiguous("answer.several").field("identifiers")),
    }
}

fn numbers(record: &Record<'_>) -> Vec<Carried> {
    let names: [&[&str]; 2] = [&["identifier"], &["member_identifier"]];
    names
        .into_iter()
        .flat_map(|names| mapping::carried(record, names))
        .collect()
}

//! One person by identifier.

use adapter_sdk::model::{FindQuery, Identifier, Person, PersonStatus};
use adapter_sdk::{Answer, Failure, Find};

use super::{all, carries, check, whole};
use crate::OpenCrvs;
use crate::exchange::ask;
use crate::mapping::record::Record;
use crate::mapping::{subject, together};
use crate::query::{Plan, Whom, asked};
use crate::settings::{Kind, Settings};

impl Find for OpenCrvs {
    fn find(query: FindQuery) -> Result<Answer<Person>, Failure> {
        let settings = Settings::load()?;
        Ok(person(&query.identifiers, &settings)?.into())
    }
}

/// The person with one of these identifiers.
pub(super) fn person(identifiers: &[Identifier], settings: &Settings) -> Result<Person, Failure> {
    let (asked, plan) = asked(identifiers, Whom::Subjects, settings)?;
    let found = ask(&plan, all(settings), settings)?;
    whole(&found)?;
    let answered = found.answered;
    let records = found.records.into_iter();
    let mut records: Vec<Record> = records
        .filter(|it| it.subject().is_some_and(|it| carries(&it.person, &asked)))
        .collect();
    if matches!(plan, Plan::Read(_)) {
        records.retain(|it| is_answered(it, settings));
        return one(records);
    }
    check(answered, records.len(), settings)?;
    one(records)
}

/// A record that is read by its id has whatever status: one that is not answered is as if it were not
/// there, but one that was taken back or repeats another is told as such.
fn is_answered(record: &Record, settings: &Settings) -> bool {
    let status = record.status.as_deref().unwrap_or_default();
    let subject = record.subject().and_then(|it| it.person.status.as_ref());
    settings
        .statuses()
        .iter()
        .any(|it| it.eq_ignore_ascii_case(status))
        || matches!(
            subject,
            Some(PersonStatus::Merged | PersonStatus::Cancelled)
        )
}

/// One person: of a birth, of a death, or of both.
fn one(records: Vec<Record>) -> Result<Person, Failure> {
    let (births, deaths): (Vec<_>, Vec<_>) = records.iter().partition(|it| it.kind == Kind::Birth);
    if births.len() > 1 || deaths.len() > 1 {
        return Err(Failure::ambiguous("answer.several").field("identifiers"));
    }
    let of = |records: Vec<&Record>| records.first().and_then(|it| subject(it));
    match (of(births), of(deaths)) {
        (Some(birth), Some(death)) => Ok(together(birth, death)),
        (Some(person), None) | (None, Some(person)) => Ok(person),
        (None, None) => Err(Failure::not_found()),
    }
}

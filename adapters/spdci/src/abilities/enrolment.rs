//! Who is in a programme: IBR `enrollment/updates`, and what became of one whose answer was lost.
//! `txn/status` knows searches and subscriptions only, so that the registry is asked for the person.

use adapter_sdk::model::{
    EnrolmentRequest, EnrolmentStatus, Fate, Outcome, Pending, Receipt, TraceQuery, WriteAnswer,
    WriteRequest,
};
use adapter_sdk::{
    Enrol, Failure, Opaque, PendingAnswer, Trace, call, dates, http, ids, settings, writes,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::find;
use crate::exchange::{self, Question, header, post};
use crate::mapping::{self, Carried, Written};
use crate::settings::{RegistryType, Settings};
use crate::wire::enrolment::{Told, told};
use crate::wire::message::{Enrolled, EnrolledCriteria, EnrolledUpdates, EnrolmentUpdates};
use crate::wire::request::Envelope;
use crate::{ENDPOINT, ENROLLING, Spdci, query};

/// What the registry should say of an enrolment that it works on.
#[derive(Debug, Deserialize, Serialize)]
struct Sought {
    person: Carried,
    programme: String,
    status: String,
    unwritten: Vec<String>,
}

impl Enrol for Spdci {
    fn enrol(request: EnrolmentRequest) -> Result<WriteAnswer, Failure> {
        let settings = ibr()?;
        let written = mapping::beneficiary(&request, &settings)?;
        let key = call::operation_key().ok_or_else(|| Failure::other("operation-key.missing"))?;
        let sought = Sought::of(&written);
        let mut header = header("notify", &settings);
        header.status = Some("succ");
        let message = EnrolmentUpdates {
            transaction_id: key,
            enrolled_updates: EnrolledUpdates {
                beneficiaries: [written.beneficiary],
            },
        };
        let request = http::endpoint(ENDPOINT)
            .post(settings.paths.enrolment())
            .json(&Envelope { header, message })?;
        match request.try_send() {
            Err(error) => writes::unclear(error),
            Ok(response) => match told(&response)? {
                Told::Done(reference) => Ok(receipt(Outcome::Applied, reference, sought).into()),
                Told::Acknowledged(reference) => {
                    let outcome = Outcome::Other("acknowledged".to_owned());
                    Ok(receipt(outcome, reference, sought).into())
                }
                Told::Underway => Ok(WriteAnswer::Pending(sought.later(&settings)?)),
                Told::Unclear(why) => Ok(WriteAnswer::Unclear(why)),
            },
        }
    }

    fn resume(state: Opaque, _answer: Option<PendingAnswer>) -> Result<WriteAnswer, Failure> {
        let settings = ibr()?;
        let sought: Sought = state.unpack(ENROLLING)?;
        match standing(&sought, &settings) {
            Ok(Standing::AsSought) => Ok(receipt(Outcome::Applied, None, sought).into()),
            // It took it: to fail because it cannot be asked now would say that it did not.
            Ok(_) | Err(Failure::Unavailable(_)) => {
                Ok(WriteAnswer::Pending(sought.later(&settings)?))
            }
            Err(failure) => Err(failure),
        }
    }
}

impl Trace for Spdci {
    fn trace(query: TraceQuery) -> Result<Fate, Failure> {
        let settings = ibr()?;
        let WriteRequest::Enrolment(request) = &query.request else {
            return Ok(Fate::Unknown);
        };
        let sought = Sought::of(&mapping::beneficiary(request, &settings)?);
        // Of somebody whose membership was to end, "no" is what a write that was done looks like.
        let is_member = matches!(
            request.status,
            EnrolmentStatus::Enrolled | EnrolmentStatus::Active
        );
        let standing = match is_member.then(|| is_enrolled(&sought, &settings)).flatten() {
            Some(false) => Standing::Not,
            _ => match standing(&sought, &settings) {
                Ok(standing) => standing,
                Err(failure @ Failure::Unavailable(_)) => return Err(failure),
                // This registry does not tell what it holds: a person must look.
                Err(_) => return Ok(Fate::Unknown),
            },
        };
        match standing {
            Standing::AsSought => Ok(Fate::Applied(receipt(Outcome::Applied, None, sought))),
            // What is still on its way would be done after the registry was asked.
            Standing::Not => match rest_ms(&query.attempted_at, settings.settle_ms) {
                Some(0) => Ok(Fate::Absent),
                Some(rest) => {
                    Err(Failure::unavailable("trace.too-early").retry_after_ms(Some(rest)))
                }
                None => Ok(Fate::Unknown),
            },
        }
    }
}

/// What the registry holds of an enrolment.
enum Standing {
    /// The programme, with the status.
    AsSought,
    /// Neither or another status.
    Not,
}

impl Sought {
    fn of(written: &Written) -> Self {
        Self {
            person: written.person.clone(),
            programme: written.programme.clone(),
            status: written.status.clone(),
            unwritten: written.unwritten.clone(),
        }
    }

    fn later(&self, settings: &Settings) -> Result<Pending, Failure> {
        let state = Opaque::pack(ENROLLING, self)?;
        Ok(Pending::again_after(settings.status_after_ms, state))
    }
}

fn ibr() -> Result<Settings, Failure> {
    let settings: Settings = settings::load()?;
    match settings.registry_type {
        RegistryType::Ibr => Ok(settings),
        // SPDCI has no other write.
        RegistryType::Social | RegistryType::Civil => {
            Err(Failure::unsupported("registry.enrolment").field("settings.registry_type"))
        }
    }
}

fn receipt(outcome: Outcome, reference: Option<String>, sought: Sought) -> Receipt {
    Receipt {
        outcome,
        reference,
        unwritten: sought.unwritten,
        ..Receipt::applied()
    }
}

/// `sync/enrolled`: whether the person is in the programme. None where the registry does not tell.
fn is_enrolled(sought: &Sought, settings: &Settings) -> Option<bool> {
    let message = Enrolled {
        transaction_id: ids::uuid(),
        enrolled_criteria: EnrolledCriteria {
            query_type: "expression",
            response_entity: "Member",
            query: json!({
                "person_identifier": { "eq": sought.person.value },
                "programme_identifier.program.programme_identifier": { "eq": sought.programme },
            }),
        },
    };
    let request = post(settings.paths.enrolled(), "search", message, settings).ok()?;
    let body: Value = request.send().ok()?.ok().ok()?.json().ok()?;
    crate::wire::enrolment::enrolled(&body)
}

/// The search: the person's programmes, with their statuses.
fn standing(sought: &Sought, settings: &Settings) -> Result<Standing, Failure> {
    let by = query::by_identifier(&sought.person, "Member", settings);
    let question = Question::one(by, settings.find_record_type());
    let found = exchange::ask(question, settings)?;
    let enrolled = match find::only(&found, &sought.person, settings) {
        Ok(record) => mapping::enrolled(&record),
        Err(Failure::NotFound) => Vec::new(),
        Err(failure) => return Err(failure),
    };
    let is_sought = enrolled.iter().any(|one| {
        let status = one.status.as_deref().unwrap_or_default();
        one.programme.as_deref() == Some(&sought.programme)
            && status.eq_ignore_ascii_case(&sought.status)
    });
    Ok(match is_sought {
        true => Standing::AsSought,
        false => Standing::Not,
    })
}

/// How long it still is until so long after then. None where the time is none.
fn rest_ms(then: &str, settle_ms: u32) -> Option<u32> {
    let passed = seconds(&dates::now())?.checked_sub(seconds(then)?)?;
    let passed_ms = u64::try_from(passed)
        .unwrap_or_default()
        .saturating_mul(1_000);
    let rest = u64::from(settle_ms).saturating_sub(passed_ms);
    u32::try_from(rest).ok()
}

/// Seconds of a time in UTC, as the gateway and [`dates::now`] write it.
fn seconds(time: &str) -> Option<i64> {
    let (date, clock) = time.trim().split_once(['T', 't'])?;
    let clock = clock.strip_suffix(['Z', 'z'])?;
    let number = |text: &str| text.parse::<i64>().ok();
    let date: Vec<i64> = date.split('-').map(number).collect::<Option<_>>()?;
    let whole = clock.split('.').next()?;
    let clock: Vec<i64> = whole.split(':').map(number).collect::<Option<_>>()?;
    let ([year, month, day], [hour, minute, second]) = (&date[..], &clock[..]) else {
        return None;
    };
    // Days of the civil calendar, with years that begin in March: the leap day is the last.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (*year, month - 3),
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_over_years_and_leap_days() {
        let between = |one: &str, two: &str| seconds(two).unwrap() - seconds(one).unwrap();
        assert_eq!(between("2023-12-31T23:59:59Z", "2024-01-01T00:00:00.5Z"), 1);
        assert_eq!(
            between("2024-02-28T12:00:00Z", "2024-03-01T12:00:00Z"),
            2 * 86_400
        );
        assert_eq!(
            between("2023-02-28T12:00:00Z", "2023-03-01T12:00:00Z"),
            86_400
        );
        assert_eq!(
            between("2020-03-01T00:00:00Z", "2024-03-01T00:00:00Z"),
            1_461 * 86_400
        );
        assert_eq!(seconds("2024-01-01T00:00:00+02:00"), None);
        assert_eq!(seconds("yesterday"), None);
    }
}

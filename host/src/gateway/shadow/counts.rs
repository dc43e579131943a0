//! What came of a candidate's shadow calls: counts and numbers of requests, nothing of a person.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::compare::{Difference, differences};

/// Examples of each, by the request's number: the newest.
const EXAMPLES: usize = 5;
/// Paths of the model are fewer.
const MOST_PATHS: usize = 1_000;

/// What came of a candidate's shadow calls, on this gateway, since it began to answer.
#[derive(Clone, Debug, Default)]
pub struct ShadowReport {
    /// Lookups that both answered or refused.
    pub compared: u64,
    /// Of those, with no difference at all.
    pub same: u64,
    /// Lookups that the candidate was not asked: there was no room for it.
    pub dropped: u64,
    /// Of the compared, where the candidate asked the registry something else. Such requests are not
    /// sent, and what it made of that says little.
    pub asked_otherwise: u64,
    /// Differences by field.
    pub fields: BTreeMap<String, FieldReport>,
    /// Where one answered and the other did not, by their words.
    pub outcomes: BTreeMap<(&'static str, &'static str), Seen>,
}

/// Differences of one field.
#[derive(Clone, Debug, Default)]
pub struct FieldReport {
    /// Both have it, and it differs.
    pub changed: u64,
    /// Only the one that serves has it.
    pub missing: u64,
    /// Only the candidate has it.
    pub added: u64,
    /// Numbers of requests.
    pub examples: VecDeque<String>,
}

/// How often, and when for example.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How often.
    pub count: u64,
    /// Numbers of requests.
    pub examples: VecDeque<String>,
}

/// An answer, or the word for its absence.
pub(super) type Told = Result<Value, &'static str>;

#[derive(Default)]
pub(in crate::gateway) struct Counts {
    report: Mutex<ShadowReport>,
}

impl Counts {
    pub(super) fn dropped(&self) {
        self.lock().dropped += 1;
    }

    pub(super) fn compared(&self, request: &str, live: &Told, candidate: &Told, otherwise: bool) {
        let mut report = self.lock();
        report.compared += 1;
        if otherwise {
            report.asked_otherwise += 1;
        }
        let (live, candidate) = match (live, candidate) {
            (Ok(live), Ok(candidate)) => (live, candidate),
            (Err(live), Err(candidate)) if live == candidate => {
                report.same += 1;
                return;
            }
            (live, candidate) => {
                let word = |told: &Told| told.as_ref().err().copied().unwrap_or("done");
                let seen = report.outcomes.entry((word(live), word(candidate)));
                let seen = seen.or_default();
                seen.count += 1;
                example(&mut seen.examples, request);
                return;
            }
        };
        let found = differences(live, candidate);
        if found.is_empty() {
            report.same += 1;
        }
        for (path, difference) in found {
            if report.fields.len() >= MOST_PATHS && !report.fields.contains_key(&path) {
                continue;
            }
            let field = report.fields.entry(path).or_default();
            match difference {
                Difference::Changed => field.changed += 1,
                Difference::Missing => field.missing += 1,
                Difference::Added => field.added += 1,
            }
            example(&mut field.examples, request);
        }
    }

    pub(super) fn report(&self) -> ShadowReport {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, ShadowReport> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn example(examples: &mut VecDeque<String>, request: &str) {
    if examples.back().is_some_and(|last| last == request) {
        return;
    }
    examples.push_back(request.to_owned());
    if examples.len() > EXAMPLES {
        examples.pop_front();
    }
}

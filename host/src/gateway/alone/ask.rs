//! One module, one question, and all steps of the answer. What calls for callers is `gateway/lookups`:
//! here nobody calls back, nothing is tried again, and the answer is JSON as the gateway has it before a
//! policy hides anything.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::question::Question;
use crate::model::{Failure, Page, Written};
use crate::sandbox::{Answer, Fault, Module, Pending, Ran, Usage, Work};

/// A module that answers `pending` without end must not spin.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);

/// How long an answer is gone on with.
#[derive(Clone, Copy)]
pub(in crate::gateway) enum Pace {
    /// The registry answers at once, and time does not pass: no waiting, and more steps than these are
    /// no progress.
    AtOnce { steps: u32 },
    /// As a gateway does: until the call's time is over, or so many steps are.
    Real { steps: u32 },
}

/// What came of a question.
pub(in crate::gateway) struct Came {
    pub(in crate::gateway) end: End,
    /// Of all steps.
    pub(in crate::gateway) usage: Usage,
    pub(in crate::gateway) steps: u32,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::gateway) enum End {
    /// As the gateway answers.
    Answer(Value),
    /// The registry says no.
    Failure(Failure),
    /// The adapter broke.
    Fault(Fault),
    /// It answers `pending`, and what that waits for did not come.
    Pending {
        /// Only a callback brings it.
        by_callback: bool,
    },
}

struct Run<'a> {
    module: &'a Module,
    work: Work,
    pace: Pace,
    usage: Usage,
    steps: u32,
}

/// Calls the ability, and goes on with it while it answers `pending`.
macro_rules! call {
    ($run:ident, $query:ident, $verb:ident, $resume:ident, $json:expr) => {{
        let module = $run.module;
        let mut ran = module.$verb($run.step(), $query).await;
        loop {
            let pending = match $run.came(ran, $json) {
                Ok(end) => break end,
                Err(pending) => pending,
            };
            if let Some(end) = $run.ends(&pending).await {
                break end;
            }
            ran = module.$resume($run.step(), &pending.state, None).await;
        }
    }};
}

/// Asks it. The call's processor time is for all steps together.
pub(in crate::gateway) async fn ask(
    module: &Module,
    question: &Question,
    work: Work,
    pace: Pace,
) -> Came {
    let mut run = Run {
        module,
        work,
        pace,
        usage: Usage::default(),
        steps: 0,
    };
    let end = match question {
        Question::Find(query) => call!(run, query, find, resume_find, to_json),
        Question::Household(query) => call!(run, query, household, resume_household, to_json),
        Question::Search(query) => call!(run, query, search, resume_search, page),
        Question::Verify(query) => call!(run, query, verify, resume_verify, to_json),
        Question::Create(query) => call!(run, query, create, resume_create, written),
        Question::Update(query) => call!(run, query, update, resume_update, written),
        Question::Link(query) => call!(run, query, link, resume_link, written),
        Question::Enrolment(query) => call!(run, query, enrol, resume_enrol, written),
    };
    Came {
        end,
        usage: run.usage,
        steps: run.steps,
    }
}

impl Run<'_> {
    fn step(&mut self) -> Work {
        self.steps += 1;
        let mut work = self.work.clone();
        let left = self.cpu_left_ms();
        if left < work.limits.cpu_ms {
            Arc::make_mut(&mut work.limits).cpu_ms = left;
        }
        work
    }

    fn cpu_left_ms(&self) -> u64 {
        let used = u64::try_from(self.usage.cpu.as_millis()).unwrap_or(u64::MAX);
        self.work.limits.cpu_ms.saturating_sub(used)
    }

    fn came<T>(&mut self, ran: Ran<T>, to_json: impl Fn(T) -> Value) -> Result<End, Pending> {
        let (step, total) = (ran.usage, &mut self.usage);
        total.cpu += step.cpu;
        total.wall += step.wall;
        total.memory = total.memory.max(step.memory);
        // Counted in what is lent, for all steps so far.
        total.http_calls = step.http_calls;
        total.http_wait = step.http_wait;
        total.http_ends = step.http_ends;
        Ok(match ran.result {
            Err(fault) => End::Fault(fault),
            Ok(Err(failure)) => End::Failure(failure),
            Ok(Ok(Answer::Done(answer))) => End::Answer(to_json(answer)),
            Ok(Ok(Answer::Pending(pending))) => return Err(pending),
        })
    }

    /// Waits for the next step, or says that there is none.
    async fn ends(&self, pending: &Pending) -> Option<End> {
        if self.cpu_left_ms() == 0 {
            return Some(End::Fault(Fault::OutOfCpu));
        }
        let Some(wait) = pending.retry_after_ms else {
            return Some(End::Pending { by_callback: true });
        };
        let still = Some(End::Pending { by_callback: false });
        match self.pace {
            Pace::AtOnce { steps } if self.steps > steps => still,
            Pace::AtOnce { .. } => None,
            Pace::Real { steps } => {
                let wait = Duration::from_millis(wait.into()).max(SHORTEST_WAIT);
                let again = Instant::now() + wait;
                if self.steps >= steps || again >= self.work.deadline {
                    return still;
                }
                tokio::time::sleep_until(again).await;
                None
            }
        }
    }
}

/// What the registry did, or that nobody knows.
fn written(written: Written) -> Value {
    match written {
        Written::Done(receipt) => json!({ "done": receipt }),
        Written::Unclear(why) => json!({ "unclear": { "code": why.code } }),
    }
}

fn to_json(answer: impl serde::Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}

/// Its token is the adapter's own: only whether there is one.
fn page(page: Page) -> Value {
    let mut json = json!({ "candidates": page.candidates, "more": page.next.is_some() });
    if let Some(object) = json.as_object_mut() {
        let mut put = |key: &str, value: Value| {
            if !value.is_null() && value != json!([]) {
                object.insert(key.to_owned(), value);
            }
        };
        put("total", to_json(page.total));
        put("extra", to_json(page.extra));
        put("unmapped", to_json(page.unmapped));
    }
    json
}

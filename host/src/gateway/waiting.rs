//! A module's answer, waited for: what one call may use is counted over all the steps that a
//! registry's `pending` divides it into.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::GatewayError;
use super::audited::{Resume, Running, Start};
use super::roster::Entry;
use crate::config::limits::CallLimits;
use crate::model::Call;
use crate::sandbox::{Answer, Fault, Lent, Pending, Usage, Work};

/// A module that answers `pending` without end must not spin the gateway.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
/// Nor fill its time with instances: each step is a fresh one.
const MAX_STEPS: u32 = 100;

/// The answer or its absence, and what it used.
pub(super) struct Outcome<T> {
    pub(super) result: Result<T, GatewayError>,
    pub(super) spent: Spent,
}

/// What a call used, and waited for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    pub(super) usage: Usage,
    /// For a turn.
    pub(super) turn_wait: Duration,
}

/// Calls the module, and goes on with it for as long as the call's limits allow.
pub(super) async fn ask<T>(
    entry: &Arc<Entry>,
    call: Arc<Call>,
    start: Start<T>,
    resume: Resume<T>,
) -> Outcome<T> {
    let began = Instant::now();
    let turn = entry.turn().await;
    let turn_wait = began.elapsed();
    let _turn = match turn {
        Ok(turn) => turn,
        Err(error) => {
            return Outcome {
                result: Err(error),
                spent: Spent {
                    turn_wait,
                    ..Spent::default()
                },
            };
        }
    };
    let lent = Lent::new(call, entry.settings.clone(), entry.endpoints.clone());
    let budget = Budget::new(lent, entry.limits.clone());
    let mut outcome = go_on(
        budget,
        |work| start(entry.clone(), work),
        |work, pending| resume(entry.clone(), work, pending.state),
    )
    .await;
    outcome.spent.turn_wait = turn_wait;
    outcome
}

/// What is left to one call.
struct Budget {
    /// One for all steps: its clones count together what goes to the registry and comes back.
    lent: Lent,
    limits: Arc<CallLimits>,
    deadline: Instant,
    steps: u32,
    usage: Usage,
}

impl Budget {
    fn new(lent: Lent, limits: Arc<CallLimits>) -> Self {
        let deadline = Instant::now() + Duration::from_millis(limits.wall_ms);
        Self {
            lent,
            limits,
            deadline,
            steps: 0,
            usage: Usage::default(),
        }
    }

    /// The means of the next step, with the processor time that is left.
    fn work(&mut self) -> Result<Work, Fault> {
        self.steps += 1;
        let used = u64::try_from(self.usage.cpu.as_millis()).unwrap_or(u64::MAX);
        let left = self.limits.cpu_ms.saturating_sub(used);
        if left == 0 {
            return Err(Fault::OutOfCpu);
        }
        let mut limits = self.limits.clone();
        if left < limits.cpu_ms {
            Arc::make_mut(&mut limits).cpu_ms = left;
        }
        Ok(Work {
            lent: self.lent.clone(),
            limits,
            deadline: self.deadline,
        })
    }

    fn used(&mut self, step: &Usage) {
        let total = &mut self.usage;
        total.cpu += step.cpu;
        total.wall += step.wall;
        total.memory = total.memory.max(step.memory);
        // Counted in `lent`, for all steps so far.
        total.http_calls = step.http_calls;
        total.http_wait = step.http_wait;
        total.http_ends = step.http_ends;
    }

    /// How long to wait before the next step. None: there will be none in this call.
    fn wait(&self, pending: &Pending) -> Option<Duration> {
        // Without a time to ask again only a callback brings the answer.
        let wait = Duration::from_millis(pending.retry_after_ms?.into()).max(SHORTEST_WAIT);
        let in_time = Instant::now() + wait < self.deadline;
        (in_time && self.steps < MAX_STEPS).then_some(wait)
    }
}

async fn go_on<T>(
    mut budget: Budget,
    start: impl FnOnce(Work) -> Running<T>,
    resume: impl Fn(Work, Pending) -> Running<T>,
) -> Outcome<T> {
    let result = match budget.work() {
        Ok(work) => steps(&mut budget, start(work), resume).await,
        Err(fault) => Err(GatewayError::Fault(fault)),
    };
    Outcome {
        result,
        spent: Spent {
            usage: budget.usage,
            ..Spent::default()
        },
    }
}

async fn steps<T>(
    budget: &mut Budget,
    first: Running<T>,
    resume: impl Fn(Work, Pending) -> Running<T>,
) -> Result<T, GatewayError> {
    let mut running = first;
    loop {
        let ran = running.await;
        budget.used(&ran.usage);
        let pending = match ran.result.map_err(GatewayError::Fault)? {
            Err(failure) => return Err(GatewayError::Failure(failure)),
            Ok(Answer::Done(value)) => return Ok(value),
            Ok(Answer::Pending(pending)) => pending,
        };
        let Some(wait) = budget.wait(&pending) else {
            return Err(GatewayError::StillPending {
                retry_after_ms: pending.retry_after_ms,
            });
        };
        tokio::time::sleep(wait).await;
        let work = budget.work().map_err(GatewayError::Fault)?;
        running = resume(work, pending);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;
    use crate::egress::{Egress, Endpoints};
    use crate::model::Opaque;
    use crate::sandbox::Ran;

    fn budget(cpu_ms: u64) -> Budget {
        let endpoints = Endpoints::build(
            &Egress::new(),
            "social",
            &BTreeMap::new(),
            &BTreeMap::new(),
            &BTreeMap::new(),
        );
        let lent = Lent::new(
            Arc::default(),
            Arc::default(),
            Arc::new(endpoints.expect("no endpoints")),
        );
        let limits = CallLimits {
            cpu_ms,
            ..CallLimits::default()
        };
        Budget::new(lent, Arc::new(limits))
    }

    /// A step that used so much, and has no answer.
    fn pending(cpu_ms: u64, http_calls: u32) -> Running<()> {
        Box::pin(async move {
            Ran {
                result: Ok(Ok(Answer::Pending(Pending {
                    reference: None,
                    state: Opaque {
                        schema: 1,
                        data: Vec::new(),
                    },
                    retry_after_ms: Some(0),
                }))),
                usage: Usage {
                    cpu: Duration::from_millis(cpu_ms),
                    http_calls,
                    ..Usage::default()
                },
            }
        })
    }

    #[tokio::test]
    async fn processor_time_is_one_budget_for_all_steps() {
        let given = Mutex::new(Vec::new());
        let outcome = go_on(
            budget(100),
            |work| {
                given.lock().unwrap().push(work.limits.cpu_ms);
                pending(40, 2)
            },
            |work, _| {
                let mut given = given.lock().unwrap();
                given.push(work.limits.cpu_ms);
                let so_far = u32::try_from(given.len()).unwrap() * 2;
                pending(40, so_far)
            },
        )
        .await;
        assert!(matches!(
            outcome.result,
            Err(GatewayError::Fault(Fault::OutOfCpu))
        ));
        assert_eq!(*given.lock().unwrap(), [100, 60, 20]);
        let usage = outcome.spent.usage;
        assert_eq!(usage.cpu, Duration::from_millis(120));
        assert_eq!(usage.http_calls, 6, "the last step's, not their sum");
    }

    #[tokio::test]
    async fn a_call_has_only_so_many_steps() {
        let steps = Mutex::new(0);
        let count = || {
            *steps.lock().unwrap() += 1;
            pending(0, 0)
        };
        let outcome = go_on(budget(100), |_| count(), |_, _| count()).await;
        assert!(matches!(
            outcome.result,
            Err(GatewayError::StillPending { .. })
        ));
        assert_eq!(*steps.lock().unwrap(), MAX_STEPS);
    }
}

//! A module's answer, waited for: what one call may use is counted over all the steps that a
//! registry's `pending` divides it into, and over each attempt at them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::audited::{Resume, Running, Start};
use super::called_back::Hearing;
use super::later::Way;
use super::retry::Retry;
use crate::config::limits::CallLimits;
use crate::config::retry::RetryConfig;
use crate::egress::{Endpoints, Mark};
use crate::gateway::roster::Entry;
use crate::gateway::{Gateway, GatewayError};
use crate::model::{Call, Failure};
use crate::sandbox::{Answer, Fault, Lent, Pending, PendingAnswer, Usage, Work};

/// A module that answers `pending` without end must not spin the gateway.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
/// Nor fill its time with instances: each step is a fresh one.
const MAX_STEPS: u32 = 100;

/// The answer or its absence, and what it used.
pub(in crate::gateway) struct Outcome<T> {
    pub(in crate::gateway) result: Result<T, GatewayError>,
    pub(in crate::gateway) spent: Spent,
    /// Where the adapter goes on, of a call whose caller comes back.
    pub(in crate::gateway) left: Option<Pending>,
    /// The references whose answers the adapter was given.
    pub(in crate::gateway) used: Vec<String>,
}

impl<T> Outcome<T> {
    /// Without anything that was used.
    pub(in crate::gateway) fn of(result: Result<T, GatewayError>) -> Self {
        Self {
            result,
            spent: Spent::default(),
            left: None,
            used: Vec::new(),
        }
    }
}

/// What a call used, and waited for.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::gateway) struct Spent {
    pub(in crate::gateway) usage: Usage,
    /// Steps that were made again.
    pub(in crate::gateway) retries: u32,
    /// For a turn.
    pub(in crate::gateway) turn_wait: Duration,
    /// The answer is not what its last attempt came to: the limits of the call cut that off.
    pub(in crate::gateway) cut: bool,
    /// It waited for a callback: what it was answered itself is not all that there is.
    pub(in crate::gateway) called_back: bool,
}

/// Calls the module, and goes on with it for as long as the call's limits allow.
pub(in crate::gateway) async fn ask<T>(
    gateway: &Gateway,
    entry: &Arc<Entry>,
    endpoints: Arc<Endpoints>,
    call: Arc<Call>,
    start: &Start<T>,
    resume: Resume<T>,
) -> Outcome<T> {
    let way = Way::default();
    ask_by(gateway, entry, endpoints, call, (start, resume), &way).await
}

/// The same for a caller who may come back, or has.
pub(in crate::gateway) async fn ask_by<T>(
    gateway: &Gateway,
    entry: &Arc<Entry>,
    endpoints: Arc<Endpoints>,
    call: Arc<Call>,
    (start, resume): (&Start<T>, Resume<T>),
    way: &Way,
) -> Outcome<T> {
    let began = Instant::now();
    let from = way.goes_on();
    let turn = match &from {
        None => entry.turn().await,
        Some(_) => {
            let own_limit = Duration::from_millis(entry.limits.wall_ms);
            entry.turn_until(began + own_limit).await
        }
    };
    let turn_wait = began.elapsed();
    let hearing = match turn {
        Ok(turn) => Hearing::new(gateway, entry, turn),
        Err(error) => {
            let mut outcome = Outcome::of(Err(error));
            outcome.spent.turn_wait = turn_wait;
            return outcome;
        }
    };
    let lent = Lent::new(call, entry.settings.clone(), endpoints);
    let mut budget = Budget::new(lent, entry.limits.clone(), &entry.retry);
    budget.hearing = Some(hearing);
    budget.from = from;
    budget.leaves_at = way.leaves_at(began);
    let mut outcome = go_on(
        budget,
        |work| start(entry.clone(), work),
        |work, pending, answer| resume(entry.clone(), work, pending.state, answer),
    )
    .await;
    outcome.spent.turn_wait = turn_wait;
    outcome
}

/// The same without a turn, since it asks no registry, and without a second attempt: nobody waits.
pub(in crate::gateway) async fn ask_unseen<T>(
    entry: &Arc<Entry>,
    endpoints: Arc<Endpoints>,
    call: Arc<Call>,
    start: &Start<T>,
    resume: Resume<T>,
) -> Result<T, GatewayError> {
    let once = RetryConfig {
        max_attempts: 1,
        ..entry.retry.clone()
    };
    let lent = Lent::new(call, entry.settings.clone(), endpoints);
    let outcome = go_on(
        Budget::new(lent, entry.limits.clone(), &once),
        |work| start(entry.clone(), work),
        |work, pending, answer| resume(entry.clone(), work, pending.state, answer),
    );
    outcome.await.result
}

/// What is left to one call.
struct Budget<'a> {
    /// One for all steps: its clones count together what goes to the registry and comes back.
    lent: Lent,
    limits: Arc<CallLimits>,
    deadline: Instant,
    steps: u32,
    usage: Usage,
    retry: Retry,
    retries: u32,
    cut: bool,
    /// Where the step that is under way began on the tape of the call, if it has one.
    began: Option<Mark>,
    /// None: nobody calls back, as where nothing is sent.
    hearing: Option<Hearing<'a>>,
    /// Where the first step goes on.
    from: Option<(Pending, Option<PendingAnswer>)>,
    /// When the caller goes, to come back. None: it waits.
    leaves_at: Option<Instant>,
    left: Option<Pending>,
    used: Vec<String>,
}

impl Budget<'_> {
    fn new(lent: Lent, limits: Arc<CallLimits>, retry: &RetryConfig) -> Self {
        let deadline = Instant::now() + Duration::from_millis(limits.wall_ms);
        Self {
            lent,
            limits,
            deadline,
            steps: 0,
            usage: Usage::default(),
            retry: Retry::new(retry),
            retries: 0,
            cut: false,
            began: None,
            hearing: None,
            from: None,
            leaves_at: None,
            left: None,
            used: Vec::new(),
        }
    }

    /// The means of the next step, with the processor time that is left.
    fn work(&mut self) -> Result<Work, Fault> {
        self.steps += 1;
        self.began = self.lent.endpoints.as_ref().map(|it| it.mark());
        let left = self.cpu_left_ms();
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

    fn cpu_left_ms(&self) -> u64 {
        let used = u64::try_from(self.usage.cpu.as_millis()).unwrap_or(u64::MAX);
        self.limits.cpu_ms.saturating_sub(used)
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

    /// Waits for the next step: for the callback, the time to ask again, or whichever comes first.
    /// Gives what the callback brought. A caller who comes back goes before that, where there is
    /// anything to come back for.
    async fn waited(&mut self, pending: &Pending) -> Result<Option<PendingAnswer>, GatewayError> {
        let may_end = pending.reference.is_some() || pending.retry_after_ms.is_some();
        let leaves_at = self.leaves_at.filter(|_| may_end);
        let waited = self.waited_until(pending, leaves_at).await;
        if let (Err(GatewayError::StillPending { .. } | GatewayError::Busy), Some(_)) =
            (&waited, leaves_at)
        {
            self.left = Some(pending.clone());
        }
        waited
    }

    async fn waited_until(
        &mut self,
        pending: &Pending,
        leaves_at: Option<Instant>,
    ) -> Result<Option<PendingAnswer>, GatewayError> {
        let end = leaves_at.map_or(self.deadline, |leaves| leaves.min(self.deadline));
        let again = pending.retry_after_ms.map(|milliseconds| {
            let wait = Duration::from_millis(milliseconds.into()).max(SHORTEST_WAIT);
            Instant::now() + wait
        });
        let again = again.filter(|again| *again < end);
        let still = GatewayError::StillPending {
            retry_after_ms: pending.retry_after_ms,
        };
        if self.steps >= MAX_STEPS {
            return Err(still);
        }
        let Some((reference, hearing)) = pending.reference.as_ref().zip(self.hearing.as_mut())
        else {
            // Without a time to ask again only a callback brings the answer.
            tokio::time::sleep_until(again.ok_or(still)?).await;
            return Ok(None);
        };
        let answer = hearing.hear(reference, again.unwrap_or(end)).await?;
        if answer.is_none() && again.is_none() {
            return Err(still);
        }
        hearing.take_turn(end).await?;
        Ok(answer)
    }

    /// How long to wait before the step that failed is made again. None: the failure is the answer.
    fn wait_again(&mut self, failure: &Failure) -> Option<Duration> {
        // What the last attempt did may have let an endpoint rest.
        let rests = self.lent.endpoints.as_ref().is_some_and(|it| it.resting());
        if rests || self.cpu_left_ms() == 0 {
            return None;
        }
        let wait = self.retry.wait(failure, self.lent.trail())?;
        // An attempt that could not end would only hide why the first one failed.
        self.has_room(wait).then_some(wait)
    }

    fn has_room(&self, wait: Duration) -> bool {
        Instant::now() + wait < self.deadline && self.steps < MAX_STEPS
    }

    fn again(&mut self) {
        self.retries += 1;
        if let (Some(endpoints), Some(mark)) = (&self.lent.endpoints, self.began) {
            endpoints.rewind(mark);
        }
        self.lent.again();
    }
}

async fn go_on<T>(
    mut budget: Budget<'_>,
    start: impl Fn(Work) -> Running<T>,
    resume: impl Fn(Work, Pending, Option<PendingAnswer>) -> Running<T>,
) -> Outcome<T> {
    let result = steps(&mut budget, start, resume).await;
    Outcome {
        result,
        spent: Spent {
            usage: budget.usage,
            retries: budget.retries,
            cut: budget.cut,
            called_back: budget.hearing.is_some_and(|it| it.waited),
            ..Spent::default()
        },
        left: budget.left,
        used: budget.used,
    }
}

async fn steps<T>(
    budget: &mut Budget<'_>,
    start: impl Fn(Work) -> Running<T>,
    resume: impl Fn(Work, Pending, Option<PendingAnswer>) -> Running<T>,
) -> Result<T, GatewayError> {
    let mut from = budget.from.take();
    let mut failed: Option<Failure> = None;
    loop {
        let work = budget.work().map_err(GatewayError::Fault)?;
        let running = match &from {
            None => start(work),
            Some((pending, answer)) => {
                if let Some(answer) = answer {
                    budget.used.push(answer.reference.clone());
                }
                resume(work, pending.clone(), answer.clone())
            }
        };
        let ran = running.await;
        budget.used(&ran.usage);
        let result = match (ran.result, failed.take()) {
            // What the call's limits cut off is the attempt that they had no room for: the answer is
            // why it was made.
            (Err(Fault::OutOfTime | Fault::OutOfCpu), Some(failure)) => {
                budget.cut = true;
                return Err(GatewayError::Failure(failure));
            }
            (result, _) => result.map_err(GatewayError::Fault)?,
        };
        match result {
            Ok(Answer::Done(value)) => return Ok(value),
            Ok(Answer::Pending(pending)) => {
                let answer = budget.waited(&pending).await?;
                from = Some((pending, answer));
            }
            Err(failure) => {
                let Some(wait) = budget.wait_again(&failure) else {
                    return Err(GatewayError::Failure(failure));
                };
                tokio::time::sleep(wait).await;
                budget.again();
                failed = Some(failure);
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! What stands before an endpoint, so that a registry is not flooded: opening hours, rest after
//! failures or at the registry's own word, requests at the same time, requests a day, requests per
//! second.
//!
//! In this order: what refuses at once comes first, and the rate last, since only what begins right
//! behind it is evenly spaced. Whatever is refused here was not sent.

mod breaker;
mod day;
mod guards;
mod rate;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use self::breaker::{Breaker, Rest, Ticket, Verdict};
use self::verdict::{asked_to_wait, verdict};
use super::cluster::{Ledger, Share};
use super::exchange::{ProblemKind, Response, SendError};
use crate::config::traffic::{OpeningHours, TrafficConfig};

pub use self::day::{Day, NoneLeft};
pub(super) use self::guards::Guards;
pub use self::rate::Rate;

/// When to come again where all requests at the same time are taken: nobody knows.
const IN_FLIGHT_AGAIN: Duration = Duration::from_secs(1);

/// Why a guard lets a request not through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Outside the opening hours.
    Closed,
    /// It rests after failures.
    Failing,
    /// It rests because it said `Retry-After`.
    Asked,
    /// As many at the same time as it takes.
    InFlight,
    /// As many per second as it takes.
    Rate,
    /// As many in a day as it takes.
    Day,
    /// Nobody can tell how many it had today.
    Uncounted,
}

/// One endpoint's guard. It outlives the endpoint that it was built for, see [`Guards`].
pub(super) struct Guard {
    /// `registry/endpoint`, for the log.
    name: String,
    hours: Option<OpeningHours>,
    breaker: Breaker,
    in_flight: Option<Arc<Semaphore>>,
    day: Option<Arc<Day>>,
    rate: Option<Rate>,
    max_wait: Duration,
    max_retry_after: Duration,
    refused: [AtomicU64; Refusal::ALL.len()],
}

/// A request that may go out. Dropped without [`Pass::settle`], it tells nothing of the endpoint,
/// unless its time had run out.
pub(super) struct Pass {
    guard: Arc<Guard>,
    ticket: Ticket,
    deadline: Instant,
    began: bool,
    settled: bool,
    _in_flight: Option<OwnedSemaphorePermit>,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Closed,
        Self::Failing,
        Self::Asked,
        Self::InFlight,
        Self::Rate,
        Self::Day,
        Self::Uncounted,
    ];

    /// The word for it in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Failing => "failing",
            Self::Asked => "asked",
            Self::InFlight => "in-flight",
            Self::Rate => "rate",
            Self::Day => "day",
            Self::Uncounted => "uncounted",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Closed => "the endpoint is outside its opening hours",
            Self::Failing => "the endpoint rests after failures",
            Self::Asked => "the endpoint rests, as the registry asked by Retry-After",
            Self::InFlight => "the endpoint has as many requests as it takes",
            Self::Rate => "the endpoint has had as many requests per second as it takes",
            Self::Day => "the endpoint has had as many requests today as it takes",
            Self::Uncounted => "what the endpoint has had today cannot be counted now",
        }
    }
}

impl Guard {
    fn new(
        name: String,
        config: &TrafficConfig,
        ledger: Option<Arc<dyn Ledger>>,
        share: &Arc<Share>,
    ) -> Self {
        let permits = config
            .max_in_flight
            .map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        let day = config.per_day.as_ref().map(|per_day| {
            let zone = per_day.zone.time_zone().clone();
            Day::new(format!("endpoint {name}"), per_day.requests, zone, ledger)
        });
        Self {
            name,
            day,
            hours: config.opening_hours.clone(),
            breaker: Breaker::new(config.breaker.clone()),
            in_flight: permits
                .map(|most| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)))),
            rate: config
                .requests_per_second
                .map(|rate| Rate::new(rate, config.burst, Arc::clone(share))),
            max_wait: Duration::from_millis(config.max_wait_ms),
            max_retry_after: Duration::from_millis(config.max_retry_after_ms),
            refused: Default::default(),
        }
    }

    /// Lets a request through that ends at `deadline`, when its turn has come.
    pub(super) async fn enter(self: &Arc<Self>, deadline: Instant) -> Result<Pass, SendError> {
        if let Some(closed) = self
            .hours
            .as_ref()
            .and_then(|hours| hours.closed_for(Timestamp::now()))
        {
            return Err(self.refuse(Refusal::Closed, closed));
        }
        let now = Instant::now();
        // At most half of the request's time: what waited longer would run out of it, and our own queue
        // would look like a registry that does not answer.
        let left = deadline.saturating_duration_since(now);
        let by = now + self.max_wait.min(left / 2);
        let mut pass = Pass {
            ticket: self.breaker.enter(now).map_err(|rest| self.rests(rest))?,
            guard: Arc::clone(self),
            deadline,
            began: false,
            settled: false,
            _in_flight: None,
        };
        if let Some(in_flight) = &self.in_flight {
            match timeout_at(by, Arc::clone(in_flight).acquire_owned()).await {
                Ok(Ok(permit)) => pass._in_flight = Some(permit),
                Ok(Err(_)) | Err(_) => return Err(self.refuse(Refusal::InFlight, IN_FLIGHT_AGAIN)),
            }
        }
        let counted = match &self.day {
            Some(day) => Some(day.take(by).await.map_err(|none| self.used_up(&none))?),
            None => None,
        };
        if let Some(rate) = &self.rate {
            rate.turn(by)
                .await
                .map_err(|wait| self.refuse(Refusal::Rate, wait))?;
        }
        // What others learned while this one waited.
        let now = Instant::now();
        self.breaker
            .still(&mut pass.ticket, now)
            .map_err(|rest| self.rests(rest))?;
        if let Some(counted) = counted {
            counted.used();
        }
        pass.began = true;
        Ok(pass)
    }

    /// Whether it rests now, by failures or by the registry's word.
    pub(super) fn resting(&self) -> bool {
        self.breaker.resting(Instant::now())
    }

    /// Gives back what was taken of the day and not used for so long.
    pub(super) async fn give_back(&self, unused: Duration) {
        if let Some(day) = &self.day {
            day.give_back(unused).await;
        }
    }

    /// How many requests it refused, by reason.
    pub(super) fn refusals(&self) -> impl Iterator<Item = (Refusal, u64)> {
        let counts = self.refused.iter().map(|count| count.load(Relaxed));
        Refusal::ALL.into_iter().zip(counts)
    }

    fn rests(&self, rest: Rest) -> SendError {
        let why = if rest.asked {
            Refusal::Asked
        } else {
            Refusal::Failing
        };
        self.refuse(why, rest.left)
    }

    fn used_up(&self, none: &NoneLeft) -> SendError {
        match *none {
            NoneLeft::Today(wait) => self.refuse(Refusal::Day, wait),
            NoneLeft::Unknown(wait) => self.refuse(Refusal::Uncounted, wait),
        }
    }

    fn refuse(&self, why: Refusal, wait: Duration) -> SendError {
        if let Some((_, count)) = Refusal::ALL
            .iter()
            .zip(&self.refused)
            .find(|(one, _)| **one == why)
        {
            count.fetch_add(1, Relaxed);
        }
        let mut error = SendError::not_sent(ProblemKind::Resting, why.message());
        let wait = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        error.retry_after_ms = Some(wait.max(1));
        error
    }

    fn learn(&self, ticket: &Ticket, verdict: Verdict) {
        let now = Instant::now();
        if self.breaker.learn(ticket, verdict, now) {
            let resting = self.breaker.resting(now);
            tracing::warn!(
                endpoint = self.name,
                resting,
                "the endpoint's breaker turned"
            );
        }
    }
}

impl Pass {
    /// Tells what came of the request.
    pub(super) fn settle(mut self, result: &Result<Response, SendError>) {
        self.settled = true;
        self.guard.learn(&self.ticket, verdict(result));
        if let Some(wait) = result.as_ref().ok().and_then(asked_to_wait) {
            let wait = wait.min(self.guard.max_retry_after);
            if !wait.is_zero() {
                self.guard.breaker.rest(wait, Instant::now());
                let rest_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(
                    endpoint = self.guard.name,
                    rest_ms,
                    "the registry asked to be left alone"
                );
            }
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        // A call whose own time ends with the request's is cut off before the request can say so.
        let timed_out = self.began && Instant::now() >= self.deadline;
        let verdict = if timed_out {
            Verdict::Failed
        } else {
            Verdict::Unknown
        };
        self.guard.learn(&self.ticket, verdict);
    }
}

#[cfg(test)]
mod tests;

//! Leaves an endpoint alone that fails, or that asks for it, then lets one request try it.
//!
//! The caller brings the time, so that all of it can be told in tests.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::traffic::BreakerConfig;

/// When to come again while another request tries the endpoint: nobody knows how long that takes.
const TRIAL_AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Breaker {
    config: BreakerConfig,
    state: Mutex<State>,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Answered,
    Failed,
    /// Neither: it never went out, or nobody waited for its end.
    Unknown,
}

/// Admission to one period: what a request learns counts in the period that it began in, since an
/// answer to what was sent before the rest says nothing of the time after it.
pub(super) struct Ticket {
    period: u64,
}

/// It rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) left: Duration,
    /// By the registry's own word.
    pub(super) asked: bool,
}

struct State {
    phase: Phase,
    /// One more with each change of phase.
    period: u64,
}

enum Phase {
    Open(Tally),
    Resting {
        until: Instant,
        asked: bool,
    },
    /// One request is under way, to try it.
    Trying {
        asked: bool,
    },
}

#[derive(Default)]
struct Tally {
    in_a_row: u32,
    /// Whether each of the last ones failed.
    last: VecDeque<bool>,
}

impl Breaker {
    pub(super) fn new(config: BreakerConfig) -> Self {
        let phase = Phase::Open(Tally::default());
        let state = Mutex::new(State { phase, period: 0 });
        Self { config, state }
    }

    /// Admits a request. Of those after a rest the first alone, until it is known what came of it.
    pub(super) fn enter(&self, now: Instant) -> Result<Ticket, Rest> {
        let mut state = self.state();
        if let Some(rest) = state.rest(now) {
            return Err(rest);
        }
        if let Phase::Resting { asked, .. } = state.phase {
            state.turn(Phase::Trying { asked });
        }
        Ok(Ticket {
            period: state.period,
        })
    }

    /// Whether a request that was admitted, and had to wait since, may still go out.
    pub(super) fn still(&self, ticket: &mut Ticket, now: Instant) -> Result<(), Rest> {
        let state = self.state();
        if ticket.period == state.period {
            return Ok(());
        }
        match state.phase {
            Phase::Open(_) => {
                ticket.period = state.period;
                Ok(())
            }
            // Another will try it: this one's place is behind that.
            Phase::Resting { .. } | Phase::Trying { .. } => Err(state.rest(now).unwrap_or(Rest {
                left: TRIAL_AGAIN,
                asked: false,
            })),
        }
    }

    /// Takes in what came of a request. Gives whether that changed how others are admitted.
    pub(super) fn learn(&self, ticket: &Ticket, verdict: Verdict, now: Instant) -> bool {
        let mut state = self.state();
        if ticket.period != state.period {
            return false;
        }
        let resting = Phase::Resting {
            until: now + Duration::from_millis(self.config.rest_ms),
            asked: false,
        };
        let next = match (&mut state.phase, verdict) {
            (Phase::Resting { .. }, _) | (Phase::Open(_), Verdict::Unknown) => return false,
            (Phase::Open(tally), _) => {
                if !tally.full(&self.config, verdict == Verdict::Failed) {
                    return false;
                }
                resting
            }
            (Phase::Trying { .. }, Verdict::Failed) if self.config.is_on() => resting,
            (Phase::Trying { .. }, Verdict::Answered | Verdict::Failed) => {
                Phase::Open(Tally::default())
            }
            // The next one tries it.
            (Phase::Trying { asked }, Verdict::Unknown) => Phase::Resting {
                until: now,
                asked: *asked,
            },
        };
        state.turn(next);
        true
    }

    /// Lets it rest by the registry's own word; never shorter than it does already.
    pub(super) fn rest(&self, wait: Duration, now: Instant) {
        let mut state = self.state();
        let until = match state.phase {
            Phase::Resting { until, .. } => until.max(now + wait),
            Phase::Open(_) | Phase::Trying { .. } => now + wait,
        };
        state.turn(Phase::Resting { until, asked: true });
    }

    pub(super) fn resting(&self, now: Instant) -> bool {
        self.state().rest(now).is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics, and each change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BreakerConfig {
    fn is_on(&self) -> bool {
        self.consecutive_failures > 0 || self.failure_percent > 0
    }
}

impl State {
    fn turn(&mut self, phase: Phase) {
        self.phase = phase;
        self.period += 1;
    }

    fn rest(&self, now: Instant) -> Option<Rest> {
        match self.phase {
            Phase::Open(_) => None,
            Phase::Resting { until, asked } => {
                let left = until.saturating_duration_since(now);
                (!left.is_zero()).then_some(Rest { left, asked })
            }
            Phase::Trying { asked } => Some(Rest {
                left: TRIAL_AGAIN,
                asked,
            }),
        }
    }
}

impl Tally {
    /// Takes in one more, and says whether that is enough.
    fn full(&mut self, config: &BreakerConfig, failed: bool) -> bool {
        self.in_a_row = if failed { self.in_a_row + 1 } else { 0 };
        let in_a_row =
            config.consecutive_failures > 0 && self.in_a_row >= config.consecutive_failures;
        let window = usize::try_from(config.window_requests).unwrap_or(usize::MAX);
        self.last.push_back(failed);
        if self.last.len() > window {
            self.last.pop_front();
        }
        let lost = self.last.iter().filter(|failed| **failed).count();
        let percent = usize::try_from(config.failure_percent).unwrap_or(usize::MAX);
        let many = percent > 0 && self.last.len() == window && lost * 100 >= percent * window;
        in_a_row || failed && many
    }
}

#[cfg(test)]
mod tests;

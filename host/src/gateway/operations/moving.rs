//! Where an operation goes from what came of an attempt.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::{SignedDuration, Timestamp};

use super::Delivery;
use super::ended::{Ended, Why};
use crate::gateway::Gateway;
use crate::store::{Awaited, Moved, Operation, OperationState};

/// A registry is not asked again sooner, whatever its adapter says.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
/// An adapter that fails to tell of a write, for another reason than that the registry is away, is
/// asked for so long: then a person must settle it, who can only do so when nobody else does.
const ASKED_IN_VAIN: SignedDuration = SignedDuration::from_hours(1);

impl Gateway {
    /// Where it goes. `from` is where it stood before the attempt.
    pub(super) fn moved(
        &self,
        operation: &Operation,
        ended: Ended,
        can_trace: bool,
        attempts: u32,
    ) -> std::io::Result<Moved> {
        let at = Timestamp::now();
        let over = at >= operation.give_up_at;
        let delivery = &self.inner.delivery;
        let due = |after: Duration| Some(later(at, after).min(operation.give_up_at).max(at));
        // A registry that took the first step of a write must not be sent that again.
        let goes_on = operation.adapter_state.is_some();
        Ok(match ended {
            Ended::Applied(receipt) => Moved {
                receipt: Some(self.seal_receipt(operation.id, &receipt)?),
                ..to(OperationState::Applied, at, Why::default())
            },
            Ended::Refused(state, why) => to(state, at, why),
            Ended::Later(why, _) if over && goes_on => to(OperationState::OutcomeUnknown, at, why),
            Ended::Later(why, _) if over => to(OperationState::GivenUp, at, why),
            Ended::Later(why, after) => {
                let after = delivery.wait(attempts).max(after.unwrap_or_default());
                let state = match goes_on {
                    true => OperationState::Pending,
                    false => OperationState::Waiting,
                };
                Moved {
                    due_at: due(after),
                    adapter_state: operation.adapter_state.clone(),
                    ..to(state, at, why)
                }
            }
            Ended::Absent if over => to(OperationState::GivenUp, at, Why::word("absent")),
            // Less and less often: what swallows writes may go on doing so.
            Ended::Absent => Moved {
                due_at: due(delivery.wait(attempts)),
                ..to(OperationState::Waiting, at, Why::word("absent"))
            },
            Ended::Pending(pending) => {
                let after = pending.retry_after_ms.map(u64::from);
                let after = after.map(|ms| Duration::from_millis(ms).max(SHORTEST_WAIT));
                let reference = pending.reference.map(|reference| {
                    let fingerprint = &self.inner.fingerprint;
                    fingerprint.of_reference(&operation.registry, &reference)
                });
                Moved {
                    // Without a time only a callback brings the answer, or the end of all patience.
                    // After that end too.
                    due_at: match over {
                        true => None,
                        false => after.map_or(Some(operation.give_up_at), due),
                    },
                    adapter_state: Some(self.seal_state(operation.id, pending.state)?),
                    // None too: a late callback of the step before is no answer to this one.
                    reference: Awaited::Now(reference),
                    ..match over {
                        true => to(OperationState::OutcomeUnknown, at, Why::word("pending")),
                        false => to(OperationState::Pending, at, Why::default()),
                    }
                }
            }
            Ended::Unclear(why, _) if over || !can_trace || in_vain(operation, &why, at) => {
                to(OperationState::OutcomeUnknown, at, why)
            }
            Ended::Unclear(why, after) => {
                let wait = match operation.state {
                    OperationState::Delivering => delivery.wait_since(operation, at),
                    _ => delivery.wait(attempts),
                };
                let after = wait.max(after.unwrap_or_default());
                Moved {
                    due_at: due(after),
                    adapter_state: operation.adapter_state.clone(),
                    ..to(OperationState::Delivering, at, why)
                }
            }
            Ended::Unknown(why) => to(OperationState::OutcomeUnknown, at, why),
        })
    }

    /// It stays where it is for a while: what it needs is not here.
    pub(super) fn stays(operation: &Operation, reason: &str, after: Duration) -> Moved {
        let at = Timestamp::now();
        let state = match operation.state {
            OperationState::Accepted => OperationState::Waiting,
            state => state,
        };
        Moved {
            due_at: Some(later(at, after)),
            adapter_state: operation.adapter_state.clone(),
            ..to(state, at, Why::word(reason))
        }
    }
}

impl Delivery {
    /// Before the attempt that follows so many: twice as long as before the last, and a part more by
    /// chance, lest all that failed together come again together.
    pub(super) fn wait(&self, attempts: u32) -> Duration {
        let waits = ExponentialBuilder::new()
            .with_min_delay(self.first_wait())
            .with_max_delay(self.max_wait())
            .without_max_times()
            .with_jitter();
        let before = usize::try_from(attempts.saturating_sub(1)).unwrap_or(0);
        let wait = waits.build().nth(before.min(64));
        wait.unwrap_or(self.max_wait()).min(self.max_wait())
    }

    /// Before the next question about an attempt: as long as it is ago.
    fn wait_since(&self, operation: &Operation, at: Timestamp) -> Duration {
        let began = operation.attempted_at.unwrap_or(at);
        let ago = Duration::try_from(at.duration_since(began)).unwrap_or_default();
        ago.clamp(self.first_wait(), self.max_wait())
    }
}

fn in_vain(operation: &Operation, why: &Why, at: Timestamp) -> bool {
    let asked = operation.state == OperationState::Delivering && why.reason != "unavailable";
    let began = operation.attempted_at.unwrap_or(at);
    asked && at.duration_since(began) > ASKED_IN_VAIN
}

fn later(at: Timestamp, after: Duration) -> Timestamp {
    let after = SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX);
    at.checked_add(after).unwrap_or(Timestamp::MAX)
}

pub(super) fn to(state: OperationState, at: Timestamp, why: Why) -> Moved {
    Moved {
        state,
        at,
        due_at: None,
        reason: Some(why.reason).filter(|reason| !reason.is_empty()),
        code: why.code,
        field: why.field,
        receipt: None,
        adapter_state: None,
        reference: Awaited::AsBefore,
        links: None,
        answered: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_are_not_alike() {
        let delivery = Delivery::new(&Default::default());
        let seconds = |attempts| delivery.wait(attempts).as_secs_f64();
        for (attempts, least) in [(0, 1.0), (1, 1.0), (2, 2.0), (5, 16.0), (11, 600.0)] {
            let wait = seconds(attempts);
            assert!(
                (least..=(2.0_f64 * least).min(600.0)).contains(&wait),
                "{wait}"
            );
        }
        assert_eq!(seconds(u32::MAX), 600.0);
        let several: Vec<_> = (0..20).map(|_| delivery.wait(5)).collect();
        assert!(several.iter().any(|wait| *wait != several[0]));
    }
}

//! Whether a step of a lookup that failed is made again, and after how long.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::config::retry::{RetryConfig, RetryWhen};
use crate::model::Failure;
use crate::sandbox::Trail;

/// The attempts of one call.
pub(in crate::gateway) struct Retry {
    when: RetryWhen,
    max_wait: Duration,
    waits: ExponentialBackoff,
}

impl Retry {
    pub(in crate::gateway) fn new(config: &RetryConfig) -> Self {
        let again = usize::try_from(config.max_attempts.saturating_sub(1)).unwrap_or(0);
        let max_wait = Duration::from_millis(config.max_wait_ms);
        let waits = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(config.first_wait_ms))
            .with_max_delay(max_wait)
            .with_max_times(again)
            .with_jitter();
        Self {
            when: config.when,
            max_wait,
            waits: waits.build(),
        }
    }

    /// How long to wait before the next attempt; None: there is none. `trail` is what became of the
    /// failed attempt's requests. A rest of the endpoints is for the caller to look at.
    pub(in crate::gateway) fn wait(&mut self, failure: &Failure, trail: Trail) -> Option<Duration> {
        let Failure::Unavailable(why) = failure else {
            return None;
        };
        let may = match self.when {
            _ if trail.refused => false,
            RetryWhen::NotSent => trail.not_sent && !trail.unclear,
            RetryWhen::Unavailable => true,
        };
        let asked = Duration::from_millis(why.retry_after_ms.unwrap_or(0).into());
        if !may || asked > self.max_wait {
            return None;
        }
        let wait = self.waits.next()?;
        Some(wait.min(self.max_wait).max(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Refusal, Unavailability};

    const NOT_SENT: Trail = Trail {
        not_sent: true,
        unclear: false,
        refused: false,
        reached: false,
        unanswered: false,
    };
    const ANSWERED: Trail = Trail {
        not_sent: false,
        ..NOT_SENT
    };

    fn unavailable(retry_after_ms: Option<u32>) -> Failure {
        Failure::Unavailable(Unavailability {
            code: None,
            retry_after_ms,
        })
    }

    fn retry(when: RetryWhen, max_attempts: u32) -> Retry {
        Retry::new(&RetryConfig {
            when,
            max_attempts,
            first_wait_ms: 100,
            max_wait_ms: 300,
        })
    }

    #[test]
    fn what_was_not_sent_is_made_again_and_little_else() {
        let unclear = Trail {
            unclear: true,
            ..NOT_SENT
        };
        let refused = Trail {
            refused: true,
            ..NOT_SENT
        };
        for (trail, not_sent, unavailable_) in [
            (NOT_SENT, true, true),
            (ANSWERED, false, true),
            (unclear, false, true),
            (refused, false, false),
        ] {
            for (when, expected) in [
                (RetryWhen::NotSent, not_sent),
                (RetryWhen::Unavailable, unavailable_),
            ] {
                let wait = retry(when, 2).wait(&unavailable(None), trail);
                assert_eq!(wait.is_some(), expected, "{when:?} {trail:?}");
            }
        }
    }

    #[test]
    fn only_unavailable_is_made_again() {
        let why = Refusal::default;
        for failure in [
            Failure::NotFound,
            Failure::Ambiguous(why()),
            Failure::Rejected(why()),
            Failure::Denied(why()),
            Failure::Conflict(why()),
            Failure::Unsupported(why()),
            Failure::Unreadable(why()),
            Failure::Misconfigured(why()),
            Failure::Other(why()),
        ] {
            let wait = retry(RetryWhen::Unavailable, 9).wait(&failure, NOT_SENT);
            assert_eq!(wait, None, "{failure:?}");
        }
    }

    #[test]
    fn waits_grow_to_their_bound_and_end() {
        let mut retry = retry(RetryWhen::NotSent, 5);
        let waits: Vec<u128> = std::iter::from_fn(|| retry.wait(&unavailable(None), NOT_SENT))
            .map(|wait| wait.as_millis())
            .collect();
        assert_eq!(waits.len(), 4, "{waits:?}");
        for (wait, least) in waits.iter().zip([100, 200, 300, 300]) {
            assert!((least..=(2 * least).min(300)).contains(wait), "{waits:?}");
        }
    }

    #[test]
    fn the_registrys_own_wish_is_kept_or_there_is_no_attempt() {
        let ask = |ms| retry(RetryWhen::Unavailable, 2).wait(&unavailable(Some(ms)), ANSWERED);
        assert_eq!(ask(250).map(|wait| wait.as_millis()), Some(250));
        assert_eq!(ask(300).map(|wait| wait.as_millis()), Some(300));
        assert_eq!(ask(301), None);
        // The registry's 1 ms is shorter than what all keep between attempts.
        assert!(ask(1) >= Some(Duration::from_millis(100)));
    }

    #[test]
    fn one_attempt_is_one() {
        assert_eq!(
            retry(RetryWhen::Unavailable, 1).wait(&unavailable(None), NOT_SENT),
            None
        );
    }
}

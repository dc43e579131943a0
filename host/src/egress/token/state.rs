//! When a token is used, kept, and asked for again. Time is handed in: nothing here waits.
//!
//! The threat: a registry that refuses every token, says that each ends at once, or answers each
//! login with an error, and so many calls that ask. Each login of ours is one more towards a locked
//! account at a registry that counts them, and load at one that does not.

use std::collections::VecDeque;
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use super::credential_error;
use crate::egress::exchange::SendError;

/// All who waited for a login that failed fail with it, instead of each asking again. Doubled with
/// each failure in a row.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// The longest rest, and the longest `Retry-After` that is obeyed: an operator who repairs the
/// server should not wait.
const MAX_REST: Duration = Duration::from_secs(60);
/// Whatever the cause: more than a token of two seconds needs.
pub(super) const MAX_LOGINS_PER_MINUTE: usize = 30;
const MINUTE: Duration = Duration::from_secs(60);

/// A header's value, and from when to when it is good.
#[derive(Clone)]
pub(in crate::egress) struct Token {
    pub(in crate::egress) header: HeaderValue,
    /// Before the login was sent.
    pub(super) asked: Instant,
    /// After its answer was read.
    pub(super) received: Instant,
    pub(super) usable_until: Instant,
}

pub(super) struct State {
    token: Option<Token>,
    failure: Option<Failure>,
    /// The logins of the last minute.
    logins: VecDeque<Instant>,
    /// A refused token younger than this is kept: what is refused is not the token's age.
    keep_refused: Duration,
}

struct Failure {
    until: Instant,
    error: SendError,
    in_a_row: u32,
}

impl State {
    pub(super) fn new(keep_refused: Duration) -> Self {
        Self {
            token: None,
            failure: None,
            logins: VecDeque::new(),
            keep_refused,
        }
    }

    /// What there is for someone who began to wait at `since`. None: it is his to log in, which is
    /// counted.
    pub(super) fn current(
        &mut self,
        since: Instant,
        now: Instant,
    ) -> Option<Result<Token, SendError>> {
        // One that came while he waited is his too, however short its life.
        let good = |token: &&Token| now < token.usable_until || token.received >= since;
        if let Some(token) = self.token.as_ref().filter(good) {
            return Some(Ok(token.clone()));
        }
        if let Some(failure) = self.failure.as_ref().filter(|it| now < it.until) {
            return Some(Err(resting(failure.error.clone(), failure.until - now)));
        }
        let is_old = |login: &Instant| now.duration_since(*login) >= MINUTE;
        while self.logins.front().is_some_and(is_old) {
            self.logins.pop_front();
        }
        match self.logins.front() {
            Some(first) if self.logins.len() >= MAX_LOGINS_PER_MINUTE => {
                let error = credential_error("too many logins in a minute");
                Some(Err(resting(error, MINUTE - (now - *first))))
            }
            _ => {
                self.logins.push_back(now);
                None
            }
        }
    }

    pub(super) fn remember(&mut self, result: &Result<Token, SendError>, now: Instant) {
        match result {
            Ok(token) => {
                self.token = Some(token.clone());
                self.failure = None;
            }
            Err(error) => {
                let in_a_row = self.failure.as_ref().map_or(0, |it| it.in_a_row);
                let own = REST_AFTER_FAILURE * 2_u32.saturating_pow(in_a_row.min(6));
                let asked = error.retry_after_ms.map(u64::from);
                let asked = asked.map(Duration::from_millis).unwrap_or_default();
                self.failure = Some(Failure {
                    until: now + asked.max(own).min(MAX_REST),
                    error: error.clone(),
                    in_a_row: in_a_row + 1,
                });
            }
        }
    }

    /// The registry refused this token. Whether another may be had.
    pub(super) fn refused(&mut self, token: &Token, now: Instant) -> bool {
        match &self.token {
            Some(known) if known.asked != token.asked => true,
            Some(_) if now.duration_since(token.asked) < self.keep_refused => false,
            _ => {
                self.token = None;
                true
            }
        }
    }
}

fn resting(mut error: SendError, rest: Duration) -> SendError {
    error.retry_after_ms = u32::try_from(rest.as_millis()).ok();
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn token(now: Instant, life: Duration) -> Token {
        Token {
            header: HeaderValue::from_static("Bearer t"),
            asked: now,
            received: now,
            usable_until: now + life,
        }
    }

    /// What a call in each hundredth of a second does, for so many seconds; the logins of each
    /// minute.
    fn logins(
        seconds: u32,
        mut answer: impl FnMut(Instant) -> Result<Token, SendError>,
        refuse: bool,
    ) -> Vec<u32> {
        let began = Instant::now();
        let mut state = State::new(Duration::from_secs(10));
        let mut counts = vec![0; seconds.div_ceil(60) as usize];
        for step in 0..seconds * 100 {
            let now = began + Duration::from_millis(10) * step;
            let got = state.current(now, now).unwrap_or_else(|| {
                counts[(step / 6_000) as usize] += 1;
                let result = answer(now);
                state.remember(&result, now);
                result
            });
            if let (true, Ok(token)) = (refuse, got) {
                state.refused(&token, now);
            }
        }
        counts
    }

    #[test]
    fn a_registry_that_refuses_every_token_sees_few_logins() {
        let counts = logins(180, |now| Ok(token(now, 3600 * SECOND)), true);
        assert_eq!(counts, [6, 6, 6], "one in ten seconds");
    }

    #[test]
    fn logins_that_fail_become_rare() {
        let counts = logins(300, |_| Err(credential_error("no")), false);
        assert_eq!(counts[0], 6, "after 1, 3, 7, 15, 31 s");
        assert!(counts[1..].iter().all(|count| *count <= 1), "{counts:?}");
        // One good login, and the next failure rests a second again.
        let now = Instant::now();
        let mut state = State::new(SECOND);
        for _ in 0..5 {
            state.remember(&Err(credential_error("no")), now);
        }
        state.remember(&Ok(token(now, Duration::ZERO)), now);
        state.remember(&Err(credential_error("no")), now);
        let later = now + SECOND + Duration::from_millis(1);
        assert!(state.current(later, later).is_none());
    }

    #[test]
    fn tokens_that_end_at_once_do_not_mean_a_login_each() {
        let counts = logins(120, |now| Ok(token(now, Duration::ZERO)), false);
        let most = u32::try_from(MAX_LOGINS_PER_MINUTE).unwrap();
        assert_eq!(counts, [most, most]);
        let now = Instant::now();
        let mut state = State::new(SECOND);
        for _ in 0..MAX_LOGINS_PER_MINUTE {
            assert!(state.current(now, now).is_none());
        }
        let error = state
            .current(now + SECOND, now + SECOND)
            .unwrap()
            .err()
            .unwrap();
        assert_eq!(error.retry_after_ms, Some(59_000));
    }

    #[test]
    fn who_waited_for_a_login_has_its_token() {
        let began = Instant::now();
        let mut state = State::new(SECOND);
        assert!(state.current(began, began).is_none());
        let done = began + SECOND;
        state.remember(&Ok(token(done, Duration::ZERO)), done);
        let later = done + SECOND;
        assert!(state.current(began, later).is_some_and(|it| it.is_ok()));
        assert!(
            state.current(later, later).is_none(),
            "who came after it has ended"
        );
    }

    #[test]
    fn a_token_that_was_replaced_meanwhile_is_not_refused_again() {
        let began = Instant::now();
        let mut state = State::new(10 * SECOND);
        let (old, new) = (token(began, MINUTE), token(began + 20 * SECOND, MINUTE));
        state.remember(&Ok(new), began + 20 * SECOND);
        let now = began + 40 * SECOND;
        assert!(state.refused(&old, now), "there is another");
        assert!(state.current(now, now).is_some_and(|it| it.is_ok()));
    }

    #[test]
    fn the_readme_says_the_same() {
        let readme = include_str!("../../../../README.md").replace("\n  ", " ");
        let keep = super::super::KEEP_REFUSED.as_secs();
        for words in [
            format!("No more than {MAX_LOGINS_PER_MINUTE} logins are made in a minute"),
            format!(
                "rests of {} to {} s",
                REST_AFTER_FAILURE.as_secs(),
                MAX_REST.as_secs()
            ),
            format!("A token older than {keep} s that a registry refuses"),
        ] {
            assert!(readme.contains(&words), "README lacks: {words}");
        }
    }
}

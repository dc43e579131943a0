//! Tokens: kept until shortly before they expire, and obtained once however many callers wait.
//!
//! Where they come from is [`oauth2`]'s or [`session`]'s to know, when there may be another
//! [`state`]'s.

mod fetch;
mod oauth2;
mod session;
mod state;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

#[cfg(test)]
pub(super) use fetch::usable_for;
pub(super) use fetch::{Fetcher, Login};
pub(super) use oauth2::OAuth2;
pub(super) use session::{Place, Session};
pub(super) use state::Token;

use self::state::State;
use super::exchange::{ProblemKind, SendError};

/// A refused token younger than this is kept: what is refused is not the token's age, and an
/// adapter that loops over refusals must not flood the token endpoint.
pub(super) const KEEP_REFUSED: Duration = Duration::from_secs(10);

/// The tokens of one endpoint.
pub(super) struct TokenSource {
    fetcher: Arc<Fetcher>,
    state: Arc<Mutex<State>>,
}

impl TokenSource {
    pub(super) fn new(fetcher: Fetcher, keep_refused: Duration) -> Self {
        Self {
            fetcher: Arc::new(fetcher),
            state: Arc::new(Mutex::new(State::new(keep_refused))),
        }
    }

    /// A usable token. Any failure is [`ProblemKind::Credential`], and nothing was sent.
    pub(super) async fn get(&self, deadline: Instant) -> Result<Token, SendError> {
        let since = Instant::now();
        let late = |_| credential_error("the token endpoint did not answer in time");
        let lock = Arc::clone(&self.state).lock_owned();
        let mut state = tokio::time::timeout_at(deadline, lock)
            .await
            .map_err(late)?;
        if let Some(known) = state.current(since, Instant::now()) {
            return known;
        }
        let fetcher = Arc::clone(&self.fetcher);
        // On its own task, with the lock: if this caller runs out of time or is dropped, the
        // fetch still serves the others, and no second one starts beside it.
        let fetch = tokio::spawn(async move {
            let result = fetcher.fetch().await;
            state.remember(&result, Instant::now());
            result
        });
        match tokio::time::timeout_at(deadline, fetch).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(credential_error("the token request was given up")),
            Err(elapsed) => Err(late(elapsed)),
        }
    }

    /// The registry refused this token: whoever asks next gets another. Whether there may be one.
    pub(super) async fn refused(&self, token: &Token, deadline: Instant) -> bool {
        // Whoever holds the lock for long is fetching another already.
        match tokio::time::timeout_at(deadline, self.state.lock()).await {
            Ok(mut state) => state.refused(token, Instant::now()),
            Err(_) => false,
        }
    }
}

fn credential_error(message: &str) -> SendError {
    SendError::not_sent(ProblemKind::Credential, message)
}

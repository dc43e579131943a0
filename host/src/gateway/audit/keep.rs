//! Keeps the audit sealed, indexed, and no longer than configured.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Audit, SealError};
use crate::gateway::{Gateway, Inner};

/// How often it is looked whether something is to be done.
const POLL: Duration = Duration::from_secs(1);
/// How often rows are removed that are old enough: all of the audit is gone through before.
const PRUNE: Duration = Duration::from_secs(24 * 60 * 60);
/// What fails is said once in so long.
const QUIET: Duration = Duration::from_secs(60);

impl Gateway {
    /// Rows of before there were checkpoints are covered when this returns: what is asked from now on
    /// waits for its time.
    pub(in crate::gateway) async fn keep_audit(&self) {
        let mut due = Due::default();
        if let Err(error) = seal_when_due(&self.inner, &mut due).await {
            told(&error);
        }
        let weak = Arc::downgrade(&self.inner);
        tokio::spawn(seal(weak.clone(), due));
        tokio::spawn(index(weak.clone()));
        tokio::spawn(prune(weak));
    }

    /// The last rows are covered too.
    pub(in crate::gateway) async fn seal_at_the_end(&self) {
        if let Err(error) = self.inner.audit.seal(&self.inner.store).await {
            told(&error);
        }
    }
}

/// Ends with the gateway: it holds no strong reference while it waits. So do the others.
async fn seal(weak: Weak<Inner>, mut due: Due) {
    while let Some(inner) = weak.upgrade() {
        let sealed = seal_when_due(&inner, &mut due).await;
        drop(inner);
        let wait = match sealed {
            Ok(()) => POLL,
            Err(error) => told(&error),
        };
        tokio::time::sleep(wait).await;
    }
}

/// When the next checkpoint is due, by a clock that nobody sets.
#[derive(Default)]
struct Due {
    /// The number of the last; 0: there is none. Nothing: it was not looked yet.
    last: Option<i64>,
    /// None: never.
    at: Option<Instant>,
}

/// One that another gateway made counts: each covers all chains. Rows that were written before there
/// were checkpoints are covered at once.
async fn seal_when_due(inner: &Inner, due: &mut Due) -> Result<(), SealError> {
    let interval = Duration::from_millis(inner.audit.config.checkpoint_interval_ms.get());
    let last = inner.store.audit().last_checkpoint().await?;
    let number = last.as_ref().map_or(0, |last| last.number);
    let first = due.last.is_none();
    if due.last != Some(number) {
        // As old as it says, where that can be: its clock may have been another.
        let age = last.map(|last| Timestamp::now().duration_since(last.at));
        let age = age.and_then(|age| Duration::try_from(age).ok());
        let left = interval.saturating_sub(age.unwrap_or_default());
        due.last = Some(number);
        due.at = Instant::now().checked_add(left);
    }
    if due.at.is_some_and(|at| at <= Instant::now()) || first && number == 0 {
        inner.audit.seal(&inner.store).await?;
    }
    Ok(())
}

async fn index(weak: Weak<Inner>) {
    while let Some(inner) = weak.upgrade() {
        let indexed = Audit::index(&inner.store).await;
        drop(inner);
        let wait = match indexed {
            Ok(true) => POLL,
            // Calls go first.
            Ok(false) => POLL / 20,
            Err(error) => told(&error),
        };
        tokio::time::sleep(wait).await;
    }
}

async fn prune(weak: Weak<Inner>) {
    let mut next = Instant::now() + QUIET;
    loop {
        tokio::time::sleep_until(next).await;
        next = Instant::now() + PRUNE;
        let Some(inner) = weak.upgrade() else {
            return;
        };
        let pruned = match inner.audit.age(&inner.store).await {
            Ok(None) => return,
            Ok(Some(age)) => (Gateway { inner }).prune_by_itself(age).await,
            Err(error) => Err(error.into()),
        };
        match pruned {
            Ok(rows) => tracing::info!(
                rows,
                "audit rows that were kept for long enough are removed"
            ),
            Err(error) => drop(told(&error)),
        }
    }
}

/// Gives how long to wait before the next try.
fn told(error: &(dyn std::error::Error + 'static)) -> Duration {
    tracing::error!(
        error,
        "the audit is not sealed, indexed or removed as it should be"
    );
    QUIET
}

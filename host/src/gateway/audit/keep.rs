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
    pub(in crate::gateway) fn keep_audit(&self) {
        let weak = Arc::downgrade(&self.inner);
        tokio::spawn(seal(weak.clone()));
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
async fn seal(weak: Weak<Inner>) {
    let begun = Timestamp::now();
    let mut first = true;
    let mut behind = false;
    while let Some(inner) = weak.upgrade() {
        let sealed = seal_when_due(&inner, begun, first).await;
        first = false;
        drop(inner);
        let was_behind = behind;
        behind = matches!(sealed, Err(SealError::ClockBehind { .. }));
        let wait = match sealed {
            Ok(()) => POLL,
            // Said once. It is due again as soon as the clock is right.
            Err(_) if behind && was_behind => POLL,
            Err(error) if behind => {
                told(&error);
                POLL
            }
            Err(error) => told(&error),
        };
        tokio::time::sleep(wait).await;
    }
}

/// One that another gateway made counts: each covers all chains. Rows that were written before there
/// were checkpoints are covered at once.
async fn seal_when_due(inner: &Inner, begun: Timestamp, first: bool) -> Result<(), SealError> {
    let interval = Duration::from_millis(inner.audit.config.checkpoint_interval_ms.get());
    let last = inner.store.audit().last_checkpoint().await?;
    let none = last.is_none();
    let last = last.map_or(begun, |last| last.at);
    let due = Timestamp::now().duration_since(last).unsigned_abs() >= interval;
    if due || first && none {
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
        let Some(cutoff) = inner.audit.cutoff() else {
            return;
        };
        match (Gateway { inner }).prune_by_itself(cutoff).await {
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

//! Keeps the audit sealed, while the gateway runs and when it ends.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;

use super::super::{Gateway, Inner};
use super::SealError;

/// How often it is looked whether something is to be done.
const POLL: Duration = Duration::from_secs(1);

impl Gateway {
    pub(in crate::gateway) fn keep_audit(&self) {
        tokio::spawn(follow(Arc::downgrade(&self.inner)));
    }

    /// The last rows are covered too.
    pub(in crate::gateway) async fn seal_at_the_end(&self) {
        if let Err(error) = self.inner.ledger.seal(&self.inner.store).await {
            told(&error);
        }
    }
}

/// Ends with the gateway: it holds no strong reference while it waits.
async fn follow(weak: Weak<Inner>) {
    let Some(first) = weak.upgrade() else {
        return;
    };
    let interval = Duration::from_millis(first.ledger.config.checkpoint_interval_ms.get());
    drop(first);
    // Rows that were written before there were checkpoints are covered at once.
    if let Some(inner) = weak.upgrade()
        && let Err(error) = seal_first(&inner).await
    {
        told(&error);
    }
    let begun = Timestamp::now();
    loop {
        let Some(inner) = weak.upgrade() else {
            return;
        };
        let sealed = seal_when_due(&inner, interval, begun).await;
        drop(inner);
        match sealed {
            Ok(()) => tokio::time::sleep(POLL).await,
            Err(error) => {
                told(&error);
                // Said once in a while, not once in a second.
                tokio::time::sleep(interval).await;
            }
        }
    }
}

async fn seal_first(inner: &Inner) -> Result<(), SealError> {
    if inner.store.audit().last_checkpoint().await?.is_none() {
        inner.ledger.seal(&inner.store).await?;
    }
    Ok(())
}

/// One that another gateway made counts: each covers all chains.
async fn seal_when_due(
    inner: &Inner,
    interval: Duration,
    begun: Timestamp,
) -> Result<(), SealError> {
    let last = inner.store.audit().last_checkpoint().await?;
    let last = last.map_or(begun, |last| last.at);
    if Timestamp::now().duration_since(last).unsigned_abs() >= interval {
        inner.ledger.seal(&inner.store).await?;
    }
    Ok(())
}

fn told(error: &SealError) {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "the audit could not be sealed by a checkpoint"
    );
}

//! Keeps the roster and the callers as the store has them, also when another process changed it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::{Gateway, Inner};
use crate::store::StoreError;

/// How often the store is asked whether something changed: one small read.
const POLL: Duration = Duration::from_secs(1);
/// A registry that did not load is tried again so often: its secret may be there by then.
const RETRY_POLLS: u32 = 30;
/// When keys were used is written so often.
const USED_POLLS: u32 = 60;

impl Gateway {
    /// Takes over registries and callers from the store.
    ///
    /// # Errors
    /// The store does not answer; what was loaded before stays.
    pub async fn reload(&self) -> Result<(), StoreError> {
        self.inner.keys.reload(&self.inner.store).await?;
        self.inner.roster.reload(&self.inner.store).await
    }

    pub(super) fn watch(&self) {
        let weak = Arc::downgrade(&self.inner);
        tokio::spawn(follow(weak));
    }
}

/// Ends with the gateway: it holds no strong reference while it waits.
async fn follow(weak: Weak<Inner>) {
    let mut seen = None;
    let mut polls: u32 = 0;
    loop {
        tokio::time::sleep(POLL).await;
        let Some(inner) = weak.upgrade() else {
            return;
        };
        let gateway = Gateway { inner };
        // The revision is read before what it stands for: a change in between is loaded twice,
        // never missed.
        let revision = match gateway.inner.store.revision().await {
            Ok(revision) => revision,
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::error!(%error, "the configuration cannot be watched");
                continue;
            }
        };
        polls = polls.wrapping_add(1);
        if polls.is_multiple_of(USED_POLLS) {
            gateway.inner.keys.write_used(&gateway.inner.store).await;
        }
        if seen == Some(revision) && !polls.is_multiple_of(RETRY_POLLS) {
            continue;
        }
        match gateway.reload().await {
            Ok(()) => seen = Some(revision),
            Err(error) => tracing::error!(%error, "the configuration could not be reloaded"),
        }
    }
}

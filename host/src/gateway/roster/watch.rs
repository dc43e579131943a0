//! Keeps the roster and the callers as the store has them, also when another process changed it. The
//! database may wake it; it looks by itself all the same.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::gateway::{Gateway, Inner};
use crate::store::StoreError;

/// How often the store is asked whether something changed: one small read.
const POLL: Duration = Duration::from_secs(1);
/// The same while the nodes agree on a module.
const POLL_SOON: Duration = Duration::from_millis(100);
/// A registry that did not load is tried again so often: its secret may be there by then.
const RETRY: Duration = Duration::from_secs(30);
/// When keys were used is written so often.
const USED: Duration = Duration::from_secs(60);

impl Gateway {
    /// Takes over registries and callers from the store.
    ///
    /// # Errors
    /// The store does not answer; what was loaded before stays.
    pub async fn reload(&self) -> Result<(), StoreError> {
        self.inner.keys.reload(&self.inner.store).await?;
        self.inner.roster.reload(&self.inner.store).await
    }

    /// The same, and says which revision it serves from then on.
    pub(in crate::gateway) async fn take_over(&self) -> Result<i64, StoreError> {
        // The revision is read before what it stands for: a change in between is loaded twice,
        // never missed.
        let revision = self.inner.store.revision().await?;
        self.reload().await?;
        self.inner.nodes.serves(revision);
        Ok(revision)
    }

    /// After a change that is written: whoever watches the store has it within a second where this
    /// cannot read it.
    pub(in crate::gateway) async fn take_over_keys(&self) {
        if let Err(error) = self.inner.keys.reload(&self.inner.store).await {
            tracing::warn!(%error, "a change of callers is not taken over yet");
        }
    }

    pub(in crate::gateway) async fn take_over_registries(&self) {
        if let Err(error) = self.inner.roster.reload(&self.inner.store).await {
            tracing::warn!(%error, "a change of registries is not taken over yet");
        }
    }

    pub(in crate::gateway) fn watch(&self) {
        let weak = Arc::downgrade(&self.inner);
        tokio::spawn(follow_keys(weak.clone()));
        let wakes = self.inner.store.wakes();
        tokio::spawn(follow(weak, wakes));
    }
}

/// By itself, so that a revoked key waits for no module that is being loaded. Ends with the gateway.
async fn follow_keys(weak: Weak<Inner>) {
    let mut seen = None;
    loop {
        tokio::time::sleep(POLL).await;
        let Some(inner) = weak.upgrade() else {
            return;
        };
        let revision = match inner.store.revision().await {
            Ok(revision) => revision,
            Err(StoreError::Closed) => return,
            // The other one says so.
            Err(_) => continue,
        };
        if seen == Some(revision) {
            continue;
        }
        match inner.keys.reload(&inner.store).await {
            Ok(()) => seen = Some(revision),
            Err(error) => tracing::error!(%error, "callers could not be read"),
        }
    }
}

/// Ends with the gateway: it holds no strong reference while it waits.
async fn follow(weak: Weak<Inner>, mut wakes: crate::store::Wakes) {
    let mut seen = None;
    let mut loaded = Instant::now();
    let mut used = Instant::now();
    let mut poll = POLL;
    loop {
        let _ = tokio::time::timeout(poll, wakes.next()).await;
        let Some(inner) = weak.upgrade() else {
            return;
        };
        let gateway = Gateway { inner };
        // Before the revision: what is not under way any more is decided, and in it.
        let under_way = gateway.inner.store.agreements().under_way().await;
        let revision = match gateway.inner.store.revision().await {
            Ok(revision) => revision,
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::error!(%error, "the configuration cannot be watched");
                continue;
            }
        };
        poll = POLL;
        if let Ok(under_way) = &under_way
            && !under_way.is_empty()
        {
            poll = POLL_SOON;
            if let Err(error) = gateway.take_part(under_way).await {
                tracing::warn!(%error, "this node takes no part in what is agreed on");
            }
        }
        if used.elapsed() >= USED {
            gateway.inner.keys.write_used(&gateway.inner.store).await;
            used = Instant::now();
        }
        // What is decided serves before all else is looked at.
        let decided = match &under_way {
            Ok(under_way) => gateway.end_part(under_way).await,
            Err(_) => Vec::new(),
        };
        if seen != Some(revision) || loaded.elapsed() >= RETRY {
            match gateway.take_over().await {
                Ok(revision) => seen = Some(revision),
                Err(error) => tracing::error!(%error, "the configuration could not be reloaded"),
            }
            loaded = Instant::now();
        }
        // Only now: it serves, or never will.
        drop(decided);
    }
}

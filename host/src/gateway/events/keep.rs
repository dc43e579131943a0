//! What goes on by itself: positions are given, callbacks that a node left are read, registries are
//! asked for what changed, and what is old enough goes.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use uuid::Uuid;

use super::hook::{begin_row, lease};
use super::read::Taken;
use crate::gateway::{Gateway, Inner};
use crate::model::Ability;
use crate::store::{Aged, StoreError, StoredCallback};

/// Another node may have stored something.
const POLL: Duration = Duration::from_millis(500);
/// How often it is looked whether a node left a callback.
const LOOK: Duration = Duration::from_secs(1);
/// How often what is old is removed.
const SWEEP: Duration = Duration::from_secs(60);
/// Where the node dies before it is read, it is taken up again so late.
const LEASE: Duration = Duration::from_secs(60);

impl Gateway {
    /// From now on this process does what goes on by itself. Commands beside a gateway do not.
    pub fn keep_events(&self) {
        let weak = Arc::downgrade(&self.inner);
        tokio::spawn(sequence(weak.clone()));
        tokio::spawn(take_up(weak.clone()));
        tokio::spawn(ask_for_changes(weak.clone()));
        tokio::spawn(sweep(weak));
    }

    /// Removes what is old enough, until nothing is left of it. Gives how many.
    ///
    /// # Errors
    /// The database does not give or take it; some may be removed.
    pub async fn sweep_events(&self) -> Result<u64, StoreError> {
        let mut all = 0_u64;
        for aged in Aged::ALL {
            let mut gone = 0_u64;
            let done = self.sweep_aged(aged, &mut gone).await;
            if aged == Aged::Unread && gone > 0 {
                tracing::warn!(
                    count = gone,
                    "callbacks that nobody could read, older than events.unread_retention_ms, were removed"
                );
            }
            done?;
            all = all.saturating_add(gone);
        }
        Ok(all)
    }

    async fn sweep_aged(&self, aged: Aged, gone: &mut u64) -> Result<(), StoreError> {
        let config = &self.inner.events.config;
        let before = before(match aged {
            Aged::Over => config.callback_retention_ms,
            Aged::Unread => config.unread_retention_ms,
            // As long as there may be a lookup that waits for it.
            Aged::Answers => config
                .answer_retention_ms
                .max(self.inner.lookups.keep_ms.get()),
            Aged::Events => config.event_retention_ms,
        });
        loop {
            let swept = self.inner.store.events().sweep(aged, before).await?;
            *gone = gone.saturating_add(swept);
            if swept < Aged::AT_ONCE {
                return Ok(());
            }
        }
    }

    async fn take_up(&self) -> Result<(), StoreError> {
        let again = &self.inner.events.again;
        let free = again.free();
        if free == 0 {
            return Ok(());
        }
        // What nobody could read now stays where it is.
        let serving = self.inner.roster.serving();
        let serving = serving.iter();
        let serving = serving.filter(|entry| entry.module.can(Ability::Events));
        let of = again.turns(serving.map(|entry| entry.name.clone()).collect());
        for left in self.inner.store.events().take(&of, LEASE, free).await? {
            let gateway = self.clone();
            let place = again.take(&left.registry);
            self.inner.tasks.spawn(async move {
                gateway.go_on(left).await;
                drop(place);
            });
        }
        Ok(())
    }

    /// Reads a callback that was left, or is to be read again. What comes of it is in the store, and
    /// its sender was answered long ago.
    async fn go_on(&self, left: StoredCallback) {
        let entry = self.inner.roster.take(&left.registry).ok();
        let Some(entry) = entry.filter(|entry| entry.module.can(Ability::Events)) else {
            // Its registry does not serve any more: nothing was tried.
            let put_off = self.inner.store.events().put_off(left.id, left.fence);
            if let Err(error) = put_off.await {
                tracing::warn!(%error, "a callback waits for its registry");
            }
            return;
        };
        let _underway = entry.begin();
        let Some(callback) = left.body.as_deref() else {
            return;
        };
        let Ok(callback) = self.open_callback(left.id, callback) else {
            return;
        };
        let row = Uuid::now_v7();
        let request_id = left.id.to_string();
        let begin = begin_row(row, &entry, &request_id);
        if self.inner.store.audit().begin(begin).await.is_err() {
            return;
        }
        let taken = Taken {
            id: left.id,
            fence: left.fence,
            row,
            request_id,
        };
        let read = tokio::time::timeout(lease(&entry), self.read_callback(&entry, taken, callback));
        // What became of it stands in the store.
        drop(read.await);
    }
}

/// Ends with the gateway: it holds no strong reference while it waits. So do the others.
async fn sequence(weak: Weak<Inner>) {
    while let Some(inner) = weak.upgrade() {
        match inner.store.events().sequence().await {
            Ok(newest) => {
                inner.events.newest.send_if_modified(|known| {
                    let is_new = *known < newest;
                    *known = newest.max(*known);
                    is_new
                });
            }
            Err(StoreError::Closed) => return,
            Err(error) => tracing::warn!(%error, "events wait for their positions"),
        }
        let stored = Arc::clone(&inner.events.stored);
        drop(inner);
        let _ = tokio::time::timeout(POLL, stored.notified()).await;
    }
}

async fn take_up(weak: Weak<Inner>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(inner) = weak.upgrade() else {
            return;
        };
        match (Gateway { inner }).take_up().await {
            Ok(()) => {}
            Err(StoreError::Closed) => return,
            Err(error) => tracing::warn!(%error, "callbacks that were left wait"),
        }
    }
}

async fn ask_for_changes(weak: Weak<Inner>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(inner) = weak.upgrade() else {
            return;
        };
        (Gateway { inner }).ask_for_changes().await;
    }
}

async fn sweep(weak: Weak<Inner>) {
    let mut next = Instant::now() + SWEEP;
    loop {
        tokio::time::sleep_until(next).await;
        next = Instant::now() + SWEEP;
        let Some(inner) = weak.upgrade() else {
            return;
        };
        match (Gateway { inner }).sweep_events().await {
            Ok(_) => {}
            Err(StoreError::Closed) => return,
            Err(error) => tracing::warn!(%error, "old events are not removed yet"),
        }
    }
}

fn before(age_ms: u64) -> Timestamp {
    let age = SignedDuration::from_millis(i64::try_from(age_ms).unwrap_or(i64::MAX));
    let at = Timestamp::now().checked_sub(age);
    at.unwrap_or(Timestamp::UNIX_EPOCH)
}

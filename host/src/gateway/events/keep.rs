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
use crate::store::{OldEvents, StoreError, StoredCallback};

/// Another node may have stored something.
const POLL: Duration = Duration::from_millis(500);
/// How often it is looked whether a node left a callback.
const LOOK: Duration = Duration::from_secs(1);
/// How often what is old is removed.
const SWEEP: Duration = Duration::from_secs(60);
/// Callbacks that are taken up at once.
pub(super) const AT_ONCE: usize = 16;
/// Until its registry serves, a callback that was left waits so long.
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

    async fn take_up(&self) -> Result<(), StoreError> {
        // Nobody else takes of this room: what is free now is free for as many.
        let again = &self.inner.events.again;
        let free = u32::try_from(again.available_permits()).unwrap_or(u32::MAX);
        if free == 0 {
            return Ok(());
        }
        for left in self.inner.store.events().take(LEASE, free).await? {
            let gateway = self.clone();
            let place = Arc::clone(again).try_acquire_owned();
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
            // Its registry does not serve now: nothing was tried.
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
        let config = &inner.events.config;
        let old = OldEvents {
            callbacks: before(config.callback_retention_ms),
            unread: before(config.unread_retention_ms),
            events: before(config.event_retention_ms),
            // As long as there may be a lookup that waits for it.
            answers: before(config.answer_retention_ms.max(inner.lookups.keep_ms.get())),
        };
        match inner.store.events().sweep(old).await {
            Ok(()) => {}
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

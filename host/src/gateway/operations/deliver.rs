//! Takes up what is due. An acceptance wakes it; it looks by itself all the same, since others accept
//! too, and times come.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::attempt::MARGIN;
use super::keep::keep;
use crate::gateway::{Gateway, Inner};
use crate::store::{Queue, StoreError};

/// How often it looks by itself.
const POLL: Duration = Duration::from_secs(1);
/// After a look that took nothing it rests for so many times what that cost, and so long at most:
/// acceptances wake it more often than there are places for what they bring.
const REST: u32 = 3;
const LONGEST_REST: Duration = Duration::from_millis(50);
/// How often it is looked for what is to be given up, and how many at a time.
const LATE: Duration = Duration::from_secs(1);
const LATE_TAKEN: u32 = 200;
/// How often it is counted how many stand where.
const COUNT: Duration = Duration::from_secs(10);
/// What fails is said once in so long.
const QUIET: Duration = Duration::from_secs(60);

impl Gateway {
    /// From now on it delivers what was accepted, until it stops. A command that administers in a
    /// process of its own does not.
    pub fn deliver(&self) {
        tokio::spawn(follow(Arc::downgrade(&self.inner)));
        tokio::spawn(keep(Arc::downgrade(&self.inner)));
    }

    /// Takes up what is due, as far as there is room. Gives how long nothing more can be, and whether
    /// there was anything.
    async fn take_due(&self) -> Result<(Duration, bool), StoreError> {
        let (mut rest, mut took) = (POLL, false);
        for Queue {
            registry,
            due,
            bulk_due,
        } in self.inner.store.operations().queues().await?
        {
            let delivery = &self.inner.delivery;
            let (free, bulk) = delivery.free(&registry);
            let first = due.into_iter().chain(bulk_due).min().unwrap_or(POLL);
            if !first.is_zero() {
                rest = rest.min(first);
                continue;
            }
            let is_due = |due: Option<Duration>| due.is_some_and(|due| due.is_zero());
            // What is due and has no place is taken up when one is free.
            if !(is_due(due) && free > 0 || is_due(bulk_due) && bulk > 0) {
                continue;
            }
            // Why it stays is told to whoever looks.
            if self.keeps_waiting(&registry).is_some() {
                continue;
            }
            let Ok(entry) = self.inner.roster.take(&registry) else {
                continue;
            };
            // Longer than anything that is done before the attempt's own lease begins.
            let lease = 4 * entry.longest_call() + MARGIN;
            let operations = self.inner.store.operations();
            let taken = operations.take(vec![registry.clone()], lease, free, bulk);
            let taken = taken.await?;
            took |= !taken.is_empty();
            for operation in taken {
                let Some(place) = delivery.place(self, &registry) else {
                    break;
                };
                let (gateway, entry) = (self.clone(), entry.clone());
                let attempt = async move {
                    let _place = place;
                    gateway.attempt(entry, operation).await;
                };
                self.inner.tasks.spawn(attempt.in_current_span());
            }
        }
        Ok((rest, took))
    }

    /// Gives up what was not done by its deadline. It needs no registry: one that is disabled, closed
    /// or gone has deadlines too.
    async fn give_up_late(&self) -> Result<(), StoreError> {
        let operations = self.inner.store.operations();
        let late = operations.take_late(Timestamp::now(), MARGIN, LATE_TAKEN);
        for operation in late.await? {
            let gateway = self.clone();
            let ending = async move { gateway.give_up(&operation).await };
            self.inner.tasks.spawn(ending.in_current_span());
        }
        Ok(())
    }

    async fn count_operations(&self) -> Result<(), StoreError> {
        let counts = self.inner.store.operations().counts().await?;
        let counts = counts.into_iter();
        let counts = counts.map(|(registry, state, count)| (registry, state.as_str(), count));
        self.metrics().stand(counts.collect());
        let kept = self.inner.store.lookups().counts().await?;
        self.metrics().kept(kept);
        Ok(())
    }
}

/// Ends with the gateway: it holds no strong reference while it waits.
async fn follow(weak: Weak<Inner>) {
    let (mut count_at, mut told): (Instant, Option<Instant>) = (Instant::now(), None);
    let mut late_at = Instant::now();
    loop {
        let Some(inner) = weak.upgrade() else {
            return;
        };
        let gateway = Gateway { inner };
        if gateway.is_stopping() {
            return;
        }
        let began = Instant::now();
        let mut looked = gateway.take_due().await;
        let cost = began.elapsed();
        if looked.is_ok() && late_at <= Instant::now() {
            looked = gateway.give_up_late().await.and(looked);
            late_at = Instant::now() + LATE;
        }
        if looked.is_ok() && count_at <= Instant::now() {
            let began = Instant::now();
            looked = gateway.count_operations().await.and(looked);
            // A long backlog takes its time to count: a hundredth of all time at most.
            count_at = Instant::now() + COUNT.max(100 * began.elapsed());
        }
        let (rest, took) = match looked {
            Ok(looked) => looked,
            Err(StoreError::Closed) => return,
            Err(error) => {
                if told.is_none_or(|at| at.elapsed() >= QUIET) {
                    told = Some(Instant::now());
                    tracing::error!(%error, "operations are not taken up");
                }
                (POLL, false)
            }
        };
        // It waits without the gateway, and is woken through what it holds of it.
        let woken = gateway.inner.delivery.wake.clone();
        drop(gateway);
        if !took {
            tokio::time::sleep(LONGEST_REST.min(REST * cost)).await;
        }
        let _ = tokio::time::timeout(rest, woken.notified()).await;
    }
}

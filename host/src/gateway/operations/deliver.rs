//! Takes up what is due. An acceptance wakes it; it looks by itself all the same, since others accept
//! too, and times come.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::attempt::MARGIN;
use crate::gateway::{Gateway, Inner};
use crate::store::StoreError;

/// How often it looks by itself.
const POLL: Duration = Duration::from_secs(1);
/// How often it is counted how many stand where.
const COUNT: Duration = Duration::from_secs(10);
/// What fails is said once in so long.
const QUIET: Duration = Duration::from_secs(60);

impl Gateway {
    /// From now on it delivers what was accepted, until it stops. A command that administers in a
    /// process of its own does not.
    pub fn deliver(&self) {
        tokio::spawn(follow(Arc::downgrade(&self.inner)));
    }

    /// Takes up what is due, as far as there is room. Gives how long nothing more can be.
    async fn take_due(&self) -> Result<Duration, StoreError> {
        let mut rest = POLL;
        for (registry, due) in self.inner.store.operations().queues().await? {
            if !due.is_zero() {
                rest = rest.min(due);
                continue;
            }
            let delivery = &self.inner.delivery;
            let free = delivery.free(&registry);
            let Ok(entry) = self.inner.roster.take(&registry) else {
                continue;
            };
            let hours = entry.policy.hours.as_ref();
            let closed = hours.and_then(|hours| hours.closed_for(Timestamp::now()));
            // It would be in vain, and the registry has said so.
            if free == 0 || closed.is_some() || entry.endpoints.resting() {
                continue;
            }
            // Longer than anything that is done before the attempt's own lease begins.
            let lease = 4 * entry.longest_call() + MARGIN;
            let operations = self.inner.store.operations();
            let taken = operations.take(vec![registry.clone()], lease, free).await?;
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
        Ok(rest)
    }

    async fn count_operations(&self) -> Result<(), StoreError> {
        let counts = self.inner.store.operations().counts().await?;
        let counts = counts.into_iter();
        let counts = counts.map(|(registry, state, count)| (registry, state.as_str(), count));
        self.metrics().stand(counts.collect());
        Ok(())
    }
}

/// Ends with the gateway: it holds no strong reference while it waits.
async fn follow(weak: Weak<Inner>) {
    let (mut counted, mut told): (Option<Instant>, Option<Instant>) = (None, None);
    loop {
        let Some(inner) = weak.upgrade() else {
            return;
        };
        let gateway = Gateway { inner };
        if gateway.is_stopping() {
            return;
        }
        let mut looked = gateway.take_due().await;
        if looked.is_ok() && counted.is_none_or(|at| at.elapsed() >= COUNT) {
            counted = Some(Instant::now());
            looked = gateway.count_operations().await.and(looked);
        }
        let rest = match looked {
            Ok(rest) => rest,
            Err(StoreError::Closed) => return,
            Err(error) => {
                if told.is_none_or(|at| at.elapsed() >= QUIET) {
                    told = Some(Instant::now());
                    tracing::error!(%error, "operations are not taken up");
                }
                POLL
            }
        };
        // It waits without the gateway, and is woken through what it holds of it.
        let woken = gateway.inner.delivery.wake.clone();
        drop(gateway);
        let _ = tokio::time::timeout(rest, woken.notified()).await;
    }
}

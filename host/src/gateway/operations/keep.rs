//! What is kept of people with operations that are over goes after its time, and what a key of before
//! sealed is sealed anew.

use std::sync::Weak;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::sealed::places;
use crate::gateway::{Gateway, Inner};
use crate::store::{Operation, Resealed, StoreError};

/// How often it is looked for what is old.
const SWEEP: Duration = Duration::from_secs(600);
/// How often it is looked again for what a key of before sealed: a gateway that has only that one seals
/// by it still.
const RESEAL: Duration = Duration::from_secs(24 * 60 * 60);
/// Operations that are sealed anew in one transaction.
const RESEALED: u32 = 50;

impl Gateway {
    /// Drops what operations asked and were answered that were over before `keep_bodies_days`. Gives
    /// how many.
    ///
    /// # Errors
    /// The database does not take it; some may be done.
    pub async fn purge_operations(&self) -> Result<u64, StoreError> {
        let days = i64::from(self.inner.delivery.config.keep_bodies_days.get());
        let before = Timestamp::now().checked_sub(SignedDuration::from_hours(24 * days));
        let before = before.unwrap_or(Timestamp::UNIX_EPOCH);
        let mut all: u64 = 0;
        loop {
            match self.inner.store.operations().purge(before).await? {
                0 => return Ok(all),
                purged => all = all.saturating_add(purged),
            }
        }
    }

    /// Seals by the key of today what one of before sealed, of all operations. Gives how many.
    ///
    /// # Errors
    /// The database does not give or take it; some may be done.
    pub async fn reseal_operations(&self) -> Result<u64, StoreError> {
        let (mut behind, mut all) = (0, 0_u64);
        if !self.inner.bodies.is_rotated() {
            return Ok(0);
        }
        loop {
            let operations = self.inner.store.operations();
            let found = operations.bodies(behind, RESEALED).await?;
            let Some(last) = found.last() else {
                return Ok(all);
            };
            behind = last.position;
            let anew: Vec<Resealed> = found.into_iter().filter_map(|it| self.anew(it)).collect();
            if !anew.is_empty() {
                all = all.saturating_add(u64::try_from(anew.len()).unwrap_or(0));
                operations.reseal(anew).await?;
            }
        }
    }

    /// None: nothing of it is to be sealed anew.
    fn anew(&self, operation: Operation) -> Option<Resealed> {
        let before = [
            operation.request,
            operation.receipt,
            operation.adapter_state.map(|(_, state)| state),
        ];
        let mut after = [None, None, None];
        for ((place, sealed), after) in places(operation.id)
            .into_iter()
            .zip(&before)
            .zip(&mut after)
        {
            let Some(sealed) = sealed else {
                continue;
            };
            match self.inner.bodies.anew(place, sealed) {
                Ok(anew) => *after = anew,
                Err(error) => tracing::warn!(%error, "a body is not sealed anew"),
            }
        }
        let is_any = after.iter().any(Option::is_some);
        is_any.then_some(Resealed {
            position: operation.position,
            before,
            after,
        })
    }
}

/// Ends with the gateway: it holds no strong reference while it waits.
pub(super) async fn keep(weak: Weak<Inner>) {
    let mut reseal_at = Instant::now();
    loop {
        let Some(inner) = weak.upgrade() else {
            return;
        };
        let gateway = Gateway { inner };
        if gateway.is_stopping() {
            return;
        }
        if Instant::now() >= reseal_at {
            let resealed = async {
                let operations = gateway.reseal_operations().await?;
                Ok(operations.saturating_add(gateway.reseal_rows().await?))
            };
            match resealed.await {
                Ok(count) => {
                    reseal_at = Instant::now() + RESEAL;
                    if count > 0 {
                        tracing::info!(
                            count,
                            "what a key of before sealed is sealed by the new one"
                        );
                    }
                }
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::warn!(%error, "what a key of before sealed is not sealed anew yet")
                }
            }
        }
        match gateway.purge_operations().await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "what old operations asked was dropped"),
            Err(StoreError::Closed) => return,
            Err(error) => tracing::warn!(%error, "old operations are not purged yet"),
        }
        match gateway.purge_lookups().await {
            Ok(()) => {}
            Err(StoreError::Closed) => return,
            Err(error) => tracing::warn!(%error, "lookups that are over are not purged yet"),
        }
        drop(gateway);
        tokio::time::sleep_until(Instant::now() + SWEEP).await;
    }
}

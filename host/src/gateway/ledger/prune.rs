//! Removes what was kept for long enough, and only that: rows that a checkpoint covers which is itself
//! as old, once all of the audit was found to be what was written.

use jiff::{SignedDuration, Timestamp};

use super::statement::{Hex, PrunedTo};
use super::verify::Kept;
use super::{Bad, Ledger, SealError};
use crate::store::{Store, StoreError};

const DAY: i64 = 24 * 60 * 60;

/// Why nothing is removed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PruneError {
    #[error("the database does not answer")]
    Store(#[from] StoreError),
    #[error("no checkpoint could be made")]
    Seal(#[from] SealError),
    /// What would be removed could be all that tells of it.
    #[error("the audit is not what was written, so that nothing of it is removed: {}", .0.problem)]
    Bad(Box<Bad>),
}

impl Ledger {
    /// What began before that time is old enough. None: everything is kept.
    pub(super) fn cutoff(&self) -> Option<Timestamp> {
        let days = i64::from(self.config.retention_days?.get());
        let kept = SignedDuration::from_secs(days.checked_mul(DAY)?);
        Timestamp::now().checked_sub(kept).ok()
    }

    /// Removes what is older than that. Gives how many rows.
    pub(super) async fn prune(&self, store: &Store, cutoff: Timestamp) -> Result<u64, PruneError> {
        let due = self.due(store, cutoff).await?;
        if !due.is_empty() {
            let mut verdict = self.verify(store, &Kept::default()).await?;
            if !verdict.bad.is_empty() {
                return Err(PruneError::Bad(Box::new(verdict.bad.remove(0))));
            }
            self.seal_and_prune(store, &due).await?;
        }
        let mut removed = 0;
        // Also what a gateway that died in the middle left.
        loop {
            match store.audit().prune_step().await? {
                0 => return Ok(removed),
                rows => removed += rows,
            }
        }
    }

    async fn due(&self, store: &Store, cutoff: Timestamp) -> Result<Vec<PrunedTo>, PruneError> {
        let audit = store.audit();
        let (Some(old), Some(last)) = (
            audit.checkpoint_before(cutoff).await?,
            audit.last_checkpoint().await?,
        ) else {
            return Ok(Vec::new());
        };
        let (old, last) = (self.read(&old)?, self.read(&last)?);
        let ends = old.chains.iter().map(|end| PrunedTo {
            chain: end.chain,
            seq: end.seq,
            hash: end.hash,
            sealed_by: old.number,
        });
        let unchained = (old.unchained.rows > 0).then_some(PrunedTo {
            chain: 0,
            seq: 0,
            hash: Hex(old.unchained.hash.0),
            // The first had them already, and every later one says the same.
            sealed_by: old.number,
        });
        let gone = |it: &PrunedTo| {
            let known = last.pruned.iter().find(|known| known.chain == it.chain);
            known.is_some_and(|known| known.seq >= it.seq)
        };
        Ok(ends.chain(unchained).filter(|it| !gone(it)).collect())
    }
}

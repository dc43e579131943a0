//! Removes what was kept for long enough, and only that: rows that a checkpoint covers which is itself
//! as old, once all of the audit was found to be what was written.

use jiff::{SignedDuration, Timestamp};

use super::seal::now;
use super::statement::{Hex, PrunedTo};
use super::verify::Kept;
use super::{Audit, Bad, SealError};
use crate::store::{Seal, Store, StoreError};

const DAY: i64 = 24 * 60 * 60;
/// A clock is believed that was right for so long: a checkpoint of the last `JUMP` is older than that.
/// Who asks for the removal has looked at the clock.
const SETTLED: SignedDuration = SignedDuration::from_secs(DAY);
/// So far a clock may have gone since the last checkpoint before.
const JUMP: SignedDuration = SignedDuration::from_secs(30 * DAY);

/// Why nothing is removed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PruneError {
    #[error("the database does not answer")]
    Store(#[from] StoreError),
    #[error("no checkpoint could be made")]
    Seal(#[from] SealError),
    /// It may be wrong: all would seem old enough.
    #[error(
        "no checkpoint of the last 30 days is older than a day: the clock may have leapt, so that nothing \
         is removed; where it is right, wait a day or use `audit prune`"
    )]
    ClockAhead,
    /// What would be removed could be all that tells of it.
    #[error("the audit is not what was written, so that nothing of it is removed: {}", .0.problem)]
    Bad(Box<Bad>),
}

impl Audit {
    /// What began before that time is old enough. None: everything is kept.
    pub(super) fn cutoff(&self) -> Option<Timestamp> {
        let days = i64::from(self.config.retention_days?.get());
        let kept = SignedDuration::from_secs(days.checked_mul(DAY)?);
        Timestamp::now().checked_sub(kept).ok()
    }

    /// As [`prune`](Self::prune), where the clock was right for long enough.
    pub(super) async fn prune_by_clock(
        &self,
        store: &Store,
        cutoff: Timestamp,
        now: Timestamp,
    ) -> Result<u64, PruneError> {
        if !self.due(store, cutoff).await?.is_empty() {
            let past = |by| now.checked_sub(by).unwrap_or(Timestamp::MIN);
            let audit = store.audit();
            if !audit.checkpoint_between(past(JUMP), past(SETTLED)).await? {
                return Err(PruneError::ClockAhead);
            }
        }
        self.prune(store, cutoff).await
    }

    /// Removes what is older than that. Gives how many rows.
    pub(super) async fn prune(&self, store: &Store, cutoff: Timestamp) -> Result<u64, PruneError> {
        // What a gateway that died in the middle left would be taken for put in.
        let rest = remove(store).await?;
        let due = self.due(store, cutoff).await?;
        if due.is_empty() {
            return Ok(rest);
        }
        let mut verdict = self.verify(store, &Kept::default()).await?;
        if !verdict.bad.is_empty() {
            return Err(PruneError::Bad(Box::new(verdict.bad.remove(0))));
        }
        self.seal_and_prune(store, &due, &now).await?;
        Ok(rest + remove(store).await?)
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
        let mut due = Vec::new();
        for it in ends.chain(unchained).filter(|it| !it.is_in(&last.pruned)) {
            let to = Seal {
                chain: it.chain,
                seq: it.seq,
            };
            // Covered by an old checkpoint, and young by its own time: one of both clocks was wrong.
            if audit.has_younger(to, cutoff).await? {
                tracing::warn!(
                    chain = it.chain,
                    "a row is younger than the checkpoint that covers it: nothing of its chain is \
                     removed until it is old enough by both"
                );
            } else {
                due.push(it);
            }
        }
        Ok(due)
    }
}

/// Removes all that a checkpoint says may go.
async fn remove(store: &Store) -> Result<u64, StoreError> {
    let mut removed = 0;
    loop {
        match store.audit().prune_step().await? {
            0 => return Ok(removed),
            rows => removed += rows,
        }
    }
}

//! Removes what was kept for long enough, and only that: rows that a checkpoint covers which is itself
//! as old, once all of the audit was found to be what was written.
//!
//! Times are what clocks said, and clocks are wrong: of a machine without one it is 1970, others leap
//! far ahead. Rows only follow each other, and so do checkpoints; hence a row is as old as what covers
//! it, and that is younger than all before it. So the checkpoint that is gone by
//!
//! - was made at a time that can be: not before [`BEGIN`];
//! - has none before it that is younger than the time to keep. One whose time is still to come was made
//!   by a clock that was wrong, or the clock is wrong now: where rows go by themselves it counts as
//!   young, and nothing behind it goes. Who asks for the removal has looked at the clock, and it counts
//!   for nothing; nor does it for what goes by itself from then on.

use jiff::{SignedDuration, Timestamp};

use super::seal::now;
use super::statement::{Hex, PrunedTo};
use super::verify::Kept;
use super::{Audit, Bad, SealError};
use crate::store::{Old, Seal, Store, StoreError};

const DAY: i64 = 24 * 60 * 60;
/// A clock is believed that was right for so long: a checkpoint of the last `JUMP` is older than that.
/// Who asks for the removal has looked at the clock.
const SETTLED: SignedDuration = SignedDuration::from_secs(DAY);
/// So far a clock may have gone since the last checkpoint before.
const JUMP: SignedDuration = SignedDuration::from_secs(30 * DAY);

/// 2026, the year of the first gateway that made checkpoints: a clock before it is not right. What was
/// made by such a clock is as old as the next checkpoint behind it that was not.
const BEGIN: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// What is old.
#[derive(Clone, Copy, Debug)]
pub(super) struct Age {
    /// The time now.
    pub(super) now: Timestamp,
    /// What was made after that is young.
    pub(super) cutoff: Timestamp,
}

/// Whether what a clock says of a time that is still to come counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Future {
    Counts,
    IsWrong,
}

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
    /// None: everything is kept. Of the clocks of the gateway and of the database the one that is
    /// behind removes less.
    pub(super) async fn age(&self, store: &Store) -> Result<Option<Age>, StoreError> {
        let Some(days) = self.config.retention_days else {
            return Ok(None);
        };
        let now = store.audit().clock().await?.min(now());
        let kept = SignedDuration::from_secs(i64::from(days.get()).saturating_mul(DAY));
        let cutoff = now.checked_sub(kept).ok();
        Ok(cutoff.map(|cutoff| Age { now, cutoff }))
    }

    /// As [`prune`](Self::prune), where the clock was right for long enough.
    pub(super) async fn prune_by_clock(&self, store: &Store, age: Age) -> Result<u64, PruneError> {
        let due = self.due(store, age, Future::Counts).await?;
        if !due.is_empty() {
            let past = |by| age.now.checked_sub(by).unwrap_or(Timestamp::MIN);
            let audit = store.audit();
            if !audit.checkpoint_between(past(JUMP), past(SETTLED)).await? {
                return Err(PruneError::ClockAhead);
            }
        }
        self.remove(store, &due).await
    }

    /// Removes what is older than that, asked for by somebody. Gives how many rows.
    pub(super) async fn prune(&self, store: &Store, age: Age) -> Result<u64, PruneError> {
        let due = self.due(store, age, Future::IsWrong).await?;
        self.remove(store, &due).await
    }

    async fn remove(&self, store: &Store, due: &[PrunedTo]) -> Result<u64, PruneError> {
        // What a gateway that died in the middle left would be taken for put in.
        let rest = remove(store).await?;
        if due.is_empty() {
            return Ok(rest);
        }
        let mut verdict = self.verify(store, &Kept::default()).await?;
        if !verdict.bad.is_empty() {
            return Err(PruneError::Bad(Box::new(verdict.bad.remove(0))));
        }
        self.seal_and_prune(store, due, &now).await?;
        Ok(rest + remove(store).await?)
    }

    async fn due(
        &self,
        store: &Store,
        age: Age,
        future: Future,
    ) -> Result<Vec<PrunedTo>, PruneError> {
        let audit = store.audit();
        let Some(last) = audit.last_checkpoint().await? else {
            return Ok(Vec::new());
        };
        let last = self.read(&last)?;
        let vouched = match future {
            // Who asked for it before saw that all up to there were made.
            Future::Counts => last.pruned.iter().map(|it| it.sealed_by).max(),
            Future::IsWrong => Some(last.number),
        };
        let old = Old {
            since: BEGIN,
            by: age.cutoff,
            now: age.now,
            vouched: vouched.unwrap_or(0),
        };
        let Some(old) = audit.checkpoint_before(old).await? else {
            return Ok(Vec::new());
        };
        let old = self.read(&old)?;
        let until = match future {
            Future::Counts => Timestamp::MAX,
            Future::IsWrong => age.now,
        };
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
            if audit.has_younger(to, age.cutoff, until).await? {
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

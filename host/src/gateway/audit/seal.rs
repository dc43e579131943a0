//! Makes checkpoints.

use jiff::{SignedDuration, Timestamp};

use super::Audit;
use super::statement::{ChainEnd, Hex, PrunedTo, Statement, Unchained};
use crate::store::{
    AuditCheckpoint, ChainHead, NewCheckpoint, Pruned, Seal, Store, StoreError, UnchainedAt,
    unchained,
};

/// How often another gateway may be faster.
const TRIES: usize = 8;
/// How far the clocks of gateways on one database may differ without a word.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Why no checkpoint is made.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The database does not give or take it.
    #[error("the database does not answer")]
    Store(#[from] StoreError),
    /// What it would go on from is not to be believed.
    #[error("checkpoint {number} is not to be believed: {problem}; `audit verify` says more")]
    Unbelievable {
        /// Its number.
        number: i64,
        /// What is wrong with it.
        problem: String,
    },
}

impl Audit {
    /// Signs what there is, where there is something that the last checkpoint does not have. Gives
    /// the last checkpoint then; none while there is no row.
    ///
    /// # Errors
    /// [`SealError`].
    pub(super) async fn seal(&self, store: &Store) -> Result<Option<AuditCheckpoint>, SealError> {
        self.seal_and_prune(store, &[], &now).await
    }

    /// The same, and says that these rows may be removed. What another said already is not said again,
    /// and never less than that.
    pub(super) async fn seal_and_prune(
        &self,
        store: &Store,
        prune: &[PrunedTo],
        clock: &(dyn Fn() -> Timestamp + Sync),
    ) -> Result<Option<AuditCheckpoint>, SealError> {
        let _one = self.sealing.lock().await;
        for _ in 0..TRIES {
            let last = store.audit().last_checkpoint().await?;
            let before = last.as_ref().map(|last| self.read(last)).transpose()?;
            let heads = store.audit().heads().await?;
            let at = clock();
            if let Some(before) = &before {
                look_at_the_clock(before, at);
            }
            let mut next = match (&last, before) {
                (Some(last), Some(before)) => follow(before, &last.body, at),
                _ => {
                    let mut first = Statement::new(1, at, None);
                    first.unchained = without_chain(store).await?;
                    first
                }
            };
            let ends = heads.iter().map(end).collect();
            let same = next.chains == ends;
            next.chains = ends;
            let wanted = prune.iter().filter(|it| !it.is_in(&next.pruned));
            let wanted: Vec<PrunedTo> = wanted.copied().collect();
            if wanted.is_empty() && !prune.is_empty() {
                return Ok(last);
            }
            for pruned in &wanted {
                next.pruned.retain(|it| it.chain != pruned.chain);
                next.pruned.push(*pruned);
            }
            let nothing = heads.is_empty() && next.unchained.rows == 0;
            if wanted.is_empty() && (nothing || same && last.is_some()) {
                return Ok(last);
            }
            let signed = self.sign(&next);
            let new = NewCheckpoint {
                seals: seals(&next),
                pruned: wanted.iter().map(PrunedTo::row).collect(),
                signed: signed.clone(),
            };
            match store.audit().checkpoint(new).await {
                // Another gateway was faster.
                Err(StoreError::Refused(_)) => {}
                done => return Ok(done.map(|()| Some(signed))?),
            }
        }
        Err(StoreError::Busy.into())
    }

    /// What a checkpoint says, where it is believed.
    pub(super) fn read(&self, signed: &AuditCheckpoint) -> Result<Statement, SealError> {
        Statement::open(signed, &self.keys).map_err(|problem| SealError::Unbelievable {
            number: signed.number,
            problem,
        })
    }

    pub(super) fn sign(&self, statement: &Statement) -> AuditCheckpoint {
        // Plain data: it cannot but be written.
        let body = serde_json::to_string(statement).unwrap_or_default();
        AuditCheckpoint {
            number: statement.number,
            at: statement.at,
            public_key: self.key.public().0,
            signature: self.key.sign(&body),
            body,
        }
    }
}

/// A checkpoint's number says what it is behind, and its time is what a clock said: sealing goes on
/// whatever that is, and what is removed by age is for [`super::prune`].
fn look_at_the_clock(before: &Statement, at: Timestamp) {
    if before.at.duration_since(at) > SKEW {
        tracing::warn!(
            checkpoint = before.number,
            made_at = %before.at,
            "the last checkpoint was made at a time that is still to come: the clock was wrong then, or \
             is now"
        );
    }
}

fn follow(before: Statement, body: &str, at: Timestamp) -> Statement {
    let mut next = Statement::new(before.number + 1, at, Some(body));
    next.chains = before.chains;
    next.unchained = before.unchained;
    next.pruned = before.pruned;
    next
}

async fn without_chain(store: &Store) -> Result<Unchained, StoreError> {
    let mut found = Unchained::default();
    let mut at = UnchainedAt::default();
    loop {
        let page = store.audit().unchained(&mut at).await?;
        if page.is_empty() {
            return Ok(found);
        }
        for row in page {
            let row = row.row.map_err(|what| StoreError::Damaged { what })?;
            found.rows += 1;
            found.hash = Hex(unchained(&found.hash.0, &row));
        }
    }
}

fn end(head: &ChainHead) -> ChainEnd {
    ChainEnd {
        chain: head.chain,
        seq: head.seq,
        hash: Hex(head.hash),
    }
}

fn seals(statement: &Statement) -> Vec<Seal> {
    let ends = statement.chains.iter();
    let ends = ends.map(|it| Seal {
        chain: it.chain,
        seq: it.seq,
    });
    let unchained = (statement.unchained.rows > 0).then_some(Seal { chain: 0, seq: 0 });
    ends.chain(unchained).collect()
}

impl PrunedTo {
    /// Whether it is said already that as much may be removed.
    pub(super) fn is_in(&self, pruned: &[Self]) -> bool {
        let mut known = pruned.iter();
        known.any(|it| it.chain == self.chain && it.seq >= self.seq)
    }

    fn row(&self) -> Pruned {
        Pruned {
            to: Seal {
                chain: self.chain,
                seq: self.seq,
            },
            sealed_by: self.sealed_by,
        }
    }
}

/// To the microsecond that the database keeps.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

//! Goes through the database's audit.

use super::statement::SignedCheckpoint;
use super::verifier::{Verdict, Verifier};
use super::{Audit, PublicKey, astray};
use crate::store::{ChainHead, Store, StoreError, UnchainedAt, page_end};

/// Most checkpoints in memory at once.
const PAGE: u32 = 256;
/// Rows may be removed meanwhile, as a new checkpoint says: then it is gone through again.
const TRIES: usize = 3;

/// What was kept elsewhere, to hold the audit to.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Exported checkpoints.
    pub checkpoints: Vec<SignedCheckpoint>,
    /// The only keys to believe. None: those of the configuration.
    pub keys: Vec<PublicKey>,
}

impl Audit {
    pub(super) async fn verify(&self, store: &Store, kept: &Kept) -> Result<Verdict, StoreError> {
        let mut tries = 1;
        loop {
            let verdict = self.go_through(store, kept).await?;
            let last = store.audit().last_checkpoint().await?;
            let moved = last.is_some_and(|last| last.number > verdict.last_checkpoint);
            if verdict.bad.is_empty() || !moved || tries == TRIES {
                return Ok(verdict);
            }
            tries += 1;
        }
    }

    async fn go_through(&self, store: &Store, kept: &Kept) -> Result<Verdict, StoreError> {
        let audit = store.audit();
        let keys = match kept.keys.is_empty() {
            true => self.keys.clone(),
            false => kept.keys.clone(),
        };
        let mut verifier = Verifier::new(keys);
        let mut number = 0;
        loop {
            let page = audit.checkpoints(number, PAGE).await?;
            let Some(last) = page.last() else {
                break;
            };
            number = last.number;
            page.iter().for_each(|signed| verifier.checkpoint(signed));
        }
        for signed in &kept.checkpoints {
            verifier.given(signed);
        }
        let heads = audit.heads().await?;
        for head in &heads {
            chain(store, *head, &mut verifier).await?;
        }
        behind(store, &heads, &mut verifier).await?;
        astray::look(store, &mut verifier).await?;
        let mut at = UnchainedAt::default();
        loop {
            let page = audit.unchained(&mut at).await?;
            if page.is_empty() {
                return Ok(verifier.finish());
            }
            page.iter().for_each(|row| verifier.unchained(row));
        }
    }
}

async fn chain(store: &Store, head: ChainHead, verifier: &mut Verifier) -> Result<(), StoreError> {
    verifier.chain(head);
    while let Some(after) = verifier.wants() {
        let page = store.audit().chained(head.chain, after).await?;
        page.iter().for_each(|row| verifier.row(row));
        verifier.page(page_end(after));
    }
    verifier.chain_ends();
    Ok(())
}

/// Rows that stand where nobody looks: behind a chain's end, and in chains that there are not. Heads
/// are read anew after the rows: what the gateway writes meanwhile moves them first.
async fn behind(
    store: &Store,
    heads: &[ChainHead],
    verifier: &mut Verifier,
) -> Result<(), StoreError> {
    let audit = store.audit();
    let mut highest = Vec::new();
    for head in heads {
        highest.push(audit.highest(head.chain).await?);
    }
    let unknown = audit.unknown_chain().await?;
    let heads = audit.heads().await?;
    for (head, highest) in heads.iter().zip(highest) {
        if highest > head.seq && !verifier.is_bad(head.chain) {
            verifier.too_much(head.chain, head.seq + 1);
        }
    }
    if let Some((chain, seq)) = unknown
        && !heads.iter().any(|head| head.chain == chain)
    {
        verifier.too_much(chain, seq);
    }
    Ok(())
}

//! Rows where none may be, which no chain and no checkpoint tells of.

use std::time::Duration;

use super::verifier::{Bad, Verifier};
use crate::store::{Astray, Seal, Store, StoreError};

/// How often it is looked again whether a row is being removed.
const LOOKS: usize = 20;
/// Before each.
const WAIT: Duration = Duration::from_millis(250);
/// What stands there at so many looks one after the other is not being removed.
const STAYS: usize = 6;

pub(super) async fn look(store: &Store, verifier: &mut Verifier) -> Result<(), StoreError> {
    if let Some(row) = store.audit().misplaced().await? {
        let problem = "no row that the gateway writes has such a place: it was put in";
        verifier.found(bad(row, problem.into()));
    }
    for pruned in verifier.pruned() {
        let to = Seal {
            chain: pruned.chain,
            seq: pruned.seq,
        };
        if let Some(row) = leftover(store, to).await? {
            let problem = format!(
                "it should be gone with the others that checkpoint {} and those before it cover: it \
                 was put in, or a removal was broken off, with which `audit prune` goes on",
                pruned.sealed_by
            );
            verifier.found(bad(row, problem));
        }
    }
    Ok(())
}

/// Another gateway may be about to remove rows: it begins with the first.
async fn leftover(store: &Store, to: Seal) -> Result<Option<Astray>, StoreError> {
    let mut found = store.audit().leftover(to).await?;
    let mut stays = 1;
    for _ in 0..LOOKS {
        if found.is_none() || stays == STAYS {
            break;
        }
        tokio::time::sleep(WAIT).await;
        let now = store.audit().leftover(to).await?;
        stays = if now == found { stays + 1 } else { 1 };
        found = now;
    }
    Ok(found)
}

fn bad(row: Astray, problem: String) -> Bad {
    Bad {
        chain: row.chain,
        seq: row.seq,
        table: Some(row.table),
        id: Some(row.id),
        problem,
        ..Bad::default()
    }
}

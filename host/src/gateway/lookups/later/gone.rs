//! What is not kept any more: of lookups that are over or dropped, and of callbacks that were told.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::gateway::{Caller, Gateway, GatewayError};
use crate::store::{KeyedHash, StoreError};

impl Gateway {
    /// Drops a caller's own lookup, and what its registry answers.
    ///
    /// # Errors
    /// [`GatewayError::UnknownLookup`]; or the database does not answer.
    pub async fn forget_lookup(&self, caller: &Caller, id: Uuid) -> Result<(), GatewayError> {
        let lookup = self.inner.store.lookups().get(id).await;
        let lookup = lookup.map_err(GatewayError::Audit)?;
        let lookup = lookup.filter(|lookup| lookup.caller == caller.name);
        let lookup = lookup.ok_or(GatewayError::UnknownLookup)?;
        let pending = lookup.pending.as_ref();
        let opened = pending.and_then(|pending| self.open_pending(id, &pending.sealed).ok());
        let reference = opened.and_then(|(pending, _)| pending.reference);
        let used = self.references_of(&lookup.registry, reference.as_slice());
        let lookups = self.inner.store.lookups();
        let forgotten = lookups.forget(id, &caller.name, used).await;
        match forgotten.map_err(GatewayError::Audit)? {
            true => Ok(()),
            false => Err(GatewayError::UnknownLookup),
        }
    }

    /// Drops what lookups that are over asked and were answered, and after as long again their
    /// rows.
    ///
    /// # Errors
    /// The database does not take it; some may be done.
    pub async fn purge_lookups(&self) -> Result<(), StoreError> {
        let over = Timestamp::now();
        let keep = self.inner.lookups.keep_ms.get();
        let keep = SignedDuration::from_millis(keep.try_into().unwrap_or(i64::MAX));
        let gone = over.checked_sub(keep).unwrap_or(Timestamp::UNIX_EPOCH);
        while self.inner.store.lookups().purge(over, gone).await? {}
        Ok(())
    }

    /// What callbacks brought to a call that nobody goes on with is of no more use, whatever came of
    /// it: of room for callbacks there is only so much.
    pub(in crate::gateway::lookups) async fn use_up(&self, registry: &str, used: &[String]) {
        if used.is_empty() {
            return;
        }
        let references = self.references_of(registry, used);
        let lookups = self.inner.store.lookups();
        if let Err(error) = lookups.use_up(registry, references).await {
            // It goes by its age.
            tracing::warn!(%error, registry, "answers of callbacks that were told are kept");
        }
    }

    pub(super) fn references_of(&self, registry: &str, references: &[String]) -> Vec<KeyedHash> {
        let references = references.iter();
        let hashed = references.map(|reference| self.reference_of(registry, reference));
        hashed.collect()
    }
}

//! Writes that were accepted, and the fate of each. The table is the queue: what is due is taken up by
//! whoever comes first, under a lease, and a fence tells a late one from the one that took over.
//!
//! Order is kept by subject: of those of one registry and subject that are not over only the first has
//! a time at which it is due. Whatever ends one lets the next be due, in the same transaction.

mod answers;
mod bodies;
mod read;
mod step;
mod take;
mod types;

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::audit::{AuditBegin, AuditEnd, KeyedHash};
use super::columns::{check_size, check_text};
use super::error::StoreError;
use super::writer::{AuditRow, Work};

pub(super) use answers::{arrived, lock_references};
pub use bodies::Resealed;
pub(super) use bodies::{purge, reseal};
#[cfg(test)]
pub(super) use read::{QUEUES, listing};
pub(super) use step::{lock, require_none_open, step};
pub(super) use take::{Taking, take};
pub use types::{
    Accepted, Answered, Awaited, Decision, Moved, NewOperation, Operation, OperationFilter,
    OperationState, OperationStep,
};

/// Longest name or word of an operation.
const TEXT_MAX_BYTES: usize = 512;
/// Longest `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_MAX_BYTES: usize = 255;
/// Most that one reading returns.
const READ_MAX: u32 = 1_000;

/// The operations of a store.
#[derive(Clone, Copy, Debug)]
pub struct Operations<'a> {
    store: &'a Store,
}

/// What the writing task does to operations.
#[derive(Debug)]
pub(super) enum Step {
    Accept(Box<NewOperation>),
    Begin {
        id: Uuid,
        fence: i64,
        at: Timestamp,
        lease_until: i64,
        module_digest: String,
    },
    End {
        id: Uuid,
        fence: i64,
        moved: Box<Moved>,
        /// What a callback names it by, so far.
        reference: Option<KeyedHash>,
    },
    Decide {
        id: Uuid,
        decision: Decision,
        at: Timestamp,
        by: String,
        /// Only if it is this caller's.
        caller: Option<String>,
    },
}

/// A registry that something is to be delivered to, and how long until the first of it is due, by the
/// database's clock. None: there is none of the kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Queue {
    /// Its name.
    pub registry: String,
    /// Of what somebody waits for.
    pub due: Option<Duration>,
    /// Of what is one of many.
    pub bulk_due: Option<Duration>,
}

impl<'a> Operations<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Accepts an operation. It is durable when this returns, together with its audit rows, which
    /// are written only if it is new.
    ///
    /// # Errors
    /// `Invalid` names the field; `Busy`, `Unavailable` or `Closed`: it was not accepted, unless
    /// the database lost its own answer.
    pub async fn accept(
        self,
        new: NewOperation,
        begin: AuditBegin,
        end: AuditEnd,
    ) -> Result<Accepted, StoreError> {
        check_text("operation.registry", &new.registry, TEXT_MAX_BYTES)?;
        check_text("operation.caller", &new.caller, TEXT_MAX_BYTES)?;
        let key = &new.idempotency_key;
        check_text("operation.idempotencyKey", key, IDEMPOTENCY_KEY_MAX_BYTES)?;
        let rows = vec![
            AuditRow::Begin(Box::new(begin)),
            AuditRow::End(Box::new(end)),
        ];
        let step = Step::Accept(Box::new(new));
        match self.store.writer.write(Work::Operation(step, rows)).await? {
            step::OTHER => Ok(Accepted::Other),
            step::KNOWN => Ok(Accepted::Known),
            _ => Ok(Accepted::New),
        }
    }

    /// An attempt begins. It is durable when this returns, together with the audit's row: only then
    /// may anything be sent. False: another has taken the operation over.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`: nothing may be sent.
    pub async fn begin(
        self,
        operation: &Operation,
        lease: Duration,
        row: AuditBegin,
    ) -> Result<bool, StoreError> {
        let now = super::clock::clock_of(&self.store.readers).await?;
        let step = Step::Begin {
            id: operation.id,
            fence: operation.fence,
            at: row.at,
            lease_until: now.saturating_add(super::clock::microseconds(lease)),
            module_digest: row.module_digest.clone(),
        };
        let rows = vec![AuditRow::Begin(Box::new(row))];
        Ok(self.store.writer.write(Work::Operation(step, rows)).await? > 0)
    }

    /// An attempt, or a look at one, has ended. False: another has taken the operation over, and
    /// nothing was changed.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`: it stands where it stood.
    pub async fn end(
        self,
        operation: &Operation,
        moved: Moved,
        row: Option<AuditEnd>,
    ) -> Result<bool, StoreError> {
        if let Some((_, state)) = &moved.adapter_state {
            check_size(
                "operation.adapterState",
                state.len(),
                STATE_MAX_BYTES,
                "bytes",
            )?;
        }
        let step = Step::End {
            id: operation.id,
            fence: operation.fence,
            moved: Box::new(moved),
            reference: operation.reference,
        };
        let rows = row.map(|row| AuditRow::End(Box::new(row)));
        let rows = rows.into_iter().collect();
        Ok(self.store.writer.write(Work::Operation(step, rows)).await? > 0)
    }

    /// Somebody decides. False: where it stands that cannot be decided, or there is no such one.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn decide(
        self,
        id: Uuid,
        decision: Decision,
        by: &str,
        caller: Option<&str>,
    ) -> Result<bool, StoreError> {
        let step = Step::Decide {
            id,
            decision,
            at: super::now(),
            by: by.to_owned(),
            caller: caller.map(str::to_owned),
        };
        let work = Work::Operation(step, Vec::new());
        Ok(self.store.writer.write(work).await? > 0)
    }

    /// Of a callback's reference.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn by_reference(
        self,
        registry: &str,
        reference: &KeyedHash,
    ) -> Result<Option<Operation>, StoreError> {
        read::by_reference(&self.store.readers, registry, reference).await
    }

    /// One.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn get(self, id: Uuid) -> Result<Option<Operation>, StoreError> {
        read::one(&self.store.readers, id).await
    }

    /// The operation that a caller's own key names already, and whether it is of that request.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn known(
        self,
        caller: &str,
        registry: &str,
        key: &str,
        request_hash: &KeyedHash,
    ) -> Result<Option<(Uuid, bool)>, StoreError> {
        read::known(&self.store.readers, (caller, registry, key), request_hash).await
    }

    /// By the caller's own key.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn by_key(
        self,
        caller: &str,
        registry: &str,
        key: &str,
    ) -> Result<Option<Operation>, StoreError> {
        read::by_key(&self.store.readers, caller, registry, key).await
    }

    /// Those that somebody wants to see, the newest first, without what is sealed.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn list(self, filter: &OperationFilter) -> Result<Vec<Operation>, StoreError> {
        read::list(&self.store.readers, filter).await
    }

    /// All steps of one, in order.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn history(self, id: Uuid) -> Result<Vec<OperationStep>, StoreError> {
        read::history(&self.store.readers, id).await
    }

    /// How many of each registry stand where, of those that are not over.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn counts(self) -> Result<Vec<(String, OperationState, u64)>, StoreError> {
        read::counts(&self.store.readers).await
    }

    /// The registries that something is to be delivered to, by name. It takes as long as there are such
    /// registries, however long their queues are.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn queues(self) -> Result<Vec<Queue>, StoreError> {
        read::queues(&self.store.readers).await
    }

    /// The forms of the states that adapters left with operations of a registry which go on from them.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn open_forms(self, registry: &str) -> Result<Vec<u32>, StoreError> {
        read::open_forms(&self.store.readers, registry).await
    }
}

/// The adapter's own state, sealed: what it needs to go on, not a copy of the registry.
const STATE_MAX_BYTES: usize = 1 << 20;

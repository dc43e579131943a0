//! Writes that were accepted, and the fate of each. The table is the queue: what is due is taken up by
//! whoever comes first, under a lease, and a fence tells a late one from the one that took over.
//!
//! Order is kept by subject: of those of one registry and subject that are not over only the first has
//! a time at which it is due. Whatever ends one lets the next be due, in the same transaction.

mod read;
mod step;
mod take;

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::audit::{AuditBegin, AuditEnd, KeyedHash};
use super::columns::{check_size, check_text};
use super::error::StoreError;
use super::writer::{AuditRow, Change, Work};

pub(super) use step::{lock, step};
pub(super) use take::take;

/// Longest name or word of an operation.
const TEXT_MAX_BYTES: usize = 512;
/// Longest `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_MAX_BYTES: usize = 255;
/// Most that one reading returns.
const READ_MAX: u32 = 1_000;

/// Where an operation stands.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum OperationState {
    /// It was taken, and nothing was sent yet.
    Accepted,
    /// An attempt is under way, or the gateway died in one.
    Delivering,
    /// An attempt did not reach the registry, or the registry asks to wait: there is a next one.
    Waiting,
    /// The registry took it and will tell, or a further step is to come.
    Pending,
    /// The registry did it.
    Applied,
    /// The registry refused it.
    Rejected,
    /// The record has moved on since the caller read it.
    Conflict,
    /// It was sent, and nobody knows what became of it: a person must settle it.
    OutcomeUnknown,
    /// It was tried for as long as it may be.
    GivenUp,
    /// Somebody took it back before it was sent.
    Cancelled,
}

/// What was asked, sealed.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// A UUID of version 7.
    pub id: Uuid,
    /// When it was accepted; kept to the microsecond.
    pub at: Timestamp,
    /// Whose it is.
    pub caller: String,
    /// Which registry is to be told.
    pub registry: String,
    /// `create`, `update`, `link` or `enrolment`.
    pub ability: String,
    /// The caller's own, unique for each registry.
    pub idempotency_key: String,
    /// Keyed hash of all that was asked.
    pub request_hash: KeyedHash,
    /// Keyed hash of the caller's name for the person: writes about one keep their order.
    pub subject: KeyedHash,
    /// One of many, for which nobody waits.
    pub bulk: bool,
    /// After it nothing is tried any more.
    pub give_up_at: Timestamp,
    /// The module that serves the registry at this time.
    pub module_digest: String,
    /// What was asked, sealed.
    pub request: Vec<u8>,
}

/// What became of what was to be accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Accepted {
    /// It is there now, durably.
    New,
    /// It was there before, the same.
    Known,
    /// Under its key there is another.
    Other,
}

/// An operation, as it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Operation {
    /// In the order of acceptance.
    pub position: i64,
    /// Its name.
    pub id: Uuid,
    /// Whose it is.
    pub caller: String,
    /// Which registry is to be told.
    pub registry: String,
    /// The ability's word.
    pub ability: String,
    /// One of many, for which nobody waits.
    pub bulk: bool,
    /// Where it stands.
    pub state: OperationState,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Since when it stands there.
    pub changed_at: Timestamp,
    /// When it is looked at next; none: not by itself, or another of its subject stands before it.
    pub due_at: Option<Timestamp>,
    /// After it nothing is tried any more.
    pub give_up_at: Timestamp,
    /// Attempts that began.
    pub attempts: u32,
    /// When the last of them began.
    pub attempted_at: Option<Timestamp>,
    /// Rises with everybody who takes it up.
    pub fence: i64,
    /// Why it stands there.
    pub reason: Option<String>,
    /// The registry's own code.
    pub code: Option<String>,
    /// The field that it is about.
    pub field: Option<String>,
    /// The module that was asked last.
    pub module_digest: Option<String>,
    /// What was asked, sealed. None: purged.
    pub request: Option<Vec<u8>>,
    /// What the registry did, sealed.
    pub receipt: Option<Vec<u8>>,
    /// The form of the adapter's own state, and the state, sealed.
    pub adapter_state: Option<(u32, Vec<u8>)>,
}

/// One step of an operation's history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OperationStep {
    /// From 1.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// Where it stood from then on.
    pub state: OperationState,
    /// How many attempts had begun.
    pub attempt: u32,
    /// Why.
    pub reason: Option<String>,
    /// The registry's own code.
    pub code: Option<String>,
    /// The module.
    pub module_digest: Option<String>,
    /// Whose doing it was, of a step that somebody took.
    pub by: Option<String>,
}

/// Where an operation goes from where it stood.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Where to.
    pub state: OperationState,
    /// When.
    pub at: Timestamp,
    /// When it is to be looked at next.
    pub due_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
    /// The registry's own code.
    pub code: Option<String>,
    /// The field that it is about.
    pub field: Option<String>,
    /// What the registry did, sealed.
    pub receipt: Option<Vec<u8>>,
    /// The form of the adapter's own state, and the state, sealed. None: there is none any more.
    pub adapter_state: Option<(u32, Vec<u8>)>,
    /// Keyed hash of what a callback will name it by.
    pub reference: Option<KeyedHash>,
}

/// Which operations somebody wants to see.
#[derive(Clone, Debug, Default)]
pub struct OperationFilter {
    /// Of this registry.
    pub registry: Option<String>,
    /// In this state.
    pub state: Option<OperationState>,
    /// Of this caller.
    pub caller: Option<String>,
    /// Of this subject.
    pub subject: Option<KeyedHash>,
    /// Before this one, in the order of acceptance: the newest come first.
    pub before: Option<i64>,
    /// At most so many; at most 1,000.
    pub limit: u32,
}

/// What somebody decides about an operation.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Not to be sent: only what has not been sent, or has ended without being done.
    Cancel,
    /// Once more from the beginning: what was given up, or is known not to have been done.
    Replay {
        /// After it nothing is tried any more.
        give_up_at: Timestamp,
    },
    /// The registry has it: only what nobody knew.
    Applied,
    /// The registry does not have it, and never will: only what nobody knew.
    Rejected,
}

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

/// What is taken up.
#[derive(Debug)]
pub(super) struct Taking {
    pub(super) registries: Vec<String>,
    pub(super) lease: Duration,
    pub(super) limit: u32,
    pub(super) taken: std::sync::Arc<std::sync::Mutex<Vec<Operation>>>,
}

impl OperationState {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Delivering,
        Self::Waiting,
        Self::Pending,
        Self::Applied,
        Self::Rejected,
        Self::Conflict,
        Self::OutcomeUnknown,
        Self::GivenUp,
        Self::Cancelled,
    ];

    /// The word in the database, the API and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Delivering => "delivering",
            Self::Waiting => "waiting",
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Conflict => "conflict",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::GivenUp => "given-up",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether those behind it, of the same subject, may go on.
    pub fn lets_pass(self) -> bool {
        matches!(
            self,
            Self::Applied | Self::Rejected | Self::Conflict | Self::Cancelled
        )
    }
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

    /// Takes up what is due, of these registries, for so long: who waits for an answer before what is
    /// one of many, each by its time. An operation whose state is `delivering` was left by somebody
    /// who died in an attempt. Nobody else is given them until the lease is over.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn take(
        self,
        registries: Vec<String>,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        let taken = std::sync::Arc::default();
        let taking = Taking {
            registries,
            lease,
            limit: limit.min(READ_MAX),
            taken: std::sync::Arc::clone(&taken),
        };
        let change = Change::TakeOperations(Box::new(taking));
        self.store.writer.write(Work::Change(change)).await?;
        let mut taken = taken
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(std::mem::take(&mut *taken))
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

    /// Those that somebody wants to see, the newest first.
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

    /// The earliest time at which one of these registries has something due.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn next_due(self, registries: &[String]) -> Result<Option<Timestamp>, StoreError> {
        read::next_due(&self.store.readers, registries).await
    }
}

/// The adapter's own state, sealed: what it needs to go on, not a copy of the registry.
const STATE_MAX_BYTES: usize = 1 << 20;

//! Lookups whose registry answers later, and whose callers come back: what each asked, where its
//! adapter goes on, and what the registry answered, all of it sealed.

mod step;

use std::num::NonZeroU32;

use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::audit::KeyedHash;
use super::columns::{check_size, check_text, count, get, time, uuid};
use super::db::{Row, query};
use super::error::StoreError;
use super::writer::{Change, Work};

pub(super) use step::step;

const TEXT_MAX_BYTES: usize = 512;
/// What an adapter goes on from: what it needs, not a copy of the registry.
const PENDING_MAX_BYTES: usize = 2 << 20;
/// The largest answer, or question, that is kept.
const BODY_MAX_BYTES: usize = 16 << 20;

/// A lookup that is to be kept.
#[derive(Clone, Debug)]
pub struct NewLookup {
    /// Random: it stands in an address.
    pub id: Uuid,
    /// Whose it is.
    pub caller: String,
    /// Which registry was asked.
    pub registry: String,
    /// The ability's word.
    pub ability: String,
    /// When it was asked.
    pub at: Timestamp,
    /// From then on it is over.
    pub expires_at: Timestamp,
    /// The module that was asked.
    pub module_digest: String,
    /// What was asked, sealed.
    pub question: Vec<u8>,
    /// Where the adapter goes on.
    pub pending: KeptPending,
    /// How many may be kept.
    pub room: LookupRoom,
}

/// Where an adapter goes on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeptPending {
    /// The adapter's number for the form of its state.
    pub form: u32,
    /// State, reference and time, sealed.
    pub sealed: Vec<u8>,
}

/// How many lookups may be kept at the same time.
#[derive(Clone, Copy, Debug)]
pub struct LookupRoom {
    /// Of one caller.
    pub per_caller: NonZeroU32,
    /// Of one registry.
    pub per_registry: NonZeroU32,
}

/// A lookup that is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lookup {
    /// Its name.
    pub id: Uuid,
    /// Whose it is.
    pub caller: String,
    /// Which registry was asked.
    pub registry: String,
    /// The ability's word.
    pub ability: String,
    /// When it was asked.
    pub accepted_at: Timestamp,
    /// From then on it is over.
    pub expires_at: Timestamp,
    /// Rises with each step.
    pub step: i64,
    /// The module that went on last.
    pub module_digest: String,
    /// What was asked, sealed. None: it is over.
    pub question: Option<Vec<u8>>,
    /// Where the adapter goes on. None: it is answered, or over.
    pub pending: Option<KeptPending>,
    /// What the registry answered, sealed.
    pub answer: Option<Vec<u8>>,
}

/// Which lookup goes on, from which step, and what of it is used up.
#[derive(Clone, Debug)]
pub struct LookupStep {
    /// Its name.
    pub id: Uuid,
    /// As it was read: another step since, and nothing is changed.
    pub step: i64,
    /// The module that went on.
    pub module_digest: String,
    /// The references whose answers were used.
    pub used: Vec<KeyedHash>,
}

/// What the writing task does to lookups.
#[derive(Debug)]
pub(super) enum LookupChange {
    Keep(NewLookup),
    GoesOn(LookupStep, KeptPending),
    Answered(LookupStep, Vec<u8>, Timestamp),
    Forget {
        id: Uuid,
        caller: String,
        used: Vec<KeyedHash>,
    },
    UseUp {
        registry: String,
        references: Vec<KeyedHash>,
    },
    Purge {
        over: Timestamp,
        gone: Timestamp,
    },
}

/// The lookups of a store.
#[derive(Clone, Copy, Debug)]
pub struct Lookups<'a> {
    store: &'a Store,
}

impl<'a> Lookups<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Whether there is room for one more.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn has_room(
        self,
        caller: &str,
        registry: &str,
        room: LookupRoom,
    ) -> Result<bool, StoreError> {
        let row = query(step::COUNTS)
            .bind(caller)
            .bind(registry)
            .bind(super::now().as_microsecond())
            .bind(i64::from(room.per_caller.get()))
            .bind(i64::from(room.per_registry.get()))
            .fetch_one(&self.store.readers)
            .await?;
        let (of_caller, of_registry): (i64, i64) =
            (get(&row, "of_caller")?, get(&row, "of_registry")?);
        Ok(
            of_caller < room.per_caller.get().into()
                && of_registry < room.per_registry.get().into(),
        )
    }

    /// Keeps one. It is durable when this returns. False: there is no room.
    ///
    /// # Errors
    /// `Invalid` names what is too large; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn keep(self, new: NewLookup) -> Result<bool, StoreError> {
        check_text("lookup.caller", &new.caller, TEXT_MAX_BYTES)?;
        check_text("lookup.registry", &new.registry, TEXT_MAX_BYTES)?;
        check_size(
            "lookup.question",
            new.question.len(),
            BODY_MAX_BYTES,
            "bytes",
        )?;
        check_pending(&new.pending)?;
        self.change(LookupChange::Keep(new)).await
    }

    /// It waits on. False: another went on from the same step, and nothing was changed.
    ///
    /// # Errors
    /// As for [`keep`](Self::keep).
    pub async fn goes_on(self, step: LookupStep, pending: KeptPending) -> Result<bool, StoreError> {
        check_pending(&pending)?;
        self.change(LookupChange::GoesOn(step, pending)).await
    }

    /// It is answered, and is kept until then at the longest. False: another went on from the same
    /// step, and nothing was changed.
    ///
    /// # Errors
    /// As for [`keep`](Self::keep).
    pub async fn answered(
        self,
        step: LookupStep,
        answer: Vec<u8>,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        check_size("lookup.answer", answer.len(), BODY_MAX_BYTES, "bytes")?;
        self.change(LookupChange::Answered(step, answer, until))
            .await
    }

    /// Drops one, with the answer that waits for it. False: the caller has none of that id.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn forget(
        self,
        id: Uuid,
        caller: &str,
        used: Vec<KeyedHash>,
    ) -> Result<bool, StoreError> {
        let caller = caller.to_owned();
        self.change(LookupChange::Forget { id, caller, used }).await
    }

    /// Drops answers of callbacks that were told. False: they were gone.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn use_up(
        self,
        registry: &str,
        references: Vec<KeyedHash>,
    ) -> Result<bool, StoreError> {
        let registry = registry.to_owned();
        let change = LookupChange::UseUp {
            registry,
            references,
        };
        self.change(change).await
    }

    /// Drops what those asked and were answered that were over by then, and those altogether that
    /// were over by the earlier time. Some at a time: true if there may be more.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn purge(self, over: Timestamp, gone: Timestamp) -> Result<bool, StoreError> {
        self.change(LookupChange::Purge { over, gone }).await
    }

    /// One.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn get(self, id: Uuid) -> Result<Option<Lookup>, StoreError> {
        let row = query(
            "SELECT id, caller, registry, ability, accepted_at, expires_at, step, module_digest, \
             state_schema, question, pending, answer FROM lookups WHERE id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&self.store.readers)
        .await?;
        row.as_ref().map(lookup_of).transpose()
    }

    /// The forms of the states that a registry's lookups go on from.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn open_forms(self, registry: &str) -> Result<Vec<u32>, StoreError> {
        query(
            "SELECT DISTINCT state_schema FROM lookups WHERE registry = $1 \
             AND question IS NOT NULL AND expires_at > $2 AND state_schema IS NOT NULL \
             ORDER BY state_schema",
        )
        .bind(registry)
        .bind(super::now().as_microsecond())
        .fetch_all(&self.store.readers)
        .await?
        .iter()
        .map(|row| count(row, "state_schema"))
        .collect()
    }

    /// How many of each registry are kept, those that wait and those that are answered.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn counts(self) -> Result<Vec<(String, &'static str, u64)>, StoreError> {
        query(
            "SELECT registry, CASE WHEN answer IS NULL THEN 'pending' ELSE 'answered' END AS state, \
             COUNT(*) AS kept FROM lookups WHERE question IS NOT NULL AND expires_at > $1 \
             GROUP BY registry, CASE WHEN answer IS NULL THEN 'pending' ELSE 'answered' END",
        )
        .bind(super::now().as_microsecond())
        .fetch_all(&self.store.readers)
        .await?
        .iter()
        .map(|row| {
            let word = match get::<&str>(row, "state")? {
                "answered" => "answered",
                _ => "pending",
            };
            Ok((get(row, "registry")?, word, count(row, "kept")?))
        })
        .collect()
    }

    async fn change(self, change: LookupChange) -> Result<bool, StoreError> {
        let change = Change::Lookup(Box::new(change));
        Ok(self.store.writer.write(Work::Change(change)).await? > 0)
    }
}

fn check_pending(pending: &KeptPending) -> Result<(), StoreError> {
    let size = pending.sealed.len();
    check_size("lookup.pending", size, PENDING_MAX_BYTES, "bytes")
}

fn lookup_of(row: &Row) -> Result<Lookup, StoreError> {
    let bytes = |column| {
        let bytes: Option<&[u8]> = get(row, column)?;
        Ok::<_, StoreError>(bytes.map(<[u8]>::to_vec))
    };
    let pending = match bytes("pending")? {
        Some(sealed) => Some(KeptPending {
            form: count(row, "state_schema")?,
            sealed,
        }),
        None => None,
    };
    Ok(Lookup {
        id: uuid(row, "id")?,
        caller: get(row, "caller")?,
        registry: get(row, "registry")?,
        ability: get(row, "ability")?,
        accepted_at: time(row, "accepted_at")?,
        expires_at: time(row, "expires_at")?,
        step: get(row, "step")?,
        module_digest: get(row, "module_digest")?,
        question: bytes("question")?,
        pending,
        answer: bytes("answer")?,
    })
}

//! What registries tell by themselves: callbacks as they came, and the life events in them.
//!
//! An event is committed without a position. Whoever holds the sequencer's lock gives positions to what
//! is committed, in one transaction after the other: numbers that a database hands out at an insert
//! become visible in another order, and a reader that goes on from the highest would skip.

mod read;
mod room;
mod sequence;
mod stand;
mod step;
mod take;
mod types;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::audit::{AuditBegin, AuditEnd, AuditEnds, KeyedHash};
use super::error::StoreError;
use super::writer::{AuditRow, Change, Work};

pub use types::{
    Aged, CallbackState, EventCursor, EventScope, NewCallback, NewEvent, Polled, Reading,
    StoredAnswer, StoredCallback, StoredEvent,
};

pub(super) use room::{Dropping, drop_read};
pub(super) use sequence::{sequence, sweep};
pub(super) use step::{lock, references, step, take_cursor};
pub(super) use take::{TakingCallbacks, take};

/// Most that one reading returns.
const READ_MAX: u32 = 1_000;

/// Callbacks and events of a store.
#[derive(Clone, Copy, Debug)]
pub struct Events<'a> {
    store: &'a Store,
}

/// What the writing task does.
#[derive(Debug)]
pub(super) enum Telling {
    Keep(Box<NewCallback>, Option<String>),
    End {
        id: Uuid,
        fence: i64,
        reading: Box<Reading>,
    },
    Page {
        registry: String,
        fence: i64,
        polled: Box<Polled>,
    },
    Replay {
        id: Uuid,
        at: Timestamp,
    },
    Discard {
        id: Uuid,
    },
    PutOff {
        id: Uuid,
        fence: i64,
    },
    /// Only the audit's rows.
    Tell,
}

/// Whose cursor is taken up.
#[derive(Debug)]
pub(super) struct TakingCursor {
    pub(super) registry: String,
    pub(super) lease: Duration,
    pub(super) holder: Option<String>,
    pub(super) taken: Arc<Mutex<Option<EventCursor>>>,
}

impl<'a> Events<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    async fn tell(self, telling: Telling, rows: Vec<AuditRow>) -> Result<i64, StoreError> {
        self.store.writer.write(Work::Telling(telling, rows)).await
    }

    /// Keeps a callback as it came. It is durable when this returns, together with the audit's row.
    /// False: too much of the registry's is not over, and nothing was kept.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`: it may not be answered as if it were kept.
    pub async fn keep(self, new: NewCallback, row: AuditBegin) -> Result<bool, StoreError> {
        let rows = vec![AuditRow::Begin(Box::new(row))];
        Ok(self
            .tell(Telling::Keep(Box::new(new), self.store.holder()), rows)
            .await?
            >= 0)
    }

    /// A callback was read: what it brought is stored in the transaction that says so. False: another
    /// has taken the callback over, and nothing was stored.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`: it stands where it stood.
    pub async fn end(
        self,
        id: Uuid,
        fence: i64,
        reading: Reading,
        rows: impl Into<AuditEnds>,
    ) -> Result<bool, StoreError> {
        let reading = Box::new(reading);
        let telling = Telling::End { id, fence, reading };
        Ok(self.tell(telling, ends(rows.into())).await? >= 0)
    }

    /// A page of what changed is stored, with where to go on. False: another has taken the cursor over.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`: it stands where it stood.
    pub async fn polled(
        self,
        cursor: &EventCursor,
        polled: Polled,
        rows: Option<AuditEnds>,
    ) -> Result<bool, StoreError> {
        let telling = Telling::Page {
            registry: cursor.registry.clone(),
            fence: cursor.fence,
            polled: Box::new(polled),
        };
        let rows = rows.map(ends).unwrap_or_default();
        Ok(self.tell(telling, rows).await? >= 0)
    }

    /// Whoever reads is told of people: beginnings and ends, durable when this returns.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`: nothing may be told.
    pub async fn told(self, rows: Vec<(AuditBegin, AuditEnd)>) -> Result<(), StoreError> {
        let rows = rows.into_iter().flat_map(pair).collect();
        self.tell(Telling::Tell, rows).await.map(drop)
    }

    /// A callback that could not be read is to be read again. False: it stands where it cannot be.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`.
    pub async fn replay(self, id: Uuid) -> Result<bool, StoreError> {
        let at = super::now();
        Ok(self.tell(Telling::Replay { id, at }, Vec::new()).await? >= 0)
    }

    /// A callback that was not read, and that nobody is reading, is given up, and what came is gone.
    /// False: it stands elsewhere.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`.
    pub async fn discard(self, id: Uuid) -> Result<bool, StoreError> {
        Ok(self.tell(Telling::Discard { id }, Vec::new()).await? >= 0)
    }

    /// A callback that was taken up cannot be read now: it waits, longer each time, and that it was taken
    /// up does not count. False: another has taken it over.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`: it counts, and waits until the lease is over.
    pub async fn put_off(self, id: Uuid, fence: i64) -> Result<bool, StoreError> {
        let telling = Telling::PutOff { id, fence };
        Ok(self.tell(telling, Vec::new()).await? >= 0)
    }

    /// Takes up a registry's cursor, if it is due: one node at a time.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`.
    pub async fn take_cursor(
        self,
        registry: &str,
        lease: Duration,
    ) -> Result<Option<EventCursor>, StoreError> {
        if !read::is_cursor_due(&self.store.readers, registry).await? {
            return Ok(None);
        }
        let taken = Arc::default();
        let change = Change::TakeEventCursor(Box::new(TakingCursor {
            registry: registry.to_owned(),
            lease,
            holder: self.store.holder(),
            taken: Arc::clone(&taken),
        }));
        self.store.writer.write(Work::Change(change)).await?;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(taken.take())
    }

    /// Gives positions to what has none and is committed. Gives the newest position.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`.
    pub async fn sequence(self) -> Result<i64, StoreError> {
        if !read::has_unsequenced(&self.store.readers).await? {
            return self.newest().await;
        }
        self.store
            .writer
            .write(Work::Change(Change::SequenceEvents))
            .await
    }

    /// Removes what has not changed since then, at most [`Aged::AT_ONCE`] of it. Gives how many.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`.
    pub async fn sweep(self, aged: Aged, before: Timestamp) -> Result<u64, StoreError> {
        let change = Change::SweepEvents(aged, before);
        let swept = self.store.writer.write(Work::Change(change)).await?;
        Ok(u64::try_from(swept).unwrap_or(0))
    }

    /// The event that was stored last, of those that are kept: its id, and all of it, sealed.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn newest_sealed(self) -> Result<Option<(KeyedHash, Vec<u8>)>, StoreError> {
        read::newest_sealed(&self.store.readers).await
    }

    /// How many bytes are kept of what a registry called back with: callbacks and answers, sealed.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn kept_bytes(self, registry: &str) -> Result<u64, StoreError> {
        read::kept_bytes(&self.store.readers, registry).await
    }

    /// The newest position; 0: there is none.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn newest(self) -> Result<i64, StoreError> {
        read::newest(&self.store.readers).await
    }

    /// Events behind a position and up to another, of these registries or of people whom somebody has
    /// linked there, in order. Purged ones are left out.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn behind(
        self,
        scopes: &[EventScope],
        after: i64,
        until: i64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let limit = limit.min(READ_MAX);
        read::behind(&self.store.readers, scopes, after, until, limit).await
    }

    /// The newest events before a position, for administrators.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn recent(
        self,
        registry: Option<&str>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        read::recent(&self.store.readers, registry, before, limit.min(READ_MAX)).await
    }

    /// Callbacks, the newest first, without what came.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn callbacks(
        self,
        registry: Option<&str>,
        state: Option<CallbackState>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StoredCallback>, StoreError> {
        let limit = limit.min(READ_MAX);
        read::callbacks(&self.store.readers, registry, state, before, limit).await
    }

    /// One callback, with what came.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn callback(self, id: Uuid) -> Result<Option<StoredCallback>, StoreError> {
        read::callback(&self.store.readers, id).await
    }

    /// The answer that a callback brought for a reference, sealed, if one came.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn answer(
        self,
        registry: &str,
        reference: &KeyedHash,
    ) -> Result<Option<StoredAnswer>, StoreError> {
        read::answer(&self.store.readers, registry, reference).await
    }
}

fn pair((begin, end): (AuditBegin, AuditEnd)) -> [AuditRow; 2] {
    [
        AuditRow::Begin(Box::new(begin)),
        AuditRow::End(Box::new(end)),
    ]
}

fn ends(rows: AuditEnds) -> Vec<AuditRow> {
    let further = rows.further.into_iter().flat_map(pair);
    let mut ends = vec![AuditRow::End(Box::new(rows.end))];
    ends.extend(further);
    ends
}

use jiff::Timestamp;
use uuid::Uuid;

use super::Store;
use super::audit_acts::{self, AuditAct};
use super::audit_checkpoints::{self, AuditCheckpoint, ChainHead, NewCheckpoint};
use super::audit_ledger::{self, StoredRow, UnchainedAt};
use super::audit_people::{self, IndexStep, Indexed};
use super::audit_rows;
use super::audit_search::{self, ActEntry, AuditFilter, AuditPage};
use super::columns::{check_size, check_text};
use super::error::StoreError;
use super::writer::{AuditRow, Change, Work};

/// Longest text of a row. Purposes and legal bases are codes or short sentences.
pub(super) const TEXT_MAX_BYTES: usize = 512;
/// Most hashes of one row: a page of a search, each person with a few identifiers.
const HASHES_MAX: usize = 4_096;
/// Most entries that one reading returns.
const READ_MAX: u32 = 1_000;

/// A keyed hash of an identifier of a person, computed elsewhere: what is stored here names nobody.
pub type KeyedHash = [u8; 32];

/// Who is about to ask what about whom, and why. Written before anything is asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditBegin {
    /// A UUID of version 7: readings are in its order.
    pub id: Uuid,
    /// When it began; kept to the microsecond.
    pub at: Timestamp,
    /// The request's id, as in the answer and the log.
    pub request_id: String,
    /// The caller's name.
    pub caller: String,
    /// The person of openIMIS who asks, as the caller states.
    pub user: Option<String>,
    /// The organisation that asks.
    pub entity: Option<String>,
    /// What for.
    pub purpose: Option<String>,
    /// By what right.
    pub legal_basis: Option<String>,
    /// The registry's name.
    pub registry: String,
    /// The ability's word.
    pub ability: String,
    /// The module that serves the call.
    pub module_digest: String,
    /// Of whom.
    pub asked: Vec<KeyedHash>,
}

/// What came of it. Written before the answer leaves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditEnd {
    /// The id of the beginning.
    pub id: Uuid,
    /// When it ended; kept to the microsecond.
    pub at: Timestamp,
    /// One word: `done`, a failure's, a fault's.
    pub outcome: String,
    /// The registry's own code.
    pub code: Option<String>,
    /// Of whom something was told.
    pub disclosed: Vec<KeyedHash>,
    /// How many requests went to the registry.
    pub registry_calls: u32,
    /// How long it took, in microseconds.
    pub duration_us: u64,
}

/// The end of a row, and further rows of the same request: of what names more people than one row holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditEnds {
    /// Of the row that has begun.
    pub end: AuditEnd,
    /// Beginnings and ends.
    pub further: Vec<(AuditBegin, AuditEnd)>,
}

impl From<AuditEnd> for AuditEnds {
    fn from(end: AuditEnd) -> Self {
        Self {
            end,
            further: Vec::new(),
        }
    }
}

/// A beginning and its end. Without an end it is under way, or the gateway died in between.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditEntry {
    /// The beginning.
    pub begin: AuditBegin,
    /// The end.
    pub end: Option<AuditEnd>,
}

/// The audit of a store: rows are added and read, never changed or removed.
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a> {
    pub(super) store: &'a Store,
}

impl<'a> Audit<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Returns once the row is on disk. A caller that stops waiting does not withdraw it.
    ///
    /// # Errors
    /// `Invalid` names the field; `Refused` when the id was used; `Busy`, `Unavailable` or `Closed`
    /// when it could not be written: the call must not go on. Waits at most the queue's wait and
    /// the busy timeout together, on a disk that answers.
    pub async fn begin(self, row: AuditBegin) -> Result<(), StoreError> {
        check_begin(&row)?;
        let row = AuditRow::Begin(Box::new(row));
        self.store.writer.write(Work::Audit(row)).await?;
        Ok(())
    }

    /// Returns once the row is on disk. A caller that stops waiting does not withdraw it.
    ///
    /// # Errors
    /// As [`begin`](Self::begin); `Refused` also when nothing began under that id. The answer must
    /// not leave.
    pub async fn end(self, row: AuditEnd) -> Result<(), StoreError> {
        check_end(&row)?;
        let row = AuditRow::End(Box::new(row));
        self.store.writer.write(Work::Audit(row)).await?;
        Ok(())
    }

    /// Returns once the row is on disk. A caller that stops waiting does not withdraw it.
    ///
    /// # Errors
    /// As [`begin`](Self::begin): an act whose beginning could not be written must not go on.
    pub async fn act(self, row: AuditAct) -> Result<(), StoreError> {
        audit_acts::check(&row)?;
        let row = AuditRow::Act(Box::new(row));
        self.store.writer.write(Work::Audit(row)).await?;
        Ok(())
    }

    /// The latest acts of administration, the newest first; at most 1,000 rows.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn recent_acts(self, limit: u32) -> Result<Vec<AuditAct>, StoreError> {
        audit_acts::recent(&self.store.readers, limit.min(READ_MAX)).await
    }

    /// The latest entries, the newest first; at most 1,000.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn recent(self, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
        audit_rows::recent(&self.store.readers, limit.min(READ_MAX)).await
    }

    /// The entries of one request, in order; at most 1,000.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn by_request(self, request_id: &str) -> Result<Vec<AuditEntry>, StoreError> {
        audit_rows::by_request(&self.store.readers, request_id, READ_MAX).await
    }

    /// Who asked about a person, or was told of one, since a time: the oldest first, at most 1,000.
    /// Reads every row since then, so that it is for a person's own request, not for a page.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn by_person(
        self,
        hash: &KeyedHash,
        since: Timestamp,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        audit_rows::by_person(&self.store.readers, hash, since, READ_MAX).await
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// `Refused` where there is one of that number; `Busy`, `Unavailable` or `Closed`.
    pub async fn checkpoint(self, new: NewCheckpoint) -> Result<(), StoreError> {
        let change = Change::Checkpoint(Box::new(new));
        self.store.writer.write(Work::Change(change)).await?;
        Ok(())
    }

    /// The latest checkpoint.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn last_checkpoint(self) -> Result<Option<AuditCheckpoint>, StoreError> {
        audit_checkpoints::last(&self.store.readers).await
    }

    /// The checkpoints behind a number, in order; at most 1,000.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn checkpoints(
        self,
        behind: i64,
        limit: u32,
    ) -> Result<Vec<AuditCheckpoint>, StoreError> {
        audit_checkpoints::behind(&self.store.readers, behind, limit.min(READ_MAX)).await
    }

    /// All chains, by number, and where they end at this moment.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn heads(self) -> Result<Vec<ChainHead>, StoreError> {
        audit_checkpoints::heads(&self.store.readers).await
    }

    /// A page of a chain's rows: those that stand behind that number and up to
    /// [`page_end`](audit_ledger::page_end) of it. Some may be missing, others be there twice.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn chained(self, chain: i64, after: i64) -> Result<Vec<StoredRow>, StoreError> {
        audit_ledger::chained(&self.store.readers, chain, after).await
    }

    /// The highest number that a row of a chain has.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn highest(self, chain: i64) -> Result<i64, StoreError> {
        audit_ledger::highest(&self.store.readers, chain).await
    }

    /// Chain and number of a row of a chain that is not there, if there is one.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn unknown_chain(self) -> Result<Option<(i64, i64)>, StoreError> {
        audit_ledger::unknown_chain(&self.store.readers).await
    }

    /// The next page of the rows without a chain; an empty one is the last.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn unchained(self, at: &mut UnchainedAt) -> Result<Vec<StoredRow>, StoreError> {
        audit_ledger::unchained(&self.store.readers, at).await
    }

    /// The lowest number of a chain's rows behind that number.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn next_behind(self, chain: i64, after: i64) -> Result<Option<i64>, StoreError> {
        audit_ledger::next_behind(&self.store.readers, chain, after).await
    }

    /// A page of calls, the newest first.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn calls(
        self,
        filter: &AuditFilter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<AuditPage<AuditEntry>, StoreError> {
        audit_search::calls(&self.store.readers, filter, before, limit.min(READ_MAX)).await
    }

    /// A page of acts of administration, the newest first.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn acts(
        self,
        filter: &AuditFilter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<AuditPage<ActEntry>, StoreError> {
        audit_search::acts(&self.store.readers, filter, before, limit.min(READ_MAX)).await
    }

    /// One call.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn call(self, id: Uuid) -> Result<Option<AuditEntry>, StoreError> {
        audit_rows::by_id(&self.store.readers, id).await
    }

    /// The calls of a person that the index has, in order, behind one.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn of_person(
        self,
        person: &KeyedHash,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        audit_people::of_person(&self.store.readers, person, &after, limit).await
    }

    /// How far the index of people follows the rows.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn indexed(self) -> Result<Indexed, StoreError> {
        audit_people::indexed(&self.store.readers).await
    }

    /// Takes the index of people a step on.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`.
    pub async fn index(self, step: IndexStep) -> Result<(), StoreError> {
        let change = Change::IndexPeople(Box::new(step));
        self.store.writer.write(Work::Change(change)).await?;
        Ok(())
    }

    /// How many transactions of audit rows this process has committed.
    pub fn commits(self) -> u64 {
        self.store.writer.commits()
    }
}

fn check_begin(row: &AuditBegin) -> Result<(), StoreError> {
    for (field, value) in [
        ("audit.request_id", Some(&row.request_id)),
        ("audit.caller", Some(&row.caller)),
        ("audit.user", row.user.as_ref()),
        ("audit.entity", row.entity.as_ref()),
        ("audit.purpose", row.purpose.as_ref()),
        ("audit.legal_basis", row.legal_basis.as_ref()),
        ("audit.registry", Some(&row.registry)),
        ("audit.ability", Some(&row.ability)),
        ("audit.module_digest", Some(&row.module_digest)),
    ] {
        value.map_or(Ok(()), |value| check_text(field, value, TEXT_MAX_BYTES))?;
    }
    check_size("audit.asked", row.asked.len(), HASHES_MAX, "hashes")
}

fn check_end(row: &AuditEnd) -> Result<(), StoreError> {
    check_text("audit.outcome", &row.outcome, TEXT_MAX_BYTES)?;
    if let Some(code) = &row.code {
        check_text("audit.code", code, TEXT_MAX_BYTES)?;
    }
    check_size("audit.disclosed", row.disclosed.len(), HASHES_MAX, "hashes")
}

//! How the nodes agree on the module of a registry. Every node that is alive prepares; then one
//! transaction decides and changes the registry, or cancels. What is decided is in the database
//! alone: whoever leads it may die at any point, and it is either as it was or as it should be.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use uuid::Uuid;

use super::clock::clock_of;
use super::columns::{check_text, get, uuid};
use super::db::{Row, query};
use super::error::StoreError;
use super::writer::{Change, Work};
use super::{Store, now};

mod decide;

pub(super) use decide::{Answering, Beginning, Deciding, answer, begin, decide};

const REASON_MAX_BYTES: usize = 2_000;

/// A module that is to take another's place.
#[derive(Clone, Debug)]
pub struct NewAgreement {
    /// The registry's name.
    pub registry: String,
    /// The digest of the module that takes the place of the one there.
    pub to: String,
    /// Who wants it.
    pub by_caller: String,
    /// The name of the node that leads it, for people.
    pub leader: String,
    /// Whoever leads it is taken for dead when this has passed without a sign.
    pub led_for: Duration,
    /// All nodes have so long to prepare.
    pub decide_within: Duration,
}

/// What came of beginning one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Begun {
    /// The nodes are asked.
    Asked(Uuid),
    /// There is another one of the registry under way.
    UnderWay,
    /// The registry has that module already.
    Already,
}

/// What one node is to prepare.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ToPrepare {
    /// The agreement's.
    pub id: Uuid,
    /// The registry's name.
    pub registry: String,
    /// The digest of the module.
    pub to: String,
}

/// An agreement that is not decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnderWay {
    /// Its own.
    pub id: Uuid,
    /// Nobody leads it any more, or its time is over: whoever finds that has it decided.
    pub overdue: bool,
}

/// How an agreement stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// It waits for the nodes of these names.
    Preparing(Vec<String>),
    /// The registry has the module, from this revision of the configuration on.
    Committed(i64),
    /// Nothing was changed, for this reason.
    Cancelled(String),
}

/// Who asks for a decision.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asking {
    /// Whoever began it, who so shows that it is alive for so long again.
    Leader(Duration),
    /// Anybody: it is decided only where its leader is dead, or its time is over.
    Anybody,
}

/// The agreements of a store.
#[derive(Clone, Copy, Debug)]
pub struct Agreements<'a> {
    store: &'a Store,
}

impl<'a> Agreements<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Asks all nodes that are alive.
    ///
    /// # Errors
    /// `Unknown` where the registry or the module is not there; others as for any write.
    pub async fn begin(self, new: NewAgreement) -> Result<Begun, StoreError> {
        check_text("agreement.registry", &new.registry, REASON_MAX_BYTES)?;
        let (change, told) = Beginning::new(new);
        self.ask(Change::BeginAgreement(Box::new(change)), &told)
            .await
    }

    /// What this node is to prepare and has not answered yet.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn to_prepare(self, node: Uuid) -> Result<Vec<ToPrepare>, StoreError> {
        let rows = query(
            "SELECT agreements.id, registry, to_digest FROM agreements JOIN agreement_nodes ON \
             agreement = agreements.id WHERE phase = 'preparing' AND node = $1 AND state = 'asked'",
        )
        .bind(node.to_string())
        .fetch_all(&self.store.readers)
        .await?;
        let read = |row: &Row| {
            Ok(ToPrepare {
                id: uuid(row, "id")?,
                registry: get(row, "registry")?,
                to: get(row, "to_digest")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Says that the node has prepared, or why it cannot. Of one that is decided it changes nothing.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn answer(
        self,
        id: Uuid,
        node: Uuid,
        prepared: Result<(), String>,
    ) -> Result<(), StoreError> {
        let change = Change::AnswerAgreement(Box::new(Answering {
            id,
            node,
            cannot: prepared.err().map(|reason| shortened(&reason)),
        }));
        self.store.writer.write(Work::Change(change)).await?;
        Ok(())
    }

    /// Decides, where that can be.
    ///
    /// # Errors
    /// `Unknown` where there is none of that id; others as for any write.
    pub async fn decide(self, id: Uuid, asking: Asking) -> Result<Decision, StoreError> {
        let (change, told) = Deciding::new(id, asking);
        self.ask(Change::DecideAgreement(Box::new(change)), &told)
            .await
    }

    /// Calls it off, where it is not decided yet. Gives what it ended as.
    ///
    /// # Errors
    /// As [`decide`](Self::decide).
    pub async fn cancel(self, id: Uuid, reason: &str) -> Result<Decision, StoreError> {
        let (change, told) = Deciding::cancelling(id, shortened(reason));
        self.ask(Change::DecideAgreement(Box::new(change)), &told)
            .await
    }

    /// Those that are not decided.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn under_way(self) -> Result<Vec<UnderWay>, StoreError> {
        let rows =
            query("SELECT id, led_until, decide_by FROM agreements WHERE phase = 'preparing'")
                .fetch_all(&self.store.readers)
                .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let at = clock_of(&self.store.readers).await?;
        let read = |row: &Row| {
            Ok(UnderWay {
                id: uuid(row, "id")?,
                overdue: get::<i64>(row, "led_until")? < at || get::<i64>(row, "decide_by")? < at,
            })
        };
        rows.iter().map(read).collect()
    }

    async fn ask<T: Clone>(self, change: Change, told: &Told<T>) -> Result<T, StoreError> {
        self.store.writer.write(Work::Change(change)).await?;
        told.get()
            .cloned()
            .ok_or(StoreError::Damaged { what: "agreement" })
    }
}

/// Where the answer of a change goes that is more than a number.
type Told<T> = Arc<OnceLock<T>>;

fn shortened(reason: &str) -> String {
    let mut end = reason.len().min(REASON_MAX_BYTES);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default().replace('\0', " ")
}

/// For the registry's own row.
fn written_at() -> i64 {
    now().as_microsecond()
}

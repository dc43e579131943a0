//! The database: the only place with SQL.
//!
//! One task writes (`writer`), a few connections read. A write is acknowledged once it is on disk.
//! SQLite or PostgreSQL: statements are written once, in SQL that both take; what is a database's own
//! stays in `store/sqlite.rs`, `store/postgres.rs` and the migrations.

mod activations;
mod agreements;
mod audit;
mod audit_acts;
mod audit_astray;
mod audit_checkpoints;
mod audit_ledger;
mod audit_people;
mod audit_prune;
mod audit_rows;
mod audit_search;
mod caller_keys;
mod callers;
mod candidates;
mod chain;
mod clock;
mod columns;
mod db;
mod error;
mod events;
mod grants;
mod key_check;
mod leases;
mod links;
mod look;
mod lookups;
mod modules;
mod nodes;
mod open_states;
mod operations;
mod postgres;
mod quotas;
mod registries;
mod sealed;
mod sqlite;
#[cfg(test)]
mod tests;
mod wakes;
mod webhooks;
mod writer;

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use secrecy::SecretString;

pub use activations::{Activation, Activations, Served, Why};
pub use agreements::{Agreements, Asking, Begun, Decision, NewAgreement, ToPrepare, UnderWay};
pub use audit::{Audit, AuditBegin, AuditEnd, AuditEnds, AuditEntry, KeyedHash};
pub use audit_acts::{AuditAct, Phase};
pub use audit_astray::Astray;
pub use audit_checkpoints::{AuditCheckpoint, ChainHead, NewCheckpoint, Old, Pruned, Seal};
pub use audit_ledger::{StoredRow, Table, UnchainedAt, page_end};
pub use audit_people::{IndexStep, Indexed, people_of};
pub use audit_search::{ActEntry, AuditFilter, AuditPage};
pub use caller_keys::{CallerKey, NewKey};
pub use callers::{Caller, CallerSettings, Callers, NewCaller};
pub use candidates::{Candidate, Candidates};
pub use chain::{Hash, chain_begins, chained, unchained};
pub use error::{Cause, StoreError};
pub use events::{
    Aged, CallbackState, EventCursor, EventScope, Events, NewCallback, NewEvent, Polled, Reading,
    StoredAnswer, StoredCallback, StoredEvent,
};
pub use links::{Link, LinkFilter, Linked, Links, NewLinks, Unlinked};
pub use look::Look;
pub use lookups::{KeptPending, Lookup, LookupRoom, LookupStep, Lookups, NewLookup};
pub use modules::{Module, ModuleFacts, ModuleSummary, Modules, NewModule};
pub use nodes::{Beat, Beaten, Behind, Life, Node, Nodes, WHOLE_SHARE};
pub use open_states::{OpenState, OpenStates};
pub use operations::{
    Accepted, Answered, Awaited, Decision as OperationDecision, IDEMPOTENCY_KEY_MAX_BYTES, Moved,
    NewOperation, Operation, OperationFilter, OperationState, OperationStep, Operations, Queue,
    Resealed,
};
pub use quotas::{Asked, Lease, Quotas};
pub use registries::{Registries, Registry, RegistryChange, Unreadable};
pub use sealed::{SealedAnew, SealedIn, SealedRow, SealedRows};
pub use wakes::Wakes;
pub use webhooks::{NewWebhook, Webhook, WebhookChange, Webhooks, Went};

use crate::config::store::StoreConfig;
use db::{Conn, Opener, Pool, query};
pub use writer::AuditRow;
use writer::{Change, Work, Writer};

/// The database, opened. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    writer: Writer,
    readers: Pool,
    opener: Arc<Opener>,
    /// Whose the leases are that are taken from now on.
    holder: Arc<OnceLock<String>>,
}

impl Store {
    /// Opens the database, makes SQLite's file when missing, and brings the schema up to date. Must
    /// be called within a tokio runtime, which then runs the writing task. The password is that of
    /// the configuration, read.
    ///
    /// # Errors
    /// `Open`, `Unfit`, `Migrate`, or `Busy` and `Unavailable` as for any use.
    pub async fn open(
        config: &StoreConfig,
        password: Option<&SecretString>,
    ) -> Result<Self, StoreError> {
        let opener = Opener::new(config, password);
        let conn = opener.open().await?;
        let readers = opener.readers();
        Ok(Self {
            writer: Writer::start(conn, opener.clone(), config),
            readers,
            opener: Arc::new(opener),
            holder: Arc::default(),
        })
    }

    /// The modules.
    pub fn modules(&self) -> Modules<'_> {
        Modules::new(self)
    }

    /// The registries.
    pub fn registries(&self) -> Registries<'_> {
        Registries::new(self)
    }

    /// Which registry's person is which of a caller's people.
    pub fn links(&self) -> Links<'_> {
        Links::new(self)
    }

    /// Lookups whose callers come back.
    pub fn lookups(&self) -> Lookups<'_> {
        Lookups::new(self)
    }

    /// Writes that were accepted.
    pub fn operations(&self) -> Operations<'_> {
        Operations::new(self)
    }

    /// What registries tell by themselves.
    pub fn events(&self) -> Events<'_> {
        Events::new(self)
    }

    /// Callers' subscriptions to what registries tell.
    pub fn webhooks(&self) -> Webhooks<'_> {
        Webhooks::new(self)
    }

    /// Which module served which registry when.
    pub fn activations(&self) -> Activations<'_> {
        Activations::new(self)
    }

    /// The modules that may serve next.
    pub fn candidates(&self) -> Candidates<'_> {
        Candidates::new(self)
    }

    /// What is sealed for good.
    pub fn sealed_rows(&self) -> SealedRows<'_> {
        SealedRows::new(self)
    }

    /// Which adapters' own bytes others hold.
    pub fn open_states(&self) -> OpenStates<'_> {
        OpenStates::new(self)
    }

    /// The callers.
    pub fn callers(&self) -> Callers<'_> {
        Callers::new(self)
    }

    /// Who looked at whom, and why.
    pub fn audit(&self) -> Audit<'_> {
        Audit::new(self)
    }

    /// The gateways that share the database.
    pub fn nodes(&self) -> Nodes<'_> {
        Nodes::new(self)
    }

    /// How they agree on a registry's module.
    pub fn agreements(&self) -> Agreements<'_> {
        Agreements::new(self)
    }

    /// What they use together so many times a day.
    pub fn quotas(&self) -> Quotas<'_> {
        Quotas::new(self)
    }

    /// A number that grows with each change of registries or callers, whichever process made it:
    /// whoever holds a copy of them asks for it now and then.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn revision(&self) -> Result<i64, StoreError> {
        query("SELECT revision FROM configuration WHERE id = 1")
            .fetch_one(&self.readers)
            .await?
            .get("revision")
    }

    /// Whether a write would be taken now: the writing task answers and begins one. Syncs nothing
    /// to disk unless the write before it failed, when it makes a true one.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`, as a write would get.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.writer.write(Work::Change(Change::Check)).await?;
        Ok(())
    }

    /// How many writes wait for the database at this moment.
    pub fn queued(&self) -> usize {
        self.writer.queued()
    }

    /// Refuses what is new, writes what waits, and closes the database. Every clone is closed with it.
    pub async fn close(&self) {
        // Readers first: the last connection to close folds the write-ahead log into the file.
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Now, to the microsecond that the database keeps.
fn now() -> Timestamp {
    columns::to_microsecond(Timestamp::now())
}

/// Moves the revision, within the transaction of the change, and returns it.
async fn bump(conn: &mut Conn) -> Result<i64, StoreError> {
    wake(conn).await?;
    query("UPDATE configuration SET revision = revision + 1 WHERE id = 1 RETURNING revision")
        .fetch_one(conn)
        .await?
        .get("revision")
}

/// Wakes the gateways of the database once the transaction is committed, where it can: they look for
/// themselves too.
async fn wake(conn: &mut Conn) -> Result<(), StoreError> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(_) => postgres::notify(conn).await,
    }
}

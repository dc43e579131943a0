//! The database: the only place with SQL.
//!
//! One task writes (`writer`), a few connections read. A write is acknowledged once it is on disk.
//! SQLite or PostgreSQL: statements are written once, in SQL that both take; what is a database's own
//! stays in `store/sqlite.rs`, `store/postgres.rs` and the migrations.

mod activations;
mod audit;
mod audit_acts;
mod audit_rows;
mod callers;
mod candidates;
mod columns;
mod db;
mod error;
mod look;
mod modules;
mod open_states;
mod postgres;
mod registries;
mod sqlite;
#[cfg(test)]
mod tests;
mod writer;

use jiff::Timestamp;
use secrecy::SecretString;

pub use activations::{Activation, Activations, Served, Why};
pub use audit::{Audit, AuditBegin, AuditEnd, AuditEntry, KeyedHash};
pub use audit_acts::{AuditAct, Phase};
pub use callers::{Caller, Callers, NewCaller, RegistryGrant};
pub use candidates::{Candidate, Candidates};
pub use error::{Cause, StoreError};
pub use look::Look;
pub use modules::{Module, ModuleFacts, ModuleSummary, Modules, NewModule};
pub use open_states::{OpenState, OpenStates};
pub use registries::{Registries, Registry, RegistryChange, Unreadable};

use crate::config::store::StoreConfig;
use db::{Conn, Opener, Pool, query};
use writer::{Change, Work, Writer};

/// The database, opened. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    writer: Writer,
    readers: Pool,
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
            writer: Writer::start(conn, opener, config),
            readers,
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

    /// Which module served which registry when.
    pub fn activations(&self) -> Activations<'_> {
        Activations::new(self)
    }

    /// The modules that may serve next.
    pub fn candidates(&self) -> Candidates<'_> {
        Candidates::new(self)
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
    query("UPDATE configuration SET revision = revision + 1 WHERE id = 1 RETURNING revision")
        .fetch_one(conn)
        .await?
        .get("revision")
}

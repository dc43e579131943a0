//! The database: the only place with SQL.
//!
//! One task writes (`writer`), a few connections read. A write is acknowledged once it is on disk.
//! What is SQLite's own stays in `store/sqlite.rs` and the migrations.

mod audit;
mod audit_rows;
mod callers;
mod columns;
mod error;
mod modules;
mod registries;
mod sqlite;
#[cfg(test)]
mod tests;
mod writer;

use jiff::Timestamp;

pub use audit::{Audit, AuditBegin, AuditEnd, AuditEntry, KeyedHash};
pub use callers::{Caller, Callers, NewCaller, RegistryGrant};
pub use error::{Cause, StoreError};
pub use modules::{Module, ModuleSummary, Modules, NewModule};
pub use registries::{Registries, Registry, RegistryChange};

use crate::config::store::StoreConfig;
use sqlite::Pool;
use writer::{Change, Work, Writer};

/// The database, opened. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    writer: Writer,
    readers: Pool,
}

impl Store {
    /// Opens the database, makes it when missing, and brings its schema up to date. Must be called
    /// within a tokio runtime, which then runs the writing task.
    ///
    /// # Errors
    /// `Open`, `Migrate`, or `Busy` and `Unavailable` as for any use.
    pub async fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        sqlite::make_file(&config.path)?;
        let options = sqlite::options(config);
        let conn = sqlite::open(&options, &config.path).await?;
        Ok(Self {
            writer: Writer::start(conn, options, config),
            readers: sqlite::readers(config),
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
        sqlx::query_scalar("SELECT revision FROM configuration WHERE id = 1")
            .fetch_one(&self.readers)
            .await
            .map_err(sqlite::from_sqlx)
    }

    /// Whether a write would be taken now: the writing task answers and gets the lock. Syncs
    /// nothing to disk unless the write before it failed, when it makes a true one.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`, as a write would get.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.writer.write(Work::Change(Change::Check)).await?;
        Ok(())
    }

    /// Refuses what is new, writes what waits, and closes the file. Every clone is closed with it.
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
async fn bump(conn: &mut sqlite::Conn) -> Result<i64, StoreError> {
    sqlx::query_scalar(
        "UPDATE configuration SET revision = revision + 1 WHERE id = 1 RETURNING revision",
    )
    .fetch_one(conn)
    .await
    .map_err(sqlite::from_sqlx)
}

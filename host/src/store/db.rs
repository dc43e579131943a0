//! Either database, as one: connections, transactions and rows. Statements are in `query`.
//!
//! sqlx is generic over its databases, and its `Any` knows few types. Here an enum stands for the
//! two: a statement is written once and not compiled per database, and each value goes to the
//! driver as the type that its column has.

mod bulk;
mod query;
mod row;

use std::time::Duration;

use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use sqlx::{Connection, SqliteConnection};

pub(super) use bulk::BulkInsert;
pub(super) use query::query;
pub(super) use row::{Column, Row};

use super::error::StoreError;
use super::postgres::{self, Client};
use super::sqlite;
use crate::config::store::StoreConfig;
use secrecy::SecretString;

/// Longest polite farewell to a server that may be gone.
const FAREWELL: Duration = Duration::from_millis(500);

/// How connections to the configured database are made.
#[derive(Clone, Debug)]
pub(super) enum Opener {
    Sqlite(sqlite::Opener),
    Postgres(postgres::Opener),
}

/// One connection.
#[derive(Debug)]
pub(super) enum Conn {
    Sqlite(SqliteConnection),
    Postgres(Client),
}

/// The connections that read.
#[derive(Clone, Debug)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool, postgres::Limits),
}

impl Opener {
    pub(super) fn new(config: &StoreConfig, password: Option<&SecretString>) -> Self {
        match &config.postgres {
            None => Self::Sqlite(sqlite::Opener::new(config)),
            Some(postgres) => Self::Postgres(postgres::Opener::new(postgres, password, config)),
        }
    }

    /// The first connection: the database is made where that is ours to do, looked at, and its
    /// schema brought up to date.
    pub(super) async fn open(&self) -> Result<Conn, StoreError> {
        match self {
            Self::Sqlite(opener) => opener.open().await.map(Conn::Sqlite),
            Self::Postgres(opener) => opener.open().await.map(Conn::Postgres),
        }
    }

    /// A further connection, which writes.
    pub(super) async fn connect(&self) -> Result<Conn, StoreError> {
        match self {
            Self::Sqlite(opener) => opener.connect().await.map(Conn::Sqlite),
            Self::Postgres(opener) => opener.connect().await.map(Conn::Postgres),
        }
    }

    /// Those that read, none of them made yet.
    pub(super) fn readers(&self) -> Pool {
        match self {
            Self::Sqlite(opener) => Pool::Sqlite(opener.readers()),
            Self::Postgres(opener) => Pool::Postgres(opener.readers(), opener.limits),
        }
    }

    /// Those that read and leave every file as it is.
    pub(super) fn lookers(&self) -> Pool {
        match self {
            Self::Sqlite(opener) => Pool::Sqlite(opener.lookers()),
            Self::Postgres(opener) => Pool::Postgres(opener.readers(), opener.limits),
        }
    }
}

impl Conn {
    /// Begins a transaction. Every one is ended by [`finish`](Self::finish).
    ///
    /// Of SQLite it holds the write lock from its start: one that reads first and asks for the lock
    /// later can be refused halfway, whatever the timeout. PostgreSQL locks by row.
    pub(super) async fn begin(&mut self) -> Result<(), StoreError> {
        let statement = match self {
            Self::Sqlite(_) => "BEGIN IMMEDIATE",
            // What waits for a lock must see what was committed meanwhile, whatever the server's default.
            Self::Postgres(_) => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        query(statement).execute(self).await.map(drop)
    }

    /// Commits what went well, takes back what did not.
    pub(super) async fn finish<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        match done {
            Ok(value) => {
                let committed = query("COMMIT").execute(&mut *self).await;
                if let Err(StoreError::Busy | StoreError::Refused(_)) = committed {
                    // Nobody may go on within what did not commit.
                    drop(query("ROLLBACK").execute(self).await);
                }
                committed.map(|_| value)
            }
            // The connection is thrown away, and the transaction with it.
            Err(StoreError::Unavailable(cause)) => Err(StoreError::Unavailable(cause)),
            Err(error) => {
                query("ROLLBACK").execute(self).await?;
                Err(error)
            }
        }
    }

    /// Takes a chain of the audit for this connection, where no other has it. It is kept until the
    /// connection ends. Writers of SQLite take turns anyhow: there all of them share.
    pub(super) async fn claim(&mut self, chain: i64) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(true),
            Self::Postgres(_) => query("SELECT pg_try_advisory_lock($1) AS claimed")
                .bind(postgres::CHAIN_LOCKS | chain)
                .fetch_one(self)
                .await?
                .get("claimed"),
        }
    }

    /// Who is to begin a chain does so alone, to the end of the transaction.
    pub(super) async fn claim_next(&mut self) -> Result<(), StoreError> {
        if let Self::Postgres(_) = self {
            query("SELECT pg_advisory_xact_lock($1)")
                .bind(postgres::CHAIN_LOCKS)
                .fetch_all(self)
                .await?;
        }
        Ok(())
    }

    /// Runs a part of a transaction that, when refused, leaves the rest as it was.
    pub(super) async fn save(&mut self) -> Result<(), StoreError> {
        query("SAVEPOINT part").execute(self).await.map(drop)
    }

    /// Ends what [`save`](Self::save) began.
    pub(super) async fn keep(&mut self) -> Result<(), StoreError> {
        query("RELEASE SAVEPOINT part")
            .execute(self)
            .await
            .map(drop)
    }

    /// Takes back what came since [`save`](Self::save), and ends it.
    pub(super) async fn take_back(&mut self) -> Result<(), StoreError> {
        query("ROLLBACK TO SAVEPOINT part")
            .execute(&mut *self)
            .await?;
        self.keep().await
    }

    /// Waits for a farewell, within reason.
    pub(super) async fn close(self) {
        let closed = match self {
            Self::Sqlite(conn) => conn.close().await,
            Self::Postgres(client) => {
                match tokio::time::timeout(FAREWELL, client.conn.close()).await {
                    Ok(closed) => closed,
                    Err(_) => return,
                }
            }
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "a connection to the database did not close cleanly");
        }
    }
}

impl Pool {
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool, _) => {
                // Its connections hold nothing that waiting would save.
                drop(tokio::time::timeout(FAREWELL, pool.close()).await);
            }
        }
    }
}

//! What is PostgreSQL's own: how it is reached, how long it may take, and its error codes.

mod error;
mod fitness;
mod listener;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode, Postgres};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

pub(super) use error::from_sqlx;
pub(super) use listener::{listen, notify};

use super::error::StoreError;
use crate::config::store::{DatabaseHost, DatabaseUrl, PostgresConfig, SslMode, StoreConfig};

/// The schema's steps. Cargo does not see a file added here: touch this one.
pub(super) static MIGRATOR: Migrator = sqlx::migrate!("./migrations/postgres");

/// Longest wait for the schema: another gateway's steps, then our own.
const MIGRATION: Duration = Duration::from_secs(300);

/// The advisory locks of the audit's chains: this and the chain's number. Other programs of the same
/// database may have locks too; these four letters are not likely to be theirs.
pub(super) const CHAIN_LOCKS: i64 = i64::from_be_bytes(*b"rgwa\0\0\0\0");

/// The advisory locks of life events: this, the sequencer's, and one for each registry.
pub(super) const EVENT_LOCKS: i64 = i64::from_be_bytes(*b"rgwe\0\0\0\0");

/// The advisory locks of links: one for each caller and registry.
pub(super) const LINK_LOCKS: i64 = i64::from_be_bytes(*b"rgwl\0\0\0\0");

/// How connections are made.
#[derive(Clone)]
pub(super) struct Opener {
    /// Holds the password: never shown.
    options: PgConnectOptions,
    url: DatabaseUrl,
    readers: u32,
    pub(super) limits: Limits,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For a connection.
    pub(super) connect: Duration,
    /// For another's lock, and for a place in the pool.
    pub(super) busy: Duration,
    /// For one statement: a server that vanished without a word is noticed by it alone.
    pub(super) answer: Duration,
}

/// The connection that writes.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) conn: PgConnection,
    pub(super) answer: Duration,
}

/// No answer came in time. What became of the statement is not known.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL did not answer in time")]
struct Silent;

impl Opener {
    pub(super) fn new(
        config: &PostgresConfig,
        password: Option<&SecretString>,
        store: &StoreConfig,
    ) -> Self {
        let milliseconds = |number: u32| Duration::from_millis(number.into());
        Self {
            options: options(config, password),
            url: config.url.clone(),
            readers: store.readers.get(),
            limits: Limits {
                connect: milliseconds(config.connect_timeout_ms),
                busy: milliseconds(store.busy_timeout_ms),
                answer: milliseconds(config.answer_timeout_ms),
            },
        }
    }

    /// The first connection, the server looked at and the schema brought up to date.
    pub(super) async fn open(&self) -> Result<Client, StoreError> {
        let mut conn = self.dial().await.map_err(|error| match error {
            // At the first connection it is the url more often than the database.
            StoreError::Unavailable(source) => {
                let path = self.url.to_string();
                StoreError::Open { path, source }
            }
            other => other,
        })?;
        fitness::check(&mut conn, self.limits.answer).await?;
        fitness::warn(&mut conn, self.limits.answer).await?;
        // Processes that open a database at once take turns: the steps run under a lock.
        match tokio::time::timeout(MIGRATION, MIGRATOR.run(&mut conn)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(StoreError::Migrate(Arc::new(error))),
            Err(_) => return Err(StoreError::Migrate(Arc::new(Silent))),
        }
        self.settle(conn).await
    }

    /// Whether the server is there and fit.
    pub(super) async fn look(&self) -> Result<(), StoreError> {
        let mut conn = self.dial().await?;
        fitness::check(&mut conn, self.limits.answer).await
    }

    /// A further connection. The server may have been restarted with other settings, or be another
    /// one behind the same name: it is looked at again.
    pub(super) async fn connect(&self) -> Result<Client, StoreError> {
        let mut conn = self.dial().await?;
        fitness::check(&mut conn, self.limits.answer).await?;
        self.settle(conn).await
    }

    pub(super) fn readers(&self) -> PgPool {
        let session = format!(
            "SET default_transaction_read_only = on; {}",
            session(self.limits)
        );
        PgPoolOptions::new()
            .max_connections(self.readers)
            .acquire_timeout(self.limits.busy)
            .after_connect(move |conn, _| {
                let session = AssertSqlSafe(session.clone());
                Box::pin(async move { conn.execute(session).await.map(drop) })
            })
            .connect_lazy_with(self.options.clone())
    }

    async fn dial(&self) -> Result<PgConnection, StoreError> {
        within(self.limits.connect, self.options.connect()).await
    }

    async fn settle(&self, mut conn: PgConnection) -> Result<Client, StoreError> {
        let session = AssertSqlSafe(session(self.limits));
        within(self.limits.answer, conn.execute(session)).await?;
        Ok(Client {
            conn,
            answer: self.limits.answer,
        })
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener")
            .field("url", &format_args!("{}", self.url))
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Waits no longer than that. The connection is not to be used after it: the answer may still come.
pub(super) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer.map_err(from_sqlx),
        Err(_) => Err(StoreError::Unavailable(Arc::new(Silent))),
    }
}

/// A connection that reads. Busy means that all are taken; none to be had means that the server is
/// not there.
pub(super) async fn acquire(
    pool: &PgPool,
    limits: Limits,
) -> Result<PoolConnection<Postgres>, StoreError> {
    let limit = limits.busy + limits.answer;
    match within(limit, pool.acquire()).await {
        Err(StoreError::Busy) if pool.size() < pool.options().get_max_connections() => {
            Err(StoreError::Unavailable(Arc::new(Silent)))
        }
        other => other,
    }
}

fn options(config: &PostgresConfig, password: Option<&SecretString>) -> PgConnectOptions {
    let url = &config.url;
    // sqlx fills this from PGHOST and its kin; what matters is set here, so that the environment
    // neither leads elsewhere nor is a second place of passwords.
    let mut options = PgConnectOptions::new_without_pgpass()
        .port(url.port)
        .username(&url.user)
        .password(password.map_or("", |password| password.expose_secret()))
        .database(&url.database)
        .application_name("registry-gateway")
        .ssl_mode(match config.sslmode {
            SslMode::Disable => PgSslMode::Disable,
            SslMode::Require => PgSslMode::Require,
            SslMode::VerifyFull => PgSslMode::VerifyFull,
        })
        .disable_statement_logging();
    options = match &url.host {
        DatabaseHost::Name(name) => options.host(name),
        DatabaseHost::Socket(directory) => options.socket(directory),
    };
    match &config.ca_file {
        Some(file) => options.ssl_root_cert(file),
        None => options,
    }
}

/// Statements, not start-up options, which connection poolers refuse.
fn session(limits: Limits) -> String {
    // A gateway that froze within a transaction must not keep its locks.
    format!(
        "SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
         SET client_min_messages = warning",
        limits.busy.as_millis(),
        limits.answer.as_millis(),
    )
}

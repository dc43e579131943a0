//! What is SQLite's own: the file, the connection's settings, its locks and its error numbers.
//! All other files write SQL that PostgreSQL takes as well.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Error as IoError, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection, Transaction};

use super::error::StoreError;
use crate::config::store::StoreConfig;

pub(super) type Db = sqlx::Sqlite;
pub(super) type Conn = SqliteConnection;
pub(super) type Pool = SqlitePool;
pub(super) type Row = sqlx::sqlite::SqliteRow;
pub(super) type ConnOptions = SqliteConnectOptions;

/// The schema's steps. Cargo does not see a file added here: touch this one.
pub(super) static MIGRATOR: Migrator = sqlx::migrate!("./migrations/sqlite");

const OPEN_ATTEMPTS: u32 = 8;
/// Times the attempt's number: 1.4 seconds in all.
const OPEN_PAUSE: Duration = Duration::from_millis(50);

/// The low byte of SQLite's extended result codes.
const PRIMARY: i32 = 0xff;
const SQLITE_BUSY: i32 = 5;
const SQLITE_LOCKED: i32 = 6;
const SQLITE_CONSTRAINT: i32 = 19;

/// Settings of every connection. Nothing here creates the file: a database that vanished under a
/// running gateway must be an error, not a new and empty one.
pub(super) fn options(config: &StoreConfig) -> ConnOptions {
    SqliteConnectOptions::new()
        .filename(&config.path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // In WAL mode, NORMAL loses the last commits with the power; an acknowledged row may not.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_millis(config.busy_timeout_ms.into()))
        .disable_statement_logging()
}

pub(super) fn readers(config: &StoreConfig) -> Pool {
    SqlitePoolOptions::new()
        .max_connections(config.readers.get())
        .acquire_timeout(Duration::from_millis(config.busy_timeout_ms.into()))
        // A ping before each use costs a thread's round trip, and a local file does not hang up.
        .test_before_acquire(false)
        .connect_lazy_with(options(config).pragma("query_only", "ON"))
}

/// The first connection, its schema brought up to date.
///
/// Processes that open a new database at once get in each other's way: turning to the write-ahead
/// log does not wait for a lock, and both may run the same step. Who loses looks again.
pub(super) async fn open(options: &ConnOptions, path: &Path) -> Result<Conn, StoreError> {
    let mut attempt = 1;
    loop {
        match try_open(options, path).await {
            Err((_, Again::Yes)) if attempt < OPEN_ATTEMPTS => {
                tokio::time::sleep(OPEN_PAUSE * attempt).await;
                attempt += 1;
            }
            other => return other.map_err(|(error, _)| error),
        }
    }
}

pub(super) async fn connect(options: &ConnOptions) -> Result<Conn, StoreError> {
    options.connect().await.map_err(from_sqlx)
}

/// A transaction that holds the write lock from its start: one that reads first and asks for the
/// lock later can be refused halfway, whatever the timeout.
pub(super) async fn begin(conn: &mut Conn) -> Result<Transaction<'_, Db>, StoreError> {
    conn.begin_with("BEGIN IMMEDIATE").await.map_err(from_sqlx)
}

/// Makes the file, and its directory, for the owner only. SQLite gives the files that it puts
/// beside it the same rights. What exists already is left as it is.
pub(super) fn make_file(path: &Path) -> Result<(), StoreError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| cannot_open(directory, error))?;
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        // The name too must outlive a power cut.
        Ok(_) => File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| cannot_open(directory, error)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(cannot_open(path, error)),
    }
}

/// Whether a failed opening may go better soon.
enum Again {
    Yes,
    No,
}

async fn try_open(options: &ConnOptions, path: &Path) -> Result<Conn, (StoreError, Again)> {
    let mut conn = connect(options).await.map_err(|error| match error {
        StoreError::Busy => (StoreError::Busy, Again::Yes),
        // At the first connection it is the path more often than the database.
        StoreError::Unavailable(source) => {
            let path = path.display().to_string();
            (StoreError::Open { path, source }, Again::No)
        }
        other => (other, Again::No),
    })?;
    match MIGRATOR.run(&mut conn).await {
        Ok(()) => Ok(conn),
        Err(error) => {
            let again = match &error {
                MigrateError::Execute(_) | MigrateError::ExecuteMigration(..) => Again::Yes,
                _ => Again::No,
            };
            Err((StoreError::Migrate(Arc::new(error)), again))
        }
    }
}

fn cannot_open(path: &Path, error: IoError) -> StoreError {
    StoreError::Open {
        path: path.display().to_string(),
        source: Arc::new(error),
    }
}

/// Tells a refused row from a database that is busy or broken.
pub(super) fn from_sqlx(error: sqlx::Error) -> StoreError {
    let code = match &error {
        sqlx::Error::PoolTimedOut => return StoreError::Busy,
        sqlx::Error::PoolClosed => return StoreError::Closed,
        sqlx::Error::Database(database) => database
            .code()
            .and_then(|code| code.parse::<i32>().ok())
            .map(|code| code & PRIMARY),
        _ => None,
    };
    match code {
        Some(SQLITE_BUSY | SQLITE_LOCKED) => StoreError::Busy,
        Some(SQLITE_CONSTRAINT) => StoreError::Refused(Arc::new(error)),
        _ => StoreError::Unavailable(Arc::new(error)),
    }
}

//! What is SQLite's own: the file, the connection's settings and its error numbers.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Error as IoError, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, SqliteConnection};

use super::error::StoreError;
use crate::config::store::StoreConfig;

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

/// How connections are made.
#[derive(Clone, Debug)]
pub(super) struct Opener {
    options: SqliteConnectOptions,
    path: PathBuf,
    readers: u32,
    busy_timeout: Duration,
}

/// Whether a failed opening may go better soon.
enum Again {
    Yes,
    No,
}

impl Opener {
    pub(super) fn new(config: &StoreConfig) -> Self {
        let busy_timeout = Duration::from_millis(config.busy_timeout_ms.into());
        Self {
            // Nothing here creates the file: a database that vanished under a running gateway must
            // be an error, not a new and empty one.
            options: SqliteConnectOptions::new()
                .filename(&config.path)
                .create_if_missing(false)
                .journal_mode(SqliteJournalMode::Wal)
                // In WAL mode, NORMAL loses the last commits with the power; an acknowledged row
                // may not.
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(busy_timeout)
                .disable_statement_logging(),
            path: config.path.clone(),
            readers: config.readers.get(),
            busy_timeout,
        }
    }

    /// The first connection: the file made, its schema brought up to date.
    ///
    /// Processes that open a new database at once get in each other's way: turning to the
    /// write-ahead log does not wait for a lock, and both may run the same step. Who loses looks
    /// again.
    pub(super) async fn open(&self) -> Result<SqliteConnection, StoreError> {
        make_file(&self.path)?;
        let mut attempt = 1;
        loop {
            match self.try_open().await {
                Err((_, Again::Yes)) if attempt < OPEN_ATTEMPTS => {
                    tokio::time::sleep(OPEN_PAUSE * attempt).await;
                    attempt += 1;
                }
                other => return other.map_err(|(error, _)| error),
            }
        }
    }

    pub(super) async fn connect(&self) -> Result<SqliteConnection, StoreError> {
        self.options.connect().await.map_err(from_sqlx)
    }

    pub(super) fn readers(&self) -> SqlitePool {
        SqlitePoolOptions::new()
            .max_connections(self.readers)
            .acquire_timeout(self.busy_timeout)
            // A ping before each use costs a thread's round trip, and a local file does not hang up.
            .test_before_acquire(false)
            .connect_lazy_with(self.options.clone().pragma("query_only", "ON"))
    }

    /// Readers that change nothing: turning to the write-ahead log is a write, and so is folding in
    /// one that a crash left. Without such a log not even the files beside it are made.
    pub(super) fn lookers(&self) -> SqlitePool {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .read_only(true)
            .immutable(!Path::new(&log).exists())
            .busy_timeout(self.busy_timeout)
            .disable_statement_logging();
        SqlitePoolOptions::new()
            .max_connections(self.readers)
            .acquire_timeout(self.busy_timeout)
            .test_before_acquire(false)
            .connect_lazy_with(options)
    }

    async fn try_open(&self) -> Result<SqliteConnection, (StoreError, Again)> {
        let mut conn = self.connect().await.map_err(|error| match error {
            StoreError::Busy => (StoreError::Busy, Again::Yes),
            // At the first connection it is the path more often than the database.
            StoreError::Unavailable(source) => {
                let path = self.path.display().to_string();
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
}

/// Makes the file, and its directory, for the owner only. SQLite gives the files that it puts
/// beside it the same rights. What exists already is left as it is.
fn make_file(path: &Path) -> Result<(), StoreError> {
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

//! The database: where it is and what it may hold back.

mod postgres;
#[cfg(test)]
mod tests;
mod written;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::secret::{SecretError, Secrets};
pub use postgres::{BadDatabaseUrl, DatabaseHost, DatabaseUrl, PostgresConfig, SslMode};
pub use written::BadStore;

/// Where the database is when nothing says otherwise, from the data directory.
const DEFAULT_PATH: &str = "gateway.sqlite";
/// Reading is short and rare beside the audit; each reader of SQLite is an operating-system thread.
const DEFAULT_READERS: u32 = 4;
/// Longer than any write of ours, shorter than a caller's patience.
const DEFAULT_BUSY_TIMEOUT_MS: u32 = 2_000;
/// About half a second of calls on a slow disk; also what bounds the memory of waiting rows.
const DEFAULT_QUEUE_ROWS: u32 = 1_024;
/// Enough to make the disk's sync cheap per row, few enough to keep the lock for milliseconds.
const DEFAULT_BATCH_ROWS: u32 = 256;
/// With the busy timeout, the longest that a call waits for its audit row.
const DEFAULT_QUEUE_WAIT_MS: u32 = 1_000;

/// The section `[store]`: the database. SQLite at `path`, unless `url` names a PostgreSQL.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "written::Written")]
pub struct StoreConfig {
    /// The SQLite file. It and its directory are made when missing, for the owner only.
    pub path: PathBuf,
    /// PostgreSQL in place of the file: the keys `url`, `password`, `sslmode`, `ca_file`,
    /// `connect_timeout_ms` and `answer_timeout_ms`.
    pub postgres: Option<PostgresConfig>,
    /// How many connections read at once. One more writes.
    pub readers: NonZeroU32,
    /// How long a statement waits for another process's lock, in milliseconds; also how long a
    /// reading waits for a connection.
    pub busy_timeout_ms: u32,
    /// How many writes may wait for the writer.
    pub queue_rows: NonZeroU32,
    /// How many waiting writes go into one transaction.
    pub batch_rows: NonZeroU32,
    /// How long a write waits for a place in a full queue, in milliseconds.
    pub queue_wait_ms: u32,
}

impl StoreConfig {
    /// Reads the password, where one is named.
    ///
    /// # Errors
    /// [`SecretError`] names `store.password` and what to do.
    pub fn password(&self, secrets: &Secrets) -> Result<Option<SecretString>, SecretError> {
        self.postgres
            .as_ref()
            .and_then(|postgres| postgres.password.as_ref())
            .map(|source| secrets.resolve("store.password", source))
            .transpose()
    }

    /// A relative SQLite file begins in the data directory, a certificate's beside the
    /// configuration.
    pub fn based_in(&mut self, directory: &Path, data_dir: &Path) {
        self.path = data_dir.join(&self.path);
        if let Some(file) = self.postgres.as_mut().and_then(|it| it.ca_file.as_mut()) {
            *file = directory.join(&*file);
        }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            path: PathBuf::from(DEFAULT_PATH),
            postgres: None,
            readers: at_least_one(DEFAULT_READERS),
            busy_timeout_ms: DEFAULT_BUSY_TIMEOUT_MS,
            queue_rows: at_least_one(DEFAULT_QUEUE_ROWS),
            batch_rows: at_least_one(DEFAULT_BATCH_ROWS),
            queue_wait_ms: DEFAULT_QUEUE_WAIT_MS,
        }
    }
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

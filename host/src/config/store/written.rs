//! The section as written, before it is known which of its keys belong together.

use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::Deserialize;

use super::postgres::{DEFAULT_ANSWER_TIMEOUT_MS, DEFAULT_CONNECT_TIMEOUT_MS, DatabaseHost};
use super::{DatabaseUrl, PostgresConfig, SslMode, StoreConfig};
use crate::config::secret::SecretSource;

/// Keys that do not go together. Says what to write, and repeats no value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadStore {
    /// Two databases.
    #[error("`path` is SQLite's and `url` is PostgreSQL's: write one of them")]
    Both,
    /// A key of PostgreSQL's without a PostgreSQL.
    #[error("`{0}` belongs to PostgreSQL: write `url` too, or leave it out")]
    WithoutUrl(&'static str),
    /// A certificate that nobody would look at.
    #[error(
        "`ca_file` is looked at only with sslmode = \"verify-full\": write that, or leave it out"
    )]
    CaUnused,
    /// TLS where there is no network.
    #[error("a socket has no TLS: leave `sslmode` and `ca_file` out")]
    SocketTls,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Written {
    path: Option<PathBuf>,
    url: Option<DatabaseUrl>,
    password: Option<SecretSource>,
    sslmode: Option<SslMode>,
    ca_file: Option<PathBuf>,
    connect_timeout_ms: Option<NonZeroU32>,
    answer_timeout_ms: Option<NonZeroU32>,
    readers: Option<NonZeroU32>,
    busy_timeout_ms: Option<u32>,
    queue_rows: Option<NonZeroU32>,
    batch_rows: Option<NonZeroU32>,
    queue_wait_ms: Option<u32>,
}

impl TryFrom<Written> for StoreConfig {
    type Error = BadStore;

    fn try_from(mut written: Written) -> Result<Self, BadStore> {
        let postgres = match written.url.take() {
            Some(_) if written.path.is_some() => return Err(BadStore::Both),
            Some(url) => Some(written.postgres(url)?),
            None => {
                written.without_url()?;
                None
            }
        };
        let default = Self::default();
        Ok(Self {
            path: written.path.unwrap_or(default.path),
            postgres,
            readers: written.readers.unwrap_or(default.readers),
            busy_timeout_ms: written.busy_timeout_ms.unwrap_or(default.busy_timeout_ms),
            queue_rows: written.queue_rows.unwrap_or(default.queue_rows),
            batch_rows: written.batch_rows.unwrap_or(default.batch_rows),
            queue_wait_ms: written.queue_wait_ms.unwrap_or(default.queue_wait_ms),
        })
    }
}

impl Written {
    fn postgres(&mut self, url: DatabaseUrl) -> Result<PostgresConfig, BadStore> {
        let sslmode = match (&url.host, self.sslmode) {
            (DatabaseHost::Socket(_), None) if self.ca_file.is_none() => SslMode::Disable,
            (DatabaseHost::Socket(_), Some(SslMode::Disable)) if self.ca_file.is_none() => {
                SslMode::Disable
            }
            (DatabaseHost::Socket(_), _) => return Err(BadStore::SocketTls),
            // Encrypted and nobody's in between, unless something else is asked for.
            (DatabaseHost::Name(_), mode) => mode.unwrap_or(SslMode::VerifyFull),
        };
        if self.ca_file.is_some() && sslmode != SslMode::VerifyFull {
            return Err(BadStore::CaUnused);
        }
        Ok(PostgresConfig {
            url,
            password: self.password.take(),
            sslmode,
            ca_file: self.ca_file.take(),
            connect_timeout_ms: self
                .connect_timeout_ms
                .map_or(DEFAULT_CONNECT_TIMEOUT_MS, NonZeroU32::get),
            answer_timeout_ms: self
                .answer_timeout_ms
                .map_or(DEFAULT_ANSWER_TIMEOUT_MS, NonZeroU32::get),
        })
    }

    fn without_url(&self) -> Result<(), BadStore> {
        let keys = [
            ("password", self.password.is_some()),
            ("sslmode", self.sslmode.is_some()),
            ("ca_file", self.ca_file.is_some()),
            ("connect_timeout_ms", self.connect_timeout_ms.is_some()),
            ("answer_timeout_ms", self.answer_timeout_ms.is_some()),
        ];
        match keys.into_iter().find(|(_, written)| *written) {
            Some((key, _)) => Err(BadStore::WithoutUrl(key)),
            None => Ok(()),
        }
    }
}

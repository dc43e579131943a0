//! Where a PostgreSQL is and how it is reached.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use url::Url;

use crate::config::secret::SecretSource;

/// Name, connection, TLS and login together.
pub(super) const DEFAULT_CONNECT_TIMEOUT_MS: u32 = 5_000;
/// The largest module over a slow line; a database that is silent for longer is gone.
pub(super) const DEFAULT_ANSWER_TIMEOUT_MS: u32 = 10_000;
const DEFAULT_PORT: u16 = 5432;

/// A PostgreSQL, from version 13.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PostgresConfig {
    /// `postgres://<user>@<host>:<port>/<database>`, without a password.
    pub url: DatabaseUrl,
    /// Where the password is.
    pub password: Option<SecretSource>,
    /// How the connection is protected. By default `verify-full`, on a socket none.
    pub sslmode: SslMode,
    /// A file of certificates (PEM) to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// How long a connection may take, login included, in milliseconds.
    pub connect_timeout_ms: u32,
    /// How long one statement may take before the connection is given up, in milliseconds.
    pub answer_timeout_ms: u32,
}

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// In the clear: for a network that is nobody else's.
    Disable,
    /// Encrypted to whoever answers.
    Require,
    /// Encrypted to the host of the url, by its certificate.
    VerifyFull,
}

/// Where it listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DatabaseHost {
    /// A name or an address.
    Name(String),
    /// The directory of a socket.
    Socket(PathBuf),
}

/// A database's url. Never holds a password.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct DatabaseUrl {
    /// Where it listens.
    pub host: DatabaseHost,
    /// The port; of a socket, the number in its name.
    pub port: u16,
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
}

/// The text is not a database's url. It is not repeated here: it may hold a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadDatabaseUrl {
    /// There is a password in it.
    #[error(
        "a password does not belong in the url: take it out and write \
         password = \"env:REGISTRY_SECRET_<NAME>\" or \"file:<name below the secrets directory>\""
    )]
    Password,
    /// There is a `?` or `#` in it.
    #[error("nothing may follow the database's name: sslmode, ca_file and password are keys")]
    Extra,
    /// Something is missing or not readable.
    #[error(
        "write postgres://<user>@<host>:<port>/<database>; the host of a socket is its directory, \
         written as %2Frun%2Fpostgresql"
    )]
    Form,
}

impl DatabaseUrl {
    /// Reads a url.
    ///
    /// # Errors
    /// [`BadDatabaseUrl`] says what to write instead.
    pub fn parse(text: &str) -> Result<Self, BadDatabaseUrl> {
        let url = Url::parse(text).map_err(|_| BadDatabaseUrl::Form)?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(BadDatabaseUrl::Form);
        }
        let asks_password = |(key, _): (_, _)| key == "password";
        if url.password().is_some() || url.query_pairs().any(asks_password) {
            return Err(BadDatabaseUrl::Password);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BadDatabaseUrl::Extra);
        }
        let host = decoded(url.host_str().unwrap_or_default())?;
        let host = if host.starts_with('/') {
            DatabaseHost::Socket(PathBuf::from(host))
        } else {
            let name = host.trim_start_matches('[').trim_end_matches(']');
            DatabaseHost::Name(name.to_owned())
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(DEFAULT_PORT),
            user: decoded(url.username())?,
            database: decoded(url.path().strip_prefix('/').unwrap_or_default())?,
        })
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = BadDatabaseUrl;

    fn try_from(text: String) -> Result<Self, BadDatabaseUrl> {
        Self::parse(&text)
    }
}

/// Where, for people; without who.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { port, database, .. } = self;
        match &self.host {
            DatabaseHost::Name(name) => write!(f, "postgres://{name}:{port}/{database}"),
            DatabaseHost::Socket(directory) => {
                let directory = directory.display();
                write!(f, "postgres:{directory}/.s.PGSQL.{port}/{database}")
            }
        }
    }
}

fn decoded(part: &str) -> Result<String, BadDatabaseUrl> {
    let text = percent_decode_str(part)
        .decode_utf8()
        .map_err(|_| BadDatabaseUrl::Form)?;
    if text.is_empty() || text.contains('\0') {
        return Err(BadDatabaseUrl::Form);
    }
    Ok(text.into_owned())
}

use jiff::Timestamp;

use super::columns::{check_no_nul, check_size, check_text, get, time};
use super::db::{Conn, Row, query};
use super::error::StoreError;
use super::writer::{Change, Work};
use super::{Store, bump, now};

const NAME_MAX_BYTES: usize = 128;
const CONFIGURATION_MAX_BYTES: usize = 1 << 20;

/// A registry as configured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registry {
    /// Its name in the API.
    pub name: String,
    /// The module that serves it.
    pub module_digest: String,
    /// Endpoints, settings and limits as JSON, as the caller handed it: the store does not read it.
    pub configuration: String,
    /// Whether it takes calls.
    pub enabled: bool,
    /// When this row last changed.
    pub updated_at: Timestamp,
}

/// One change of a registry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RegistryChange {
    /// Makes the registry, or replaces all of it.
    Put {
        /// Its name, 1 to 128 bytes.
        name: String,
        /// A stored module.
        module_digest: String,
        /// JSON, at most 1 MiB.
        configuration: String,
        /// Whether it takes calls.
        enabled: bool,
    },
    /// Makes an existing one take calls, or no longer.
    Enable {
        /// Its name.
        name: String,
        /// Whether it takes calls.
        enabled: bool,
    },
    /// Removes it. Its audit rows stay.
    Delete {
        /// Its name.
        name: String,
    },
}

/// The registries of a store.
#[derive(Clone, Copy, Debug)]
pub struct Registries<'a> {
    store: &'a Store,
}

impl<'a> Registries<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Makes all the changes, in order, or none, and returns the revision after them.
    ///
    /// # Errors
    /// `Invalid` names the field; `Unknown` the module or registry that is not there; `Busy`,
    /// `Unavailable` or `Closed` as for any write.
    pub async fn apply(self, changes: Vec<RegistryChange>) -> Result<i64, StoreError> {
        for change in &changes {
            check(change)?;
        }
        self.store
            .writer
            .write(Work::Change(Change::Registries(changes)))
            .await
    }

    /// The registry of that name.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn get(self, name: &str) -> Result<Option<Registry>, StoreError> {
        query(
            "SELECT name, module_digest, configuration, enabled, updated_at FROM registries \
             WHERE name = $1",
        )
        .bind(name)
        .fetch_optional(&self.store.readers)
        .await?
        .as_ref()
        .map(registry_of)
        .transpose()
    }

    /// All of them, by name. Ask for the revision before, not after: a change in between is then
    /// seen twice instead of never.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn list(self) -> Result<Vec<Registry>, StoreError> {
        query(
            "SELECT name, module_digest, configuration, enabled, updated_at FROM registries \
             ORDER BY name",
        )
        .fetch_all(&self.store.readers)
        .await?
        .iter()
        .map(registry_of)
        .collect()
    }
}

pub(super) async fn apply(conn: &mut Conn, changes: &[RegistryChange]) -> Result<i64, StoreError> {
    let at = now().as_microsecond();
    // First: of two gateways that change at once one waits here, before it holds any other row.
    let revision = bump(&mut *conn).await?;
    for change in changes {
        match change {
            RegistryChange::Put {
                name,
                module_digest,
                configuration,
                enabled,
            } => {
                require_module(conn, module_digest).await?;
                query(
                    "INSERT INTO registries (name, module_digest, configuration, enabled, updated_at) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO UPDATE SET \
                     module_digest = excluded.module_digest, \
                     configuration = excluded.configuration, \
                     enabled = excluded.enabled, updated_at = excluded.updated_at",
                )
                .bind(name)
                .bind(module_digest)
                .bind(configuration)
                .bind(*enabled)
                .bind(at)
                .execute(&mut *conn)
                .await?;
            }
            RegistryChange::Enable { name, enabled } => {
                let done =
                    query("UPDATE registries SET enabled = $2, updated_at = $3 WHERE name = $1")
                        .bind(name)
                        .bind(*enabled)
                        .bind(at)
                        .execute(&mut *conn)
                        .await?;
                require_one(done, name)?;
            }
            RegistryChange::Delete { name } => {
                let done = query("DELETE FROM registries WHERE name = $1")
                    .bind(name)
                    .execute(&mut *conn)
                    .await?;
                require_one(done, name)?;
            }
        }
    }
    Ok(revision)
}

/// The foreign key would refuse it too, without saying which.
async fn require_module(conn: &mut Conn, digest: &str) -> Result<(), StoreError> {
    let known = query("SELECT size_bytes FROM modules WHERE digest = $1")
        .bind(digest)
        .fetch_optional(conn)
        .await?;
    match known {
        Some(_) => Ok(()),
        None => Err(StoreError::Unknown {
            what: "module",
            name: digest.to_owned(),
        }),
    }
}

fn require_one(rows: u64, name: &str) -> Result<(), StoreError> {
    match rows {
        0 => Err(StoreError::Unknown {
            what: "registry",
            name: name.to_owned(),
        }),
        _ => Ok(()),
    }
}

fn check(change: &RegistryChange) -> Result<(), StoreError> {
    let (RegistryChange::Put { name, .. }
    | RegistryChange::Enable { name, .. }
    | RegistryChange::Delete { name }) = change;
    check_text("registry.name", name, NAME_MAX_BYTES)?;
    if let RegistryChange::Put { configuration, .. } = change {
        check_no_nul("registry.configuration", configuration)?;
        check_size(
            "registry.configuration",
            configuration.len(),
            CONFIGURATION_MAX_BYTES,
            "bytes",
        )?;
    }
    Ok(())
}

fn registry_of(row: &Row) -> Result<Registry, StoreError> {
    Ok(Registry {
        name: get(row, "name")?,
        module_digest: get(row, "module_digest")?,
        configuration: get(row, "configuration")?,
        enabled: get(row, "enabled")?,
        updated_at: time(row, "updated_at")?,
    })
}

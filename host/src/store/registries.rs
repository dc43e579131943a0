mod state;
mod turn;

use std::collections::HashSet;
use std::sync::LazyLock;

use jiff::Timestamp;

pub(super) use self::state::apply_to;
use self::state::state_of;
use self::turn::{activate, enable, put_turns, require_registry};
use super::activations::{Before, Turned, Why};
use super::candidates;
use super::columns::{check_no_nul, check_size, check_text, get, time};
use super::db::{BulkInsert, Conn, Row, query};
use super::error::StoreError;
use super::operations;
use super::writer::{Change, Work};
use super::{Store, bump, now};

/// Whose act a change is where nobody is named: whoever can open the database.
const LOCAL: &str = "(local)";
const NAME_MAX_BYTES: usize = 128;
const CONFIGURATION_MAX_BYTES: usize = 1 << 20;

static PUT: LazyLock<BulkInsert> = LazyLock::new(|| {
    BulkInsert::or(
        "registries (name, module_digest, configuration, enabled, updated_at)",
        " ON CONFLICT (name) DO UPDATE SET module_digest = excluded.module_digest, \
         configuration = excluded.configuration, enabled = excluded.enabled, \
         updated_at = excluded.updated_at",
    )
});

const ALL: &str = "SELECT name, module_digest, configuration, enabled, updated_at \
     FROM registries ORDER BY name";

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

/// A registry or a caller whose row cannot be read back. Applying the registry again mends it.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Its name; empty where that is what cannot be read.
    pub name: String,
    /// What is wrong.
    pub error: StoreError,
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
    /// Removes it. Its audit rows and its history stay.
    Delete {
        /// Its name.
        name: String,
    },
    /// Has another module serve an existing one, with the configuration that it has.
    Activate {
        /// Its name.
        name: String,
        /// A stored module.
        module_digest: String,
        /// What serves until now; another is refused.
        expected: Option<String>,
        /// For the history.
        why: Why,
    },
    /// Makes a module the one that may serve next, in place of another.
    Stage {
        /// The registry's name.
        name: String,
        /// A stored module.
        module_digest: String,
        /// Percent of the lookups that it answers too, 1 to 100.
        share_percent: Option<u8>,
    },
    /// No module may serve next.
    Unstage {
        /// The registry's name.
        name: String,
    },
}

/// The registries of a store.
#[derive(Clone, Copy, Debug)]
pub struct Registries<'a> {
    store: &'a Store,
    by: &'a str,
}

impl<'a> Registries<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, by: LOCAL }
    }

    /// Names whose act the changes are, for the history.
    pub fn by(self, caller: &'a str) -> Self {
        Self { by: caller, ..self }
    }

    /// Makes all the changes, in order, or none, and returns the revision after them.
    ///
    /// # Errors
    /// `Invalid` names the field; `Unknown` the module or registry that is not there; `Moved` says
    /// what serves by now; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn apply(self, changes: Vec<RegistryChange>) -> Result<i64, StoreError> {
        for change in &changes {
            check(change)?;
        }
        self.store
            .writer
            .write(Work::Change(Change::Registries(
                changes,
                self.by.to_owned(),
            )))
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
    /// seen twice instead of never. One that cannot be read back is told as such: the others can.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn list(self) -> Result<Vec<Result<Registry, Unreadable>>, StoreError> {
        let rows = query(ALL).fetch_all(&self.store.readers).await?;
        Ok(rows.iter().map(read).collect())
    }

    /// All of them as [`list`](Self::list) gives them, and what [`apply_to`](Self::apply_to) knows
    /// this state by.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn state(self) -> Result<(String, Vec<Result<Registry, Unreadable>>), StoreError> {
        let rows = query(ALL).fetch_all(&self.store.readers).await?;
        Ok((state_of(&rows), rows.iter().map(read).collect()))
    }

    /// The same as [`apply`](Self::apply), if the registries are still in that state.
    ///
    /// # Errors
    /// `Stale` where they are not, or as for `apply`.
    pub async fn apply_to(
        self,
        state: String,
        changes: Vec<RegistryChange>,
    ) -> Result<i64, StoreError> {
        for change in &changes {
            check(change)?;
        }
        let by = self.by.to_owned();
        let work = Change::RegistriesOf { state, by, changes };
        self.store.writer.write(Work::Change(work)).await
    }
}

pub(super) async fn apply(
    conn: &mut Conn,
    changes: &[RegistryChange],
    by: &str,
) -> Result<i64, StoreError> {
    let at = now().as_microsecond();
    // First: of two gateways that change at once one waits here, before it holds any other row.
    let revision = bump(&mut *conn).await?;
    let mut before = Before::read(&mut *conn).await?;
    let mut modules = HashSet::new();
    let mut rest = changes;
    while let Some((change, after)) = rest.split_first() {
        let turned = match change {
            RegistryChange::Put { .. } => {
                let (puts, after) = rest.split_at(leading_puts(rest));
                put(conn, puts, at, &mut modules).await?;
                let turned = puts.iter().filter_map(put_turns);
                before.record(conn, turned, by, at).await?;
                rest = after;
                continue;
            }
            RegistryChange::Enable { name, enabled } => {
                Some(enable(conn, name, *enabled, at).await?)
            }
            RegistryChange::Delete { name } => {
                operations::require_none_open(conn, name).await?;
                candidates::remove(conn, name).await?;
                let done = query("DELETE FROM registries WHERE name = $1")
                    .bind(name)
                    .execute(&mut *conn)
                    .await?;
                require_one(done, name)?;
                Some((name, None, "delete"))
            }
            RegistryChange::Activate { name, .. } => {
                let enabled = activate(conn, change, at, &mut modules).await?;
                enabled.map(|(digest, why)| (name, Some(digest), why))
            }
            RegistryChange::Stage {
                name,
                module_digest,
                share_percent,
            } => {
                require_registry(conn, name).await?;
                require_module(conn, module_digest).await?;
                candidates::put(conn, name, module_digest, *share_percent, by, at).await?;
                None
            }
            RegistryChange::Unstage { name } => {
                if !candidates::remove(conn, name).await? {
                    return Err(unknown("candidate", name));
                }
                None
            }
        };
        let turned = turned.iter().map(|(registry, module, why)| Turned {
            registry,
            module: module.as_deref(),
            why,
        });
        before.record(conn, turned, by, at).await?;
        rest = after;
    }
    candidates::remove_active(conn).await?;
    Ok(revision)
}

/// How many changes from the first on are puts of different registries.
fn leading_puts(changes: &[RegistryChange]) -> usize {
    let mut names = HashSet::new();
    changes
        .iter()
        .take_while(|change| match change {
            RegistryChange::Put { name, .. } => names.insert(name),
            _ => false,
        })
        .count()
}

/// By few statements: audit rows wait until the thousandth registry is written.
async fn put<'c>(
    conn: &mut Conn,
    puts: &'c [RegistryChange],
    at: i64,
    modules: &mut HashSet<&'c str>,
) -> Result<(), StoreError> {
    for (mut insert, part) in PUT.parts(puts) {
        for change in part {
            let RegistryChange::Put {
                name,
                module_digest,
                configuration,
                enabled,
            } = change
            else {
                continue;
            };
            if modules.insert(module_digest) {
                require_module(conn, module_digest).await?;
            }
            insert = insert
                .bind(name)
                .bind(module_digest)
                .bind(configuration)
                .bind(*enabled)
                .bind(at);
        }
        insert.execute(&mut *conn).await?;
    }
    Ok(())
}

/// The foreign key would refuse it too, without saying which.
pub(super) async fn require_module(conn: &mut Conn, digest: &str) -> Result<(), StoreError> {
    let known = query(
        "SELECT m.size_bytes FROM modules m LEFT JOIN module_facts f ON f.digest = m.digest \
         WHERE m.digest = $1 AND f.retired_at IS NULL",
    )
    .bind(digest)
    .fetch_optional(conn)
    .await?;
    match known {
        Some(_) => Ok(()),
        None => Err(unknown("module", digest)),
    }
}

fn unknown(what: &'static str, name: &str) -> StoreError {
    StoreError::Unknown {
        what,
        name: name.to_owned(),
    }
}

fn require_one(rows: u64, name: &str) -> Result<(), StoreError> {
    match rows {
        0 => Err(unknown("registry", name)),
        _ => Ok(()),
    }
}

fn check(change: &RegistryChange) -> Result<(), StoreError> {
    let (RegistryChange::Put { name, .. }
    | RegistryChange::Enable { name, .. }
    | RegistryChange::Delete { name }
    | RegistryChange::Activate { name, .. }
    | RegistryChange::Stage { name, .. }
    | RegistryChange::Unstage { name }) = change;
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

fn read(row: &Row) -> Result<Registry, Unreadable> {
    registry_of(row).map_err(|error| Unreadable {
        name: get(row, "name").unwrap_or_default(),
        error,
    })
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

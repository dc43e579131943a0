//! Which module served which registry when. Rows are added in the transaction of the change, and
//! never touched again.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;

use super::Store;
use super::columns::{get, time};
use super::db::{BulkInsert, Conn, Row, query};
use super::error::StoreError;

/// Most rows that one reading returns.
const READ_MAX: u32 = 1_000;

static INSERT: LazyLock<BulkInsert> = LazyLock::new(|| {
    BulkInsert::new("activations (number, registry, at, module_digest, previous, caller, why)")
});

/// A change of what serves a registry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Activation {
    /// Grows with each row of whichever registry.
    pub number: i64,
    /// The registry's name.
    pub registry: String,
    /// When, by the clock of the gateway that changed it.
    pub at: Timestamp,
    /// What serves from then on. None: nothing does.
    pub module_digest: Option<String>,
    /// What served until then.
    pub previous: Option<String>,
    /// Whose act it was.
    pub caller: String,
    /// By which act.
    pub why: String,
}

/// By which act another module serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// It was activated.
    Activate,
    /// What served before was wanted back.
    Rollback,
}

/// A module that has served a registry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Served {
    /// The registry's name.
    pub registry: String,
    /// The module.
    pub module_digest: String,
    /// The row by which it came last.
    pub number: i64,
}

/// The history of a store.
#[derive(Clone, Copy, Debug)]
pub struct Activations<'a> {
    store: &'a Store,
}

/// What serves a registry before and after a transaction's changes.
pub(super) struct Before {
    serves: HashMap<String, Option<String>>,
}

/// One registry's change, within a transaction.
pub(super) struct Turned<'c> {
    pub(super) registry: &'c str,
    pub(super) module: Option<&'c str>,
    pub(super) why: &'static str,
}

impl Why {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Rollback => "rollback",
        }
    }
}

impl<'a> Activations<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// The latest of a registry, the newest first; at most 1,000.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn of(self, registry: &str, limit: u32) -> Result<Vec<Activation>, StoreError> {
        query(
            "SELECT number, registry, at, module_digest, previous, caller, why FROM activations \
             WHERE registry = $1 ORDER BY number DESC LIMIT $2",
        )
        .bind(registry)
        .bind(i64::from(limit.min(READ_MAX)))
        .fetch_all(&self.store.readers)
        .await?
        .iter()
        .map(activation_of)
        .collect()
    }

    /// The one that held at that time.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn at(self, registry: &str, at: Timestamp) -> Result<Option<Activation>, StoreError> {
        query(
            "SELECT number, registry, at, module_digest, previous, caller, why FROM activations \
             WHERE registry = $1 AND at <= $2 ORDER BY number DESC LIMIT 1",
        )
        .bind(registry)
        .bind(at.as_microsecond())
        .fetch_optional(&self.store.readers)
        .await?
        .as_ref()
        .map(activation_of)
        .transpose()
    }

    /// Which modules have served, of one registry or of all: the latest of each registry first.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn served(self, registry: Option<&str>) -> Result<Vec<Served>, StoreError> {
        let statement = match registry {
            None => query(
                "SELECT registry, module_digest, MAX(number) AS number FROM activations \
                 WHERE module_digest IS NOT NULL GROUP BY registry, module_digest \
                 ORDER BY registry, MAX(number) DESC",
            ),
            Some(registry) => query(
                "SELECT registry, module_digest, MAX(number) AS number FROM activations \
                 WHERE registry = $1 AND module_digest IS NOT NULL \
                 GROUP BY registry, module_digest ORDER BY MAX(number) DESC",
            )
            .bind(registry),
        };
        let rows = statement.fetch_all(&self.store.readers).await?;
        let read = |row| {
            Ok(Served {
                registry: get(row, "registry")?,
                module_digest: get(row, "module_digest")?,
                number: get(row, "number")?,
            })
        };
        rows.iter().map(read).collect()
    }
}

impl Before {
    /// Within the transaction, after its lock is taken.
    pub(super) async fn read(conn: &mut Conn) -> Result<Self, StoreError> {
        let rows = query("SELECT name, module_digest, enabled FROM registries")
            .fetch_all(conn)
            .await?;
        // A row that cannot be read back is mended by being replaced: what it named is not known.
        let serves = rows.iter().filter_map(|row| {
            let enabled: bool = get(row, "enabled").ok()?;
            let digest: String = get(row, "module_digest").ok()?;
            Some((get(row, "name").ok()?, enabled.then_some(digest)))
        });
        Ok(Self {
            serves: serves.collect(),
        })
    }

    /// Adds a row for each that truly changes what serves.
    pub(super) async fn record<'c>(
        &mut self,
        conn: &mut Conn,
        turned: impl Iterator<Item = Turned<'c>>,
        by: &str,
        at: i64,
    ) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for one in turned {
            let previous = self.serves.get(one.registry).cloned().flatten();
            if previous.as_deref() == one.module {
                continue;
            }
            let now = one.module.map(str::to_owned);
            self.serves.insert(one.registry.to_owned(), now);
            rows.push((one, previous));
        }
        if rows.is_empty() {
            return Ok(());
        }
        let mut number: i64 = query("SELECT COALESCE(MAX(number), 0) AS number FROM activations")
            .fetch_one(&mut *conn)
            .await?
            .get("number")?;
        for (mut insert, part) in INSERT.parts(&rows) {
            for (one, previous) in part {
                number += 1;
                insert = insert
                    .bind(number)
                    .bind(one.registry)
                    .bind(at)
                    .bind(one.module)
                    .bind(previous)
                    .bind(by)
                    .bind(one.why);
            }
            insert.execute(&mut *conn).await?;
        }
        Ok(())
    }
}

fn activation_of(row: &Row) -> Result<Activation, StoreError> {
    Ok(Activation {
        number: get(row, "number")?,
        registry: get(row, "registry")?,
        at: time(row, "at")?,
        module_digest: get(row, "module_digest")?,
        previous: get(row, "previous")?,
        caller: get(row, "caller")?,
        why: get(row, "why")?,
    })
}

//! The modules that may serve next. They are changed as registries are (`RegistryChange`).

use jiff::Timestamp;

use super::Store;
use super::columns::{count, get, time};
use super::db::{Conn, Row, query};
use super::error::StoreError;

/// The module that may serve a registry next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Candidate {
    /// The registry's name.
    pub registry: String,
    /// The module.
    pub module_digest: String,
    /// Percent of the lookups that it answers too. None: it is staged only.
    pub share_percent: Option<u8>,
    /// Since when it is so.
    pub since: Timestamp,
    /// Whose act it was.
    pub caller: String,
}

/// The candidates of a store.
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'a> {
    store: &'a Store,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Of one registry.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn get(self, registry: &str) -> Result<Option<Candidate>, StoreError> {
        query(
            "SELECT registry, module_digest, share_percent, since, caller FROM candidates \
             WHERE registry = $1",
        )
        .bind(registry)
        .fetch_optional(&self.store.readers)
        .await?
        .as_ref()
        .map(candidate_of)
        .transpose()
    }

    /// All of them, by registry.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn list(self) -> Result<Vec<Candidate>, StoreError> {
        query(
            "SELECT registry, module_digest, share_percent, since, caller FROM candidates \
             ORDER BY registry",
        )
        .fetch_all(&self.store.readers)
        .await?
        .iter()
        .map(candidate_of)
        .collect()
    }
}

/// In place of the one before it.
pub(super) async fn put(
    conn: &mut Conn,
    registry: &str,
    digest: &str,
    share: Option<u8>,
    by: &str,
    at: i64,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO candidates (registry, module_digest, share_percent, since, caller) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (registry) DO UPDATE SET \
         module_digest = excluded.module_digest, share_percent = excluded.share_percent, \
         since = excluded.since, caller = excluded.caller",
    )
    .bind(registry)
    .bind(digest)
    .bind(share.map(i64::from))
    .bind(at)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// Returns whether there was one.
pub(super) async fn remove(conn: &mut Conn, registry: &str) -> Result<bool, StoreError> {
    let done = query("DELETE FROM candidates WHERE registry = $1")
        .bind(registry)
        .execute(conn)
        .await?;
    Ok(done > 0)
}

/// What serves is no candidate any more.
pub(super) async fn remove_active(conn: &mut Conn) -> Result<(), StoreError> {
    query(
        "DELETE FROM candidates WHERE EXISTS (SELECT 1 FROM registries \
         WHERE registries.name = candidates.registry \
         AND registries.module_digest = candidates.module_digest)",
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn candidate_of(row: &Row) -> Result<Candidate, StoreError> {
    let share: Option<i64> = get(row, "share_percent")?;
    Ok(Candidate {
        registry: get(row, "registry")?,
        module_digest: get(row, "module_digest")?,
        share_percent: share.map(|_| count(row, "share_percent")).transpose()?,
        since: time(row, "since")?,
        caller: get(row, "caller")?,
    })
}

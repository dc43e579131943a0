//! What is sealed and does not go by its age: links, secrets of webhooks, cursors. A key that takes the
//! place of another seals it anew.

use uuid::Uuid;

use super::Store;
use super::columns::{get, uuid};
use super::db::{Conn, query};
use super::error::StoreError;
use super::writer::{Change, Work};

/// What of a store is sealed for good.
#[derive(Clone, Copy, Debug)]
pub struct SealedRows<'a> {
    store: &'a Store,
}

/// Where something sealed is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SealedIn {
    /// Who is linked.
    Link(Uuid),
    /// The secret of a webhook.
    Webhook(Uuid),
    /// The one before it.
    WebhookBefore(Uuid),
    /// An adapter's cursor, of that registry.
    Cursor(String),
}

/// Something sealed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealedRow {
    /// Where it is.
    pub place: SealedIn,
    /// What stands there.
    pub sealed: Vec<u8>,
}

/// Something that was sealed anew.
#[derive(Clone, Debug)]
pub struct SealedAnew {
    /// What stood there. If it no longer does nothing is changed.
    pub before: SealedRow,
    /// What stands there now.
    pub after: Vec<u8>,
}

impl<'a> SealedRows<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Links behind this one, in order, some at a time.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn links(self, behind: Uuid, limit: u32) -> Result<Vec<SealedRow>, StoreError> {
        query("SELECT id, sealed FROM links WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(behind.to_string())
            .bind(i64::from(limit))
            .fetch_all(&self.store.readers)
            .await?
            .iter()
            .map(|row| {
                Ok(SealedRow {
                    place: SealedIn::Link(uuid(row, "id")?),
                    sealed: get::<&[u8]>(row, "sealed")?.to_vec(),
                })
            })
            .collect()
    }

    /// All secrets of webhooks, and all cursors: there are few.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn few(self) -> Result<Vec<SealedRow>, StoreError> {
        let mut found = Vec::new();
        let webhooks = query("SELECT id, secret, previous_secret FROM webhooks ORDER BY id");
        for row in webhooks.fetch_all(&self.store.readers).await? {
            let id = uuid(&row, "id")?;
            found.push(SealedRow {
                place: SealedIn::Webhook(id),
                sealed: get::<&[u8]>(&row, "secret")?.to_vec(),
            });
            if let Some(before) = get::<Option<&[u8]>>(&row, "previous_secret")? {
                found.push(SealedRow {
                    place: SealedIn::WebhookBefore(id),
                    sealed: before.to_vec(),
                });
            }
        }
        let cursors = query(
            "SELECT registry, data FROM event_cursors WHERE data IS NOT NULL ORDER BY registry",
        );
        for row in cursors.fetch_all(&self.store.readers).await? {
            found.push(SealedRow {
                place: SealedIn::Cursor(get(&row, "registry")?),
                sealed: get::<&[u8]>(&row, "data")?.to_vec(),
            });
        }
        Ok(found)
    }

    /// Puts what was sealed anew in the place of what it was. What was changed since stays as it is.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn reseal(self, anew: Vec<SealedAnew>) -> Result<(), StoreError> {
        let change = Change::Reseal(anew);
        let resealed = self.store.writer.write(Work::Change(change)).await;
        resealed.map(drop)
    }
}

/// Puts what was sealed anew in its place.
pub(super) async fn reseal(conn: &mut Conn, anew: &[SealedAnew]) -> Result<i64, StoreError> {
    for SealedAnew { before, after } in anew {
        let (statement, key) = match &before.place {
            SealedIn::Link(id) => (
                "UPDATE links SET sealed = $2 WHERE id = $1 AND sealed = $3",
                id.to_string(),
            ),
            SealedIn::Webhook(id) => (
                "UPDATE webhooks SET secret = $2 WHERE id = $1 AND secret = $3",
                id.to_string(),
            ),
            SealedIn::WebhookBefore(id) => (
                "UPDATE webhooks SET previous_secret = $2 WHERE id = $1 AND previous_secret = $3",
                id.to_string(),
            ),
            SealedIn::Cursor(registry) => (
                "UPDATE event_cursors SET data = $2 WHERE registry = $1 AND data = $3",
                registry.clone(),
            ),
        };
        query(statement)
            .bind(key)
            .bind(&after[..])
            .bind(&before.sealed[..])
            .execute(&mut *conn)
            .await?;
    }
    Ok(0)
}

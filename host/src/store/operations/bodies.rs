//! What is kept of people with operations: it goes when it is old, and its key may be another one.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Operation, Operations, READ_MAX, read};
use crate::store::columns::{get, uuid};
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::writer::{Change, Work};

/// Rows that are purged in one transaction.
const PURGED: i64 = 500;

/// Bodies of one operation: what was asked, what the registry did, the adapter's own state. None: there
/// is none, or nothing to change.
#[derive(Clone, Debug)]
pub struct Resealed {
    /// Which operation.
    pub position: i64,
    /// What stood there. If it no longer does nothing is changed.
    pub before: [Option<Vec<u8>>; 3],
    /// What stands there now.
    pub after: [Option<Vec<u8>>; 3],
}

impl Operations<'_> {
    /// Drops what was asked and answered of those that were over before then, some at a time. Where they
    /// stood and when stays. Gives how many.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn purge(self, before: Timestamp) -> Result<u64, StoreError> {
        let change = Change::PurgeOperations(before);
        let purged = self.store.writer.write(Work::Change(change)).await?;
        Ok(u64::try_from(purged).unwrap_or(0))
    }

    /// Bodies of those behind this position, in order, some at a time: for a key that takes the place of
    /// another.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn bodies(self, behind: i64, limit: u32) -> Result<Vec<Operation>, StoreError> {
        read::bodies(&self.store.readers, behind, limit.min(READ_MAX)).await
    }

    /// Puts bodies that were sealed anew in the place of what they were. One that was changed since
    /// stays as it is.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn reseal(self, resealed: Vec<Resealed>) -> Result<(), StoreError> {
        let change = Change::ResealOperations(resealed);
        self.store
            .writer
            .write(Work::Change(change))
            .await
            .map(drop)
    }

    /// The request that was sealed last, of those that are kept, and whose it is.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn newest_sealed(self) -> Result<Option<(Uuid, Vec<u8>)>, StoreError> {
        let row = query(
            "SELECT id, request FROM operations WHERE request IS NOT NULL \
             ORDER BY position DESC LIMIT 1",
        )
        .fetch_optional(&self.store.readers)
        .await?;
        let newest = row.map(|row| {
            let request: &[u8] = get(&row, "request")?;
            Ok((uuid(&row, "id")?, request.to_vec()))
        });
        newest.transpose()
    }
}

/// Drops bodies of what was over before then. Gives how many rows.
pub(in crate::store) async fn purge(conn: &mut Conn, before: Timestamp) -> Result<i64, StoreError> {
    let purged = query(
        "UPDATE operations SET request = NULL, receipt = NULL, adapter_state = NULL, \
         state_schema = NULL WHERE position IN (SELECT position FROM operations \
         WHERE state IN ('applied', 'rejected', 'conflict', 'cancelled') AND request IS NOT NULL \
         AND changed_at < $1 ORDER BY changed_at LIMIT $2)",
    )
    .bind(before.as_microsecond())
    .bind(PURGED)
    .execute(conn)
    .await?;
    Ok(i64::try_from(purged).unwrap_or(i64::MAX))
}

/// Puts what was sealed anew in its place.
pub(in crate::store) async fn reseal(
    conn: &mut Conn,
    resealed: &[Resealed],
) -> Result<i64, StoreError> {
    for Resealed {
        position,
        before,
        after,
    } in resealed
    {
        let columns = ["request", "receipt", "adapter_state"];
        for (column, (before, after)) in columns.iter().zip(before.iter().zip(after)) {
            let (Some(before), Some(after)) = (before, after) else {
                continue;
            };
            let statement = format!(
                "UPDATE operations SET {column} = $2 WHERE position = $1 AND {column} = $3"
            );
            query(sqlx::AssertSqlSafe(statement))
                .bind(*position)
                .bind(&after[..])
                .bind(&before[..])
                .execute(&mut *conn)
                .await?;
        }
    }
    Ok(0)
}

//! What is kept of people with operations: it goes when it is old, and its key may be another one.

use jiff::Timestamp;

use crate::store::db::{Conn, query};
use crate::store::error::StoreError;

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

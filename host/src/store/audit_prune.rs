//! Removes rows that were kept for long enough. What may go stands in `audit_pruned`; the triggers let
//! nothing else go.

use jiff::Timestamp;

use super::audit_checkpoints::Seal;
use super::audit_ledger::{StoredRow, Table, rows_of, stored};
use super::audit_people::people_of;
use super::columns::get;
use super::db::{Conn, Pool, query};
use super::error::StoreError;

/// How many rows of a table go in one transaction: calls wait for it.
const STEP_ROWS: i64 = 256;

/// Whether a row up to that place has a time of its own behind that one.
pub(super) async fn has_younger(
    readers: &Pool,
    to: Seal,
    time: Timestamp,
) -> Result<bool, StoreError> {
    let sql = match to.chain {
        0 => {
            "SELECT 1 AS found FROM audit_begin \
             WHERE chain IS NULL AND $1 = 0 AND $2 = 0 AND began_at > $3 \
             UNION ALL SELECT 1 FROM audit_end WHERE chain IS NULL AND ended_at > $3 \
             UNION ALL SELECT 1 FROM audit_act WHERE chain IS NULL AND at > $3 LIMIT 1"
        }
        _ => {
            "SELECT 1 AS found FROM audit_begin WHERE chain = $1 AND seq <= $2 AND began_at > $3 \
             UNION ALL SELECT 1 FROM audit_end WHERE chain = $1 AND seq <= $2 AND ended_at > $3 \
             UNION ALL SELECT 1 FROM audit_act WHERE chain = $1 AND seq <= $2 AND at > $3 LIMIT 1"
        }
    };
    let found = query(sql)
        .bind(to.chain)
        .bind(to.seq)
        .bind(time.as_microsecond())
        .fetch_optional(readers)
        .await?;
    Ok(found.is_some())
}

/// Removes some rows of each table. Gives how many; none are left where it is 0.
pub(super) async fn step(conn: &mut Conn) -> Result<i64, StoreError> {
    let ends = query("SELECT chain, MAX(seq) AS seq FROM audit_pruned GROUP BY chain")
        .fetch_all(&mut *conn)
        .await?;
    let mut removed = 0;
    for end in &ends {
        let (chain, seq) = (get(end, "chain")?, get(end, "seq")?);
        // An end first: it names its beginning. A beginning whose end is kept is kept with it.
        for table in [Table::End, Table::Begin, Table::Act] {
            removed += remove(conn, table, chain, seq).await?;
        }
    }
    Ok(removed)
}

async fn remove(conn: &mut Conn, table: Table, chain: i64, seq: i64) -> Result<i64, StoreError> {
    let rows = match (table, chain) {
        (Table::Begin, 0) => rows_of!(
            table,
            "WHERE chain IS NULL AND $1 = 0 AND $2 = 0 \
             AND NOT EXISTS (SELECT 1 FROM audit_end e WHERE e.id = audit_begin.id) LIMIT $3"
        ),
        (_, 0) => rows_of!(table, "WHERE chain IS NULL AND $1 = 0 AND $2 = 0 LIMIT $3"),
        (Table::Begin, _) => rows_of!(
            table,
            "WHERE chain = $1 AND seq <= $2 \
             AND NOT EXISTS (SELECT 1 FROM audit_end e WHERE e.id = audit_begin.id) \
             ORDER BY seq LIMIT $3"
        ),
        _ => rows_of!(
            table,
            "WHERE chain = $1 AND seq <= $2 ORDER BY seq LIMIT $3"
        ),
    };
    let rows = query(rows)
        .bind(chain)
        .bind(seq)
        .bind(STEP_ROWS)
        .fetch_all(&mut *conn)
        .await?;
    for row in &rows {
        let row = stored(table, row)?;
        forget(conn, &row).await?;
        let sql = match table {
            Table::Begin => "DELETE FROM audit_begin WHERE id = $1 AND COALESCE(seq, 0) = $2",
            Table::End => "DELETE FROM audit_end WHERE id = $1 AND COALESCE(seq, 0) = $2",
            Table::Act => "DELETE FROM audit_act WHERE id = $1 AND COALESCE(seq, 0) = $2",
        };
        query(sql)
            .bind(&row.id)
            .bind(row.seq)
            .execute(&mut *conn)
            .await?;
    }
    Ok(i64::try_from(rows.len()).unwrap_or(i64::MAX))
}

/// Nobody is found in what is gone.
async fn forget(conn: &mut Conn, row: &StoredRow) -> Result<(), StoreError> {
    for (person, id) in people_of(row) {
        query("DELETE FROM audit_person WHERE person = $1 AND id = $2")
            .bind(&person[..])
            .bind(id.to_string())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

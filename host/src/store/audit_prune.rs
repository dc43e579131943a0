//! Removes rows that were kept for long enough. What may go stands in `audit_pruned`; the triggers let
//! nothing else go.

use jiff::Timestamp;

use super::audit::Audit;
use super::audit_checkpoints::{self, AuditCheckpoint, Old, Seal};
use super::audit_ledger::{StoredRow, Table, rows_of, stored};
use super::audit_people::people_of;
use super::clock::clock_of;
use super::columns::get;
use super::db::{Conn, Pool, query};
use super::error::StoreError;
use super::writer::{Change, Work};

/// How many rows of a table go in one transaction: calls wait for it.
const STEP_ROWS: i64 = 256;

impl Audit<'_> {
    /// What the database takes for the time.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn clock(self) -> Result<Timestamp, StoreError> {
        let at = clock_of(&self.store.readers).await?;
        Timestamp::from_microsecond(at).map_err(|_| StoreError::Damaged { what: "clock" })
    }

    /// Whether a checkpoint was made behind the first time, and by the second, and no clock stood
    /// before both since.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn checkpoint_between(
        self,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        audit_checkpoints::between(&self.store.readers, after, until).await
    }

    /// Whether a row up to that place has a time of its own behind the first, and by the second. Chain
    /// 0: those without one.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn has_younger(
        self,
        to: Seal,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        has_younger(&self.store.readers, to, after, until).await
    }

    /// The latest checkpoint that is old.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Damaged`.
    pub async fn checkpoint_before(self, old: Old) -> Result<Option<AuditCheckpoint>, StoreError> {
        audit_checkpoints::before(&self.store.readers, old).await
    }

    /// Removes some of the rows that a checkpoint says may go. Gives how many; 0: none are left.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`.
    pub async fn prune_step(self) -> Result<u64, StoreError> {
        let removed = self
            .store
            .writer
            .write(Work::Change(Change::PruneAudit))
            .await?;
        Ok(u64::try_from(removed).unwrap_or(0))
    }
}

/// Whether a row up to that place has a time of its own behind the first, and by the second.
async fn has_younger(
    readers: &Pool,
    to: Seal,
    after: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let sql = match to.chain {
        0 => {
            "SELECT 1 AS found FROM audit_begin \
             WHERE chain IS NULL AND $1 = 0 AND $2 = 0 AND began_at > $3 AND began_at <= $4 \
             UNION ALL SELECT 1 FROM audit_end WHERE chain IS NULL AND ended_at > $3 AND ended_at <= $4 \
             UNION ALL SELECT 1 FROM audit_act WHERE chain IS NULL AND at > $3 AND at <= $4 LIMIT 1"
        }
        _ => {
            "SELECT 1 AS found FROM audit_begin WHERE chain = $1 AND seq <= $2 AND began_at > $3 AND began_at <= $4 \
             UNION ALL SELECT 1 FROM audit_end WHERE chain = $1 AND seq <= $2 AND ended_at > $3 AND ended_at <= $4 \
             UNION ALL SELECT 1 FROM audit_act WHERE chain = $1 AND seq <= $2 AND at > $3 AND at <= $4 LIMIT 1"
        }
    };
    let found = query(sql)
        .bind(to.chain)
        .bind(to.seq)
        .bind(after.as_microsecond())
        .bind(until.as_microsecond())
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

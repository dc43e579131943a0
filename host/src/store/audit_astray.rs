//! Rows of the audit that stand where no reading of it comes: whoever can write past the gateway can put
//! them there.

use super::audit::Audit;
use super::audit_checkpoints::Seal;
use super::audit_ledger::Table;
use super::columns::get;
use super::db::{Pool, Row, query};
use super::error::StoreError;

/// A row in a place where none may be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Astray {
    /// Which table has it.
    pub table: Table,
    /// Its id, as it stands there.
    pub id: String,
    /// Its chain, if any.
    pub chain: Option<i64>,
    /// Its number, if any.
    pub seq: Option<i64>,
}

impl Audit<'_> {
    /// A row whose place in a chain is none.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn misplaced(self) -> Result<Option<Astray>, StoreError> {
        misplaced(&self.store.readers).await
    }

    /// A row that should be gone with all up to that place. Chain 0: the rows without one.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn leftover(self, to: Seal) -> Result<Option<Astray>, StoreError> {
        leftover(&self.store.readers, to).await
    }
}

/// The first whose place is none: in a chain without a number from 1 on, or in none and numbered.
async fn misplaced(readers: &Pool) -> Result<Option<Astray>, StoreError> {
    let row = query(
        "SELECT 'begin' AS place, id, chain, seq FROM audit_begin \
         WHERE chain IS NOT NULL AND (seq IS NULL OR seq < 1) \
         OR chain IS NULL AND (seq IS NOT NULL OR hash IS NOT NULL) \
         UNION ALL SELECT 'end', id, chain, seq FROM audit_end \
         WHERE chain IS NOT NULL AND (seq IS NULL OR seq < 1) \
         OR chain IS NULL AND (seq IS NOT NULL OR hash IS NOT NULL) \
         UNION ALL SELECT 'act', id, chain, seq FROM audit_act \
         WHERE chain IS NOT NULL AND (seq IS NULL OR seq < 1) \
         OR chain IS NULL AND (seq IS NOT NULL OR hash IS NOT NULL) LIMIT 1",
    )
    .fetch_optional(readers)
    .await?;
    row.as_ref().map(astray).transpose()
}

/// The first that should be gone with all up to that place. Chain 0: the rows without one. A beginning
/// whose end is kept is kept with it.
async fn leftover(readers: &Pool, to: Seal) -> Result<Option<Astray>, StoreError> {
    let sql = match to.chain {
        0 => {
            "SELECT 'begin' AS place, id, chain, seq FROM audit_begin \
             WHERE chain IS NULL AND $1 = 0 AND $2 = 0 \
             AND NOT EXISTS (SELECT 1 FROM audit_end e WHERE e.id = audit_begin.id) \
             UNION ALL SELECT 'end', id, chain, seq FROM audit_end WHERE chain IS NULL \
             UNION ALL SELECT 'act', id, chain, seq FROM audit_act WHERE chain IS NULL \
             ORDER BY id LIMIT 1"
        }
        _ => {
            "SELECT 'begin' AS place, id, chain, seq FROM audit_begin \
             WHERE chain = $1 AND seq > 0 AND seq <= $2 \
             AND NOT EXISTS (SELECT 1 FROM audit_end e WHERE e.id = audit_begin.id) \
             UNION ALL SELECT 'end', id, chain, seq FROM audit_end \
             WHERE chain = $1 AND seq > 0 AND seq <= $2 \
             UNION ALL SELECT 'act', id, chain, seq FROM audit_act \
             WHERE chain = $1 AND seq > 0 AND seq <= $2 ORDER BY seq LIMIT 1"
        }
    };
    let row = query(sql)
        .bind(to.chain)
        .bind(to.seq)
        .fetch_optional(readers)
        .await?;
    row.as_ref().map(astray).transpose()
}

fn astray(row: &Row) -> Result<Astray, StoreError> {
    let place: &str = get(row, "place")?;
    let table = Table::ALL.into_iter().find(|it| it.as_str() == place);
    Ok(Astray {
        table: table.ok_or(StoreError::Damaged { what: "place" })?,
        id: get(row, "id").unwrap_or_default(),
        chain: get(row, "chain")?,
        seq: get(row, "seq")?,
    })
}

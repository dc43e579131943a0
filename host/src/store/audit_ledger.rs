//! The audit read as a whole, row by row in the order of its chains, for whoever verifies or exports
//! it. What is stored may have been tampered with: a row that cannot be read is no error of the
//! reading.

use super::audit_acts::{AuditAct, act_of};
use super::audit_checkpoints::bytes;
use super::audit_rows::{begin_of, end_of};
use super::chain::Hash;
use super::columns::{get, uuid};
use super::db::{Pool, Row, query};
use super::error::StoreError;
use super::writer::AuditRow;

/// How many rows are in memory at once: each may name thousands of people.
const PAGE_ROWS: i64 = 512;

/// A row as it is stored.
#[derive(Clone, Debug)]
pub struct StoredRow {
    /// Its place in its chain. Of a row without a chain 0.
    pub seq: i64,
    /// Which table has it.
    pub table: Table,
    /// Its id, as it stands there.
    pub id: String,
    /// Its hash.
    pub hash: Option<Hash>,
    /// The row, or the column that cannot be read.
    pub row: Result<AuditRow, &'static str>,
}

/// Where rows are.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Table {
    /// Beginnings of calls.
    Begin,
    /// Their ends.
    End,
    /// Acts of administration.
    Act,
}

/// Where a reading of rows without a chain goes on.
#[derive(Clone, Debug, Default)]
pub struct UnchainedAt(Option<(usize, String)>);

impl UnchainedAt {
    /// From what [`write`](Self::write) made.
    pub fn read(place: Option<&str>) -> Self {
        let parts = place.and_then(|place| place.split_once(' '));
        Self(parts.and_then(|(table, place)| Some((table.parse().ok()?, place.to_owned()))))
    }

    /// To go on there later.
    pub fn write(&self) -> Option<String> {
        self.0
            .as_ref()
            .map(|(table, place)| format!("{table} {place}"))
    }
}

impl Table {
    /// All of them, in the order in which rows without a chain are read.
    pub const ALL: [Self; 3] = [Self::Begin, Self::End, Self::Act];

    /// The word for it: `begin`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::End => "end",
            Self::Act => "act",
        }
    }
}

/// What is read of each table, from where to where. A macro, since a query's text must be known when
/// compiling.
macro_rules! rows_of {
    ($table:expr, $rest:literal) => {
        match $table {
            Table::Begin => concat!(
                "SELECT chain, seq, hash, id, began_at, request_id, caller, by_user, for_entity, \
                 purpose, legal_basis, registry, ability, module_digest, asked, id AS place \
                 FROM audit_begin ",
                $rest
            ),
            Table::End => concat!(
                "SELECT chain, seq, hash, id, ended_at, outcome, code, disclosed, registry_calls, \
                 duration_us, id AS place FROM audit_end ",
                $rest
            ),
            Table::Act => concat!(
                "SELECT chain, seq, hash, id, phase, at, request_id, caller, act, registry, \
                 module_digest, subject, outcome, detail, id || ' ' || phase AS place \
                 FROM audit_act ",
                $rest
            ),
        }
    };
}

pub(super) use rows_of;

/// The rows of a chain behind that number, a page of them at most, in order. There may be gaps, and
/// several of one number: whoever can write past the gateway can do that. An empty page says nothing
/// of the rows behind it.
pub(super) async fn chained(
    readers: &Pool,
    chain: i64,
    after: i64,
) -> Result<Vec<StoredRow>, StoreError> {
    let mut found = Vec::new();
    for table in Table::ALL {
        let rows = query(rows_of!(
            table,
            "WHERE chain = $1 AND seq > $2 AND seq <= $3 ORDER BY seq"
        ));
        let rows = rows
            .bind(chain)
            .bind(after)
            .bind(page_end(after))
            .fetch_all(readers)
            .await?;
        for row in &rows {
            found.push(stored(table, row)?);
        }
    }
    // Stable: of two in one place the first table's comes first.
    found.sort_by_key(|row| row.seq);
    Ok(found)
}

/// The number of the last row of a page behind that number, whether it is there or not.
pub fn page_end(after: i64) -> i64 {
    after.saturating_add(PAGE_ROWS)
}

/// The highest number that a row of a chain has; 0 where there is none.
pub(super) async fn highest(readers: &Pool, chain: i64) -> Result<i64, StoreError> {
    query(
        "SELECT MAX(seq) AS seq FROM (SELECT 0 AS seq \
         UNION ALL SELECT MAX(seq) FROM audit_begin WHERE chain = $1 \
         UNION ALL SELECT MAX(seq) FROM audit_end WHERE chain = $1 \
         UNION ALL SELECT MAX(seq) FROM audit_act WHERE chain = $1) AS rows",
    )
    .bind(chain)
    .fetch_one(readers)
    .await?
    .get("seq")
}

/// The lowest number of a chain's rows behind that number.
pub(super) async fn next_behind(
    readers: &Pool,
    chain: i64,
    after: i64,
) -> Result<Option<i64>, StoreError> {
    query(
        "SELECT MIN(seq) AS seq FROM (\
         SELECT MIN(seq) AS seq FROM audit_begin WHERE chain = $1 AND seq > $2 \
         UNION ALL SELECT MIN(seq) FROM audit_end WHERE chain = $1 AND seq > $2 \
         UNION ALL SELECT MIN(seq) FROM audit_act WHERE chain = $1 AND seq > $2) AS rows",
    )
    .bind(chain)
    .bind(after)
    .fetch_one(readers)
    .await?
    .get("seq")
}

/// Chain and number of a row in a chain that is not there. Numbers have no gaps: one within them that is
/// not there is missed without this.
pub(super) async fn unknown_chain(readers: &Pool) -> Result<Option<(i64, i64)>, StoreError> {
    query(
        "SELECT chain, seq FROM (\
         SELECT chain, seq FROM audit_begin \
         WHERE chain < 1 OR chain > (SELECT COALESCE(MAX(id), 0) FROM audit_chain) \
         UNION ALL SELECT chain, seq FROM audit_end \
         WHERE chain < 1 OR chain > (SELECT COALESCE(MAX(id), 0) FROM audit_chain) \
         UNION ALL SELECT chain, seq FROM audit_act \
         WHERE chain < 1 OR chain > (SELECT COALESCE(MAX(id), 0) FROM audit_chain)) AS rows \
         ORDER BY chain, seq LIMIT 1",
    )
    .fetch_optional(readers)
    .await?
    .map(|row| Ok((row.get("chain")?, row.get("seq")?)))
    .transpose()
}

/// The next page of the rows that were written before there were chains.
pub(super) async fn unchained(
    readers: &Pool,
    at: &mut UnchainedAt,
) -> Result<Vec<StoredRow>, StoreError> {
    let (mut from, mut place) = at.0.take().unwrap_or_default();
    while let Some(table) = Table::ALL.get(from).copied() {
        // The place is the id for two of them: what the primary key orders by.
        let rows = match table {
            Table::Begin | Table::End => rows_of!(
                table,
                "WHERE chain IS NULL AND id > $1 ORDER BY id LIMIT $2"
            ),
            Table::Act => rows_of!(
                table,
                "WHERE chain IS NULL AND id || ' ' || phase > $1 ORDER BY id, phase LIMIT $2"
            ),
        };
        let rows = query(rows)
            .bind(place)
            .bind(PAGE_ROWS)
            .fetch_all(readers)
            .await?;
        if let Some(last) = rows.last() {
            at.0 = Some((from, get(last, "place")?));
            return rows.iter().map(|row| stored(table, row)).collect();
        }
        from += 1;
        place = String::new();
    }
    at.0 = Some((from, place));
    Ok(Vec::new())
}

pub(super) fn stored(table: Table, row: &Row) -> Result<StoredRow, StoreError> {
    let id: String = get(row, "id").unwrap_or_default();
    let seq: Option<i64> = get(row, "seq")?;
    Ok(StoredRow {
        seq: seq.unwrap_or(0),
        table,
        hash: bytes(row, "hash").ok(),
        row: read(table, row, &id).map_err(|error| match error {
            StoreError::Damaged { what } => what,
            _ => "row",
        }),
        id,
    })
}

/// Strictly: what would be read as the same row although something else stands there is damage.
fn read(table: Table, row: &Row, id: &str) -> Result<AuditRow, StoreError> {
    if uuid(row, "id")?.to_string() != id {
        return Err(StoreError::Damaged { what: "id" });
    }
    Ok(match table {
        Table::Begin => AuditRow::Begin(Box::new(begin_of(row)?)),
        Table::End => AuditRow::End(Box::new(end_of(row)?)),
        Table::Act => {
            let act: AuditAct = act_of(row)?;
            if act.phase.parts().0 != get::<&str>(row, "phase")? {
                return Err(StoreError::Damaged { what: "phase" });
            }
            AuditRow::Act(Box::new(act))
        }
    })
}

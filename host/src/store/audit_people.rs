//! Who asked about a person, or was told of one: an index that follows behind the rows, and the rows
//! that it has not reached yet.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use uuid::Uuid;

use super::audit::{AuditEntry, KeyedHash};
use super::audit_ledger::StoredRow;
use super::audit_rows::{entries, entry_of};
use super::columns::get;
use super::db::{BulkInsert, Conn, Pool, query};
use super::error::StoreError;
use super::writer::AuditRow;

static INSERT: LazyLock<BulkInsert> =
    LazyLock::new(|| BulkInsert::or("audit_person (person, id)", " ON CONFLICT DO NOTHING"));

/// How far the index follows. Chain 0 are the rows without one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Indexed {
    chains: BTreeMap<i64, (i64, Option<String>)>,
}

/// A step of the index: what rows say of people, and how far they go.
#[derive(Clone, Debug)]
pub struct IndexStep {
    /// The chain.
    pub chain: i64,
    /// The row of it that the step ends with.
    pub seq: i64,
    /// Of rows without a chain, where it goes on.
    pub place: Option<String>,
    /// Hashes of people, and the calls that they were asked of or told of in.
    pub people: Vec<(KeyedHash, Uuid)>,
}

impl Indexed {
    /// Up to which row of a chain.
    pub fn seq(&self, chain: i64) -> i64 {
        self.chains.get(&chain).map_or(0, |(seq, _)| *seq)
    }

    /// Where it goes on in the rows without a chain. None: it has all of them.
    pub fn place(&self) -> Option<Option<&str>> {
        match self.chains.get(&0) {
            Some((1.., _)) => None,
            Some((_, place)) => Some(place.as_deref()),
            None => Some(None),
        }
    }
}

/// Whom a row is about, and the call.
pub fn people_of(row: &StoredRow) -> impl Iterator<Item = (KeyedHash, Uuid)> + '_ {
    let (id, people): (Uuid, &[KeyedHash]) = match &row.row {
        Ok(AuditRow::Begin(begin)) => (begin.id, &begin.asked),
        Ok(AuditRow::End(end)) => (end.id, &end.disclosed),
        Ok(AuditRow::Act(_)) | Err(_) => (Uuid::nil(), &[]),
    };
    people.iter().map(move |person| (*person, id))
}

pub(super) async fn index(conn: &mut Conn, step: &IndexStep) -> Result<i64, StoreError> {
    for (mut query, part) in INSERT.parts(&step.people) {
        for (person, id) in part {
            query = query.bind(&person[..]).bind(id.to_string());
        }
        query.execute(&mut *conn).await?;
    }
    query(
        "INSERT INTO audit_indexed (chain, seq, id) VALUES ($1, $2, $3) \
         ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, id = excluded.id",
    )
    .bind(step.chain)
    .bind(step.seq)
    .bind(&step.place)
    .execute(conn)
    .await?;
    Ok(0)
}

pub(super) async fn indexed(readers: &Pool) -> Result<Indexed, StoreError> {
    let rows = query("SELECT chain, seq, id FROM audit_indexed")
        .fetch_all(readers)
        .await?;
    let chains = rows
        .iter()
        .map(|row| Ok((get(row, "chain")?, (get(row, "seq")?, get(row, "id")?))));
    Ok(Indexed {
        chains: chains.collect::<Result<_, StoreError>>()?,
    })
}

/// The calls of a person that the index has, behind an id, in order.
pub(super) async fn of_person(
    readers: &Pool,
    person: &KeyedHash,
    after: &str,
    limit: u32,
) -> Result<Vec<AuditEntry>, StoreError> {
    query(concat!(
        entries!(),
        "WHERE b.id IN (SELECT id FROM audit_person WHERE person = $1 AND id > $2 \
         ORDER BY id LIMIT $3) ORDER BY b.id"
    ))
    .bind(&person[..])
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await?
    .iter()
    .map(entry_of)
    .collect()
}

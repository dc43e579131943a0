//! Signed checkpoints: what of the audit was there at a time, in words that only the holder of a key
//! could have signed. The key is not here.

use std::sync::LazyLock;

use jiff::Timestamp;

use super::chain::Hash;
use super::columns::{get, time};
use super::db::{BulkInsert, Conn, Pool, Row, query};
use super::error::StoreError;

static INSERT_SEAL: LazyLock<BulkInsert> =
    LazyLock::new(|| BulkInsert::new("audit_seal (checkpoint, chain, seq)"));
static INSERT_PRUNED: LazyLock<BulkInsert> =
    LazyLock::new(|| BulkInsert::new("audit_pruned (chain, seq, sealed_by, checkpoint)"));

/// A checkpoint as it was signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditCheckpoint {
    /// From 1, without gaps.
    pub number: i64,
    /// When it was made; kept to the microsecond.
    pub at: Timestamp,
    /// What was signed, word for word.
    pub body: String,
    /// Whose signature it is (ed25519).
    pub public_key: [u8; 32],
    /// The signature (ed25519).
    pub signature: [u8; 64],
}

/// A checkpoint to be written, and what of its body the database must know.
#[derive(Clone, Debug)]
pub struct NewCheckpoint {
    /// The checkpoint.
    pub signed: AuditCheckpoint,
    /// What it covers.
    pub seals: Vec<Seal>,
    /// What may be removed from now on.
    pub pruned: Vec<Pruned>,
}

/// Up to which row of a chain a checkpoint covers. Chain 0, row 0 are the rows without a chain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seal {
    /// The chain.
    pub chain: i64,
    /// Its row.
    pub seq: i64,
}

/// Up to which row a chain may be removed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pruned {
    /// The chain and its row.
    pub to: Seal,
    /// The number of the checkpoint that covers it.
    pub sealed_by: i64,
}

/// When a checkpoint is old, by its time and by those of the ones before it.
#[derive(Clone, Copy, Debug)]
pub struct Old {
    /// Made at a time that can be: not before this.
    pub since: Timestamp,
    /// Made by then, and none before it later than that.
    pub by: Timestamp,
    /// What is behind it is still to come.
    pub now: Timestamp,
    /// Up to that number one whose time is still to come is not taken for later.
    pub vouched: i64,
}

/// A chain, and where it ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ChainHead {
    /// From 1, without gaps.
    pub chain: i64,
    /// When it began; kept to the microsecond.
    pub began_at: Timestamp,
    /// The number of its last row.
    pub seq: i64,
    /// The hash of its last row.
    pub hash: Hash,
}

/// `Refused` where another was faster with that number.
pub(super) async fn insert(conn: &mut Conn, new: &NewCheckpoint) -> Result<i64, StoreError> {
    let signed = &new.signed;
    query(
        "INSERT INTO audit_checkpoint (number, at, body, public_key, signature) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(signed.number)
    .bind(signed.at.as_microsecond())
    .bind(&signed.body)
    .bind(&signed.public_key[..])
    .bind(&signed.signature[..])
    .execute(&mut *conn)
    .await?;
    for (mut query, part) in INSERT_SEAL.parts(&new.seals) {
        for seal in part {
            query = query.bind(signed.number).bind(seal.chain).bind(seal.seq);
        }
        query.execute(&mut *conn).await?;
    }
    for (mut query, part) in INSERT_PRUNED.parts(&new.pruned) {
        for pruned in part {
            query = query
                .bind(pruned.to.chain)
                .bind(pruned.to.seq)
                .bind(pruned.sealed_by)
                .bind(signed.number);
        }
        query.execute(&mut *conn).await?;
    }
    Ok(signed.number)
}

/// Those behind a number, in order.
pub(super) async fn behind(
    readers: &Pool,
    number: i64,
    limit: u32,
) -> Result<Vec<AuditCheckpoint>, StoreError> {
    query(
        "SELECT number, at, body, public_key, signature FROM audit_checkpoint WHERE number > $1 \
         ORDER BY number LIMIT $2",
    )
    .bind(number)
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await?
    .iter()
    .map(checkpoint_of)
    .collect()
}

pub(super) async fn last(readers: &Pool) -> Result<Option<AuditCheckpoint>, StoreError> {
    query(
        "SELECT number, at, body, public_key, signature FROM audit_checkpoint \
         ORDER BY number DESC LIMIT 1",
    )
    .fetch_optional(readers)
    .await?
    .as_ref()
    .map(checkpoint_of)
    .transpose()
}

/// The last that is [`Old`]: before the first that is younger, since none of them was made before
/// that, whatever the clock said when others were.
pub(super) async fn before(
    readers: &Pool,
    old: Old,
) -> Result<Option<AuditCheckpoint>, StoreError> {
    query(
        "SELECT number, at, body, public_key, signature FROM audit_checkpoint \
         WHERE at >= $1 AND at <= $2 AND NOT EXISTS (SELECT 1 FROM (SELECT MIN(number) AS number \
         FROM audit_checkpoint WHERE at > $2 AND (at <= $3 OR number > $4)) AS young \
         WHERE young.number < audit_checkpoint.number) \
         ORDER BY number DESC LIMIT 1",
    )
    .bind(old.since.as_microsecond())
    .bind(old.by.as_microsecond())
    .bind(old.now.as_microsecond())
    .bind(old.vouched)
    .fetch_optional(readers)
    .await?
    .as_ref()
    .map(checkpoint_of)
    .transpose()
}

/// Whether one was made behind the first time, and by the second, and the clock did not stand before
/// all that since.
pub(super) async fn between(
    readers: &Pool,
    after: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let found = query(
        "SELECT number FROM audit_checkpoint WHERE at > $1 AND at <= $2 AND NOT EXISTS \
         (SELECT 1 FROM audit_checkpoint later WHERE later.number > audit_checkpoint.number \
         AND later.at <= $1) LIMIT 1",
    )
    .bind(after.as_microsecond())
    .bind(until.as_microsecond())
    .fetch_optional(readers)
    .await?;
    Ok(found.is_some())
}

/// All chains as they are at one moment, by number.
pub(super) async fn heads(readers: &Pool) -> Result<Vec<ChainHead>, StoreError> {
    query("SELECT id, began_at, seq, hash FROM audit_chain ORDER BY id")
        .fetch_all(readers)
        .await?
        .iter()
        .map(|row| {
            Ok(ChainHead {
                chain: get(row, "id")?,
                began_at: time(row, "began_at")?,
                seq: get(row, "seq")?,
                hash: bytes(row, "hash")?,
            })
        })
        .collect()
}

pub(super) fn bytes<const N: usize>(
    row: &Row,
    column: &'static str,
) -> Result<[u8; N], StoreError> {
    get::<&[u8]>(row, column)?
        .try_into()
        .map_err(|_| StoreError::Damaged { what: column })
}

fn checkpoint_of(row: &Row) -> Result<AuditCheckpoint, StoreError> {
    Ok(AuditCheckpoint {
        number: get(row, "number")?,
        at: time(row, "at")?,
        body: get(row, "body")?,
        public_key: bytes(row, "public_key")?,
        signature: bytes(row, "signature")?,
    })
}

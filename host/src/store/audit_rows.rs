use std::sync::LazyLock;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use uuid::Uuid;

use super::audit::{AuditBegin, AuditEnd, AuditEntry, KeyedHash};
use super::audit_acts::{self, AuditAct};
use super::chain::Link;
use super::columns::{count, get, time, uuid};
use super::db::{BulkInsert, Conn, Pool, Row, query};
use super::error::StoreError;
use super::writer::AuditRow;

const HASH_BYTES: usize = size_of::<KeyedHash>();

static INSERT_BEGIN: LazyLock<BulkInsert> = LazyLock::new(|| {
    BulkInsert::new(
        "audit_begin (id, began_at, request_id, caller, by_user, for_entity, purpose, \
         legal_basis, registry, ability, module_digest, asked, chain, seq, hash)",
    )
});
static INSERT_END: LazyLock<BulkInsert> = LazyLock::new(|| {
    BulkInsert::new(
        "audit_end (id, ended_at, outcome, code, disclosed, registry_calls, duration_us, chain, seq, \
         hash)",
    )
});

/// What every reading selects. A macro, since a query's text must be known when compiling.
macro_rules! entries {
    () => {
        "SELECT b.id, b.began_at, b.request_id, b.caller, b.by_user, b.for_entity, b.purpose, \
         b.legal_basis, b.registry, b.ability, b.module_digest, b.asked, e.ended_at, e.outcome, \
         e.code, e.disclosed, e.registry_calls, e.duration_us \
         FROM audit_begin b LEFT JOIN audit_end e ON e.id = b.id "
    };
}

pub(super) use entries;

/// Each row with its link. Beginnings first: in one batch an end may follow its own.
pub(super) async fn insert(
    conn: &mut Conn,
    rows: &[&AuditRow],
    links: &[Link],
) -> Result<(), StoreError> {
    let linked = || rows.iter().zip(links);
    let begins: Vec<(&AuditBegin, &Link)> = linked()
        .filter_map(|(row, link)| Some((row.begin()?, link)))
        .collect();
    for (mut query, part) in INSERT_BEGIN.parts(&begins) {
        for (row, link) in part {
            query = query
                .bind(row.id.to_string())
                .bind(row.at.as_microsecond())
                .bind(&row.request_id)
                .bind(&row.caller)
                .bind(&row.user)
                .bind(&row.entity)
                .bind(&row.purpose)
                .bind(&row.legal_basis)
                .bind(&row.registry)
                .bind(&row.ability)
                .bind(&row.module_digest)
                .bind(row.asked.as_flattened())
                .bind(link.chain)
                .bind(link.seq)
                .bind(&link.hash[..]);
        }
        query.execute(&mut *conn).await?;
    }
    let ends: Vec<(&AuditEnd, &Link)> = linked()
        .filter_map(|(row, link)| Some((row.end()?, link)))
        .collect();
    for (mut query, part) in INSERT_END.parts(&ends) {
        for (row, link) in part {
            query = query
                .bind(row.id.to_string())
                .bind(row.at.as_microsecond())
                .bind(&row.outcome)
                .bind(&row.code)
                .bind(row.disclosed.as_flattened())
                .bind(i64::from(row.registry_calls))
                .bind(i64::try_from(row.duration_us).unwrap_or(i64::MAX))
                .bind(link.chain)
                .bind(link.seq)
                .bind(&link.hash[..]);
        }
        query.execute(&mut *conn).await?;
    }
    let acts: Vec<(&AuditAct, &Link)> = linked()
        .filter_map(|(row, link)| Some((row.act()?, link)))
        .collect();
    audit_acts::insert(conn, &acts).await
}

/// The latest entries, the newest first.
pub(super) async fn recent(readers: &Pool, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
    query(concat!(entries!(), "ORDER BY b.id DESC LIMIT $1"))
        .bind(i64::from(limit))
        .fetch_all(readers)
        .await?
        .iter()
        .map(entry_of)
        .collect()
}

/// The entries of one request, in order.
pub(super) async fn by_request(
    readers: &Pool,
    request_id: &str,
    limit: u32,
) -> Result<Vec<AuditEntry>, StoreError> {
    query(concat!(
        entries!(),
        "WHERE b.request_id = $1 ORDER BY b.id LIMIT $2"
    ))
    .bind(request_id)
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await?
    .iter()
    .map(entry_of)
    .collect()
}

/// The entry of that id.
pub(super) async fn by_id(readers: &Pool, id: Uuid) -> Result<Option<AuditEntry>, StoreError> {
    query(concat!(entries!(), "WHERE b.id = $1"))
        .bind(id.to_string())
        .fetch_optional(readers)
        .await?
        .as_ref()
        .map(entry_of)
        .transpose()
}

/// The entries that have the hash, in order. Compared here and not in SQL: databases have no common
/// way to look into bytes, and rows pass one by one, never all in memory.
pub(super) async fn by_person(
    readers: &Pool,
    hash: &KeyedHash,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<AuditEntry>, StoreError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    let mut rows = query(concat!(entries!(), "WHERE b.began_at >= $1 ORDER BY b.id"))
        .bind(since.as_microsecond())
        .fetch(readers)?;
    while found.len() < limit
        && let Some(row) = rows.try_next().await?
    {
        let disclosed: Option<&[u8]> = get(&row, "disclosed")?;
        if has(get(&row, "asked")?, hash) || has(disclosed.unwrap_or_default(), hash) {
            found.push(entry_of(&row)?);
        }
    }
    Ok(found)
}

pub(super) fn entry_of(row: &Row) -> Result<AuditEntry, StoreError> {
    let ended_at: Option<i64> = get(row, "ended_at")?;
    Ok(AuditEntry {
        begin: begin_of(row)?,
        end: ended_at.map(|_| end_of(row)).transpose()?,
    })
}

pub(super) fn begin_of(row: &Row) -> Result<AuditBegin, StoreError> {
    Ok(AuditBegin {
        id: uuid(row, "id")?,
        at: time(row, "began_at")?,
        request_id: get(row, "request_id")?,
        caller: get(row, "caller")?,
        user: get(row, "by_user")?,
        entity: get(row, "for_entity")?,
        purpose: get(row, "purpose")?,
        legal_basis: get(row, "legal_basis")?,
        registry: get(row, "registry")?,
        ability: get(row, "ability")?,
        module_digest: get(row, "module_digest")?,
        asked: hashes(get(row, "asked")?, "asked")?,
    })
}

pub(super) fn end_of(row: &Row) -> Result<AuditEnd, StoreError> {
    Ok(AuditEnd {
        id: uuid(row, "id")?,
        at: time(row, "ended_at")?,
        outcome: get(row, "outcome")?,
        code: get(row, "code")?,
        disclosed: hashes(get(row, "disclosed")?, "disclosed")?,
        registry_calls: count(row, "registry_calls")?,
        duration_us: count(row, "duration_us")?,
    })
}

fn hashes(bytes: &[u8], what: &'static str) -> Result<Vec<KeyedHash>, StoreError> {
    match bytes.as_chunks() {
        (hashes, []) => Ok(hashes.to_vec()),
        _ => Err(StoreError::Damaged { what }),
    }
}

fn has(bytes: &[u8], hash: &KeyedHash) -> bool {
    bytes.chunks_exact(HASH_BYTES).any(|chunk| chunk == hash)
}

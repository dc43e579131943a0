//! Callbacks and events, read.

use jiff::Timestamp;
use uuid::Uuid;

use super::{CallbackState, EventScope, StoredAnswer, StoredCallback, StoredEvent};
use crate::store::audit::KeyedHash;
use crate::store::clock::clock_of;
use crate::store::columns::{as_time, count, get, time, uuid};
use crate::store::db::{Pool, Row, query};
use crate::store::error::StoreError;

/// What every reading selects. A macro, since a query's text must be known when compiling.
macro_rules! callback_columns {
    () => {
        "number, id, registry, method, size, received_at, changed_at, state, attempts, fence, reason, \
         code, module_digest, status, brought"
    };
}
pub(super) use callback_columns;

macro_rules! event_columns {
    () => {
        "SELECT position, id, registry, kind, recorded_at, stored_at, module_digest, callback, body \
         FROM events "
    };
}

macro_rules! behind {
    ($whose:literal) => {
        concat!(
            event_columns!(),
            "WHERE registry = $1 AND position > $2 AND position <= $3 AND body IS NOT NULL ",
            $whose,
            "ORDER BY position LIMIT $4"
        )
    };
}

pub(super) async fn has_unsequenced(readers: &Pool) -> Result<bool, StoreError> {
    let row = query("SELECT arrival FROM events WHERE position IS NULL LIMIT 1")
        .fetch_optional(readers)
        .await?;
    Ok(row.is_some())
}

pub(super) async fn is_callback_due(
    readers: &Pool,
    registry: &str,
    now: i64,
) -> Result<bool, StoreError> {
    let row = query("SELECT number FROM callbacks WHERE registry = $1 AND due_at <= $2 LIMIT 1")
        .bind(registry)
        .bind(now)
        .fetch_optional(readers)
        .await?;
    Ok(row.is_some())
}

/// Whether anything is kept of what was read.
pub(super) async fn has_read(readers: &Pool, registry: &str) -> Result<bool, StoreError> {
    let row = query(
        "SELECT number FROM callbacks WHERE registry = $1 AND state = 'received' \
         AND body IS NOT NULL LIMIT 1",
    )
    .bind(registry)
    .fetch_optional(readers)
    .await?;
    Ok(row.is_some())
}

pub(super) async fn kept_bytes(readers: &Pool, registry: &str) -> Result<u64, StoreError> {
    let row = query(
        "SELECT CAST(COALESCE((SELECT SUM(size) FROM callbacks WHERE registry = $1 AND body IS NOT NULL), 0) \
         + COALESCE((SELECT SUM(size) FROM pending_answers WHERE registry = $1), 0) AS BIGINT) AS bytes",
    )
    .bind(registry)
    .fetch_one(readers)
    .await?;
    count(&row, "bytes")
}

/// One that is not there yet is due.
pub(super) async fn is_cursor_due(readers: &Pool, registry: &str) -> Result<bool, StoreError> {
    let now = clock_of(readers).await?;
    let row = query("SELECT due_at FROM event_cursors WHERE registry = $1")
        .bind(registry)
        .fetch_optional(readers)
        .await?;
    let due: Option<i64> = row.map(|row| get(&row, "due_at")).transpose()?;
    Ok(due.is_none_or(|due| due <= now))
}

pub(super) async fn newest(readers: &Pool) -> Result<i64, StoreError> {
    let row = query("SELECT last FROM event_sequence WHERE id = 1")
        .fetch_one(readers)
        .await?;
    get(&row, "last")
}

pub(super) async fn newest_sealed(
    readers: &Pool,
) -> Result<Option<(KeyedHash, Vec<u8>)>, StoreError> {
    let row =
        query("SELECT id, body FROM events WHERE body IS NOT NULL ORDER BY arrival DESC LIMIT 1")
            .fetch_optional(readers)
            .await?;
    row.map(|row| {
        Ok((
            hash(get(&row, "id")?)?,
            get::<&[u8]>(&row, "body")?.to_vec(),
        ))
    })
    .transpose()
}

/// Each registry by its index. All up to `until` was committed before anything here is read, so that
/// what one statement does not see is behind it.
pub(super) async fn behind(
    readers: &Pool,
    scopes: &[EventScope],
    after: i64,
    until: i64,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut found = Vec::new();
    for EventScope {
        registry,
        linked_by,
    } in scopes
    {
        let statement = match linked_by {
            None => query(behind!("")),
            // `CROSS JOIN`: SQLite would go through all links of the caller for each event.
            Some(_) => query(behind!(
                "AND EXISTS (SELECT 1 FROM event_people p CROSS JOIN links l \
                 WHERE p.arrival = events.arrival AND l.identifier = p.person AND l.caller = $5 \
                 AND l.registry = $1 AND l.unlinked_at IS NULL) "
            )),
        };
        let statement = statement
            .bind(registry)
            .bind(after)
            .bind(until)
            .bind(i64::from(limit));
        let statement = match linked_by {
            None => statement,
            Some(caller) => statement.bind(caller),
        };
        let rows = statement.fetch_all(readers).await?;
        for row in &rows {
            found.push(event_of(row)?);
        }
    }
    found.sort_by_key(|event| event.position);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

pub(super) async fn recent(
    readers: &Pool,
    registry: Option<&str>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    query(concat!(
        event_columns!(),
        "WHERE ($1 IS NULL OR registry = $1) AND position < $2 ORDER BY position DESC LIMIT $3"
    ))
    .bind(registry)
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await?
    .iter()
    .map(event_of)
    .collect()
}

pub(super) async fn callbacks(
    readers: &Pool,
    registry: Option<&str>,
    state: Option<CallbackState>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<StoredCallback>, StoreError> {
    query(concat!(
        "SELECT ",
        callback_columns!(),
        " FROM callbacks WHERE ($1 IS NULL OR registry = $1) \
         AND ($2 IS NULL OR state = $2) AND number < $3 ORDER BY number DESC LIMIT $4"
    ))
    .bind(registry)
    .bind(state.map(CallbackState::as_str))
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await?
    .iter()
    .map(|row| known(row, None))
    .collect()
}

pub(super) async fn callback(
    readers: &Pool,
    id: Uuid,
) -> Result<Option<StoredCallback>, StoreError> {
    let row = query(concat!(
        "SELECT ",
        callback_columns!(),
        ", body FROM callbacks WHERE id = $1"
    ))
    .bind(id.to_string())
    .fetch_optional(readers)
    .await?;
    row.as_ref().map(callback_of).transpose()
}

pub(super) async fn answer(
    readers: &Pool,
    registry: &str,
    reference: &KeyedHash,
) -> Result<Option<StoredAnswer>, StoreError> {
    let row = query("SELECT data, at FROM pending_answers WHERE registry = $1 AND reference = $2")
        .bind(registry)
        .bind(&reference[..])
        .fetch_optional(readers)
        .await?;
    row.map(|row| {
        Ok(StoredAnswer {
            data: get::<&[u8]>(&row, "data")?.to_vec(),
            at: time(&row, "at")?,
        })
    })
    .transpose()
}

pub(super) fn callback_of(row: &Row) -> Result<StoredCallback, StoreError> {
    let body: Option<&[u8]> = get(row, "body")?;
    known(row, body.map(<[u8]>::to_vec))
}

fn known(row: &Row, body: Option<Vec<u8>>) -> Result<StoredCallback, StoreError> {
    let state = CallbackState::parse(get(row, "state")?);
    let status: Option<i64> = get(row, "status")?;
    let status = status.map(u16::try_from).transpose();
    Ok(StoredCallback {
        number: get(row, "number")?,
        id: uuid(row, "id")?,
        registry: get(row, "registry")?,
        method: get(row, "method")?,
        size: count(row, "size")?,
        received_at: time(row, "received_at")?,
        changed_at: time(row, "changed_at")?,
        state: state.ok_or(StoreError::Damaged { what: "state" })?,
        attempts: count(row, "attempts")?,
        fence: get(row, "fence")?,
        reason: get(row, "reason")?,
        code: get(row, "code")?,
        module_digest: get(row, "module_digest")?,
        status: status.map_err(|_| StoreError::Damaged { what: "status" })?,
        brought: count(row, "brought")?,
        body,
    })
}

fn event_of(row: &Row) -> Result<StoredEvent, StoreError> {
    let recorded_at: Option<i64> = get(row, "recorded_at")?;
    let recorded_at: Result<Option<Timestamp>, _> =
        recorded_at.map(|at| as_time(at, "recorded_at")).transpose();
    let callback: Option<&str> = get(row, "callback")?;
    let callback = callback.map(Uuid::parse_str).transpose();
    let body: Option<&[u8]> = get(row, "body")?;
    Ok(StoredEvent {
        position: get(row, "position")?,
        id: hash(get(row, "id")?)?,
        registry: get(row, "registry")?,
        kind: get(row, "kind")?,
        recorded_at: recorded_at?,
        stored_at: time(row, "stored_at")?,
        module_digest: get(row, "module_digest")?,
        callback: callback.map_err(|_| StoreError::Damaged { what: "callback" })?,
        body: body.map(<[u8]>::to_vec),
    })
}

fn hash(bytes: &[u8]) -> Result<KeyedHash, StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Damaged { what: "id" })
}

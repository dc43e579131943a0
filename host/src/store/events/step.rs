//! What is done to callbacks and cursors, within the transaction of its audit rows.

use std::sync::{LazyLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::stand::{again_in, discard, held, put_off, replay};
use super::{
    CallbackState, EventCursor, NewCallback, NewEvent, Polled, Reading, TakingCursor, Telling,
};
use crate::store::audit::KeyedHash;
use crate::store::clock::{clock, microseconds};
use crate::store::columns::get;
use crate::store::db::{BulkInsert, Conn, query};
use crate::store::error::StoreError;
use crate::store::operations;
use crate::store::postgres::EVENT_LOCKS;

/// It was not done, and nothing was changed.
pub(super) const NOT_DONE: i64 = -1;
/// Refused callbacks of one registry that are kept, the newest: whoever may send may send many.
const REFUSED_KEPT: i64 = 1_000;

/// A crowd's people one by one would hold the only writer up: over a network each is a wait.
static PEOPLE: LazyLock<BulkInsert> =
    LazyLock::new(|| BulkInsert::or("event_people (person, arrival)", " ON CONFLICT DO NOTHING"));

/// Takes turns with others that store events of the same registry: two that insert the same ones in
/// another order would wait for each other. Locks are taken in one order everywhere.
pub(in crate::store) async fn lock<'t>(
    conn: &mut Conn,
    tellings: impl Iterator<Item = &'t Telling>,
) -> Result<(), StoreError> {
    let Conn::Postgres(_) = conn else {
        return Ok(());
    };
    let mut locks = Vec::new();
    for telling in tellings {
        match telling {
            Telling::Keep(..)
            | Telling::Replay { .. }
            | Telling::Discard { .. }
            | Telling::PutOff { .. }
            | Telling::Tell => {}
            Telling::Page { registry, .. } => locks.push(lock_of(registry)),
            Telling::End { id, .. } => {
                let row = query("SELECT registry FROM callbacks WHERE id = $1")
                    .bind(id.to_string())
                    .fetch_optional(&mut *conn)
                    .await?;
                if let Some(row) = row {
                    locks.push(lock_of(get(&row, "registry")?));
                }
            }
        }
    }
    locks.sort_unstable();
    locks.dedup();
    for lock in locks {
        query("SELECT pg_advisory_xact_lock($1)")
            .bind(lock)
            .fetch_all(&mut *conn)
            .await?;
    }
    Ok(())
}

/// What it brings answers to.
pub(in crate::store) fn references(telling: &Telling) -> impl Iterator<Item = &KeyedHash> {
    let answers = match telling {
        Telling::End { reading, .. } => &reading.answers[..],
        _ => &[],
    };
    answers.iter().map(|(reference, _)| reference)
}

/// Does it. A number below 0: it was not done, and nothing was changed.
pub(in crate::store) async fn step(conn: &mut Conn, telling: &Telling) -> Result<i64, StoreError> {
    match telling {
        Telling::Tell => Ok(0),
        Telling::Keep(new, holder) => keep(conn, new, holder.as_deref()).await,
        Telling::End { id, fence, reading } => end(conn, *id, *fence, reading).await,
        Telling::Page {
            registry,
            fence,
            polled,
        } => page(conn, registry, *fence, polled).await,
        Telling::Replay { id, at } => replay(conn, *id, *at).await,
        Telling::Discard { id } => discard(conn, *id).await,
        Telling::PutOff { id, fence } => put_off(conn, *id, *fence).await,
    }
}

async fn keep(conn: &mut Conn, new: &NewCallback, holder: Option<&str>) -> Result<i64, StoreError> {
    let now = clock(conn).await?;
    let size = i64::try_from(new.body.len()).unwrap_or(i64::MAX);
    let held = query(
        "SELECT COUNT(*) AS held, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM callbacks \
         WHERE registry = $1 AND state IN ('new', 'unreadable', 'failed')",
    )
    .bind(&new.registry)
    .fetch_one(&mut *conn)
    .await?;
    let (rows, bytes): (i64, i64) = (get(&held, "held")?, get(&held, "bytes")?);
    let max_bytes = i64::try_from(new.max_unprocessed_bytes).unwrap_or(i64::MAX);
    if rows >= i64::from(new.max_unprocessed) || bytes.saturating_add(size) > max_bytes {
        return Ok(NOT_DONE);
    }
    query(
        "INSERT INTO callbacks (id, registry, method, size, received_at, changed_at, state, attempts, \
         put_off, due_at, fence, brought, body, holder) \
         VALUES ($1, $2, $3, $4, $5, $5, 'new', 1, 0, $6, 1, 0, $7, $8)",
    )
    .bind(new.id.to_string())
    .bind(&new.registry)
    .bind(&new.method)
    .bind(size)
    .bind(new.at.as_microsecond())
    .bind(now.saturating_add(microseconds(new.lease)))
    .bind(&new.body[..])
    .bind(holder)
    .execute(conn)
    .await?;
    Ok(0)
}

async fn end(conn: &mut Conn, id: Uuid, fence: i64, reading: &Reading) -> Result<i64, StoreError> {
    let Some((registry, before)) = held(conn, id, fence).await? else {
        return Ok(NOT_DONE);
    };
    let callback = Some(id.to_string());
    let digest = &reading.module_digest;
    let brought = insert(
        conn,
        &registry,
        &reading.events,
        reading.at,
        digest,
        callback,
    )
    .await?;
    let now = clock(conn).await?;
    for (reference, data) in &reading.answers {
        query(
            "INSERT INTO pending_answers (registry, reference, data, at, size) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (registry, reference) DO UPDATE SET data = excluded.data, at = excluded.at, \
             size = excluded.size, tried = FALSE",
        )
        .bind(&registry)
        .bind(&reference[..])
        .bind(&data[..])
        .bind(reading.at.as_microsecond())
        .bind(i64::try_from(data.len()).unwrap_or(i64::MAX))
        .execute(&mut *conn)
        .await?;
        operations::arrived(conn, &registry, reference, now).await?;
    }
    // It could not be read at the time: that is no attempt of the callback's own.
    let is_put_off = reading.state == CallbackState::New;
    let due_at = is_put_off.then(|| until(now, again_in(before)));
    // A refused sender's bytes are nobody's to keep, nor is what brought nothing: anybody may send it.
    let brought_none = brought == 0 && reading.answers.is_empty();
    let is_kept = match reading.state {
        CallbackState::Refused => false,
        CallbackState::Received => !brought_none,
        CallbackState::New | CallbackState::Unreadable | CallbackState::Failed => true,
    };
    query(
        "UPDATE callbacks SET state = $3, changed_at = CASE WHEN $3 = 'new' THEN changed_at ELSE $4 END, due_at = $10, holder = NULL, reason = $5, code = $6, \
         module_digest = $7, status = $8, brought = brought + $9, \
         put_off = put_off + $12, body = CASE WHEN $11 = 0 THEN NULL ELSE body END \
         WHERE id = $1 AND fence = $2 AND state = 'new'",
    )
    .bind(id.to_string())
    .bind(fence)
    .bind(reading.state.as_str())
    .bind(reading.at.as_microsecond())
    .bind(&reading.reason)
    .bind(&reading.code)
    .bind(digest)
    .bind(reading.status.map(i64::from))
    .bind(brought)
    .bind(due_at)
    .bind(i64::from(is_kept))
    .bind(i64::from(is_put_off))
    .execute(&mut *conn)
    .await?;
    if reading.state == CallbackState::Refused {
        query(
            "DELETE FROM callbacks WHERE registry = $1 AND state = 'refused' AND number <= \
             (SELECT number FROM callbacks WHERE registry = $1 AND state = 'refused' \
             ORDER BY number DESC LIMIT 1 OFFSET $2)",
        )
        .bind(&registry)
        .bind(REFUSED_KEPT)
        .execute(conn)
        .await?;
    }
    Ok(brought)
}

async fn page(
    conn: &mut Conn,
    registry: &str,
    fence: i64,
    polled: &Polled,
) -> Result<i64, StoreError> {
    let now = clock(conn).await?;
    let (schema, data) = match &polled.data {
        Some((schema, data)) => (Some(i64::from(*schema)), Some(&data[..])),
        None => (None, None),
    };
    let done = query(
        "UPDATE event_cursors SET holder = NULL, state_schema = COALESCE($3, state_schema), data = COALESCE($4, data), \
         due_at = $5, polled_at = $6, reason = $7 WHERE registry = $1 AND fence = $2",
    )
    .bind(registry)
    .bind(fence)
    .bind(schema)
    .bind(data)
    .bind(now.saturating_add(microseconds(polled.again_in)))
    .bind(polled.at.as_microsecond())
    .bind(&polled.reason)
    .execute(&mut *conn)
    .await?;
    if done == 0 {
        return Ok(NOT_DONE);
    }
    let digest = &polled.module_digest;
    insert(conn, registry, &polled.events, polled.at, digest, None).await
}

/// Those that are not known yet. Gives how many.
async fn insert(
    conn: &mut Conn,
    registry: &str,
    events: &[NewEvent],
    at: Timestamp,
    digest: &str,
    callback: Option<String>,
) -> Result<i64, StoreError> {
    let mut brought = 0;
    for event in events {
        let row = query(
            "INSERT INTO events (registry, id, kind, recorded_at, stored_at, module_digest, callback, \
             amends, caused_by, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (registry, id) DO NOTHING RETURNING arrival",
        )
        .bind(registry)
        .bind(&event.id[..])
        .bind(&event.kind)
        .bind(event.recorded_at.map(Timestamp::as_microsecond))
        .bind(at.as_microsecond())
        .bind(digest)
        .bind(&callback)
        .bind(event.amends.as_ref().map(|hash| &hash[..]))
        .bind(event.caused_by.as_ref().map(|hash| &hash[..]))
        .bind(&event.body[..])
        .fetch_optional(&mut *conn)
        .await?;
        let Some(row) = row else {
            continue;
        };
        let arrival: i64 = get(&row, "arrival")?;
        for (mut query, part) in PEOPLE.parts(&event.people) {
            for person in part {
                query = query.bind(&person[..]).bind(arrival);
            }
            query.execute(&mut *conn).await?;
        }
        brought += 1;
    }
    Ok(brought)
}

/// Takes a cursor if it is due, and makes it where there is none.
pub(in crate::store) async fn take_cursor(
    conn: &mut Conn,
    taking: &TakingCursor,
) -> Result<i64, StoreError> {
    let now = clock(conn).await?;
    query(
        "INSERT INTO event_cursors (registry, due_at, fence) VALUES ($1, $2, 0) \
         ON CONFLICT (registry) DO NOTHING",
    )
    .bind(&taking.registry)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    let row = query(
        "UPDATE event_cursors SET due_at = $2, holder = $4, fence = fence + 1 WHERE registry = $1 AND due_at <= $3 \
         RETURNING state_schema, data, fence",
    )
    .bind(&taking.registry)
    .bind(until(now, taking.lease))
    .bind(now)
    .bind(&taking.holder)
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else {
        return Ok(0);
    };
    let schema: Option<i64> = get(&row, "state_schema")?;
    let data: Option<&[u8]> = get(&row, "data")?;
    let damaged = |_| StoreError::Damaged {
        what: "state_schema",
    };
    let schema = schema.map(u32::try_from).transpose().map_err(damaged)?;
    *taking.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(EventCursor {
        registry: taking.registry.clone(),
        data: schema.zip(data.map(<[u8]>::to_vec)),
        fence: get(&row, "fence")?,
    });
    Ok(1)
}

pub(super) fn until(now: i64, lease: Duration) -> i64 {
    now.saturating_add(microseconds(lease))
}

/// A number for a registry. Two that share one merely take turns.
fn lock_of(registry: &str) -> i64 {
    let sum = registry.bytes().fold(0_u32, |sum, byte| {
        sum.rotate_left(5).wrapping_add(u32::from(byte))
    });
    EVENT_LOCKS | i64::from(sum | 1)
}

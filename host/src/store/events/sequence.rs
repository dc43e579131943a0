//! Positions, and what goes by its age.

use jiff::Timestamp;

use super::Aged;
use crate::store::columns::get;
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::postgres::EVENT_LOCKS;

/// Positions that are given in one transaction.
const AT_ONCE: i64 = 1_000;

/// Gives positions to what is committed and has none. Gives the last position.
///
/// One at a time, of all nodes: the lock is held until the transaction is committed, so that what comes
/// later sees it, and gives higher ones. What is not committed yet is not seen, and gets its position
/// another time. SQLite has one writer.
pub(in crate::store) async fn sequence(conn: &mut Conn) -> Result<i64, StoreError> {
    if let Conn::Postgres(_) = conn {
        query("SELECT pg_advisory_xact_lock($1)")
            .bind(EVENT_LOCKS)
            .fetch_all(&mut *conn)
            .await?;
    }
    let row = query("SELECT last FROM event_sequence WHERE id = 1")
        .fetch_one(&mut *conn)
        .await?;
    let last: i64 = get(&row, "last")?;
    let given = query(
        "UPDATE events SET position = numbered.position FROM \
         (SELECT waiting.arrival, $1 + ROW_NUMBER() OVER (ORDER BY waiting.arrival) AS position FROM \
         (SELECT arrival FROM events WHERE position IS NULL ORDER BY arrival LIMIT $2) AS waiting) \
         AS numbered WHERE events.arrival = numbered.arrival",
    )
    .bind(last)
    .bind(AT_ONCE)
    .execute(&mut *conn)
    .await?;
    let last = last.saturating_add(i64::try_from(given).unwrap_or(0));
    query("UPDATE event_sequence SET last = $1 WHERE id = 1")
        .bind(last)
        .execute(conn)
        .await?;
    Ok(last)
}

/// Removes what is old enough, some of it at a time. Gives how many.
pub(in crate::store) async fn sweep(
    conn: &mut Conn,
    aged: Aged,
    before: Timestamp,
) -> Result<i64, StoreError> {
    let at_once = i64::try_from(Aged::AT_ONCE).unwrap_or(i64::MAX);
    if aged == Aged::Events {
        query(concat!(
            "DELETE FROM event_people WHERE arrival IN (",
            old_events!(),
            ")"
        ))
        .bind(before.as_microsecond())
        .bind(at_once)
        .execute(&mut *conn)
        .await?;
    }
    let statement = match aged {
        Aged::Over => {
            "DELETE FROM callbacks WHERE number IN (SELECT number FROM callbacks \
             WHERE state IN ('received', 'refused') AND changed_at < $1 LIMIT $2)"
        }
        // What somebody is reading at the moment stays until its end is known. Who died is not.
        Aged::Unread => {
            "DELETE FROM callbacks WHERE number IN (SELECT number FROM callbacks \
             WHERE state IN ('new', 'unreadable', 'failed') AND changed_at < $1 \
             AND (holder IS NULL OR due_at < $1) LIMIT $2)"
        }
        Aged::Answers => {
            "DELETE FROM pending_answers WHERE (registry, reference) IN \
             (SELECT registry, reference FROM pending_answers WHERE at < $1 LIMIT $2)"
        }
        Aged::Events => concat!(
            "UPDATE events SET body = NULL WHERE arrival IN (",
            old_events!(),
            ")"
        ),
    };
    let swept = query(statement)
        .bind(before.as_microsecond())
        .bind(at_once)
        .execute(conn)
        .await?;
    Ok(i64::try_from(swept).unwrap_or(i64::MAX))
}

macro_rules! old_events {
    () => {
        "SELECT arrival FROM events WHERE body IS NOT NULL AND stored_at < $1 \
         ORDER BY stored_at, arrival LIMIT $2"
    };
}
use old_events;

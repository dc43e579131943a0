//! Where a callback stands that was not read: put off, given up by hand, or to be read again.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::step::{NOT_DONE, until};
use crate::store::clock::clock;
use crate::store::columns::get;
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;

/// What could not be read at the time is tried again so late, and each further time twice as late.
const AGAIN: Duration = Duration::from_secs(30);
/// At the most.
const AGAIN_MAX: Duration = Duration::from_secs(10 * 60);

pub(super) async fn replay(conn: &mut Conn, id: Uuid, at: Timestamp) -> Result<i64, StoreError> {
    let now = clock(conn).await?;
    let done = query(
        "UPDATE callbacks SET state = 'new', changed_at = $2, due_at = $3, holder = NULL, fence = fence + 1, \
         attempts = 0, put_off = 0, reason = NULL, code = NULL \
         WHERE id = $1 AND state IN ('unreadable', 'failed') AND body IS NOT NULL",
    )
    .bind(id.to_string())
    .bind(at.as_microsecond())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(if done == 0 { NOT_DONE } else { 0 })
}

pub(super) async fn put_off(conn: &mut Conn, id: Uuid, fence: i64) -> Result<i64, StoreError> {
    let Some((_, before)) = held(conn, id, fence).await? else {
        return Ok(NOT_DONE);
    };
    let now = clock(conn).await?;
    query(
        "UPDATE callbacks SET put_off = put_off + 1, due_at = $3, holder = NULL \
         WHERE id = $1 AND fence = $2 AND state = 'new'",
    )
    .bind(id.to_string())
    .bind(fence)
    .bind(until(now, again_in(before)))
    .execute(conn)
    .await?;
    Ok(0)
}

/// Whose it is and how often it was put off, where it is still ours. Nobody takes it over between this
/// look and what is done then. SQLite has one writer.
pub(super) async fn held(
    conn: &mut Conn,
    id: Uuid,
    fence: i64,
) -> Result<Option<(String, i64)>, StoreError> {
    let statement = match conn {
        Conn::Sqlite(_) => held_row!(),
        Conn::Postgres(_) => concat!(held_row!(), " FOR UPDATE"),
    };
    let row = query(statement)
        .bind(id.to_string())
        .bind(fence)
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok((get(&row, "registry")?, get(&row, "put_off")?)))
        .transpose()
}

/// How long it waits that was put off so often before.
pub(super) fn again_in(before: i64) -> Duration {
    let doublings = u32::try_from(before).unwrap_or(u32::MAX).min(16);
    AGAIN.saturating_mul(1 << doublings).min(AGAIN_MAX)
}

pub(super) async fn discard(conn: &mut Conn, id: Uuid) -> Result<i64, StoreError> {
    let now = clock(conn).await?;
    // What somebody is reading at the moment stays until its end is known. Who died is not: another
    // lease is over.
    let done = query(
        "DELETE FROM callbacks WHERE id = $1 AND (state IN ('unreadable', 'failed') \
         OR (state = 'new' AND (holder IS NULL OR due_at <= $2)))",
    )
    .bind(id.to_string())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(if done == 0 { NOT_DONE } else { 0 })
}

macro_rules! held_row {
    () => {
        "SELECT registry, put_off FROM callbacks WHERE id = $1 AND fence = $2 AND state = 'new'"
    };
}
use held_row;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_off_waits_longer_each_time() {
        let waits = [0, 1, 2, 4, 5, 100].map(|before| again_in(before).as_secs());
        assert_eq!(waits, [30, 60, 120, 480, 600, 600]);
    }
}

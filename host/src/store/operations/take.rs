//! What is due is taken up.

use std::sync::PoisonError;

use jiff::Timestamp;

use super::read::{columns, operation_of};
use super::{Operation, Taking};
use crate::store::clock::{clock, microseconds};
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;

/// Takes up to so many, those for which somebody waits first.
pub(in crate::store) async fn take(conn: &mut Conn, taking: &Taking) -> Result<i64, StoreError> {
    let now = clock(conn).await?;
    let until = now.saturating_add(microseconds(taking.lease));
    let mut taken = match taking.late {
        Some(late) => late_ones(conn, taking, late, now, until).await?,
        None => due_ones(conn, taking, now, until).await?,
    };
    // `RETURNING` has no order.
    taken.sort_by_key(|operation| (operation.bulk, operation.position));
    let count = i64::try_from(taken.len()).unwrap_or(i64::MAX);
    *taking.taken.lock().unwrap_or_else(PoisonError::into_inner) = taken;
    Ok(count)
}

async fn due_ones(
    conn: &mut Conn,
    taking: &Taking,
    now: i64,
    until: i64,
) -> Result<Vec<Operation>, StoreError> {
    let mut left = taking.limit;
    let mut taken = Vec::new();
    for bulk in [false, true] {
        if bulk {
            left = left.min(taking.bulk);
        }
        for registry in &taking.registries {
            if left == 0 {
                break;
            }
            // Another node's are passed over, and not waited for. SQLite has one writer.
            let statement = match conn {
                Conn::Sqlite(_) => concat!(take_due!(), ") RETURNING ", columns!()),
                Conn::Postgres(_) => {
                    concat!(
                        take_due!(),
                        " FOR UPDATE SKIP LOCKED) RETURNING ",
                        columns!()
                    )
                }
            };
            let rows = query(statement)
                .bind(until)
                .bind(registry)
                .bind(bulk)
                .bind(now)
                .bind(i64::from(left))
                .bind(&taking.holder)
                .fetch_all(&mut *conn)
                .await?;
            for row in &rows {
                taken.push(operation_of(row)?);
                left = left.saturating_sub(1);
            }
        }
    }
    Ok(taken)
}

async fn late_ones(
    conn: &mut Conn,
    taking: &Taking,
    late: Timestamp,
    now: i64,
    until: i64,
) -> Result<Vec<Operation>, StoreError> {
    let statement = match conn {
        Conn::Sqlite(_) => concat!(take_late!(), ") RETURNING ", columns!()),
        Conn::Postgres(_) => concat!(
            take_late!(),
            " FOR UPDATE SKIP LOCKED) RETURNING ",
            columns!()
        ),
    };
    let rows = query(statement)
        .bind(until)
        .bind(late.as_microsecond())
        .bind(now)
        .bind(i64::from(taking.limit))
        .bind(&taking.holder)
        .fetch_all(conn)
        .await?;
    rows.iter().map(operation_of).collect()
}

macro_rules! take_due {
    () => {
        "UPDATE operations SET fence = fence + 1, due_at = $1, holder = $6 WHERE position IN \
         (SELECT position FROM operations WHERE registry = $2 AND bulk = $3 AND due_at <= $4 \
         ORDER BY due_at, position LIMIT $5"
    };
}
use take_due;

macro_rules! take_late {
    () => {
        "UPDATE operations SET fence = fence + 1, due_at = $1, holder = $5 WHERE position IN \
         (SELECT position FROM operations WHERE state IN ('accepted', 'waiting') \
         AND due_at IS NOT NULL AND give_up_at <= $2 AND due_at <= $3 ORDER BY give_up_at LIMIT $4"
    };
}
use take_late;

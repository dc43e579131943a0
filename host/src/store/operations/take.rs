//! What is due is taken up.

use std::sync::PoisonError;

use super::Taking;
use super::read::{columns, operation_of};
use crate::store::clock::{clock, microseconds};
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;

/// Takes up to so many, those for which somebody waits first.
pub(in crate::store) async fn take(conn: &mut Conn, taking: &Taking) -> Result<i64, StoreError> {
    let now = clock(conn).await?;
    let until = now.saturating_add(microseconds(taking.lease));
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
    // `RETURNING` has no order.
    taken.sort_by_key(|operation| (operation.bulk, operation.position));
    let count = i64::try_from(taken.len()).unwrap_or(i64::MAX);
    *taking.taken.lock().unwrap_or_else(PoisonError::into_inner) = taken;
    Ok(count)
}

macro_rules! take_due {
    () => {
        "UPDATE operations SET fence = fence + 1, due_at = $1, holder = $6 WHERE position IN \
         (SELECT position FROM operations WHERE registry = $2 AND bulk = $3 AND due_at <= $4 \
         ORDER BY due_at, position LIMIT $5"
    };
}
use take_due;

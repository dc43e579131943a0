//! What is due is taken up.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::read::{columns, is_any_late, known_columns, known_of, operation_of};
use super::{Operation, Operations, READ_MAX};
use crate::store::clock::{clock, microseconds};
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::writer::{Change, Work};

/// What is to be taken up, and what was.
#[derive(Debug)]
pub(in crate::store) struct Taking {
    registries: Vec<String>,
    lease: Duration,
    limit: u32,
    holder: Option<String>,
    /// Of those at most so many for which nobody waits.
    bulk: u32,
    /// Of any registry what was to be given up by then, and nothing else.
    late: Option<Timestamp>,
    taken: Arc<Mutex<Vec<Operation>>>,
}

impl Operations<'_> {
    /// Takes up what is due, of these registries, for so long: who waits for an answer before what is
    /// one of many, each by its time. An operation whose state is `delivering` was left by somebody
    /// who died in an attempt. Nobody else is given them until the lease is over. At most `limit`, of
    /// them at most `bulk` of those for which nobody waits.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn take(
        self,
        registries: Vec<String>,
        lease: Duration,
        limit: u32,
        bulk: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        self.take_up(Taking {
            registries,
            lease,
            limit: limit.min(READ_MAX),
            holder: self.store.holder(),
            bulk,
            late: None,
            taken: Arc::default(),
        })
        .await
    }

    /// Takes up what was not done by its deadline and nobody holds, of any registry, to be given up.
    /// One behind another of its subject has its turn first.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn take_late(
        self,
        now: Timestamp,
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        if !is_any_late(&self.store.readers, now).await? {
            return Ok(Vec::new());
        }
        self.take_up(Taking {
            registries: Vec::new(),
            lease,
            limit: limit.min(READ_MAX),
            holder: self.store.holder(),
            bulk: limit,
            late: Some(now),
            taken: Arc::default(),
        })
        .await
    }

    async fn take_up(self, taking: Taking) -> Result<Vec<Operation>, StoreError> {
        let taken = Arc::clone(&taking.taken);
        let change = Change::TakeOperations(Box::new(taking));
        self.store.writer.write(Work::Change(change)).await?;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *taken))
    }
}

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

/// Without what is sealed: it is not sent.
async fn late_ones(
    conn: &mut Conn,
    taking: &Taking,
    late: Timestamp,
    now: i64,
    until: i64,
) -> Result<Vec<Operation>, StoreError> {
    let statement = match conn {
        Conn::Sqlite(_) => concat!(take_late!(), ") RETURNING ", known_columns!()),
        Conn::Postgres(_) => concat!(
            take_late!(),
            " FOR UPDATE SKIP LOCKED) RETURNING ",
            known_columns!()
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
    rows.iter().map(known_of).collect()
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

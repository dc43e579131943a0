//! Callbacks that somebody left, or that were put off, are taken up again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::read::{callback_columns, callback_of, is_callback_due};
use super::step::until;
use super::{Events, READ_MAX, StoredCallback};
use crate::store::clock::{clock, clock_of};
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::writer::{Change, Work};

/// An attempt that its node did not end is made again this often; then a person looks.
const ATTEMPTS_MAX: i64 = 5;

/// What is taken up.
#[derive(Debug)]
pub(in crate::store) struct TakingCallbacks {
    /// Of these registries, of each at most so many.
    of: Vec<(String, u32)>,
    lease: Duration,
    limit: u32,
    holder: Option<String>,
    taken: Arc<Mutex<Vec<StoredCallback>>>,
}

impl Events<'_> {
    /// Takes up callbacks that somebody left, for so long: of these registries and no others, of each at
    /// most so many, and at most `limit` together. They come in the order of the registries.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed`.
    pub async fn take(
        self,
        of: &[(String, u32)],
        lease: Duration,
        limit: u32,
    ) -> Result<Vec<StoredCallback>, StoreError> {
        let readers = &self.store.readers;
        let mut due = Vec::new();
        if !of.is_empty() {
            let now = clock_of(readers).await?;
            for (registry, most) in of {
                if is_callback_due(readers, registry, now).await? {
                    due.push((registry.clone(), *most));
                }
            }
        }
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let taken = Arc::default();
        let change = Change::TakeCallbacks(Box::new(TakingCallbacks {
            of: due,
            lease,
            limit: limit.min(READ_MAX),
            holder: self.store.holder(),
            taken: Arc::clone(&taken),
        }));
        self.store.writer.write(Work::Change(change)).await?;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *taken))
    }
}

/// Takes them. What brings a node down each time is left to a person.
pub(in crate::store) async fn take(
    conn: &mut Conn,
    taking: &TakingCallbacks,
) -> Result<i64, StoreError> {
    let now = clock(conn).await?;
    let mut left = taking.limit;
    let mut taken = Vec::new();
    for (registry, most) in &taking.of {
        if left == 0 {
            break;
        }
        query(
            "UPDATE callbacks SET state = 'failed', changed_at = $1, due_at = NULL, holder = NULL, reason = 'given-up', fence = fence + 1 \
             WHERE registry = $3 AND due_at <= $1 AND attempts - put_off >= $2",
        )
        .bind(now)
        .bind(ATTEMPTS_MAX)
        .bind(registry)
        .execute(&mut *conn)
        .await?;
        // Another node's are passed over, and not waited for. SQLite has one writer.
        let statement = match conn {
            Conn::Sqlite(_) => concat!(take_due!(), ") RETURNING ", callback_columns!(), ", body"),
            Conn::Postgres(_) => concat!(
                take_due!(),
                " FOR UPDATE SKIP LOCKED) RETURNING ",
                callback_columns!(),
                ", body"
            ),
        };
        let rows = query(statement)
            .bind(until(now, taking.lease))
            .bind(now)
            .bind(i64::from(left.min(*most)))
            .bind(&taking.holder)
            .bind(registry)
            .fetch_all(&mut *conn)
            .await?;
        let found: Result<Vec<_>, _> = rows.iter().map(callback_of).collect();
        let mut found = found?;
        // `RETURNING` has no order.
        found.sort_by_key(|callback| callback.number);
        left = left.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        taken.append(&mut found);
    }
    let count = i64::try_from(taken.len()).unwrap_or(i64::MAX);
    *taking.taken.lock().unwrap_or_else(PoisonError::into_inner) = taken;
    Ok(count)
}

macro_rules! take_due {
    () => {
        "UPDATE callbacks SET fence = fence + 1, attempts = attempts + 1, due_at = $1, holder = $4 \
         WHERE number IN (SELECT number FROM callbacks WHERE registry = $5 AND due_at <= $2 \
         ORDER BY due_at, number LIMIT $3"
    };
}
use take_due;

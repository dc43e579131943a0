//! Where too much is kept of what a registry called back with, what was read makes room.

use super::Events;
use super::read::has_read;
use crate::store::columns::get;
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::writer::{Change, Work};

/// Bodies that are dropped in one transaction.
const DROPPED: i64 = 1_000;

/// What is to be dropped.
#[derive(Debug)]
pub(in crate::store) struct Dropping {
    registry: String,
    bytes: i64,
}

impl Events<'_> {
    /// Drops the bodies of callbacks of a registry that were read, the oldest first, until so many bytes
    /// are free or there are no more of them. Gives how many bytes are free now. That they came is
    /// still known.
    ///
    /// # Errors
    /// `Busy`, `Unavailable`, `Closed` or `Damaged`; some may be dropped.
    pub async fn drop_read(self, registry: &str, bytes: u64) -> Result<u64, StoreError> {
        let mut free = 0_u64;
        while free < bytes {
            // What is there cannot be dropped: the writer has better to do.
            if !has_read(&self.store.readers, registry).await? {
                break;
            }
            let change = Change::DropCallbacks(Box::new(Dropping {
                registry: registry.to_owned(),
                bytes: i64::try_from(bytes.saturating_sub(free)).unwrap_or(i64::MAX),
            }));
            let dropped = self.store.writer.write(Work::Change(change)).await?;
            match u64::try_from(dropped) {
                // Another node is at them.
                Ok(0) | Err(_) => break,
                Ok(dropped) => free = free.saturating_add(dropped),
            }
        }
        Ok(free)
    }
}

/// Drops some. Gives how many bytes that were.
pub(in crate::store) async fn drop_read(
    conn: &mut Conn,
    dropping: &Dropping,
) -> Result<i64, StoreError> {
    // Another node's are passed over, and not waited for. SQLite has one writer.
    let statement = match conn {
        Conn::Sqlite(_) => drop_oldest!(""),
        Conn::Postgres(_) => drop_oldest!(" FOR UPDATE SKIP LOCKED"),
    };
    let rows = query(statement)
        .bind(&dropping.registry)
        .bind(dropping.bytes)
        .bind(DROPPED)
        .fetch_all(conn)
        .await?;
    let mut dropped = 0_i64;
    for row in &rows {
        dropped = dropped.saturating_add(get(row, "size")?);
    }
    Ok(dropped)
}

macro_rules! drop_oldest {
    ($lock:literal) => {
        concat!(
            "UPDATE callbacks SET body = NULL WHERE number IN (SELECT number FROM \
             (SELECT number, CAST(SUM(size) OVER (ORDER BY number) - size AS BIGINT) AS older FROM \
             (SELECT number, size FROM callbacks WHERE registry = $1 AND state = 'received' \
             AND body IS NOT NULL ORDER BY number LIMIT $3",
            $lock,
            ") AS oldest) AS summed WHERE older < $2) RETURNING size"
        )
    };
}
use drop_oldest;

//! A node that died holds what it had taken up until the lease is over. The same node, begun anew, knows
//! that nobody works at it any more.

use std::time::Duration;

use super::Store;
use super::clock::{clock, microseconds};
use super::db::{Conn, query};
use super::error::StoreError;
use super::writer::{Change, Work};

impl Store {
    /// From now on what is taken up is this holder's. What it had taken up before is free: the process
    /// that took it must be dead. A write that it was sending may still be on its way to the registry:
    /// of that only `margin`, the part of the lease beyond the longest call, is given up.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn hold_as(&self, holder: &str, margin: Duration) -> Result<u64, StoreError> {
        let change = Change::FreeLeases(holder.to_owned(), margin);
        let freed = self.writer.write(Work::Change(change)).await?;
        let _ = self.holder.set(holder.to_owned());
        Ok(u64::try_from(freed).unwrap_or_default())
    }

    pub(super) fn holder(&self) -> Option<String> {
        self.holder.get().cloned()
    }
}

pub(super) async fn free(
    conn: &mut Conn,
    holder: &str,
    margin: Duration,
) -> Result<i64, StoreError> {
    let now = clock(conn).await?;
    let margin = microseconds(margin);
    let writes = query(
        "UPDATE operations SET holder = NULL, due_at = CASE \
         WHEN state = 'delivering' AND due_at - $3 > $2 THEN due_at - $3 ELSE $2 END \
         WHERE holder = $1",
    );
    let writes = writes.bind(holder).bind(now).bind(margin);
    let mut freed = writes.execute(&mut *conn).await?;
    // They only read.
    for statement in [
        "UPDATE callbacks SET holder = NULL, due_at = $2 WHERE holder = $1",
        "UPDATE event_cursors SET holder = NULL, due_at = $2 WHERE holder = $1",
        // What was on its way may come again, under its old id.
        "UPDATE webhooks SET holder = NULL, leased_until = $2 WHERE holder = $1 AND leased_until > $2",
    ] {
        let done = query(statement).bind(holder).bind(now);
        freed = freed.saturating_add(done.execute(&mut *conn).await?);
    }
    Ok(i64::try_from(freed).unwrap_or(i64::MAX))
}

//! Answers of callbacks to operations that wait for them. One may come before its operation is known to
//! wait: whichever of the two is written last makes the operation due.

use jiff::Timestamp;
use uuid::Uuid;

use super::step::remember;
use super::{Moved, OperationState, Step};
use crate::store::audit::KeyedHash;
use crate::store::columns::uuid;
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;

/// Takes turns with others that write of the same references: of an answer and the operation that
/// begins to wait for it, in two transactions, neither would see the other. Taken after all other locks.
pub(in crate::store) async fn lock_references<'s>(
    conn: &mut Conn,
    steps: impl Iterator<Item = &'s Step>,
    answers: impl Iterator<Item = &'s KeyedHash>,
) -> Result<(), StoreError> {
    let Conn::Postgres(_) = conn else {
        // Whoever writes has all of the database.
        return Ok(());
    };
    let waiting = steps.flat_map(|step| match step {
        Step::End {
            moved, reference, ..
        } => [*reference, moved.reference.after(*reference)],
        _ => [None, None],
    });
    let waiting = waiting.flatten();
    let mut locks: Vec<i64> = answers.copied().chain(waiting).map(lock_of).collect();
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

/// An answer was stored: what waits for it is due. One that is being asked for just then sees the answer
/// when it goes on waiting. Where nobody knows what became of an attempt the answer may tell: it is
/// looked at again, and nothing is sent for it. One that somebody holds, or that was left in an attempt
/// which may still be on its way, sees the answer when that is over.
pub(in crate::store) async fn arrived(
    conn: &mut Conn,
    registry: &str,
    reference: &KeyedHash,
    now: i64,
) -> Result<(), StoreError> {
    query(
        "UPDATE operations SET due_at = $3 WHERE registry = $1 AND reference = $2 \
         AND due_at > $3 AND (state = 'pending' \
         OR (state = 'delivering' AND holder IS NULL AND reason IS NOT NULL))",
    )
    .bind(registry)
    .bind(&reference[..])
    .bind(now)
    .execute(&mut *conn)
    .await?;
    let at = crate::store::now();
    let rows = query(concat!(
        look_again!(),
        "WHERE registry = $1 AND reference = $2 AND adapter_state IS NOT NULL \
         AND state = 'outcome-unknown' RETURNING id"
    ))
    .bind(registry)
    .bind(&reference[..])
    .bind(now)
    .bind(at.as_microsecond())
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        remember(conn, uuid(row, "id")?, at, None).await?;
    }
    Ok(())
}

/// After an attempt: the answer that it was given is used up, or kept for the next one; and where
/// another is there already the operation is due.
pub(super) async fn settle(
    conn: &mut Conn,
    id: Uuid,
    moved: &Moved,
    before: Option<&KeyedHash>,
    now: i64,
) -> Result<(), StoreError> {
    let over = moved.state.lets_pass();
    let given = moved.answered;
    if let Some(before) = before
        && (over || given.is_some_and(|answered| answered.used))
    {
        // After the end what came since is of no use either.
        let given = given.filter(|_| !over);
        query(
            "DELETE FROM pending_answers WHERE reference = $2 AND ($3 IS NULL OR at = $3) \
             AND registry = (SELECT registry FROM operations WHERE id = $1)",
        )
        .bind(id.to_string())
        .bind(&before[..])
        .bind(given.map(|answered| answered.at.as_microsecond()))
        .execute(&mut *conn)
        .await?;
    }
    let kept = given.filter(|answered| !answered.used);
    if let (Some(before), Some(kept)) = (before, kept) {
        query(
            "UPDATE pending_answers SET tried = TRUE WHERE reference = $2 AND at = $3 \
             AND registry = (SELECT registry FROM operations WHERE id = $1)",
        )
        .bind(id.to_string())
        .bind(&before[..])
        .bind(kept.at.as_microsecond())
        .execute(&mut *conn)
        .await?;
    }
    let Some(reference) = moved.reference.after(before.copied()) else {
        return Ok(());
    };
    match moved.state {
        OperationState::Pending => {
            let given = kept.map_or(Timestamp::UNIX_EPOCH, |answered| answered.at);
            query(
                "UPDATE operations SET due_at = $4 WHERE id = $1 AND EXISTS (SELECT 1 FROM \
                 pending_answers a WHERE a.registry = operations.registry AND a.reference = $2 \
                 AND a.at <> $3)",
            )
            .bind(id.to_string())
            .bind(&reference[..])
            .bind(given.as_microsecond())
            .bind(now)
            .execute(conn)
            .await
            .map(drop)
        }
        // One that was tried already would be tried for ever.
        OperationState::Delivering => query(
            "UPDATE operations SET due_at = $3 WHERE id = $1 AND EXISTS (SELECT 1 FROM \
             pending_answers a WHERE a.registry = operations.registry AND a.reference = $2 \
             AND a.tried = FALSE)",
        )
        .bind(id.to_string())
        .bind(&reference[..])
        .bind(now)
        .execute(conn)
        .await
        .map(drop),
        OperationState::OutcomeUnknown => {
            let looks = query(concat!(
                look_again!(),
                "WHERE id = $1 AND adapter_state IS NOT NULL AND EXISTS (SELECT 1 FROM \
                 pending_answers a WHERE a.registry = operations.registry AND a.reference = $2 \
                 AND a.tried = FALSE)"
            ))
            .bind(id.to_string())
            .bind(&reference[..])
            .bind(now)
            .bind(moved.at.as_microsecond())
            .execute(&mut *conn)
            .await?;
            match looks {
                0 => Ok(()),
                _ => remember(conn, id, moved.at, None).await,
            }
        }
        _ => Ok(()),
    }
}

/// A number for a reference. Two that share one merely take turns.
fn lock_of(reference: KeyedHash) -> i64 {
    let mut number = [0; 8];
    for (to, from) in number.iter_mut().zip(reference) {
        *to = from;
    }
    // Apart from the locks of subjects, which are below 0.
    i64::from_be_bytes(number) & i64::MAX
}

/// Whoever held it before has a lower fence.
macro_rules! look_again {
    () => {
        "UPDATE operations SET state = 'delivering', due_at = $3, changed_at = $4, fence = fence + 1, \
         reason = 'answered', code = NULL, field = NULL "
    };
}
use look_again;

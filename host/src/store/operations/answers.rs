//! Answers of callbacks to operations that wait for them. One may come before its operation is known to
//! wait: whichever of the two is written last makes the operation due.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Moved, OperationState, Step};
use crate::store::audit::KeyedHash;
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
    let waiting = steps.filter_map(|step| match step {
        Step::End {
            moved, reference, ..
        } => moved.reference.or(*reference),
        _ => None,
    });
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
/// when it goes on waiting.
pub(in crate::store) async fn arrived(
    conn: &mut Conn,
    registry: &str,
    reference: &KeyedHash,
    now: i64,
) -> Result<(), StoreError> {
    query(
        "UPDATE operations SET due_at = $3 WHERE registry = $1 AND reference = $2 \
         AND state = 'pending' AND due_at > $3",
    )
    .bind(registry)
    .bind(&reference[..])
    .bind(now)
    .execute(conn)
    .await
    .map(drop)
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
    let waits = moved.state == OperationState::Pending;
    if let Some(before) = before
        && (moved.state.lets_pass() || moved.answered.is_some_and(|answered| answered.used))
    {
        // After the end what came since is of no use either.
        let given = moved.answered.filter(|_| waits);
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
    let Some(reference) = moved.reference.as_ref().or(before).filter(|_| waits) else {
        return Ok(());
    };
    let kept = moved.answered.filter(|answered| !answered.used);
    let given = kept.map_or(Timestamp::UNIX_EPOCH, |answered| answered.at);
    query(
        "UPDATE operations SET due_at = $4 WHERE id = $1 AND EXISTS (SELECT 1 FROM pending_answers a \
         WHERE a.registry = operations.registry AND a.reference = $2 AND a.at <> $3)",
    )
    .bind(id.to_string())
    .bind(&reference[..])
    .bind(given.as_microsecond())
    .bind(now)
    .execute(conn)
    .await
    .map(drop)
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

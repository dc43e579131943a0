//! What becomes of lookups, within a transaction.

use jiff::Timestamp;
use uuid::Uuid;

use super::{KeptPending, LookupChange, LookupStep, NewLookup};
use crate::store::audit::KeyedHash;
use crate::store::columns::get;
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::now;
use crate::store::operations::lock_references;

/// Rows that are purged in one transaction.
const PURGED: i64 = 500;

/// How many a caller and a registry have, counted as far as it matters.
pub(super) const COUNTS: &str = "SELECT (SELECT COUNT(*) FROM (SELECT 1 AS one FROM lookups WHERE caller = $1 \
    AND question IS NOT NULL AND expires_at > $3 LIMIT $4) AS a) AS of_caller, \
    (SELECT COUNT(*) FROM (SELECT 1 AS one FROM lookups WHERE registry = $2 \
    AND question IS NOT NULL AND expires_at > $3 LIMIT $5) AS b) AS of_registry";

/// Does it, within a transaction. More than 0: something was changed.
pub(in crate::store) async fn step(
    conn: &mut Conn,
    change: &LookupChange,
) -> Result<i64, StoreError> {
    match change {
        LookupChange::Keep(new) => keep(conn, new).await,
        LookupChange::GoesOn(step, pending) => goes_on(conn, step, pending).await,
        LookupChange::Answered(step, answer, until) => answered(conn, step, answer, *until).await,
        LookupChange::Forget { id, caller, used } => forget(conn, *id, caller, used).await,
        LookupChange::UseUp {
            registry,
            references,
        } => use_up(conn, registry, references).await,
        LookupChange::Purge { over, gone } => purge(conn, *over, *gone).await,
    }
}

async fn keep(conn: &mut Conn, new: &NewLookup) -> Result<i64, StoreError> {
    let (per_caller, per_registry) = (
        i64::from(new.room.per_caller.get()),
        i64::from(new.room.per_registry.get()),
    );
    let row = query(COUNTS)
        .bind(&new.caller)
        .bind(&new.registry)
        .bind(now().as_microsecond())
        .bind(per_caller)
        .bind(per_registry)
        .fetch_one(&mut *conn)
        .await?;
    let (of_caller, of_registry): (i64, i64) = (get(&row, "of_caller")?, get(&row, "of_registry")?);
    if of_caller >= per_caller || of_registry >= per_registry {
        return Ok(0);
    }
    let kept = query(
        "INSERT INTO lookups (id, caller, registry, ability, accepted_at, expires_at, step, \
         module_digest, state_schema, question, pending) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10)",
    )
    .bind(new.id.to_string())
    .bind(&new.caller)
    .bind(&new.registry)
    .bind(&new.ability)
    .bind(new.at.as_microsecond())
    .bind(new.expires_at.as_microsecond())
    .bind(&new.module_digest)
    .bind(i64::from(new.pending.form))
    .bind(&new.question[..])
    .bind(&new.pending.sealed[..])
    .execute(conn)
    .await?;
    Ok(number(kept))
}

async fn goes_on(
    conn: &mut Conn,
    step: &LookupStep,
    pending: &KeptPending,
) -> Result<i64, StoreError> {
    let done = query(
        "UPDATE lookups SET step = step + 1, module_digest = $3, state_schema = $4, pending = $5 \
         WHERE id = $1 AND step = $2 AND pending IS NOT NULL",
    )
    .bind(step.id.to_string())
    .bind(step.step)
    .bind(&step.module_digest)
    .bind(i64::from(pending.form))
    .bind(&pending.sealed[..])
    .execute(&mut *conn)
    .await?;
    if done > 0 {
        use_up_of(conn, step.id, &step.used).await?;
    }
    Ok(number(done))
}

async fn answered(
    conn: &mut Conn,
    step: &LookupStep,
    answer: &[u8],
    until: Timestamp,
) -> Result<i64, StoreError> {
    let done = query(
        "UPDATE lookups SET step = step + 1, module_digest = $3, state_schema = NULL, \
         pending = NULL, answer = $4, expires_at = CASE WHEN expires_at < $5 THEN expires_at \
         ELSE $5 END WHERE id = $1 AND step = $2 AND pending IS NOT NULL",
    )
    .bind(step.id.to_string())
    .bind(step.step)
    .bind(&step.module_digest)
    .bind(answer)
    .bind(until.as_microsecond())
    .execute(&mut *conn)
    .await?;
    if done > 0 {
        use_up_of(conn, step.id, &step.used).await?;
    }
    Ok(number(done))
}

async fn forget(
    conn: &mut Conn,
    id: Uuid,
    caller: &str,
    used: &[KeyedHash],
) -> Result<i64, StoreError> {
    let is_own = query("SELECT id FROM lookups WHERE id = $1 AND caller = $2")
        .bind(id.to_string())
        .bind(caller)
        .fetch_optional(&mut *conn)
        .await?;
    if is_own.is_none() {
        return Ok(0);
    }
    use_up_of(conn, id, used).await?;
    let gone = query("DELETE FROM lookups WHERE id = $1")
        .bind(id.to_string())
        .execute(conn)
        .await?;
    Ok(number(gone))
}

/// What callbacks brought is not kept longer than it is of use.
async fn use_up_of(conn: &mut Conn, id: Uuid, used: &[KeyedHash]) -> Result<(), StoreError> {
    if used.is_empty() {
        return Ok(());
    }
    let row = query("SELECT registry FROM lookups WHERE id = $1")
        .bind(id.to_string())
        .fetch_one(&mut *conn)
        .await?;
    use_up(conn, get(&row, "registry")?, used).await.map(drop)
}

async fn use_up(conn: &mut Conn, registry: &str, used: &[KeyedHash]) -> Result<i64, StoreError> {
    lock_references(conn, std::iter::empty(), used.iter()).await?;
    let mut gone = 0;
    for reference in used {
        gone += query("DELETE FROM pending_answers WHERE registry = $1 AND reference = $2")
            .bind(registry)
            .bind(&reference[..])
            .execute(&mut *conn)
            .await?;
    }
    Ok(number(gone))
}

async fn purge(conn: &mut Conn, over: Timestamp, gone: Timestamp) -> Result<i64, StoreError> {
    let dropped = query(
        "UPDATE lookups SET question = NULL, pending = NULL, answer = NULL, state_schema = NULL \
         WHERE id IN (SELECT id FROM lookups WHERE expires_at <= $1 AND question IS NOT NULL \
         LIMIT $2)",
    )
    .bind(over.as_microsecond())
    .bind(PURGED)
    .execute(&mut *conn)
    .await?;
    let removed = query(
        "DELETE FROM lookups WHERE id IN (SELECT id FROM lookups WHERE expires_at <= $1 LIMIT $2)",
    )
    .bind(gone.as_microsecond())
    .bind(PURGED)
    .execute(conn)
    .await?;
    Ok(number(dropped.saturating_add(removed)))
}

fn number(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

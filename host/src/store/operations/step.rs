//! What is done to one operation, within the transaction of its audit rows.

use jiff::Timestamp;
use uuid::Uuid;

use super::{Awaited, Decision, Moved, NewOperation, OperationState, Step, answers};
use crate::store::audit::KeyedHash;
use crate::store::clock::clock;
use crate::store::columns::get;
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::links::{self, Linked, NewLinks};

/// It was accepted before, the same.
pub(super) const KNOWN: i64 = -1;
/// Under its key there is another.
pub(super) const OTHER: i64 = -2;
/// It stands elsewhere by now.
const NOT_DONE: i64 = -3;
/// Why it stands where somebody put it who said no more.
const BY_HAND: &str = "by hand";

/// States that keep those behind them back.
const HOLDING: &str = "('applied', 'rejected', 'conflict', 'cancelled')";

/// Takes turns with others that accept or end operations of the same subjects: each must see whether
/// the other's is there. In the same order everywhere, so that no two wait for each other.
pub(in crate::store) async fn lock<'s>(
    conn: &mut Conn,
    steps: impl Iterator<Item = &'s Step>,
) -> Result<(), StoreError> {
    let Conn::Postgres(_) = conn else {
        // Whoever writes has all of the database.
        return Ok(());
    };
    let mut locks = Vec::new();
    for step in steps {
        match step {
            Step::Accept(new) => locks.push(lock_of(&new.registry, &new.subject)),
            Step::Begin { .. } => {}
            Step::End { id, .. } | Step::Decide { id, .. } => {
                let row = query("SELECT registry, subject FROM operations WHERE id = $1")
                    .bind(id.to_string())
                    .fetch_optional(&mut *conn)
                    .await?;
                if let Some(row) = row {
                    locks.push(lock_of(
                        get(&row, "registry")?,
                        &hash(get(&row, "subject")?)?,
                    ));
                }
                if let Step::End { moved, .. } = step
                    && let Some(first) = moved.links.as_ref().and_then(|new| new.links.first())
                {
                    locks.push(links::lock_of(first));
                }
            }
        }
    }
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

/// Does it. A number below 0: it was not done, and nothing was changed.
pub(in crate::store) async fn step(conn: &mut Conn, step: &Step) -> Result<i64, StoreError> {
    match step {
        Step::Accept(new) => accept(conn, new).await,
        Step::Begin {
            id,
            fence,
            at,
            lease_until,
            module_digest,
        } => begin(conn, *id, *fence, *at, *lease_until, module_digest).await,
        Step::End {
            id,
            fence,
            moved,
            reference,
        } => end(conn, *id, *fence, moved, reference.as_ref()).await,
        Step::Decide {
            id,
            decision,
            at,
            by,
            caller,
        } => decide(conn, *id, decision, *at, by, caller.as_deref()).await,
    }
}

async fn accept(conn: &mut Conn, new: &NewOperation) -> Result<i64, StoreError> {
    let now = clock(conn).await?;
    let row = query(
        "INSERT INTO operations (id, caller, registry, ability, idempotency_key, request_hash, subject, \
         bulk, state, accepted_at, changed_at, due_at, give_up_at, attempts, fence, module_digest, \
         request) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, 'accepted', $9, $9, \
         CASE WHEN EXISTS (SELECT 1 FROM operations WHERE registry = $3 AND subject = $7 \
         AND state NOT IN ('applied', 'rejected', 'conflict', 'cancelled')) \
         THEN CAST(NULL AS BIGINT) ELSE $10 END, \
         $11, 0, 0, $12, $13 \
         WHERE true ON CONFLICT (caller, registry, idempotency_key) DO NOTHING RETURNING position",
    )
    .bind(new.id.to_string())
    .bind(&new.caller)
    .bind(&new.registry)
    .bind(&new.ability)
    .bind(&new.idempotency_key)
    .bind(&new.request_hash[..])
    .bind(&new.subject[..])
    .bind(new.bulk)
    .bind(new.at.as_microsecond())
    .bind(now)
    .bind(new.give_up_at.as_microsecond())
    .bind(&new.module_digest)
    .bind(&new.request[..])
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(row) = row {
        let position = get(&row, "position")?;
        remember(conn, new.id, new.at, None).await?;
        return Ok(position);
    }
    let known = query(
        "SELECT request_hash FROM operations \
         WHERE caller = $1 AND registry = $2 AND idempotency_key = $3",
    )
    .bind(&new.caller)
    .bind(&new.registry)
    .bind(&new.idempotency_key)
    .fetch_one(conn)
    .await?;
    let same = get::<&[u8]>(&known, "request_hash")? == new.request_hash;
    Ok(if same { KNOWN } else { OTHER })
}

async fn begin(
    conn: &mut Conn,
    id: Uuid,
    fence: i64,
    at: Timestamp,
    lease_until: i64,
    module_digest: &str,
) -> Result<i64, StoreError> {
    let begun = query(
        "UPDATE operations SET state = 'delivering', attempts = attempts + 1, attempted_at = $3, \
         changed_at = $3, due_at = $4, module_digest = $5, reason = NULL, code = NULL, field = NULL \
         WHERE id = $1 AND fence = $2 AND state IN ('accepted', 'waiting', 'pending')",
    )
    .bind(id.to_string())
    .bind(fence)
    .bind(at.as_microsecond())
    .bind(lease_until)
    .bind(module_digest)
    .execute(&mut *conn)
    .await?;
    if begun == 0 {
        return Ok(NOT_DONE);
    }
    remember(conn, id, at, None).await?;
    Ok(1)
}

async fn end(
    conn: &mut Conn,
    id: Uuid,
    fence: i64,
    moved: &Moved,
    before: Option<&KeyedHash>,
) -> Result<i64, StoreError> {
    let (schema, state) = match &moved.adapter_state {
        Some((schema, state)) => (Some(i64::from(*schema)), Some(&state[..])),
        None => (None, None),
    };
    let due_at = moved.due_at.filter(|_| !moved.state.lets_pass());
    let (is_anew, anew) = match moved.reference {
        Awaited::AsBefore => (false, None),
        Awaited::Now(reference) => (true, reference),
    };
    let done = query(
        "UPDATE operations SET state = $3, changed_at = $4, due_at = $5, holder = NULL, reason = $6, code = $7, \
         field = $8, receipt = COALESCE($9, receipt), \
         state_schema = CASE WHEN $3 = 'outcome-unknown' THEN COALESCE($10, state_schema) ELSE $10 END, \
         adapter_state = CASE WHEN $3 = 'outcome-unknown' THEN COALESCE($11, adapter_state) ELSE $11 END, \
         reference = CASE WHEN $3 NOT IN ('pending', 'delivering', 'outcome-unknown') THEN NULL \
         WHEN $13 THEN $12 ELSE reference END \
         WHERE id = $1 AND fence = $2 \
         AND state IN ('accepted', 'delivering', 'waiting', 'pending')",
    )
    .bind(id.to_string())
    .bind(fence)
    .bind(moved.state.as_str())
    .bind(moved.at.as_microsecond())
    .bind(due_at.map(Timestamp::as_microsecond))
    .bind(&moved.reason)
    .bind(&moved.code)
    .bind(&moved.field)
    .bind(moved.receipt.as_deref())
    .bind(schema)
    .bind(state)
    .bind(anew.as_ref().map(|hash| &hash[..]))
    .bind(is_anew)
    .execute(&mut *conn)
    .await?;
    if done == 0 {
        return Ok(NOT_DONE);
    }
    if let Some(new) = &moved.links {
        link(conn, id, new).await?;
    }
    remember(conn, id, moved.at, None).await?;
    if before.is_some() || anew.is_some() {
        let now = clock(conn).await?;
        answers::settle(conn, id, moved, before, now).await?;
    }
    if moved.state.lets_pass() {
        let_pass(conn, id).await?;
    }
    Ok(1)
}

async fn decide(
    conn: &mut Conn,
    id: Uuid,
    decision: &Decision,
    at: Timestamp,
    by: &str,
    caller: Option<&str>,
) -> Result<i64, StoreError> {
    let now = clock(conn).await?;
    let (state, from, due_at, give_up_at) = match decision {
        // What an attempt is under way for may have been done already.
        Decision::Cancel => (
            OperationState::Cancelled,
            "('accepted', 'waiting', 'given-up')",
            None,
            None,
        ),
        Decision::Replay { give_up_at } => (
            OperationState::Accepted,
            "('given-up', 'outcome-unknown')",
            Some(now),
            Some(give_up_at.as_microsecond()),
        ),
        Decision::Applied { .. } => (OperationState::Applied, "('outcome-unknown')", None, None),
        Decision::Rejected { .. } => (OperationState::Rejected, "('outcome-unknown')", None, None),
    };
    let reason = match decision {
        Decision::Applied { reason } | Decision::Rejected { reason } => reason,
        Decision::Cancel | Decision::Replay { .. } => BY_HAND,
    };
    // One that was sent and waits for a next attempt did not reach the registry: it may be cancelled.
    let statement = format!(
        "UPDATE operations SET state = $2, changed_at = $3, due_at = $4, fence = fence + 1, holder = NULL, \
         give_up_at = COALESCE($5, give_up_at), reason = $6, code = NULL, field = NULL, \
         adapter_state = NULL, state_schema = NULL, reference = NULL \
         WHERE id = $1 AND state IN {from} AND request IS NOT NULL \
         AND ($7 IS NULL OR caller = $7)"
    );
    let done = query(sqlx::AssertSqlSafe(statement))
        .bind(id.to_string())
        .bind(state.as_str())
        .bind(at.as_microsecond())
        .bind(due_at)
        .bind(give_up_at)
        .bind(reason)
        .bind(caller)
        .execute(&mut *conn)
        .await?;
    if done == 0 {
        return Ok(NOT_DONE);
    }
    remember(conn, id, at, Some(by)).await?;
    if state.lets_pass() {
        let_pass(conn, id).await?;
    }
    Ok(1)
}

/// The registry has done it, whatever comes of the links: the step's reason says where they were
/// refused.
async fn link(conn: &mut Conn, id: Uuid, new: &NewLinks) -> Result<(), StoreError> {
    if let Linked::Done(_) = links::link_all(conn, new).await? {
        return Ok(());
    }
    query("UPDATE operations SET reason = 'linked-otherwise' WHERE id = $1")
        .bind(id.to_string())
        .execute(conn)
        .await
        .map(drop)
}

/// Nothing would deliver them, and those behind them would wait for ever.
pub(in crate::store) async fn require_none_open(
    conn: &mut Conn,
    registry: &str,
) -> Result<(), StoreError> {
    let statement = format!(
        "SELECT COUNT(*) AS held FROM operations WHERE registry = $1 AND state NOT IN {HOLDING}"
    );
    let row = query(sqlx::AssertSqlSafe(statement))
        .bind(registry)
        .fetch_one(conn)
        .await?;
    let count: i64 = get(&row, "held")?;
    match u64::try_from(count) {
        Ok(0) | Err(_) => Ok(()),
        Ok(count) => Err(StoreError::OperationsOpen {
            registry: registry.to_owned(),
            count,
        }),
    }
}

/// The step that was just made, as the row stands now.
pub(super) async fn remember(
    conn: &mut Conn,
    id: Uuid,
    at: Timestamp,
    by: Option<&str>,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO operation_steps (operation, number, at, state, attempt, reason, code, \
         module_digest, by_caller) \
         SELECT $1, COALESCE((SELECT MAX(number) FROM operation_steps WHERE operation = $1), 0) + 1, \
         $2, state, attempts, reason, code, module_digest, $3 FROM operations WHERE id = $1",
    )
    .bind(id.to_string())
    .bind(at.as_microsecond())
    .bind(by)
    .execute(conn)
    .await
    .map(drop)
}

/// The first of the subject that still is to be done is due now, where none before it holds it.
async fn let_pass(conn: &mut Conn, id: Uuid) -> Result<(), StoreError> {
    let now = clock(conn).await?;
    let statement = format!(
        "UPDATE operations SET due_at = $2 WHERE state = 'accepted' AND due_at IS NULL AND position = \
         (SELECT MIN(o.position) FROM operations o JOIN operations passed ON passed.id = $1 \
         WHERE o.registry = passed.registry AND o.subject = passed.subject \
         AND o.state NOT IN {HOLDING})"
    );
    query(sqlx::AssertSqlSafe(statement))
        .bind(id.to_string())
        .bind(now)
        .execute(conn)
        .await
        .map(drop)
}

/// A number for a subject of a registry. Two that share one merely take turns.
fn lock_of(registry: &str, subject: &KeyedHash) -> i64 {
    let (mut number, mut at) = ([0; 8], 0);
    for byte in subject.iter().chain(registry.as_bytes()) {
        if let Some(place) = number.get_mut(at % 8) {
            *place = u8::wrapping_add(*place, *byte).rotate_left(1);
        }
        at += 1;
    }
    // Apart from the locks of chains, which are small numbers below another mark.
    i64::from_le_bytes(number) | i64::MIN
}

fn hash(bytes: &[u8]) -> Result<KeyedHash, StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::Damaged { what: "subject" })
}

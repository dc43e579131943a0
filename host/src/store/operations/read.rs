//! Operations, read.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::{Operation, OperationFilter, OperationState, OperationStep, Queue, READ_MAX};
use crate::store::audit::KeyedHash;
use crate::store::clock::clock_of;
use crate::store::columns::{as_time, count, get as get_column, time, uuid};
use crate::store::db::{Pool, Row, query};
use crate::store::error::StoreError;

/// What every reading selects. A macro, since a query's text must be known when compiling.
macro_rules! known_columns {
    () => {
        "position, id, caller, registry, ability, bulk, state, accepted_at, changed_at, due_at, \
         give_up_at, attempts, attempted_at, fence, reason, code, field, module_digest, reference "
    };
}

/// The same, with what is sealed.
macro_rules! columns {
    () => {
        concat!(
            $crate::store::operations::read::known_columns!(),
            ", request, receipt, adapter_state, state_schema "
        )
    };
}
pub(super) use {columns, known_columns};

pub(super) async fn one(readers: &Pool, id: Uuid) -> Result<Option<Operation>, StoreError> {
    let row = query(concat!(
        "SELECT ",
        columns!(),
        "FROM operations WHERE id = $1"
    ))
    .bind(id.to_string())
    .fetch_optional(readers)
    .await?;
    row.as_ref().map(operation_of).transpose()
}

pub(super) async fn by_key(
    readers: &Pool,
    caller: &str,
    registry: &str,
    key: &str,
) -> Result<Option<Operation>, StoreError> {
    let row = query(concat!(
        "SELECT ",
        columns!(),
        "FROM operations WHERE caller = $1 AND registry = $2 AND idempotency_key = $3"
    ))
    .bind(caller)
    .bind(registry)
    .bind(key)
    .fetch_optional(readers)
    .await?;
    row.as_ref().map(operation_of).transpose()
}

/// The operation that a key names already, and whether it is of that request.
pub(super) async fn known(
    readers: &Pool,
    (caller, registry, key): (&str, &str, &str),
    request_hash: &KeyedHash,
) -> Result<Option<(Uuid, bool)>, StoreError> {
    let row = query(
        "SELECT id, request_hash FROM operations \
         WHERE caller = $1 AND registry = $2 AND idempotency_key = $3",
    )
    .bind(caller)
    .bind(registry)
    .bind(key)
    .fetch_optional(readers)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let same = get_column::<&[u8]>(&row, "request_hash")? == request_hash;
    Ok(Some((uuid(&row, "id")?, same)))
}

pub(super) async fn by_reference(
    readers: &Pool,
    registry: &str,
    reference: &KeyedHash,
) -> Result<Option<Operation>, StoreError> {
    // Unique within the registry, says the contract: of two the one that came later.
    let row = query(concat!(
        "SELECT ",
        columns!(),
        "FROM operations WHERE registry = $1 AND reference = $2 ORDER BY position DESC LIMIT 1"
    ))
    .bind(registry)
    .bind(&reference[..])
    .fetch_optional(readers)
    .await?;
    row.as_ref().map(operation_of).transpose()
}

/// Without what is sealed: nobody who looks at many needs it.
pub(super) async fn list(
    readers: &Pool,
    filter: &OperationFilter,
) -> Result<Vec<Operation>, StoreError> {
    let mut statement = query(AssertSqlSafe(listing(filter)))
        .bind(filter.before.unwrap_or(i64::MAX))
        .bind(i64::from(filter.limit.min(READ_MAX)));
    if let Some(state) = filter.state {
        statement = statement.bind(state.as_str());
    }
    if let Some(registry) = &filter.registry {
        statement = statement.bind(registry);
    }
    if let Some(caller) = &filter.caller {
        statement = statement.bind(caller);
    }
    if let Some(ability) = filter.ability {
        statement = statement.bind(ability.as_str());
    }
    if let Some(subject) = &filter.subject {
        statement = statement.bind(&subject[..]);
    }
    let rows = statement.fetch_all(readers).await?;
    rows.iter().map(known_of).collect()
}

/// Only what is asked for is in it: with "it may be absent" no index would be of use. The values are
/// bound in this order.
pub(in crate::store) fn listing(filter: &OperationFilter) -> String {
    let mut statement = concat!(
        "SELECT ",
        known_columns!(),
        "FROM operations WHERE position < $1"
    )
    .to_owned();
    let mut number = 2;
    for (column, is_given) in [
        ("state", filter.state.is_some()),
        ("registry", filter.registry.is_some()),
        ("caller", filter.caller.is_some()),
        ("ability", filter.ability.is_some()),
        ("subject", filter.subject.is_some()),
    ] {
        if is_given {
            number += 1;
            statement.push_str(&format!(" AND {column} = ${number}"));
        }
    }
    statement.push_str(" ORDER BY position DESC LIMIT $2");
    statement
}

/// Whether anything is to be given up. Nothing is written to find that out.
pub(super) async fn is_any_late(readers: &Pool, now: Timestamp) -> Result<bool, StoreError> {
    let due = clock_of(readers).await?;
    let row = query(
        "SELECT position FROM operations WHERE state IN ('accepted', 'waiting') \
         AND due_at IS NOT NULL AND give_up_at <= $1 AND due_at <= $2 LIMIT 1",
    )
    .bind(now.as_microsecond())
    .bind(due)
    .fetch_optional(readers)
    .await?;
    Ok(row.is_some())
}

pub(super) async fn bodies(
    readers: &Pool,
    behind: i64,
    limit: u32,
) -> Result<Vec<Operation>, StoreError> {
    query(concat!(
        "SELECT ",
        columns!(),
        "FROM operations WHERE position > $1 AND request IS NOT NULL ORDER BY position LIMIT $2"
    ))
    .bind(behind)
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await?
    .iter()
    .map(operation_of)
    .collect()
}

pub(super) async fn history(readers: &Pool, id: Uuid) -> Result<Vec<OperationStep>, StoreError> {
    query(
        "SELECT number, at, state, attempt, reason, code, module_digest, by_caller \
         FROM operation_steps WHERE operation = $1 ORDER BY number",
    )
    .bind(id.to_string())
    .fetch_all(readers)
    .await?
    .iter()
    .map(|row| {
        Ok(OperationStep {
            number: count(row, "number")?,
            at: time(row, "at")?,
            state: state(row)?,
            attempt: count(row, "attempt")?,
            reason: get_column(row, "reason")?,
            code: get_column(row, "code")?,
            module_digest: get_column(row, "module_digest")?,
            by: get_column(row, "by_caller")?,
        })
    })
    .collect()
}

pub(super) async fn counts(
    readers: &Pool,
) -> Result<Vec<(String, OperationState, u64)>, StoreError> {
    query(
        "SELECT registry, state, COUNT(*) AS held FROM operations \
         WHERE state NOT IN ('applied', 'rejected', 'conflict', 'cancelled') \
         GROUP BY registry, state",
    )
    .fetch_all(readers)
    .await?
    .iter()
    .map(|row| {
        Ok((
            get_column(row, "registry")?,
            state(row)?,
            count(row, "held")?,
        ))
    })
    .collect()
}

/// One step of the index `operations_due` for each registry, and one for each of its two queues: what
/// stands behind the first is not looked at. Of a million rows both databases say so (`EXPLAIN`):
/// SQLite `SEARCH operations USING COVERING INDEX operations_due (registry>?)`, then
/// `(registry=? AND bulk=? …)`; PostgreSQL `Index Only Scan using operations_due` below a `Limit`.
pub(super) async fn queues(readers: &Pool) -> Result<Vec<Queue>, StoreError> {
    let now = clock_of(readers).await?;
    query(QUEUES)
        .fetch_all(readers)
        .await?
        .iter()
        .map(|row| {
            let wait = |column| {
                let due: Option<i64> = get_column(row, column)?;
                let wait = due.map(|due| u64::try_from(due.saturating_sub(now)).unwrap_or(0));
                Ok::<_, StoreError>(wait.map(Duration::from_micros))
            };
            Ok(Queue {
                registry: get_column(row, "registry")?,
                due: wait("due_at")?,
                bulk_due: wait("bulk_due_at")?,
            })
        })
        .collect()
}

/// Which registries have something due.
pub(in crate::store) const QUEUES: &str = "WITH RECURSIVE queue(registry) AS (\
     SELECT (SELECT MIN(registry) FROM operations WHERE due_at IS NOT NULL) UNION ALL \
     SELECT (SELECT MIN(o.registry) FROM operations o WHERE o.due_at IS NOT NULL \
     AND o.registry > queue.registry) FROM queue WHERE queue.registry IS NOT NULL) \
     SELECT registry, (SELECT MIN(o.due_at) FROM operations o WHERE o.registry = queue.registry \
     AND o.bulk = FALSE AND o.due_at IS NOT NULL) AS due_at, \
     (SELECT MIN(o.due_at) FROM operations o WHERE o.registry = queue.registry \
     AND o.bulk = TRUE AND o.due_at IS NOT NULL) AS bulk_due_at \
     FROM queue WHERE registry IS NOT NULL";

pub(super) async fn open_forms(readers: &Pool, registry: &str) -> Result<Vec<u32>, StoreError> {
    query(
        "SELECT DISTINCT state_schema FROM operations WHERE registry = $1 \
         AND state_schema IS NOT NULL AND state IN ('pending', 'delivering', 'outcome-unknown')",
    )
    .bind(registry)
    .fetch_all(readers)
    .await?
    .iter()
    .map(|row| count(row, "state_schema"))
    .collect()
}

pub(super) fn operation_of(row: &Row) -> Result<Operation, StoreError> {
    let bytes = |column| {
        let bytes: Option<&[u8]> = get_column(row, column)?;
        Ok::<_, StoreError>(bytes.map(<[u8]>::to_vec))
    };
    let schema: Option<i64> = get_column(row, "state_schema")?;
    let schema = schema.map(u32::try_from).transpose();
    let schema = schema.map_err(|_| StoreError::Damaged {
        what: "state_schema",
    })?;
    Ok(Operation {
        request: bytes("request")?,
        receipt: bytes("receipt")?,
        adapter_state: schema.zip(bytes("adapter_state")?),
        ..known_of(row)?
    })
}

pub(super) fn known_of(row: &Row) -> Result<Operation, StoreError> {
    let optional_time = |column| {
        let at: Option<i64> = get_column(row, column)?;
        at.map(|at| as_time(at, column)).transpose()
    };
    let reference: Option<&[u8]> = get_column(row, "reference")?;
    let reference = reference.map(KeyedHash::try_from).transpose();
    Ok(Operation {
        position: get_column(row, "position")?,
        id: uuid(row, "id")?,
        caller: get_column(row, "caller")?,
        registry: get_column(row, "registry")?,
        ability: get_column(row, "ability")?,
        bulk: get_column(row, "bulk")?,
        state: state(row)?,
        accepted_at: time(row, "accepted_at")?,
        changed_at: time(row, "changed_at")?,
        due_at: optional_time("due_at")?,
        give_up_at: time(row, "give_up_at")?,
        attempts: count(row, "attempts")?,
        attempted_at: optional_time("attempted_at")?,
        fence: get_column(row, "fence")?,
        reason: get_column(row, "reason")?,
        code: get_column(row, "code")?,
        field: get_column(row, "field")?,
        module_digest: get_column(row, "module_digest")?,
        request: None,
        receipt: None,
        adapter_state: None,
        reference: reference.map_err(|_| StoreError::Damaged { what: "reference" })?,
    })
}

fn state(row: &Row) -> Result<OperationState, StoreError> {
    let word = get_column(row, "state")?;
    OperationState::parse(word).ok_or(StoreError::Damaged { what: "state" })
}

//! Subscriptions, read.

use jiff::Timestamp;
use uuid::Uuid;

use super::Webhook;
use crate::store::clock::clock_of;
use crate::store::columns::{as_time, count, get, time, uuid};
use crate::store::db::{Pool, Row, query};
use crate::store::error::StoreError;

/// What every reading selects. A macro, since a query's text must be known when compiling.
macro_rules! webhook_columns {
    () => {
        "name, id, caller, url, purpose, legal_basis, by_user, for_entity, registries, kinds, secret, \
         previous_secret, previous_until, state, reason, position, fence, edits, attempts, \
         failing_since, problem, delivered_at, created_at, changed_at"
    };
}
pub(super) use webhook_columns;

pub(super) async fn list(readers: &Pool) -> Result<Vec<Webhook>, StoreError> {
    query(concat!(
        "SELECT ",
        webhook_columns!(),
        " FROM webhooks ORDER BY name"
    ))
    .fetch_all(readers)
    .await?
    .iter()
    .map(webhook_of)
    .collect()
}

pub(super) async fn one(readers: &Pool, name: &str) -> Result<Option<Webhook>, StoreError> {
    let row = query(concat!(
        "SELECT ",
        webhook_columns!(),
        " FROM webhooks WHERE name = $1"
    ))
    .bind(name)
    .fetch_optional(readers)
    .await?;
    row.as_ref().map(webhook_of).transpose()
}

pub(super) async fn due(readers: &Pool, limit: i64) -> Result<Vec<String>, StoreError> {
    let now = clock_of(readers).await?;
    query(
        "SELECT name FROM webhooks WHERE state = 'active' AND due_at <= $1 AND leased_until <= $1 \
         AND position < (SELECT last FROM event_sequence WHERE id = 1) ORDER BY due_at, name LIMIT $2",
    )
    .bind(now)
    .bind(limit)
    .fetch_all(readers)
    .await?
    .iter()
    .map(|row| get(row, "name"))
    .collect()
}

pub(super) async fn newest_sealed(readers: &Pool) -> Result<Option<(Uuid, Vec<u8>)>, StoreError> {
    let row = query("SELECT id, secret FROM webhooks ORDER BY changed_at DESC LIMIT 1")
        .fetch_optional(readers)
        .await?;
    row.map(|row| Ok((uuid(&row, "id")?, get::<&[u8]>(&row, "secret")?.to_vec())))
        .transpose()
}

pub(super) fn webhook_of(row: &Row) -> Result<Webhook, StoreError> {
    let previous: Option<&[u8]> = get(row, "previous_secret")?;
    let until = when(row, "previous_until")?;
    Ok(Webhook {
        name: get(row, "name")?,
        id: uuid(row, "id")?,
        caller: get(row, "caller")?,
        url: get(row, "url")?,
        purpose: get(row, "purpose")?,
        legal_basis: get(row, "legal_basis")?,
        user: get(row, "by_user")?,
        entity: get(row, "for_entity")?,
        registries: words(row, "registries")?,
        kinds: words(row, "kinds")?,
        secret: get::<&[u8]>(row, "secret")?.to_vec(),
        previous: previous.map(<[u8]>::to_vec).zip(until),
        is_active: get::<&str>(row, "state")? == "active",
        reason: get(row, "reason")?,
        position: get(row, "position")?,
        fence: get(row, "fence")?,
        edits: get(row, "edits")?,
        attempts: count(row, "attempts")?,
        failing_since: when(row, "failing_since")?,
        problem: get(row, "problem")?,
        delivered_at: when(row, "delivered_at")?,
        created_at: time(row, "created_at")?,
        changed_at: time(row, "changed_at")?,
    })
}

fn words(row: &Row, column: &'static str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(get(row, column)?).map_err(|_| StoreError::Damaged { what: column })
}

fn when(row: &Row, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = get(row, column)?;
    at.map(|at| as_time(at, column)).transpose()
}

//! What is done to subscriptions, each in a transaction of its own.

use std::sync::PoisonError;
use std::time::Duration;

use super::read::{webhook_columns, webhook_of};
use uuid::Uuid;

use super::{NewWebhook, WebhookChange, WebhookStep, Went};
use crate::store::clock::{clock, microseconds};
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::now;

/// Does it. 0: nothing was changed.
pub(in crate::store) async fn step(conn: &mut Conn, step: &WebhookStep) -> Result<i64, StoreError> {
    let done = match step {
        WebhookStep::Add(new) => add(conn, new).await?,
        WebhookStep::Take {
            name,
            lease,
            holder,
            taken,
        } => {
            let found = take(conn, name, *lease, holder.as_deref()).await?;
            let count = u64::from(found.is_some());
            *taken.lock().unwrap_or_else(PoisonError::into_inner) = found;
            count
        }
        WebhookStep::Went {
            id,
            fence,
            edits,
            went: how,
        } => went(conn, (*id, *fence, *edits), how).await?,
        WebhookStep::Release { id, fence } => {
            // Behind all that wait: who has much to send must not keep the others from it.
            let now = clock(conn).await?;
            query("UPDATE webhooks SET leased_until = 0, due_at = $3 WHERE id = $1 AND fence = $2")
                .bind(id.to_string())
                .bind(*fence)
                .bind(now)
                .execute(conn)
                .await?
        }
        WebhookStep::Change { name, change: what } => change(conn, name, what).await?,
    };
    Ok(i64::try_from(done).unwrap_or(i64::MAX))
}

async fn add(conn: &mut Conn, new: &NewWebhook) -> Result<u64, StoreError> {
    let at = now().as_microsecond();
    let due = clock(conn).await?;
    let list = |words: &[String]| serde_json::to_string(words).unwrap_or_else(|_| "[]".into());
    let done = query(
        "INSERT INTO webhooks (name, id, caller, url, purpose, legal_basis, by_user, for_entity, \
         registries, kinds, secret, state, position, due_at, leased_until, fence, edits, attempts, \
         created_at, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'active', $12, \
         $13, 0, 0, 0, 0, $14, $14) ON CONFLICT (name) DO NOTHING",
    )
    .bind(&new.name)
    .bind(new.id.to_string())
    .bind(&new.caller)
    .bind(&new.url)
    .bind(&new.purpose)
    .bind(&new.legal_basis)
    .bind(&new.user)
    .bind(&new.entity)
    .bind(list(&new.registries))
    .bind(list(&new.kinds))
    .bind(&new.secret[..])
    .bind(new.position)
    .bind(due)
    .bind(at)
    .execute(conn)
    .await?;
    match done {
        0 => Err(StoreError::Taken {
            field: "webhook.name",
            value: new.name.clone(),
        }),
        done => Ok(done),
    }
}

async fn take(
    conn: &mut Conn,
    name: &str,
    lease: Duration,
    holder: Option<&str>,
) -> Result<Option<super::Webhook>, StoreError> {
    let now = clock(conn).await?;
    let row = query(concat!(
        "UPDATE webhooks SET fence = fence + 1, leased_until = $2, holder = $4 WHERE name = $1 \
         AND state = 'active' AND due_at <= $3 AND leased_until <= $3 RETURNING ",
        webhook_columns!()
    ))
    .bind(name)
    .bind(now.saturating_add(microseconds(lease)))
    .bind(now)
    .bind(holder)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(webhook_of).transpose()
}

async fn went(
    conn: &mut Conn,
    (id, fence, edits): (Uuid, i64, i64),
    how: &Went,
) -> Result<u64, StoreError> {
    let id = id.to_string();
    let at = now().as_microsecond();
    let now = clock(conn).await?;
    let then = |wait: &Duration| now.saturating_add(microseconds(*wait));
    match how {
        Went::On {
            position,
            delivered,
            lease,
        } => {
            // That nothing was to be told says nothing of the receiver.
            query(
                "UPDATE webhooks SET position = $4, leased_until = $5, \
                 due_at = CASE WHEN $5 = 0 THEN $8 ELSE due_at END, \
                 attempts = CASE WHEN $6 = 1 THEN 0 ELSE attempts END, \
                 failing_since = CASE WHEN $6 = 1 THEN NULL ELSE failing_since END, \
                 problem = CASE WHEN $6 = 1 THEN NULL ELSE problem END, \
                 delivered_at = CASE WHEN $6 = 1 THEN $7 ELSE delivered_at END \
                 WHERE id = $1 AND fence = $2 AND edits = $3",
            )
            .bind(&id)
            .bind(fence)
            .bind(edits)
            .bind(*position)
            .bind(lease.as_ref().map_or(0, then))
            .bind(i64::from(*delivered))
            .bind(at)
            .bind(now)
            .execute(conn)
            .await
        }
        Went::Failed {
            problem,
            again_in,
            pause_after,
        } => {
            query(
                "UPDATE webhooks SET attempts = attempts + 1, problem = $4, due_at = $5, \
                 leased_until = 0, failing_since = COALESCE(failing_since, $6), \
                 state = CASE WHEN COALESCE(failing_since, $6) <= $7 THEN 'paused' ELSE state END, \
                 reason = CASE WHEN COALESCE(failing_since, $6) <= $7 THEN 'failing' ELSE reason END, \
                 changed_at = CASE WHEN COALESCE(failing_since, $6) <= $7 THEN $6 ELSE changed_at END \
                 WHERE id = $1 AND fence = $2 AND edits = $3",
            )
            .bind(&id)
            .bind(fence)
            .bind(edits)
            .bind(problem)
            .bind(then(again_in))
            .bind(at)
            .bind(at.saturating_sub(microseconds(*pause_after)))
            .execute(conn)
            .await
        }
        Went::Later { again_in } => {
            query(
                "UPDATE webhooks SET due_at = $4, leased_until = 0 \
                 WHERE id = $1 AND fence = $2 AND edits = $3",
            )
            .bind(&id)
            .bind(fence)
            .bind(edits)
            .bind(then(again_in))
            .execute(conn)
            .await
        }
        Went::Stopped { reason } => {
            query(
                "UPDATE webhooks SET state = 'paused', reason = $4, leased_until = 0, changed_at = $5 \
                 WHERE id = $1 AND fence = $2 AND edits = $3",
            )
            .bind(&id)
            .bind(fence)
            .bind(edits)
            .bind(*reason)
            .bind(at)
            .execute(conn)
            .await
        }
    }
}

/// The lease stays whose it is: nobody else sends while a message is under way.
async fn change(conn: &mut Conn, name: &str, what: &WebhookChange) -> Result<u64, StoreError> {
    let at = now().as_microsecond();
    let due = clock(conn).await?;
    match what {
        WebhookChange::Pause => {
            query(
                "UPDATE webhooks SET state = 'paused', reason = 'by-an-administrator', \
                 edits = edits + 1, changed_at = $2 WHERE name = $1",
            )
            .bind(name)
            .bind(at)
            .execute(conn)
            .await
        }
        WebhookChange::Resume => {
            query(
                "UPDATE webhooks SET state = 'active', reason = NULL, due_at = $3, attempts = 0, \
                 failing_since = NULL, problem = NULL, edits = edits + 1, changed_at = $2 \
                 WHERE name = $1",
            )
            .bind(name)
            .bind(at)
            .bind(due)
            .execute(conn)
            .await
        }
        WebhookChange::Replay(position) => query(
            "UPDATE webhooks SET position = $4, due_at = $3, edits = edits + 1, changed_at = $2 \
                 WHERE name = $1",
        )
        .bind(name)
        .bind(at)
        .bind(due)
        .bind(*position)
        .execute(conn)
        .await,
        WebhookChange::Rotate(secret, previous_until) => {
            query(
                "UPDATE webhooks SET previous_secret = secret, previous_until = $3, secret = $4, \
                 edits = edits + 1, changed_at = $2 WHERE name = $1",
            )
            .bind(name)
            .bind(at)
            .bind(previous_until.as_microsecond())
            .bind(&secret[..])
            .execute(conn)
            .await
        }
        WebhookChange::Remove => {
            query("DELETE FROM webhooks WHERE name = $1")
                .bind(name)
                .execute(conn)
                .await
        }
    }
}

//! What happens within one transaction. Each function is handed a connection that has begun it, and
//! ends it.

use std::slice;

use super::{Chain, Change, Shared};
use crate::store::db::{Conn, query};
use crate::store::error::StoreError;
use crate::store::{
    agreements, audit_checkpoints, audit_people, audit_prune, audit_rows, callers, events,
    key_check, leases, links, lookups, modules, nodes, now, open_states, operations, quotas,
    registries, sealed, webhooks,
};

/// Commits all together, with one answer for each. First without savepoints, which would triple the
/// statements for what never happens in a healthy gateway; when a row is refused, once more with
/// them, so that it goes alone.
pub(in crate::store) async fn shared(
    conn: &mut Conn,
    chain: &mut Chain,
    shared: &[Shared],
) -> Result<Vec<Result<i64, StoreError>>, StoreError> {
    let done = insert_all(conn, chain, shared).await;
    match chain.settle(conn.finish(done).await) {
        Ok(results) => Ok(results.into_iter().map(Ok).collect()),
        Err(StoreError::Refused(_)) => {
            conn.begin().await?;
            let done = insert_each(conn, chain, shared).await;
            chain.settle(conn.finish(done).await)
        }
        Err(error) => Err(error),
    }
}

/// Commits one change. What the number means belongs to the change. `healthy` says whether the last
/// write went well.
pub(super) async fn change(
    conn: &mut Conn,
    change: Change,
    healthy: bool,
) -> Result<i64, StoreError> {
    let done = match change {
        Change::PutModule(module) => modules::insert(conn, &module).await,
        Change::Registries(changes, by) => registries::apply(conn, &changes, &by).await,
        Change::OpenState(state) => open_states::insert(conn, &state).await,
        Change::RetireModule(digest) => modules::retire(conn, &digest).await,
        Change::PulledModule(reference, digest) => modules::pulled(conn, &reference, &digest).await,
        Change::RegistriesOf { state, by, changes } => {
            registries::apply_to(conn, &state, &changes, &by).await
        }
        Change::Caller(change) => callers::change(conn, &change).await,
        Change::Checkpoint(row) => audit_checkpoints::insert(conn, &row).await,
        Change::KeepKeyCheck(check) => key_check::keep(conn, &check).await,
        Change::Beat(beating) => nodes::beat(conn, &beating).await,
        Change::Leave { id, run } => nodes::leave(conn, id, run).await,
        Change::ForgetNodes(unseen) => nodes::forget(conn, unseen).await,
        Change::BeginAgreement(beginning) => agreements::begin(conn, &beginning).await,
        Change::AnswerAgreement(answering) => agreements::answer(conn, &answering).await,
        Change::DecideAgreement(deciding) => agreements::decide(conn, &deciding).await,
        Change::TakeQuota(leasing) => quotas::take(conn, &leasing).await,
        Change::GiveBackQuota { name, day, count } => {
            quotas::give_back(conn, &name, day, count).await
        }
        Change::ForgetQuotas(unused) => quotas::forget(conn, unused).await,
        Change::PurgeOperations(before) => operations::purge(conn, before).await,
        Change::ResealOperations(resealed) => operations::reseal(conn, &resealed).await,
        Change::Reseal(anew) => sealed::reseal(conn, &anew).await,
        Change::TakeOperations(taking) => operations::take(conn, &taking).await,
        Change::Lookup(change) => lookups::step(conn, &change).await,
        Change::Link(linking) => links::add(conn, &linking).await,
        Change::Unlink { id, why, by } => links::end(conn, id, &why, &by).await,
        Change::TakeCallbacks(taking) => events::take(conn, &taking).await,
        Change::TakeEventCursor(taking) => events::take_cursor(conn, &taking).await,
        Change::FreeLeases(holder, margin) => leases::free(conn, &holder, margin).await,
        Change::SequenceEvents => events::sequence(conn).await,
        Change::SweepEvents(aged, before) => events::sweep(conn, aged, before).await,
        Change::DropCallbacks(dropping) => events::drop_read(conn, &dropping).await,
        Change::Webhook(step) => webhooks::step(conn, &step).await,
        Change::IndexPeople(step) => audit_people::index(conn, &step).await,
        Change::PruneAudit => audit_prune::step(conn).await,
        // While writes go well, having begun is proof enough; after a failure only a true write is.
        Change::Check if healthy => Ok(0),
        Change::Check => touch(conn).await,
        #[cfg(test)]
        Change::FillTheDisk => limit_pages(conn).await,
    };
    conn.finish(done).await
}

async fn touch(conn: &mut Conn) -> Result<i64, StoreError> {
    query("UPDATE configuration SET checked_at = $1 WHERE id = 1")
        .bind(now().as_microsecond())
        .execute(conn)
        .await?;
    Ok(0)
}

/// Steps first: whether a step was done decides whether its rows are written.
async fn insert_all(
    conn: &mut Conn,
    chain: &mut Chain,
    shared: &[Shared],
) -> Result<Vec<i64>, StoreError> {
    operations::lock(conn, shared.iter().filter_map(|it| it.step.as_ref())).await?;
    events::lock(conn, shared.iter().filter_map(|it| it.telling.as_ref())).await?;
    let answers = shared.iter().filter_map(|it| it.telling.as_ref());
    operations::lock_references(
        conn,
        shared.iter().filter_map(|it| it.step.as_ref()),
        answers.flat_map(events::references),
    )
    .await?;
    let mut results = Vec::with_capacity(shared.len());
    let mut rows = Vec::with_capacity(shared.len());
    for Shared {
        step,
        telling,
        rows: own,
    } in shared
    {
        let result = match (step, telling) {
            (Some(step), _) => operations::step(conn, step).await?,
            (None, Some(telling)) => events::step(conn, telling).await?,
            (None, None) => 0,
        };
        if result >= 0 {
            rows.extend(own);
        }
        results.push(result);
    }
    if !rows.is_empty() {
        let links = chain.extend(conn, &rows).await?;
        audit_rows::insert(conn, &rows, &links).await?;
    }
    Ok(results)
}

async fn insert_each(
    conn: &mut Conn,
    chain: &mut Chain,
    shared: &[Shared],
) -> Result<Vec<Result<i64, StoreError>>, StoreError> {
    let mut results = Vec::with_capacity(shared.len());
    for one in shared {
        conn.save().await?;
        // What is taken back takes the chain's step back too.
        let before = *chain;
        let result = insert_all(conn, chain, slice::from_ref(one)).await;
        if result.is_err() {
            *chain = before;
        }
        match &result {
            Ok(_) => conn.keep().await?,
            Err(StoreError::Refused(_)) => conn.take_back().await?,
            Err(error) => return Err(error.clone()),
        }
        results.push(result.map(|results| results.first().copied().unwrap_or(0)));
    }
    Ok(results)
}

#[cfg(test)]
async fn limit_pages(conn: &mut Conn) -> Result<i64, StoreError> {
    let pages: i64 = query("PRAGMA page_count")
        .fetch_one(&mut *conn)
        .await?
        .get("page_count")?;
    let statement = format!("PRAGMA max_page_count = {}", pages + 20);
    query(sqlx::AssertSqlSafe(statement))
        .fetch_all(conn)
        .await?;
    Ok(0)
}

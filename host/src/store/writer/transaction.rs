use sqlx::Connection;

use super::{AuditRow, Change};
use crate::store::error::StoreError;
use crate::store::sqlite::{self, Conn};
use crate::store::{audit_rows, callers, modules, now, registries};

/// Commits the rows together, with one answer for each. First without savepoints, which would
/// triple the statements for what never happens in a healthy gateway; when a row is refused, once
/// more with them, so that it goes alone.
pub(in crate::store) async fn insert(
    conn: &mut Conn,
    rows: &[AuditRow],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    match insert_all(conn, rows).await {
        Ok(()) => Ok(vec![Ok(()); rows.len()]),
        Err(StoreError::Refused(_)) => insert_each(conn, rows).await,
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
    let mut transaction = sqlite::begin(conn).await?;
    let number = match change {
        Change::PutModule(module) => modules::insert(&mut transaction, &module).await?,
        Change::Registries(changes) => registries::apply(&mut transaction, &changes).await?,
        Change::AddCaller(caller) => callers::insert(&mut transaction, &caller).await?,
        Change::RevokeCaller(id) => callers::revoke(&mut transaction, &id).await?,
        // While writes go well the lock is proof enough; after a failure only a true write is.
        Change::Check if healthy => {
            transaction.rollback().await.map_err(sqlite::from_sqlx)?;
            return Ok(0);
        }
        Change::Check => touch(&mut transaction).await?,
        #[cfg(test)]
        Change::FillTheDisk => limit_pages(&mut transaction).await?,
    };
    transaction.commit().await.map_err(sqlite::from_sqlx)?;
    Ok(number)
}

async fn touch(conn: &mut Conn) -> Result<i64, StoreError> {
    sqlx::query("UPDATE configuration SET checked_at = $1 WHERE id = 1")
        .bind(now().as_microsecond())
        .execute(conn)
        .await
        .map_err(sqlite::from_sqlx)?;
    Ok(0)
}

async fn insert_all(conn: &mut Conn, rows: &[AuditRow]) -> Result<(), StoreError> {
    let mut transaction = sqlite::begin(conn).await?;
    for row in rows {
        audit_rows::insert(&mut transaction, row).await?;
    }
    transaction.commit().await.map_err(sqlite::from_sqlx)
}

async fn insert_each(
    conn: &mut Conn,
    rows: &[AuditRow],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let mut transaction = sqlite::begin(conn).await?;
    let mut results = Vec::with_capacity(rows.len());
    for row in rows {
        let mut savepoint = transaction.begin().await.map_err(sqlite::from_sqlx)?;
        let result = audit_rows::insert(&mut savepoint, row).await;
        match &result {
            Ok(()) => savepoint.commit().await.map_err(sqlite::from_sqlx)?,
            Err(StoreError::Refused(_)) => savepoint.rollback().await.map_err(sqlite::from_sqlx)?,
            Err(error) => return Err(error.clone()),
        }
        results.push(result);
    }
    transaction.commit().await.map_err(sqlite::from_sqlx)?;
    Ok(results)
}

#[cfg(test)]
async fn limit_pages(conn: &mut Conn) -> Result<i64, StoreError> {
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(&mut *conn)
        .await
        .map_err(sqlite::from_sqlx)?;
    let statement = format!("PRAGMA max_page_count = {}", pages + 20);
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(conn)
        .await
        .map_err(sqlite::from_sqlx)?;
    Ok(0)
}

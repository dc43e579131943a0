//! Statements that both databases take, with `$1` for the first value.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use sqlx::postgres::{PgArguments, PgConnection, PgPool};
use sqlx::sqlite::{SqliteArguments, SqlitePool};
use sqlx::{Arguments, SqlSafeStr, SqlStr, SqliteConnection};

use super::{Conn, Pool, Row};
use crate::store::error::StoreError;
use crate::store::{postgres, sqlite};

/// A statement and its values.
pub(in crate::store) struct Query<'q> {
    sql: SqlStr,
    values: Vec<Value<'q>>,
}

/// The types that columns have; there are no others. An absent value has its column's type too,
/// which PostgreSQL insists on.
pub(in crate::store) enum Value<'q> {
    Text(Option<&'q str>),
    OwnText(String),
    Number(Option<i64>),
    Truth(bool),
    Bytes(Option<&'q [u8]>),
}

/// What runs a statement.
pub(in crate::store) enum Target<'t> {
    Sqlite(&'t mut SqliteConnection),
    SqlitePool(&'t SqlitePool),
    Postgres(&'t mut PgConnection, Duration),
    PostgresPool(&'t PgPool, postgres::Limits),
}

/// A statement, known when compiling or vouched for.
pub(in crate::store) fn query<'q>(sql: impl SqlSafeStr) -> Query<'q> {
    Query {
        sql: sql.into_sql_str(),
        values: Vec::new(),
    }
}

impl<'q> Query<'q> {
    pub(in crate::store) fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Returns how many rows it touched.
    pub(in crate::store) async fn execute<'t>(
        self,
        target: impl Into<Target<'t>>,
    ) -> Result<u64, StoreError> {
        let Self { sql, values } = self;
        match target.into() {
            Target::Sqlite(conn) => sqlx::query_with(sql, to_sqlite(&values)?)
                .execute(conn)
                .await
                .map(|done| done.rows_affected())
                .map_err(sqlite::from_sqlx),
            Target::SqlitePool(pool) => sqlx::query_with(sql, to_sqlite(&values)?)
                .execute(pool)
                .await
                .map(|done| done.rows_affected())
                .map_err(sqlite::from_sqlx),
            Target::Postgres(conn, limit) => {
                let run = sqlx::query_with(sql, to_postgres(&values)?).execute(conn);
                postgres::within(limit, run)
                    .await
                    .map(|done| done.rows_affected())
            }
            Target::PostgresPool(pool, limits) => {
                let mut conn = postgres::acquire(pool, limits).await?;
                let run = sqlx::query_with(sql, to_postgres(&values)?).execute(&mut *conn);
                postgres::within(limits.answer, run)
                    .await
                    .map(|done| done.rows_affected())
            }
        }
    }

    pub(in crate::store) async fn fetch_all<'t>(
        self,
        target: impl Into<Target<'t>>,
    ) -> Result<Vec<Row>, StoreError> {
        let Self { sql, values } = self;
        match target.into() {
            Target::Sqlite(conn) => sqlx::query_with(sql, to_sqlite(&values)?)
                .map(Row::Sqlite)
                .fetch_all(conn)
                .await
                .map_err(sqlite::from_sqlx),
            Target::SqlitePool(pool) => sqlx::query_with(sql, to_sqlite(&values)?)
                .map(Row::Sqlite)
                .fetch_all(pool)
                .await
                .map_err(sqlite::from_sqlx),
            Target::Postgres(conn, limit) => {
                let query = sqlx::query_with(sql, to_postgres(&values)?).map(Row::Postgres);
                postgres::within(limit, query.fetch_all(conn)).await
            }
            Target::PostgresPool(pool, limits) => {
                let mut conn = postgres::acquire(pool, limits).await?;
                let query = sqlx::query_with(sql, to_postgres(&values)?).map(Row::Postgres);
                postgres::within(limits.answer, query.fetch_all(&mut *conn)).await
            }
        }
    }

    /// The one row, of a statement that finds no more than one.
    pub(in crate::store) async fn fetch_optional<'t>(
        self,
        target: impl Into<Target<'t>>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch_all(target).await?.pop())
    }

    /// The one row, which must be there.
    pub(in crate::store) async fn fetch_one<'t>(
        self,
        target: impl Into<Target<'t>>,
    ) -> Result<Row, StoreError> {
        let row = self.fetch_optional(target).await?;
        row.ok_or(StoreError::Damaged { what: "row" })
    }

    /// Row by row, never all in memory.
    pub(in crate::store) fn fetch<'t>(
        self,
        pool: &'t Pool,
    ) -> Result<BoxStream<'t, Result<Row, StoreError>>, StoreError>
    where
        'q: 't,
    {
        let Self { sql, values } = self;
        Ok(match pool {
            Pool::Sqlite(pool) => sqlx::query_with(sql, to_sqlite(&values)?)
                .fetch(pool)
                .map(|row| row.map(Row::Sqlite).map_err(sqlite::from_sqlx))
                .boxed(),
            Pool::Postgres(pool, _) => sqlx::query_with(sql, to_postgres(&values)?)
                .fetch(pool)
                .map(|row| row.map(Row::Postgres).map_err(postgres::from_sqlx))
                .boxed(),
        })
    }
}

impl<'t> From<&'t mut Conn> for Target<'t> {
    fn from(conn: &'t mut Conn) -> Self {
        match conn {
            Conn::Sqlite(conn) => Self::Sqlite(conn),
            Conn::Postgres(client) => Self::Postgres(&mut client.conn, client.answer),
        }
    }
}

impl<'t> From<&'t Pool> for Target<'t> {
    fn from(pool: &'t Pool) -> Self {
        match pool {
            Pool::Sqlite(pool) => Self::SqlitePool(pool),
            Pool::Postgres(pool, limits) => Self::PostgresPool(pool, *limits),
        }
    }
}

impl<'q> From<&'q str> for Value<'q> {
    fn from(text: &'q str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'q> From<Option<&'q str>> for Value<'q> {
    fn from(text: Option<&'q str>) -> Self {
        Self::Text(text)
    }
}

impl<'q> From<&'q String> for Value<'q> {
    fn from(text: &'q String) -> Self {
        Self::Text(Some(text))
    }
}

impl<'q> From<&'q Option<String>> for Value<'q> {
    fn from(text: &'q Option<String>) -> Self {
        Self::Text(text.as_deref())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::OwnText(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl<'q> From<&'q [u8]> for Value<'q> {
    fn from(bytes: &'q [u8]) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl<'q> From<Option<&'q [u8]>> for Value<'q> {
    fn from(bytes: Option<&'q [u8]>) -> Self {
        Self::Bytes(bytes)
    }
}

fn to_sqlite(values: &[Value<'_>]) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Text(text) => arguments.add(*text),
            Value::OwnText(text) => arguments.add(text.as_str()),
            Value::Number(number) => arguments.add(*number),
            Value::Truth(truth) => arguments.add(*truth),
            Value::Bytes(bytes) => arguments.add(*bytes),
        }
        .map_err(|error| StoreError::Refused(error.into()))?;
    }
    Ok(arguments)
}

fn to_postgres(values: &[Value<'_>]) -> Result<PgArguments, StoreError> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Text(text) => arguments.add(*text),
            Value::OwnText(text) => arguments.add(text.as_str()),
            Value::Number(number) => arguments.add(*number),
            Value::Truth(truth) => arguments.add(*truth),
            Value::Bytes(bytes) => arguments.add(*bytes),
        }
        .map_err(|error| StoreError::Refused(error.into()))?;
    }
    Ok(arguments)
}

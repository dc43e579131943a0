//! The database's clock: what several gateways agree on is timed by it, and not by theirs.

use super::db::{Conn, Pool, query};
use super::error::StoreError;
use super::now;

const POSTGRES: &str =
    "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS at";

/// Microseconds since 1970. SQLite has the clock of the machine, as the gateways on it do.
pub(super) async fn clock(conn: &mut Conn) -> Result<i64, StoreError> {
    match conn {
        Conn::Sqlite(_) => Ok(now().as_microsecond()),
        Conn::Postgres(_) => query(POSTGRES).fetch_one(conn).await?.get("at"),
    }
}

/// The same, for what is only read.
pub(super) async fn clock_of(pool: &Pool) -> Result<i64, StoreError> {
    match pool {
        Pool::Sqlite(_) => Ok(now().as_microsecond()),
        Pool::Postgres(..) => query(POSTGRES).fetch_one(pool).await?.get("at"),
    }
}

/// As a number of the database's.
pub(super) fn microseconds(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}

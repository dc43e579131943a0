//! Whether a server keeps what it acknowledges. One that may lose it is refused: no answer leaves
//! before its audit row is durable.

use std::time::Duration;

use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

use super::within;
use crate::store::error::StoreError;

/// The oldest that is looked after; 12 ended in 2024.
const VERSION_MIN: i32 = 130_000;

/// Refuses a server that is too old, would lose what it acknowledges, keeps text otherwise than as
/// UTF-8, or takes no writes. Names the remedy.
pub(super) async fn check(conn: &mut PgConnection, limit: Duration) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT current_setting('server_version_num')::int4 AS version, \
         current_setting('server_version') AS version_text, \
         current_setting('fsync') AS fsync, \
         current_setting('synchronous_commit') AS synchronous_commit, \
         current_setting('server_encoding') AS encoding, \
         pg_is_in_recovery() AS standby",
    )
    .fetch_one(conn);
    let row = within(limit, row).await?;
    let version: i32 = get(&row, "version")?;
    let problem = if version < VERSION_MIN {
        let text: String = get(&row, "version_text")?;
        format!("it is version {text}: use 13 or later")
    } else if get::<String>(&row, "fsync")? == "off" {
        "fsync is off, so that a power cut loses acknowledged rows: set fsync = on in \
         postgresql.conf and restart the server"
            .to_owned()
    } else if get::<String>(&row, "synchronous_commit")? == "off" {
        "synchronous_commit is off, so that a crash loses acknowledged rows: set \
         synchronous_commit = on for the server, the database and the role"
            .to_owned()
    } else if get::<String>(&row, "encoding")? != "UTF8" {
        "its encoding is not UTF8: make the database with ENCODING 'UTF8'".to_owned()
    } else if get(&row, "standby")? {
        "it is a standby and takes no writes: name the primary in store.url".to_owned()
    } else {
        return Ok(());
    };
    Err(StoreError::Unfit { problem })
}

/// Says aloud what may be right. Copy-on-write file systems never tear a page, and `full_page_writes`
/// is rightly off there; which file system it is, is not to be seen from here.
pub(super) async fn warn(conn: &mut PgConnection, limit: Duration) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT current_setting('full_page_writes') AS pages").fetch_one(conn);
    if get::<String>(&within(limit, row).await?, "pages")? == "off" {
        tracing::warn!(
            "full_page_writes is off in PostgreSQL: unless its file system never tears a page \
             (ZFS, btrfs), a power cut loses acknowledged rows"
        );
    }
    Ok(())
}

fn get<'r, T>(row: &'r PgRow, column: &'static str) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(column)
        .map_err(|_| StoreError::Damaged { what: column })
}

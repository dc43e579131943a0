use std::sync::{Arc, OnceLock};

use super::Store;
use super::columns::get;
use super::db::{Conn, Row, query};
use super::error::StoreError;
use super::writer::{Change, Work};

/// A key's check value on its way, and where the database's goes.
#[derive(Debug)]
pub(super) struct KeyCheck {
    mine: [u8; 32],
    answer: Arc<OnceLock<[u8; 32]>>,
}

impl Store {
    /// The check value of the key that the database's audit is written with; none: there was no key
    /// yet.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn key_check(&self) -> Result<Option<[u8; 32]>, StoreError> {
        let row = query("SELECT key_check FROM cluster WHERE id = 1");
        check_of(&row.fetch_one(&self.readers).await?)
    }

    /// Keeps the check value of a key where there is none yet. Gives the one that is there now: of
    /// two gateways with keys of their own the first is right.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn keep_key_check(&self, mine: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let answer = Arc::default();
        let change = Change::KeepKeyCheck(KeyCheck {
            mine,
            answer: Arc::clone(&answer),
        });
        self.writer.write(Work::Change(change)).await?;
        answer
            .get()
            .copied()
            .ok_or(StoreError::Damaged { what: "key_check" })
    }
}

pub(super) async fn keep(conn: &mut Conn, check: &KeyCheck) -> Result<i64, StoreError> {
    let row = query(
        "UPDATE cluster SET key_check = COALESCE(key_check, $1) WHERE id = 1 RETURNING key_check",
    )
    .bind(check.mine.as_slice())
    .fetch_one(conn)
    .await?;
    if let Some(there) = check_of(&row)? {
        let _ = check.answer.set(there);
    }
    Ok(0)
}

fn check_of(row: &Row) -> Result<Option<[u8; 32]>, StoreError> {
    let bytes: Option<Vec<u8>> = get(row, "key_check")?;
    bytes
        .map(|bytes| {
            bytes
                .try_into()
                .map_err(|_| StoreError::Damaged { what: "key_check" })
        })
        .transpose()
}

use std::sync::{Arc, OnceLock};

use super::Store;
use super::columns::get;
use super::db::{Conn, Row, query};
use super::error::StoreError;
use super::writer::{Change, Work};

/// A key's check value on its way, and where the database's goes.
#[derive(Debug)]
pub(super) struct KeyCheck {
    key: CheckedKey,
    mine: [u8; 32],
    /// Those whose place it takes.
    instead_of: Vec<[u8; 32]>,
    answer: Arc<OnceLock<[u8; 32]>>,
}

/// A key that all gateways of a database must have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum CheckedKey {
    Audit,
    Bodies,
}

impl CheckedKey {
    fn column(self) -> &'static str {
        match self {
            Self::Audit => "key_check",
            Self::Bodies => "bodies_key_check",
        }
    }
}

impl Store {
    /// The check value of the key that the database's audit is written with; none: there was no key
    /// yet.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn key_check(&self) -> Result<Option<[u8; 32]>, StoreError> {
        self.check_value(CheckedKey::Audit).await
    }

    /// The same of the key that seals bodies.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn bodies_key_check(&self) -> Result<Option<[u8; 32]>, StoreError> {
        self.check_value(CheckedKey::Bodies).await
    }

    async fn check_value(&self, key: CheckedKey) -> Result<Option<[u8; 32]>, StoreError> {
        let column = key.column();
        let row = query(sqlx::AssertSqlSafe(format!(
            "SELECT {column} FROM cluster WHERE id = 1"
        )));
        check_of(&row.fetch_one(&self.readers).await?, key)
    }

    /// Keeps the check value of a key where there is none yet. Gives the one that is there now: of
    /// two gateways with keys of their own the first is right.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn keep_key_check(&self, mine: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.keep_check_value(CheckedKey::Audit, mine, Vec::new())
            .await
    }

    /// The same of the key that seals bodies; it takes the place of these.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn keep_bodies_key_check(
        &self,
        mine: [u8; 32],
        instead_of: Vec<[u8; 32]>,
    ) -> Result<[u8; 32], StoreError> {
        self.keep_check_value(CheckedKey::Bodies, mine, instead_of)
            .await
    }

    async fn keep_check_value(
        &self,
        key: CheckedKey,
        mine: [u8; 32],
        instead_of: Vec<[u8; 32]>,
    ) -> Result<[u8; 32], StoreError> {
        let answer = Arc::default();
        let change = Change::KeepKeyCheck(KeyCheck {
            key,
            mine,
            instead_of,
            answer: Arc::clone(&answer),
        });
        self.writer.write(Work::Change(change)).await?;
        answer
            .get()
            .copied()
            .ok_or(StoreError::Damaged { what: key.column() })
    }
}

pub(super) async fn keep(conn: &mut Conn, check: &KeyCheck) -> Result<i64, StoreError> {
    let column = check.key.column();
    let statement = |kept: &str| {
        query(sqlx::AssertSqlSafe(format!(
            "UPDATE cluster SET {column} = {kept} WHERE id = 1 RETURNING {column}"
        )))
        .bind(check.mine.as_slice())
    };
    // From then on others that do the same wait.
    let kept = statement(&format!("COALESCE({column}, $1)"));
    let mut there = check_of(&kept.fetch_one(&mut *conn).await?, check.key)?;
    if there.is_some_and(|there| check.instead_of.contains(&there)) {
        there = check_of(&statement("$1").fetch_one(conn).await?, check.key)?;
    }
    if let Some(there) = there {
        let _ = check.answer.set(there);
    }
    Ok(0)
}

fn check_of(row: &Row, key: CheckedKey) -> Result<Option<[u8; 32]>, StoreError> {
    let column = key.column();
    let bytes: Option<Vec<u8>> = get(row, column)?;
    bytes
        .map(|bytes| {
            bytes
                .try_into()
                .map_err(|_| StoreError::Damaged { what: column })
        })
        .transpose()
}

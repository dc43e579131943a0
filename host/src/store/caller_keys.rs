use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::columns::{as_time, get, time, to_microsecond, uuid};
use super::db::{Conn, Pool, Row, query};
use super::error::StoreError;
use super::now;

/// Living keys of one caller: more than a rotation or a few installations need is a leak.
const KEYS_MAX: i64 = 16;
/// Keys that ended are told for so long, and taken away when another is added.
const ENDED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A key to add.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// SHA-256 of it. The key itself is never stored.
    pub hash: [u8; 32],
    /// How it begins.
    pub prefix: String,
    /// From when on it is not taken.
    pub expires_at: Option<Timestamp>,
}

/// A key of a caller.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CallerKey {
    /// What it is revoked by.
    pub id: Uuid,
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// How it begins; empty where that was not kept.
    pub prefix: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// From when on it is not taken.
    pub expires_at: Option<Timestamp>,
    /// Since when it is not taken, by an administrator's word.
    pub revoked_at: Option<Timestamp>,
    /// When it was used, to the hour.
    pub last_used_at: Option<Timestamp>,
}

impl CallerKey {
    /// Whether it is taken at that time.
    pub fn lives(&self, at: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| at < end)
    }

    pub(super) fn of(new: NewKey) -> Self {
        Self {
            id: Uuid::now_v7(),
            hash: new.hash,
            prefix: new.prefix,
            created_at: now(),
            expires_at: new.expires_at.map(to_microsecond),
            revoked_at: None,
            last_used_at: None,
        }
    }
}

/// All keys, by their caller's id; one that cannot be read stands for its caller, whoever it is.
pub(super) async fn by_caller(
    readers: &Pool,
) -> Result<HashMap<String, Vec<Result<CallerKey, StoreError>>>, StoreError> {
    let rows = query(
        "SELECT id, caller_id, key_hash, prefix, created_at, expires_at, revoked_at, last_used_at \
         FROM caller_keys ORDER BY created_at, id",
    )
    .fetch_all(readers)
    .await?;
    let mut keys: HashMap<String, Vec<_>> = HashMap::new();
    for row in &rows {
        keys.entry(get(row, "caller_id")?)
            .or_default()
            .push(key_of(row));
    }
    Ok(keys)
}

pub(super) async fn insert(
    conn: &mut Conn,
    caller: &str,
    key: &CallerKey,
) -> Result<(), StoreError> {
    let at = key.created_at.as_microsecond();
    let old = key.created_at.checked_sub(ENDED_FOR).unwrap_or_default();
    query("DELETE FROM caller_keys WHERE caller_id = $1 AND (revoked_at < $2 OR expires_at < $2)")
        .bind(caller)
        .bind(old.as_microsecond())
        .execute(&mut *conn)
        .await?;
    let living: i64 = query(
        "SELECT COUNT(*) AS living FROM caller_keys WHERE caller_id = $1 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(caller)
    .bind(at)
    .fetch_one(&mut *conn)
    .await?
    .get("living")?;
    if living >= KEYS_MAX {
        return Err(StoreError::Invalid {
            field: "caller.keys",
            problem: format!("are {living}: revoke one that nobody needs"),
        });
    }
    let done = query(
        "INSERT INTO caller_keys (id, caller_id, key_hash, prefix, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(key.id.to_string())
    .bind(caller)
    .bind(key.hash.as_slice())
    .bind(&key.prefix)
    .bind(at)
    .bind(key.expires_at.map(Timestamp::as_microsecond))
    .execute(conn)
    .await;
    match done {
        Ok(_) => Ok(()),
        // The id is new, so that only the key can be another's.
        Err(StoreError::Refused(_)) => Err(StoreError::Taken {
            field: "caller.key",
            value: "(hidden)".to_owned(),
        }),
        Err(error) => Err(error),
    }
}

/// Lets the caller's other keys end at that time, if they do not end before.
pub(super) async fn others_end(
    conn: &mut Conn,
    caller: &str,
    but: Uuid,
    at: Timestamp,
) -> Result<(), StoreError> {
    query(
        "UPDATE caller_keys SET expires_at = $3 WHERE caller_id = $1 AND id <> $2 \
         AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)",
    )
    .bind(caller)
    .bind(but.to_string())
    .bind(at.as_microsecond())
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn revoke(
    conn: &mut Conn,
    caller: &str,
    key: Uuid,
    at: Timestamp,
) -> Result<(), StoreError> {
    let done = query(
        "UPDATE caller_keys SET revoked_at = COALESCE(revoked_at, $3) \
         WHERE caller_id = $1 AND id = $2",
    )
    .bind(caller)
    .bind(key.to_string())
    .bind(at.as_microsecond())
    .execute(conn)
    .await?;
    match done {
        0 => Err(StoreError::Unknown {
            what: "key",
            name: key.to_string(),
        }),
        _ => Ok(()),
    }
}

pub(super) async fn revoke_all(
    conn: &mut Conn,
    caller: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    query("UPDATE caller_keys SET revoked_at = COALESCE(revoked_at, $2) WHERE caller_id = $1")
        .bind(caller)
        .bind(at.as_microsecond())
        .execute(conn)
        .await?;
    Ok(())
}

/// Notes when keys were used. Changes nothing that anybody holds a copy of: the revision stays.
pub(super) async fn used(conn: &mut Conn, keys: &[(Uuid, Timestamp)]) -> Result<(), StoreError> {
    for (key, at) in keys {
        query(
            "UPDATE caller_keys SET last_used_at = $2 WHERE id = $1 \
             AND (last_used_at IS NULL OR last_used_at < $2)",
        )
        .bind(key.to_string())
        .bind(at.as_microsecond())
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

fn key_of(row: &Row) -> Result<CallerKey, StoreError> {
    let optional = |column: &'static str| {
        let microseconds: Option<i64> = get(row, column)?;
        microseconds.map(|it| as_time(it, column)).transpose()
    };
    Ok(CallerKey {
        id: uuid(row, "id")?,
        hash: get::<Vec<u8>>(row, "key_hash")?
            .try_into()
            .map_err(|_| StoreError::Damaged { what: "key_hash" })?,
        prefix: get(row, "prefix")?,
        created_at: time(row, "created_at")?,
        expires_at: optional("expires_at")?,
        revoked_at: optional("revoked_at")?,
        last_used_at: optional("last_used_at")?,
    })
}

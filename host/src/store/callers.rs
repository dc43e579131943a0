use jiff::Timestamp;
use uuid::Uuid;

use super::caller_keys::{self as keys, CallerKey, NewKey};
use super::columns::{as_time, check_text, get, time, uuid};
use super::db::{Conn, Row, query};
use super::error::StoreError;
use super::grants::{
    grants_from_text, grants_to_text, limits_from_text, limits_to_text, roles_from_text,
    roles_to_text,
};
use super::registries::Unreadable;
use super::writer::{Change, Work};
use super::{Store, bump, now};
use crate::model::{CallerLimits, Grant, Role};

const NAME_MAX_BYTES: usize = 128;

/// A caller to add.
#[derive(Clone, Debug)]
pub struct NewCaller {
    /// What it is called in audit rows: 1 to 128 bytes, never used again by another.
    pub name: String,
    /// What it may.
    pub settings: CallerSettings,
    /// Its first key.
    pub key: NewKey,
}

/// What a caller may.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CallerSettings {
    /// What it is there for.
    pub roles: Vec<Role>,
    /// What it may ask, and see.
    pub grants: Vec<Grant>,
    /// How much it may ask. None: as the gateway is configured.
    pub limits: Option<CallerLimits>,
}

/// Who may call the API.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// For other rows.
    pub id: Uuid,
    /// What it is called in audit rows.
    pub name: String,
    /// What it may.
    pub settings: CallerSettings,
    /// Its keys, the oldest first; ended ones too, for some months.
    pub keys: Vec<CallerKey>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when it may nothing.
    pub revoked_at: Option<Timestamp>,
}

/// The callers of a store.
#[derive(Clone, Copy, Debug)]
pub struct Callers<'a> {
    store: &'a Store,
}

/// One change of a caller.
#[derive(Debug)]
pub(super) enum CallerChange {
    Add(Caller),
    Set(String, CallerSettings),
    AddKey {
        caller: String,
        key: CallerKey,
        others_end_at: Option<Timestamp>,
    },
    RevokeKey(String, Uuid),
    Revoke(String),
    Used(Vec<(Uuid, Timestamp)>),
}

impl<'a> Callers<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Adds a caller with its first key.
    ///
    /// # Errors
    /// `Taken` or `Invalid` name the field; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn add(self, new: NewCaller) -> Result<Caller, StoreError> {
        check_text("caller.name", &new.name, NAME_MAX_BYTES)?;
        grants_to_text(&new.settings.grants)?;
        let key = CallerKey::of(new.key);
        let caller = Caller {
            id: Uuid::now_v7(),
            name: new.name,
            settings: new.settings,
            created_at: key.created_at,
            keys: vec![key],
            revoked_at: None,
        };
        self.write(CallerChange::Add(caller.clone())).await?;
        Ok(caller)
    }

    /// Replaces what the caller may.
    ///
    /// # Errors
    /// `Unknown` when there is none of that name; `Invalid`; `Busy`, `Unavailable` or `Closed` as for
    /// any write.
    pub async fn set(self, name: &str, settings: CallerSettings) -> Result<(), StoreError> {
        grants_to_text(&settings.grants)?;
        self.write(CallerChange::Set(name.to_owned(), settings))
            .await
    }

    /// Adds a key. The caller's other keys end at that time, if there is one.
    ///
    /// # Errors
    /// `Unknown` when there is no such caller, or it is revoked; `Invalid` when it has too many keys;
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn add_key(
        self,
        name: &str,
        new: NewKey,
        others_end_at: Option<Timestamp>,
    ) -> Result<CallerKey, StoreError> {
        let key = CallerKey::of(new);
        let change = CallerChange::AddKey {
            caller: name.to_owned(),
            key: key.clone(),
            others_end_at,
        };
        self.write(change).await?;
        Ok(key)
    }

    /// Takes one key no longer. Once more changes nothing.
    ///
    /// # Errors
    /// `Unknown` when the caller has none of that id; `Busy`, `Unavailable` or `Closed` as for any
    /// write.
    pub async fn revoke_key(self, name: &str, key: Uuid) -> Result<(), StoreError> {
        self.write(CallerChange::RevokeKey(name.to_owned(), key))
            .await
    }

    /// Takes none of the caller's keys any longer, for good. Once more changes nothing.
    ///
    /// # Errors
    /// `Unknown` when there is none of that name; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn revoke(self, name: &str) -> Result<(), StoreError> {
        self.write(CallerChange::Revoke(name.to_owned())).await
    }

    /// Notes when keys were used; the revision stays.
    ///
    /// # Errors
    /// `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn used(self, keys: Vec<(Uuid, Timestamp)>) -> Result<(), StoreError> {
        self.write(CallerChange::Used(keys)).await
    }

    /// All of them, revoked ones too, by name, and those that cannot be read.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn list(self) -> Result<Vec<Result<Caller, Unreadable>>, StoreError> {
        let rows = query(
            "SELECT id, name, roles, grants, limits, created_at, revoked_at FROM callers \
             ORDER BY name",
        )
        .fetch_all(&self.store.readers)
        .await?;
        let mut keys = keys::by_caller(&self.store.readers).await?;
        let mut read = |row: &Row| {
            let keys = keys.remove(get::<&str>(row, "id").unwrap_or_default());
            caller_of(row, keys.unwrap_or_default()).map_err(|error| Unreadable {
                name: get(row, "name").unwrap_or_default(),
                error,
            })
        };
        Ok(rows.iter().map(&mut read).collect())
    }

    /// Those that are not revoked, by name, and those of whom that cannot be read.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn active(self) -> Result<Vec<Result<Caller, Unreadable>>, StoreError> {
        let mut callers = self.list().await?;
        callers.retain(|row| !matches!(row, Ok(caller) if caller.revoked_at.is_some()));
        Ok(callers)
    }

    async fn write(self, change: CallerChange) -> Result<(), StoreError> {
        let change = Change::Caller(Box::new(change));
        self.store.writer.write(Work::Change(change)).await?;
        Ok(())
    }
}

pub(super) async fn change(conn: &mut Conn, change: &CallerChange) -> Result<i64, StoreError> {
    match change {
        CallerChange::Add(caller) => insert(conn, caller).await?,
        CallerChange::Set(name, settings) => set(conn, name, settings).await?,
        CallerChange::AddKey {
            caller,
            key,
            others_end_at,
        } => {
            let id = id_of(conn, caller, true).await?;
            keys::insert(conn, &id, key).await?;
            if let Some(end) = others_end_at {
                keys::others_end(conn, &id, key.id, *end).await?;
            }
        }
        CallerChange::RevokeKey(caller, key) => {
            let id = id_of(conn, caller, false).await?;
            keys::revoke(conn, &id, *key, now()).await?;
        }
        CallerChange::Revoke(name) => {
            let id = id_of(conn, name, false).await?;
            let at = now();
            query("UPDATE callers SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
                .bind(&id)
                .bind(at.as_microsecond())
                .execute(&mut *conn)
                .await?;
            keys::revoke_all(conn, &id, at).await?;
        }
        CallerChange::Used(used) => {
            keys::used(conn, used).await?;
            return Ok(0);
        }
    }
    bump(conn).await
}

async fn insert(conn: &mut Conn, caller: &Caller) -> Result<(), StoreError> {
    let done = query(
        "INSERT INTO callers (id, name, roles, grants, limits, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING",
    )
    .bind(caller.id.to_string())
    .bind(&caller.name)
    .bind(roles_to_text(&caller.settings.roles))
    .bind(grants_to_text(&caller.settings.grants)?)
    .bind(limits_to_text(caller.settings.limits).as_deref())
    .bind(caller.created_at.as_microsecond())
    .execute(&mut *conn)
    .await?;
    if done == 0 {
        return Err(StoreError::Taken {
            field: "caller.name",
            value: caller.name.clone(),
        });
    }
    for key in &caller.keys {
        keys::insert(conn, &caller.id.to_string(), key).await?;
    }
    Ok(())
}

async fn set(conn: &mut Conn, name: &str, settings: &CallerSettings) -> Result<(), StoreError> {
    let id = id_of(conn, name, true).await?;
    query("UPDATE callers SET roles = $2, grants = $3, limits = $4 WHERE id = $1")
        .bind(&id)
        .bind(roles_to_text(&settings.roles))
        .bind(grants_to_text(&settings.grants)?)
        .bind(limits_to_text(settings.limits).as_deref())
        .execute(conn)
        .await?;
    Ok(())
}

/// Where only a living one will do, one that is revoked is as good as none.
async fn id_of(conn: &mut Conn, name: &str, living: bool) -> Result<String, StoreError> {
    let row = query("SELECT id, revoked_at FROM callers WHERE name = $1")
        .bind(name)
        .fetch_optional(conn)
        .await?;
    let unknown = StoreError::Unknown {
        what: "caller",
        name: name.to_owned(),
    };
    let Some(row) = row else { return Err(unknown) };
    let revoked: Option<i64> = get(&row, "revoked_at")?;
    if living && revoked.is_some() {
        return Err(unknown);
    }
    get(&row, "id")
}

fn caller_of(row: &Row, keys: Vec<Result<CallerKey, StoreError>>) -> Result<Caller, StoreError> {
    let revoked_at: Option<i64> = get(row, "revoked_at")?;
    Ok(Caller {
        id: uuid(row, "id")?,
        name: get(row, "name")?,
        settings: CallerSettings {
            roles: roles_from_text(get(row, "roles")?)?,
            grants: grants_from_text(get(row, "grants")?)?,
            limits: limits_from_text(get(row, "limits")?)?,
        },
        keys: keys.into_iter().collect::<Result<_, _>>()?,
        created_at: time(row, "created_at")?,
        revoked_at: revoked_at
            .map(|microseconds| as_time(microseconds, "revoked_at"))
            .transpose()?,
    })
}

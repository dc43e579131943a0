use jiff::Timestamp;
use uuid::Uuid;

use super::columns::{as_time, check_size, check_text, get, time, uuid};
use super::db::{Conn, Row, query};
use super::error::StoreError;
use super::registries::Unreadable;
use super::writer::{Change, Work};
use super::{Store, bump, now};
use crate::model::{Ability, Role};

const NAME_MAX_BYTES: usize = 128;
const REGISTRIES_MAX: usize = 1_000;
/// How "all registries" is stored. A list is JSON and begins with a bracket.
const ALL: &str = "*";

/// Which registries a caller may ask.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RegistryGrant {
    /// Each of them, those of tomorrow too.
    All,
    /// These, by name.
    Named(Vec<String>),
}

/// A caller to add.
#[derive(Clone, Debug)]
pub struct NewCaller {
    /// What it is called in audit rows: 1 to 128 bytes, never used again by another.
    pub name: String,
    /// SHA-256 of its key. The key itself is never stored.
    pub key_hash: [u8; 32],
    /// What it is there for.
    pub roles: Vec<Role>,
    /// Which registries it may ask.
    pub registries: RegistryGrant,
    /// What it may ask of them.
    pub abilities: Vec<Ability>,
}

/// Who may call the API.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// What it is revoked by.
    pub id: Uuid,
    /// What it is called in audit rows.
    pub name: String,
    /// SHA-256 of its key.
    pub key_hash: [u8; 32],
    /// What it is there for.
    pub roles: Vec<Role>,
    /// Which registries it may ask.
    pub registries: RegistryGrant,
    /// What it may ask of them.
    pub abilities: Vec<Ability>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when its key is no longer taken.
    pub revoked_at: Option<Timestamp>,
}

/// The callers of a store.
#[derive(Clone, Copy, Debug)]
pub struct Callers<'a> {
    store: &'a Store,
}

impl<'a> Callers<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Adds a caller.
    ///
    /// # Errors
    /// `Taken` or `Invalid` name the field; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn add(self, caller: NewCaller) -> Result<Caller, StoreError> {
        check_text("caller.name", &caller.name, NAME_MAX_BYTES)?;
        if let RegistryGrant::Named(names) = &caller.registries {
            check_size("caller.registries", names.len(), REGISTRIES_MAX, "names")?;
            for name in names {
                check_text("caller.registries", name, NAME_MAX_BYTES)?;
            }
        }
        let caller = Caller {
            id: Uuid::now_v7(),
            name: caller.name,
            key_hash: caller.key_hash,
            roles: caller.roles,
            registries: caller.registries,
            abilities: caller.abilities,
            created_at: now(),
            revoked_at: None,
        };
        let change = Change::AddCaller(Box::new(caller.clone()));
        self.store.writer.write(Work::Change(change)).await?;
        Ok(caller)
    }

    /// Takes the caller's key no longer. Once more changes nothing.
    ///
    /// # Errors
    /// `Unknown` when there is none of that name; `Busy`, `Unavailable` or `Closed` as for any write.
    pub async fn revoke(self, name: &str) -> Result<(), StoreError> {
        let change = Change::RevokeCaller(name.to_owned());
        self.store.writer.write(Work::Change(change)).await?;
        Ok(())
    }

    /// All of them, revoked ones too, by name, and those that cannot be read.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn list(self) -> Result<Vec<Result<Caller, Unreadable>>, StoreError> {
        let rows = query(
            "SELECT id, name, key_hash, roles, registries, abilities, created_at, revoked_at \
             FROM callers ORDER BY name",
        )
        .fetch_all(&self.store.readers)
        .await?;
        let read = |row| {
            caller_of(row).map_err(|error| Unreadable {
                name: get(row, "name").unwrap_or_default(),
                error,
            })
        };
        Ok(rows.iter().map(read).collect())
    }

    /// Those whose keys are taken, by name, and those of whom that cannot be read.
    ///
    /// # Errors
    /// `Busy` or `Unavailable`.
    pub async fn active(self) -> Result<Vec<Result<Caller, Unreadable>>, StoreError> {
        let mut callers = self.list().await?;
        callers.retain(|row| !matches!(row, Ok(caller) if caller.revoked_at.is_some()));
        Ok(callers)
    }
}

pub(super) async fn insert(conn: &mut Conn, caller: &Caller) -> Result<i64, StoreError> {
    let result = query(
        "INSERT INTO callers (id, name, key_hash, roles, registries, abilities, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING",
    )
    .bind(caller.id.to_string())
    .bind(&caller.name)
    .bind(caller.key_hash.as_slice())
    .bind(roles_to_text(&caller.roles))
    .bind(grant_to_text(&caller.registries))
    .bind(abilities_to_text(&caller.abilities))
    .bind(caller.created_at.as_microsecond())
    .execute(&mut *conn)
    .await;
    match result {
        Ok(0) => Err(StoreError::Taken {
            field: "caller.name",
            value: caller.name.clone(),
        }),
        Ok(_) => bump(conn).await,
        // The id is new, so that only the key can be another's.
        Err(StoreError::Refused(_)) => Err(StoreError::Taken {
            field: "caller.key",
            value: "(hidden)".to_owned(),
        }),
        Err(error) => Err(error),
    }
}

pub(super) async fn revoke(conn: &mut Conn, name: &str) -> Result<i64, StoreError> {
    let done = query("UPDATE callers SET revoked_at = COALESCE(revoked_at, $2) WHERE name = $1")
        .bind(name)
        .bind(now().as_microsecond())
        .execute(&mut *conn)
        .await?;
    if done == 0 {
        return Err(StoreError::Unknown {
            what: "caller",
            name: name.to_owned(),
        });
    }
    bump(conn).await
}

fn caller_of(row: &Row) -> Result<Caller, StoreError> {
    let revoked_at: Option<i64> = get(row, "revoked_at")?;
    Ok(Caller {
        id: uuid(row, "id")?,
        name: get(row, "name")?,
        key_hash: get::<Vec<u8>>(row, "key_hash")?
            .try_into()
            .map_err(|_| StoreError::Damaged { what: "key_hash" })?,
        roles: roles_from_text(get(row, "roles")?)?,
        registries: grant_from_text(get(row, "registries")?)?,
        abilities: abilities_from_text(get(row, "abilities")?)?,
        created_at: time(row, "created_at")?,
        revoked_at: revoked_at
            .map(|microseconds| as_time(microseconds, "revoked_at"))
            .transpose()?,
    })
}

fn grant_to_text(grant: &RegistryGrant) -> String {
    match grant {
        RegistryGrant::All => ALL.to_owned(),
        RegistryGrant::Named(names) => serde_json::Value::from(names.clone()).to_string(),
    }
}

fn grant_from_text(text: &str) -> Result<RegistryGrant, StoreError> {
    if text == ALL {
        return Ok(RegistryGrant::All);
    }
    serde_json::from_str(text)
        .map(RegistryGrant::Named)
        .map_err(|_| StoreError::Damaged { what: "registries" })
}

fn roles_to_text(roles: &[Role]) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    serde_json::Value::from(words).to_string()
}

/// A word that this gateway does not know grants nothing, as with abilities.
fn roles_from_text(text: &str) -> Result<Vec<Role>, StoreError> {
    let words: Vec<String> =
        serde_json::from_str(text).map_err(|_| StoreError::Damaged { what: "roles" })?;
    Ok(words.iter().filter_map(|word| Role::parse(word)).collect())
}

fn abilities_to_text(abilities: &[Ability]) -> String {
    let words: Vec<&str> = abilities.iter().map(|ability| ability.as_str()).collect();
    serde_json::Value::from(words).to_string()
}

/// A word that this gateway does not know, from a later one, grants nothing: refusing the row
/// would lock out the caller, and with it every other.
fn abilities_from_text(text: &str) -> Result<Vec<Ability>, StoreError> {
    let words: Vec<String> =
        serde_json::from_str(text).map_err(|_| StoreError::Damaged { what: "abilities" })?;
    Ok(words
        .iter()
        .filter_map(|word| Ability::parse(word))
        .collect())
}

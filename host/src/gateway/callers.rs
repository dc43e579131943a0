use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Act, Acting, AdminError, Gateway, GatewayError};
use crate::model::{Ability, Role};
use crate::store::{self, RegistryGrant, Store, StoreError};

/// What a key begins with, so that a leaked one is recognised by scanners and people.
const KEY_PREFIX: &str = "rgw_";
/// 256 bits: guessing is hopeless, so that a plain hash of it is safe to store.
const KEY_BYTES: usize = 32;
/// Who acts from the machine itself, in the audit. No caller may be called so.
const LOCAL: &str = "(local)";

/// Who may call the API.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its name in audit rows.
    pub name: String,
    roles: Vec<Role>,
    registries: RegistryGrant,
    abilities: Vec<Ability>,
}

/// A caller to add.
#[derive(Clone, Debug)]
pub struct NewCaller {
    /// Its name in audit rows.
    pub name: String,
    /// What it is there for.
    pub roles: Vec<Role>,
    /// Which registries it may ask.
    pub registries: RegistryGrant,
    /// What it may ask of them.
    pub abilities: Vec<Ability>,
}

/// A caller that was added.
#[derive(Clone, Debug)]
pub struct AddedCaller {
    /// Its name.
    pub name: String,
    /// Its key, this once: only a hash is kept.
    pub key: String,
}

/// A caller as administrators see it.
#[derive(Clone, Debug)]
pub struct CallerView {
    /// Its name.
    pub name: String,
    /// What is known of it; none where its row cannot be read.
    pub known: Option<KnownCaller>,
}

/// What is known of a caller.
#[derive(Clone, Debug)]
pub struct KnownCaller {
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

/// A caller could not be added.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// No random numbers.
    #[error("the system gives no random numbers")]
    Random,
    /// The store says why.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Caller {
    /// Who administers from the machine itself: whoever can open the database needs no key.
    pub fn local() -> Self {
        Self {
            name: LOCAL.into(),
            roles: vec![Role::Implementer, Role::Administrator, Role::Auditor],
            registries: RegistryGrant::Named(Vec::new()),
            abilities: Vec::new(),
        }
    }

    /// Whether it has the role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// What it is there for.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Whether the registry is among its grants.
    pub fn may_ask(&self, registry: &str) -> bool {
        self.is(Role::Client)
            && match &self.registries {
                RegistryGrant::All => true,
                RegistryGrant::Named(names) => names.iter().any(|name| name == registry),
            }
    }

    /// Whether the ability is among its grants.
    pub fn may(&self, ability: Ability) -> bool {
        self.abilities.contains(&ability)
    }
}

/// The active callers, by the hash of their key.
#[derive(Default)]
pub(super) struct Callers {
    by_hash: ArcSwap<HashMap<[u8; 32], Arc<Caller>>>,
}

impl Callers {
    pub(super) async fn reload(&self, store: &Store) -> Result<(), StoreError> {
        let active = store.callers().active().await?;
        // One that cannot be read opens no door, and keeps no other key from being revoked.
        let readable = active.into_iter().filter_map(|row| {
            row.inspect_err(|row| {
                let error = &row.error;
                tracing::error!(caller = row.name, %error, "a caller's row cannot be read: revoke it, and add one of another name");
            })
            .ok()
        });
        let by_hash = readable.map(|caller| {
            let known = Caller {
                name: caller.name,
                roles: caller.roles,
                registries: caller.registries,
                abilities: caller.abilities,
            };
            (caller.key_hash, Arc::new(known))
        });
        self.by_hash.store(Arc::new(by_hash.collect()));
        Ok(())
    }

    fn get(&self, key: &str) -> Option<Arc<Caller>> {
        // The table is searched by a hash of what was sent: its timing says nothing of a key.
        self.hashed(&hash(key))
    }

    /// Whose key has that hash.
    pub(super) fn hashed(&self, hash: &[u8; 32]) -> Option<Arc<Caller>> {
        self.by_hash.load().get(hash).cloned()
    }
}

impl Gateway {
    /// Whose key it is.
    ///
    /// # Errors
    /// [`GatewayError::UnknownCaller`], or [`GatewayError::Starting`] while none is known.
    pub fn caller(&self, key: &str) -> Result<Arc<Caller>, GatewayError> {
        self.started()?;
        self.inner
            .callers
            .get(key)
            .ok_or(GatewayError::UnknownCaller)
    }

    /// Adds a caller to a store and gives its key, this once: only the hash is kept. A running
    /// gateway follows within a second.
    ///
    /// # Errors
    /// [`CallerError`]: the name is taken, or the store is not there.
    pub async fn put_caller(store: &Store, new: NewCaller) -> Result<AddedCaller, CallerError> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| CallerError::Random)?;
        let key = format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let added = AddedCaller {
            name: new.name.clone(),
            key,
        };
        let caller = store::NewCaller {
            name: new.name,
            key_hash: hash(&added.key),
            roles: new.roles,
            registries: new.registries,
            abilities: new.abilities,
        };
        store.callers().add(caller).await?;
        Ok(added)
    }

    /// Adds a caller, who may call when this returns.
    ///
    /// # Errors
    /// [`AdminError`]: the name is taken, or the store is not there.
    pub async fn add_caller(&self, by: &Acting, new: NewCaller) -> Result<AddedCaller, AdminError> {
        if new.name == LOCAL {
            return Err(AdminError::Invalid {
                field: "name".into(),
                problem: "stands for whoever administers from the machine itself".into(),
            });
        }
        let act = Act {
            word: "caller.add",
            subject: Some(new.name.clone()),
            ..Act::default()
        };
        let gateway = self.clone();
        let doing = async move {
            let store = &gateway.inner.store;
            let added = Self::put_caller(store, new).await.map_err(|e| match e {
                CallerError::Random => AdminError::Internal,
                CallerError::Store(error) => error.into(),
            })?;
            gateway.inner.callers.reload(store).await?;
            Ok(added)
        };
        self.act(by, act, doing).await
    }

    /// Takes a caller's key out of use, from when this returns.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn revoke_caller(&self, by: &Acting, name: &str) -> Result<(), AdminError> {
        let act = Act {
            word: "caller.revoke",
            subject: Some(name.to_owned()),
            ..Act::default()
        };
        let (gateway, name) = (self.clone(), name.to_owned());
        let doing = async move {
            let store = &gateway.inner.store;
            store.callers().revoke(&name).await?;
            Ok(gateway.inner.callers.reload(store).await?)
        };
        self.act(by, act, doing).await
    }

    /// All callers, revoked ones too, by name.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn callers(&self) -> Result<Vec<CallerView>, AdminError> {
        let rows = self.inner.store.callers().list().await?;
        Ok(rows.into_iter().map(CallerView::of).collect())
    }
}

impl CallerView {
    fn of(row: Result<store::Caller, store::Unreadable>) -> Self {
        match row {
            Err(row) => Self {
                name: row.name,
                known: None,
            },
            Ok(caller) => Self {
                name: caller.name,
                known: Some(KnownCaller {
                    roles: caller.roles,
                    registries: caller.registries,
                    abilities: caller.abilities,
                    created_at: caller.created_at,
                    revoked_at: caller.revoked_at,
                }),
            },
        }
    }
}

pub(super) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::{Gateway, GatewayError};
use crate::model::Ability;
use crate::store::{NewCaller, RegistryGrant, Store, StoreError};

/// What a key begins with, so that a leaked one is recognised by scanners and people.
const KEY_PREFIX: &str = "rgw_";
/// 256 bits: guessing is hopeless, so that a plain hash of it is safe to store.
const KEY_BYTES: usize = 32;

/// Who may call the API.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its name in audit rows.
    pub name: String,
    registries: RegistryGrant,
    abilities: Vec<Ability>,
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
    /// Whether the registry is among its grants.
    pub fn may_ask(&self, registry: &str) -> bool {
        match &self.registries {
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
        self.by_hash.load().get(&hash(key)).cloned()
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

    /// Adds a caller and gives its key, this once: only the hash is kept.
    ///
    /// # Errors
    /// [`CallerError`]: the name is taken, or the store is not there.
    pub async fn add_caller(
        store: &Store,
        name: &str,
        registries: RegistryGrant,
        abilities: Vec<Ability>,
    ) -> Result<String, CallerError> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| CallerError::Random)?;
        let key = format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let caller = NewCaller {
            name: name.to_owned(),
            key_hash: hash(&key),
            registries,
            abilities,
        };
        store.callers().add(caller).await?;
        Ok(key)
    }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

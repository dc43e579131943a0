pub(super) mod acts;
pub(super) mod allowance;
pub(super) mod guesses;
pub(super) mod keys;
pub(super) mod session;
pub(super) mod tokens;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Gateway, GatewayError};
use crate::model::{Ability, CallerLimits, EventsOf, Grant, Role};
use crate::store::{self, CallerKey, CallerSettings, Store, StoreError};
use keys::MadeKey;
use tokens::Refusal;

/// Who acts from the machine itself, in the audit. No caller may be called so.
pub(super) const LOCAL: &str = "(local)";

/// Who may call the API.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its name in audit rows.
    pub name: String,
    settings: CallerSettings,
}

/// A caller to add.
#[derive(Clone, Debug)]
pub struct NewCaller {
    /// Its name in audit rows.
    pub name: String,
    /// What it may.
    pub settings: CallerSettings,
    /// From when on its key is not taken.
    pub key_expires_at: Option<Timestamp>,
}

/// A key that was made.
#[derive(Clone, Debug)]
pub struct AddedKey {
    /// Whose it is.
    pub caller: String,
    /// The key, this once: only a hash is kept.
    pub key: String,
    /// What of it is kept.
    pub known: CallerKey,
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
    /// What it may.
    pub settings: CallerSettings,
    /// Its keys, ended ones too.
    pub keys: Vec<CallerKey>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when it may nothing.
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
    pub(super) fn of(name: String, settings: CallerSettings) -> Self {
        Self { name, settings }
    }

    /// Who administers from the machine itself: whoever can open the database needs no key.
    pub fn local() -> Self {
        let settings = CallerSettings {
            roles: vec![Role::Implementer, Role::Administrator, Role::Auditor],
            ..CallerSettings::default()
        };
        Self::of(LOCAL.into(), settings)
    }

    /// Whether it has the role.
    pub fn is(&self, role: Role) -> bool {
        self.settings.roles.contains(&role)
    }

    /// What it is there for.
    pub fn roles(&self) -> &[Role] {
        &self.settings.roles
    }

    /// Whether a grant is about the registry.
    pub fn may_ask(&self, registry: &str) -> bool {
        let mut grants = self.settings.grants.iter();
        self.is(Role::Client) && grants.any(|grant| grant.covers(registry))
    }

    /// Whether a grant gives the ability of the registry.
    pub fn may(&self, registry: &str, ability: Ability) -> bool {
        self.is(Role::Client) && self.giving(registry, ability).next().is_some()
    }

    /// Whether it reads the life events of all people of the registry, and not only of those whom it has
    /// linked.
    pub(super) fn reads_all(&self, registry: &str) -> bool {
        let mut grants = self.giving(registry, Ability::Events);
        grants.any(|grant| grant.events == EventsOf::All)
    }

    /// What its grants leave of the fields that the registry's policy shows.
    pub(super) fn shown(&self, registry: &str, ability: Ability, fields: &[String]) -> Vec<String> {
        let shown = |field: &&String| {
            let mut grants = self.giving(registry, ability);
            grants.any(|grant| grant.shows(field))
        };
        fields.iter().filter(shown).cloned().collect()
    }

    /// How much it may ask of a registry, where that was said of it.
    pub(super) fn limits(&self) -> Option<CallerLimits> {
        self.settings.limits
    }

    fn giving(&self, registry: &str, ability: Ability) -> impl Iterator<Item = &Grant> {
        let grants = self.settings.grants.iter();
        grants.filter(move |grant| grant.gives(registry, ability))
    }
}

impl NewCaller {
    /// One who asks registries.
    pub fn client(name: &str, grants: Vec<Grant>) -> Self {
        Self {
            name: name.to_owned(),
            settings: CallerSettings {
                roles: vec![Role::Client],
                grants,
                limits: None,
            },
            key_expires_at: None,
        }
    }

    /// One with these roles and no grants.
    pub fn staff(name: &str, roles: &[Role]) -> Self {
        let mut new = Self::client(name, Vec::new());
        new.settings.roles = roles.to_vec();
        new
    }
}

impl Gateway {
    /// Whose key it is. `from` is the address that it came from, where that is known: who guesses
    /// is slowed down by it.
    ///
    /// # Errors
    /// [`GatewayError::UnknownCaller`], [`GatewayError::TooManyFailedKeys`], or
    /// [`GatewayError::Starting`] while none is known.
    pub async fn caller(
        &self,
        key: &str,
        from: Option<IpAddr>,
    ) -> Result<Arc<Caller>, GatewayError> {
        self.started()?;
        match self.inner.tokens.is_one(key) {
            true => self.holder(key, from).await,
            false => self.inner.keys.get(key, from),
        }
    }

    /// Whose token it is. One that is over is no guess: its caller is merely late.
    async fn holder(&self, token: &str, from: Option<IpAddr>) -> Result<Arc<Caller>, GatewayError> {
        let tokens = &self.inner.tokens;
        if let Some(caller) = tokens.seen(token) {
            return Ok(caller);
        }
        self.inner.keys.check(from)?;
        tokens.read(token).await.map_err(|refusal| match refusal {
            Refusal::Forged => {
                self.inner.keys.failed(from);
                GatewayError::UnknownCaller
            }
            Refusal::Unusable => GatewayError::UnknownCaller,
            Refusal::Away { retry_after_ms } => GatewayError::IssuerAway { retry_after_ms },
        })
    }

    /// Adds a caller to a store and gives its key, this once: only the hash is kept. A running
    /// gateway follows within a second.
    ///
    /// # Errors
    /// [`CallerError`]: the name is taken, or the store is not there.
    pub async fn put_caller(store: &Store, new: NewCaller) -> Result<AddedKey, CallerError> {
        let MadeKey { key, stored } = MadeKey::new(new.key_expires_at)?;
        let caller = store::NewCaller {
            name: new.name,
            settings: new.settings,
            key: stored,
        };
        let added = store.callers().add(caller).await?;
        let known = added.keys.into_iter().next().ok_or(CallerError::Random)?;
        Ok(AddedKey {
            caller: added.name,
            key,
            known,
        })
    }
}

impl CallerView {
    pub(super) fn of(row: Result<store::Caller, store::Unreadable>) -> Self {
        match row {
            Err(row) => Self {
                name: row.name,
                known: None,
            },
            Ok(caller) => Self {
                name: caller.name,
                known: Some(KnownCaller {
                    settings: caller.settings,
                    keys: caller.keys,
                    created_at: caller.created_at,
                    revoked_at: caller.revoked_at,
                }),
            },
        }
    }
}

//! Which module serves each registry right now. A request takes its entry once, as an `Arc`: a
//! later change cannot touch it.

mod look;
mod slot;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, SemaphorePermit};

pub(super) use self::look::written;
pub use self::look::{AdministeredRegistry, Readiness};
use self::slot::{Slot, State};
use super::modules::{self, Modules};
use super::{Gateway, GatewayError};
use crate::config::limits::CallLimits;
use crate::config::registry::{ConcurrencyConfig, PolicyConfig, RegistryConfig};
use crate::config::retry::RetryConfig;
use crate::config::secret::{SecretError, Secrets};
use crate::egress::{Egress, EgressError, Endpoints};
use crate::model::Ability;
use crate::sandbox::{Module, Occupancy, Sandbox};
use crate::store::{Registry, Store, StoreError};

/// A registry, ready to be asked.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) module: Module,
    pub(super) endpoints: Arc<Endpoints>,
    pub(super) settings: Arc<Map<String, Value>>,
    pub(super) limits: Arc<CallLimits>,
    pub(super) policy: PolicyConfig,
    pub(super) retry: RetryConfig,
    /// A hash of the secrets in `endpoints`.
    secrets: [u8; 32],
    slots: Semaphore,
    max_wait: Duration,
}

/// A registry as callers and administrators see it.
#[derive(Clone, Debug)]
pub struct RegistryView {
    /// Its name in the API.
    pub name: String,
    /// For people.
    pub summary: String,
    /// Whether it can be asked.
    pub state: RegistryState,
}

/// Whether a registry can be asked.
#[derive(Clone, Debug)]
pub enum RegistryState {
    /// It can.
    Ready {
        /// The adapter's name.
        adapter: String,
        /// Its version.
        version: String,
        /// The module's digest.
        module: String,
        /// What it can do.
        abilities: Vec<Ability>,
        /// What a call must state, by the policy's words.
        required: Vec<crate::config::registry::Requirement>,
    },
    /// Switched off.
    Disabled,
    /// Its module or configuration does not load; the log says why.
    NotReady,
}

pub(super) struct Roster {
    sandbox: Sandbox,
    egress: Egress,
    secrets: Secrets,
    slots: ArcSwap<HashMap<String, Arc<Slot>>>,
    /// One at a time: an older list must not come after a newer one.
    reloading: tokio::sync::Mutex<()>,
}

impl Roster {
    pub(super) fn new(sandbox: Sandbox, egress: Egress, secrets: Secrets) -> Self {
        Self {
            sandbox,
            egress,
            secrets,
            slots: ArcSwap::default(),
            reloading: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The registry, ready to be asked.
    pub(super) fn take(&self, name: &str) -> Result<Arc<Entry>, GatewayError> {
        let slots = self.slots.load();
        match slots.get(name).map(|slot| &slot.state) {
            None => Err(GatewayError::UnknownRegistry),
            Some(State::Disabled) => Err(GatewayError::Disabled),
            Some(State::Broken(_)) => Err(GatewayError::NotReady),
            Some(State::Ready(entry)) => Ok(entry.clone()),
        }
    }

    pub(super) fn egress(&self) -> &Egress {
        &self.egress
    }

    pub(super) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// How others are reached, and where their secrets are.
    pub(super) fn outside(&self) -> (&Egress, &Secrets) {
        (&self.egress, &self.secrets)
    }

    pub(super) fn occupancy(&self) -> Occupancy {
        self.sandbox.occupancy()
    }

    /// How many registries are in each state.
    pub(super) fn states(&self) -> [(&'static str, usize); 3] {
        let (mut ready, mut disabled, mut broken) = (0, 0, 0);
        for slot in self.slots.load().values() {
            match slot.state {
                State::Ready(_) => ready += 1,
                State::Disabled => disabled += 1,
                State::Broken(_) => broken += 1,
            }
        }
        [
            ("ready", ready),
            ("disabled", disabled),
            ("not-ready", broken),
        ]
    }

    /// Takes over what the store has: what changed is loaded beside what serves, then all is
    /// swapped at once.
    pub(super) async fn reload(&self, store: &Store) -> Result<(), StoreError> {
        let _alone = self.reloading.lock().await;
        let now = self.slots.load_full();
        let listed = store.registries().list().await?;
        let digests: BTreeSet<String> = listed
            .iter()
            .flatten()
            .filter(|row| row.enabled && !now.get(&row.name).is_some_and(|slot| slot.is_of(row)))
            .map(|row| row.module_digest.clone())
            .collect();
        let modules = modules::load(&self.sandbox, store, digests).await?;
        let mut next = HashMap::with_capacity(listed.len());
        for row in listed {
            let name = match &row {
                Ok(row) => row.name.clone(),
                Err(unreadable) => unreadable.name.clone(),
            };
            let before = now.get(&name);
            let slot = match (row, before) {
                (Ok(row), Some(slot)) if slot.is_of(&row) => slot.clone(),
                (Ok(row), before) => {
                    let slot = self.slot(row, before.map(|slot| &**slot), &modules);
                    // A thousand of them are some time without a look at the network.
                    tokio::task::yield_now().await;
                    Arc::new(slot)
                }
                (Err(unreadable), before) => {
                    Arc::new(Slot::unreadable(&unreadable, before.map(|slot| &**slot)))
                }
            };
            next.insert(name, slot);
        }
        self.slots.store(Arc::new(next));
        Ok(())
    }

    /// Loads a module beside the one that serves, and looks whether it would serve the registry as it
    /// is configured, with this gateway's own secrets.
    pub(super) async fn prepare(
        &self,
        store: &Store,
        registry: &str,
        digest: &str,
    ) -> Result<Result<Module, String>, StoreError> {
        let Some(mut row) = store.registries().get(registry).await? else {
            return Ok(Err("there is no such registry".into()));
        };
        row.module_digest = digest.to_owned();
        let modules = modules::load(&self.sandbox, store, [digest.to_owned()].into()).await?;
        let config = match serde_json::from_str::<RegistryConfig>(&row.configuration) {
            Ok(config) => config,
            Err(error) => return Ok(Err(format!("its stored configuration: {error}"))),
        };
        Ok(self.entry(&row, config, &modules).map(|entry| entry.module))
    }

    fn slot(&self, row: Registry, before: Option<&Slot>, modules: &Modules) -> Slot {
        let config = serde_json::from_str::<RegistryConfig>(&row.configuration);
        let summary = config
            .as_ref()
            .map(|config| config.summary.clone())
            .unwrap_or_default();
        let state = match config {
            _ if !row.enabled => State::Disabled,
            Err(error) => State::Broken(format!("its stored configuration: {error}")),
            Ok(config) => match self.entry(&row, config, modules) {
                Ok(entry) => State::Ready(Arc::new(entry)),
                Err(why) => State::Broken(why),
            },
        };
        if let State::Ready(entry) = &state
            && let Some(same) = before.and_then(|slot| slot.entry_like(&row, entry))
        {
            return Slot {
                row: Some(row),
                summary,
                state: State::Ready(same),
            };
        }
        state.tell(&row.name, before);
        Slot {
            row: Some(row),
            summary,
            state,
        }
    }

    fn entry(
        &self,
        row: &Registry,
        config: RegistryConfig,
        modules: &Modules,
    ) -> Result<Entry, String> {
        match modules.get(&row.module_digest) {
            Some(Ok(module)) => self.lend(row, config, module.clone()),
            Some(Err(why)) => Err(why.clone()),
            None => Err("its module is not loaded".into()),
        }
    }

    fn lend(
        &self,
        row: &Registry,
        config: RegistryConfig,
        module: Module,
    ) -> Result<Entry, String> {
        check_needs(&config, &module)?;
        let (secrets, witness) = self.secrets.witnessed();
        let endpoints =
            endpoints(&self.egress, &row.name, &config, &secrets).map_err(|error| chain(&error))?;
        let ConcurrencyConfig {
            max_calls,
            max_wait_ms,
        } = config.concurrency;
        Ok(Entry {
            name: row.name.clone(),
            module,
            endpoints: Arc::new(endpoints),
            settings: Arc::new(config.settings),
            limits: Arc::new(config.limits),
            policy: config.policy,
            retry: config.retry,
            secrets: witness.hash(),
            slots: Semaphore::new(usize::try_from(max_calls).unwrap_or(1).max(1)),
            max_wait: Duration::from_millis(max_wait_ms),
        })
    }
}

impl Entry {
    /// A turn to run an instance. The one too many waits a bounded time.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, GatewayError> {
        match tokio::time::timeout(self.max_wait, self.slots.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(GatewayError::Busy),
        }
    }
}

/// An endpoint that the module requires and the configuration lacks.
pub(super) fn check_needs(config: &RegistryConfig, module: &Module) -> Result<(), String> {
    for need in &module.description().endpoints {
        if need.required && !config.endpoints.contains_key(&need.name) {
            return Err(format!(
                "the adapter needs an endpoint `{0}`: add endpoints.{0} with its base_url",
                need.name
            ));
        }
    }
    Ok(())
}

/// Why a registry's endpoints cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoEndpoints {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Endpoint(#[from] EgressError),
}

/// Reads the secrets and makes the endpoints.
pub(super) fn endpoints(
    egress: &Egress,
    registry: &str,
    config: &RegistryConfig,
    secrets: &Secrets,
) -> Result<Endpoints, NoEndpoints> {
    let mut named: std::collections::BTreeMap<String, SecretString> = Default::default();
    for (name, source) in &config.secrets {
        let secret = secrets.resolve(&format!("secrets.{name}"), source)?;
        named.insert(name.clone(), secret);
    }
    let mut secured = std::collections::BTreeMap::new();
    for (name, endpoint) in &config.endpoints {
        let read = endpoint.resolve(&format!("endpoints.{name}"), secrets)?;
        secured.insert(name.clone(), read);
    }
    let built = Endpoints::build(egress, registry, &config.endpoints, &named, &secured)?;
    Ok(built)
}

/// An error and its sources on one line, for an administrator.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl Gateway {
    /// All registries that `may_see` lets through, by name.
    pub fn registries(&self, may_see: impl Fn(&str) -> bool) -> Vec<RegistryView> {
        let slots = self.inner.roster.slots.load();
        let mut views: Vec<RegistryView> = slots
            .iter()
            .filter(|(name, _)| may_see(name))
            .map(|(name, slot)| RegistryView {
                name: name.clone(),
                summary: slot.summary.clone(),
                state: match &slot.state {
                    State::Disabled => RegistryState::Disabled,
                    State::Broken(_) => RegistryState::NotReady,
                    State::Ready(entry) => {
                        let description = entry.module.description();
                        RegistryState::Ready {
                            adapter: description.name.clone(),
                            version: description.version.clone(),
                            module: entry.module.digest().to_owned(),
                            abilities: description.abilities.clone(),
                            required: entry.policy.required.clone(),
                        }
                    }
                },
            })
            .collect();
        views.sort_by(|a, b| a.name.cmp(&b.name));
        views
    }
}

#[cfg(test)]
mod tests;

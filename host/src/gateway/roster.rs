//! Which module serves each registry right now. A request takes its entry once, as an `Arc`: a
//! later change cannot touch it.

mod beside;
mod drains;
mod look;
pub(super) mod modules;
mod next;
mod slot;
mod turn;
pub(super) mod watch;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::sync::{RwLock, Semaphore};

use super::shadow::Trial;
use super::{Gateway, GatewayError};
use crate::config::events::RegistryEvents;
use crate::config::limits::CallLimits;
use crate::config::registry::{ConcurrencyConfig, PolicyConfig, RegistryConfig};
use crate::config::retry::RetryConfig;
use crate::config::secret::{SecretError, Secrets};
use crate::egress::{Egress, EgressError, Endpoints};
use crate::model::Ability;
use crate::sandbox::{Module, Occupancy, Sandbox};
use crate::store::{Behind, Registry, Store, StoreError};
pub use drains::Drain;
use drains::Drains;
pub(super) use look::written;
pub use look::{AdministeredRegistry, Readiness};
use modules::Modules;
pub(super) use slot::{Slot, State};

/// A registry, ready to be asked.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) module: Module,
    pub(super) endpoints: Arc<Endpoints>,
    pub(super) settings: Arc<Map<String, Value>>,
    pub(super) limits: Arc<CallLimits>,
    pub(super) policy: PolicyConfig,
    pub(super) retry: RetryConfig,
    pub(super) events: RegistryEvents,
    /// A hash of the secrets in `endpoints`.
    secrets: [u8; 32],
    /// Shared with the entry of another module in its place: it is for the registry's sake.
    slots: Arc<Semaphore>,
    max_wait: Duration,
    /// Held by each search until its page token is known to be open; taken whole by an activation
    /// after which such tokens could not be read.
    pub(super) pages: Arc<RwLock<()>>,
    pub(super) page_life: SignedDuration,
    calls: AtomicUsize,
}

/// A call that is under way on an entry.
pub(super) struct Underway(Arc<Entry>);

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
    slots: ArcSwap<Slots>,
    drains: Drains,
    /// What is served by an older module than it should be.
    behind: ArcSwap<Vec<Behind>>,
    shadow_places: Arc<Semaphore>,
    /// One at a time: an older list must not come after a newer one.
    reloading: tokio::sync::Mutex<()>,
}

type Slots = HashMap<String, Arc<Slot>>;

impl Roster {
    pub(super) fn new(sandbox: Sandbox, egress: Egress, secrets: Secrets) -> Self {
        Self {
            shadow_places: Arc::new(Semaphore::new(sandbox.shadow_calls())),
            sandbox,
            egress,
            secrets,
            slots: ArcSwap::default(),
            drains: Drains::default(),
            behind: ArcSwap::default(),
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

    /// The candidate that answers a share of the registry's lookups, if one does.
    pub(super) fn trial(&self, name: &str) -> Option<Arc<Trial>> {
        let slots = self.slots.load();
        slots.get(name)?.staged.as_ref()?.trial.clone()
    }

    /// Whether less than half of the room for instances is taken.
    pub(super) fn is_quiet(&self) -> bool {
        let most = usize::try_from(self.sandbox.max_instances()).unwrap_or(usize::MAX);
        self.sandbox.occupancy().instances < most.div_ceil(2)
    }

    pub(super) fn shadow_places(&self) -> Arc<Semaphore> {
        self.shadow_places.clone()
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
            events: config.events,
            secrets: witness.hash(),
            slots: Arc::new(Semaphore::new(
                usize::try_from(max_calls).unwrap_or(1).max(1),
            )),
            max_wait: Duration::from_millis(max_wait_ms),
            pages: Arc::default(),
            page_life: SignedDuration::from_millis(
                config.pages.lifetime_ms.try_into().unwrap_or(i64::MAX),
            ),
            calls: AtomicUsize::new(0),
        })
    }
}

impl Entry {
    /// The same with another module: connections, tokens, turns and what was learned stay.
    pub(super) fn with(&self, module: Module) -> Self {
        Self {
            name: self.name.clone(),
            module,
            endpoints: self.endpoints.clone(),
            settings: self.settings.clone(),
            limits: self.limits.clone(),
            policy: self.policy.clone(),
            retry: self.retry.clone(),
            events: self.events.clone(),
            secrets: self.secrets,
            slots: self.slots.clone(),
            max_wait: self.max_wait,
            pages: self.pages.clone(),
            page_life: self.page_life,
            calls: AtomicUsize::new(0),
        }
    }

    /// A call begins; it ends with what this gives.
    pub(super) fn begin(self: &Arc<Self>) -> Underway {
        self.calls.fetch_add(1, SeqCst);
        Underway(self.clone())
    }

    /// How long a call can take from its beginning: its turn, and its own limit.
    pub(super) fn longest_call(&self) -> Duration {
        self.max_wait + Duration::from_millis(self.limits.wall_ms)
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, SeqCst);
    }
}

/// A module, or why there is none; none where the store has no such module.
pub(super) async fn loaded(
    roster: &Roster,
    store: &Store,
    digest: &str,
) -> Result<Option<Result<Module, String>>, StoreError> {
    if let Some(module) = roster.sandbox.known(digest).await {
        return Ok(Some(Ok(module)));
    }
    match store.modules().get(digest).await {
        Ok(None) => return Ok(None),
        Ok(Some(_)) | Err(StoreError::Damaged { .. }) => {}
        Err(error) => return Err(error),
    }
    let mut loaded = modules::load(&roster.sandbox, store, [digest.to_owned()].into()).await?;
    Ok(loaded.remove(digest))
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

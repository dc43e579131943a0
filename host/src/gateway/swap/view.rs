//! How a registry stands: what serves, what may serve next, what still ends.

use jiff::Timestamp;

use crate::gateway::roster::{Drain, Slot};
use crate::gateway::{AdminError, Gateway};
use crate::sandbox::Module;
use crate::store::OpenState;

/// How a registry stands.
#[derive(Clone, Debug)]
pub struct SwapView {
    /// Its name.
    pub registry: String,
    /// What serves, on this gateway. None: nothing does.
    pub active: Option<LoadedModule>,
    /// Since when, by the history.
    pub since: Option<Timestamp>,
    /// What may serve next.
    pub candidate: Option<CandidateView>,
    /// What served before and stays loaded: the latest first.
    pub ready: Vec<LoadedModule>,
    /// What served before and still has calls.
    pub draining: Vec<Drain>,
    /// What callers hold of the adapter's own.
    pub open: Vec<OpenState>,
}

/// A module.
#[derive(Clone, Debug)]
pub struct LoadedModule {
    /// What it is known by.
    pub digest: String,
    /// The adapter's name.
    pub adapter: String,
    /// The version that it states.
    pub version: String,
}

/// The module that may serve next.
#[derive(Clone, Debug)]
pub struct CandidateView {
    /// Its digest.
    pub module: String,
    /// Percent of the lookups that it answers too. None: it is staged only.
    pub share_percent: Option<u8>,
    /// Since when.
    pub since: Timestamp,
    /// Whose act it was.
    pub caller: String,
    /// Why it cannot be loaded, if so.
    pub problem: Option<String>,
}

impl Gateway {
    /// How a registry stands.
    ///
    /// # Errors
    /// [`AdminError::Unknown`].
    pub async fn swap(&self, registry: &str) -> Result<SwapView, AdminError> {
        self.known(registry).await?;
        let store = &self.inner.store;
        let slot = self.inner.roster.slot_of(registry);
        let active = slot.as_ref().and_then(|slot| slot.state.entry());
        let latest = store.activations().of(registry, 1).await?;
        let candidate = store.candidates().get(registry).await?;
        Ok(SwapView {
            registry: registry.to_owned(),
            active: active.map(|entry| LoadedModule::of(&entry.module)),
            since: latest.first().map(|row| row.at),
            candidate: candidate.map(|row| CandidateView {
                problem: slot
                    .as_ref()
                    .and_then(|slot| slot.cannot_stage(&row.module_digest)),
                module: row.module_digest,
                share_percent: row.share_percent,
                since: row.since,
                caller: row.caller,
            }),
            ready: slot
                .iter()
                .flat_map(|slot| &slot.ready)
                .map(LoadedModule::of)
                .collect(),
            draining: self.inner.roster.drains(registry),
            open: store.open_states().of(registry).await?,
        })
    }
}

impl Slot {
    fn cannot_stage(&self, digest: &str) -> Option<String> {
        let staged = self.staged.as_ref()?;
        let mine = staged.row.module_digest == digest;
        staged.module.as_ref().err().filter(|_| mine).cloned()
    }

    pub(super) fn digest(&self) -> Option<String> {
        let entry = self.state.entry()?;
        Some(entry.module.digest().to_owned())
    }
}

impl LoadedModule {
    fn of(module: &Module) -> Self {
        let description = module.description();
        Self {
            digest: module.digest().to_owned(),
            adapter: description.name.clone(),
            version: description.version.clone(),
        }
    }
}

//! What the roster knows of one registry.

use std::sync::Arc;

use super::Entry;
use crate::gateway::shadow::Trial;
use crate::sandbox::Module;
use crate::store::{Behind, Candidate, Registry, Unreadable};

/// What is known of a registry.
pub(in crate::gateway) struct Slot {
    /// None where it cannot be read.
    pub(in crate::gateway) row: Option<Registry>,
    pub(in crate::gateway) summary: String,
    pub(in crate::gateway) state: State,
    /// What may serve next.
    pub(in crate::gateway) staged: Option<Staged>,
    /// What served before, loaded: the latest first.
    pub(in crate::gateway) ready: Vec<Module>,
}

pub(in crate::gateway) enum State {
    Ready(Arc<Entry>),
    Disabled,
    Broken(String),
}

/// The module that may serve next, beside the one that does.
pub(in crate::gateway) struct Staged {
    pub(in crate::gateway) row: Candidate,
    /// Or why it cannot.
    pub(in crate::gateway) module: Result<Module, String>,
    /// Where it answers a share of the lookups.
    pub(in crate::gateway) trial: Option<Arc<Trial>>,
}

impl Staged {
    /// Beside what serves. It counts on where the same module was on trial before.
    pub(super) fn new(
        row: Candidate,
        module: Result<Module, String>,
        state: &State,
        before: Option<&Slot>,
    ) -> Self {
        let known = before.and_then(|slot| slot.staged.as_ref()?.trial.clone());
        let known = known.filter(|trial| trial.entry.module.digest() == row.module_digest);
        let trial = match (row.share_percent, state, &module) {
            (Some(share_percent), State::Ready(entry), Ok(module)) => Some(Arc::new(Trial {
                entry: Arc::new(entry.with(module.clone())),
                share_percent,
                counts: known.map(|trial| trial.counts.clone()).unwrap_or_default(),
            })),
            _ => None,
        };
        Self { row, module, trial }
    }
}

impl Slot {
    /// Whether it stands for these rows, and need not be tried again. A row that was applied again
    /// without a change has a newer time, and its secrets are read again. A broken one is tried
    /// again: its secret may be there by now.
    pub(super) fn is_of(&self, row: &Registry, candidate: Option<&Candidate>) -> bool {
        let staged = self.staged.as_ref();
        self.row.as_ref() == Some(row)
            && !matches!(self.state, State::Broken(_))
            && (!row.enabled || staged.map(|staged| &staged.row) == candidate)
            && staged.is_none_or(|staged| staged.module.is_ok())
    }

    /// What serves from now on. Where only the module differs it is with all that the entry before
    /// has and knows; where a new one would not differ at all, it is that entry: the row was applied
    /// again without a change, its secrets too are what they were.
    pub(super) fn go_on(&self, row: &Registry, new: Arc<Entry>) -> Arc<Entry> {
        let (State::Ready(entry), true) = (&self.state, self.is_configured_as(row)) else {
            return new;
        };
        if entry.secrets != new.secrets || !entry.endpoints.trust_as(&new.endpoints) {
            return new;
        }
        if entry.module.digest() == new.module.digest() {
            entry.clone()
        } else {
            Arc::new(entry.with(new.module.clone()))
        }
    }

    /// Whether it stands for that row but for the module.
    pub(super) fn is_configured_as(&self, row: &Registry) -> bool {
        self.row.as_ref().is_some_and(|mine| {
            Registry {
                updated_at: row.updated_at,
                module_digest: row.module_digest.clone(),
                ..mine.clone()
            } == *row
        })
    }

    /// Whether it goes on in place of the one that should: that is another module with nothing else
    /// changed, and it does not load here. An older module is better than none.
    pub(super) fn serves_on(&self, new: &Self) -> Option<Behind> {
        let (State::Ready(entry), Some(mine)) = (&self.state, &self.row) else {
            return None;
        };
        let (State::Broken(why), Some(row)) = (&new.state, &new.row) else {
            return None;
        };
        let as_mine = Registry {
            module_digest: mine.module_digest.clone(),
            updated_at: mine.updated_at,
            ..row.clone()
        };
        (as_mine == *mine && row.module_digest != mine.module_digest).then(|| Behind {
            registry: row.name.clone(),
            serves: entry.module.digest().to_owned(),
            committed: row.module_digest.clone(),
            reason: why.clone(),
        })
    }

    pub(super) fn unreadable(row: &Unreadable, before: Option<&Self>) -> Self {
        let state = State::Broken(format!("{}: apply it again", row.error));
        state.tell(&row.name, before);
        Self {
            row: None,
            summary: String::new(),
            state,
            staged: None,
            ready: Vec::new(),
        }
    }
}

impl State {
    /// What serves.
    pub(in crate::gateway) fn entry(&self) -> Option<&Arc<Entry>> {
        match self {
            Self::Ready(entry) => Some(entry),
            Self::Disabled | Self::Broken(_) => None,
        }
    }

    /// Whether nothing was changed but what stands beside it.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ready(one), Self::Ready(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Logs it, where it is not what was logged before.
    pub(super) fn tell(&self, registry: &str, before: Option<&Slot>) {
        match (self, before.map(|slot| &slot.state)) {
            (Self::Ready(entry), _) => tracing::info!(
                registry,
                adapter = entry.module.description().name,
                module = entry.module.digest(),
                "registry ready"
            ),
            (Self::Broken(why), Some(Self::Broken(known))) if why == known => {}
            (Self::Broken(why), _) => tracing::error!(registry, why, "registry not ready"),
            (Self::Disabled, _) => tracing::info!(registry, "registry disabled"),
        }
    }
}

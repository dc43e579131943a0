//! What the roster knows of one registry.

use std::sync::Arc;

use super::Entry;
use crate::store::{Behind, Registry, Unreadable};

/// What is known of a registry.
pub(super) struct Slot {
    /// None where it cannot be read.
    pub(super) row: Option<Registry>,
    pub(super) summary: String,
    pub(super) state: State,
}

pub(super) enum State {
    Ready(Arc<Entry>),
    Disabled,
    Broken(String),
}

impl Slot {
    /// Whether it stands for that row, and need not be tried again. A row that was applied again
    /// without a change has a newer time, and its secrets are read again. A broken one is tried
    /// again: its secret may be there by now.
    pub(super) fn is_of(&self, row: &Registry) -> bool {
        self.row.as_ref() == Some(row) && !matches!(self.state, State::Broken(_))
    }

    /// The entry that serves, where a new one would not differ: the row was applied again without a
    /// change, its secrets too are what they were. It keeps its connections and what it learned.
    pub(super) fn entry_like(&self, row: &Registry, new: &Entry) -> Option<Arc<Entry>> {
        let (State::Ready(entry), Some(mine)) = (&self.state, &self.row) else {
            return None;
        };
        let same_row = Registry {
            updated_at: row.updated_at,
            ..mine.clone()
        } == *row;
        let same =
            same_row && entry.secrets == new.secrets && entry.endpoints.trust_as(&new.endpoints);
        same.then(|| entry.clone())
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
        }
    }
}

impl State {
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

//! The registries as administrators see them.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::slot::{Slot, State};
use super::{Entry, Roster};
use crate::config::registry::{PolicyConfig, RegistryConfig};
use crate::gateway::{AdminError, Gateway};
use crate::model::Ability;
use crate::store::{ModuleSummary, Registry};

/// A registry as administrators see it.
#[derive(Clone, Debug)]
pub struct AdministeredRegistry {
    /// Its name in the API.
    pub name: String,
    /// For people.
    pub summary: String,
    /// Whether it can be asked.
    pub readiness: Readiness,
    /// The digest of its module; none where its row cannot be read.
    pub module: Option<String>,
    /// What the module says it is.
    pub adapter: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// What it can do, where it is ready.
    pub abilities: Vec<Ability>,
    /// When it was last applied, enabled or disabled.
    pub updated_at: Option<Timestamp>,
    /// All of it as it would be written in a file, with the module's digest. Places of secrets, never
    /// secrets.
    pub configuration: Option<Value>,
}

/// Whether a registry can be asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// Switched off.
    Disabled,
    /// Its module or configuration does not load, for this reason.
    NotReady(String),
}

impl Gateway {
    /// All registries that are configured, by name.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn administered(&self) -> Result<Vec<AdministeredRegistry>, AdminError> {
        let modules = self.inner.store.modules().list().await?;
        let modules: HashMap<&str, &ModuleSummary> =
            modules.iter().map(|it| (&*it.digest, it)).collect();
        let slots = self.inner.roster.slots.load_full();
        let mut views: Vec<_> = slots
            .iter()
            .map(|(name, slot)| view(name, slot, &modules))
            .collect();
        views.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(views)
    }

    /// The registry of that name.
    ///
    /// # Errors
    /// [`AdminError::Unknown`], [`AdminError::Store`].
    pub async fn administered_one(&self, name: &str) -> Result<AdministeredRegistry, AdminError> {
        let all = self.administered().await?;
        let one = all.into_iter().find(|it| it.name == name);
        one.ok_or_else(|| AdminError::Unknown {
            what: "registry",
            name: name.to_owned(),
        })
    }
}

impl Roster {
    /// Those that can be asked.
    pub(in crate::gateway) fn serving(&self) -> Vec<Arc<Entry>> {
        let slots = self.slots.load();
        slots
            .values()
            .filter_map(|slot| slot.state.entry().cloned())
            .collect()
    }

    /// What callers may see of each, whether it can be asked or not. None: that cannot be read.
    pub(in crate::gateway) fn policies(&self) -> Vec<(String, Option<PolicyConfig>)> {
        let slots = self.slots.load();
        let policy = |slot: &Slot| match &slot.state {
            State::Ready(entry) => Some(entry.policy.clone()),
            State::Disabled | State::Broken(_) => {
                let row = slot.row.as_ref()?;
                let config: RegistryConfig = serde_json::from_str(&row.configuration).ok()?;
                Some(config.policy)
            }
        };
        slots
            .iter()
            .map(|(name, slot)| (name.clone(), policy(slot)))
            .collect()
    }
}

fn view(name: &str, slot: &Slot, modules: &HashMap<&str, &ModuleSummary>) -> AdministeredRegistry {
    let row = slot.row.as_ref();
    let module = row.map(|row| row.module_digest.clone());
    let known = module.as_deref().and_then(|digest| modules.get(digest));
    let (readiness, abilities) = match &slot.state {
        State::Ready(entry) => {
            let abilities = entry.module.description().abilities.clone();
            (Readiness::Ready, abilities)
        }
        State::Disabled => (Readiness::Disabled, Vec::new()),
        State::Broken(why) => (Readiness::NotReady(why.clone()), Vec::new()),
    };
    AdministeredRegistry {
        name: name.to_owned(),
        summary: slot.summary.clone(),
        readiness,
        adapter: known.map(|it| it.adapter.clone()),
        version: known.map(|it| it.version.clone()),
        abilities,
        updated_at: row.map(|row| row.updated_at),
        configuration: row.and_then(written),
        module,
    }
}

/// A stored registry as a file has it: what it said, and the defaults of what it did not say when it
/// was applied. None where it is not what a registry's configuration is.
pub(in crate::gateway) fn written(row: &Registry) -> Option<Value> {
    let mut config: RegistryConfig = serde_json::from_str(&row.configuration).ok()?;
    config.enabled = row.enabled;
    let mut value = serde_json::to_value(config).ok()?;
    let fields = value.as_object_mut()?;
    fields.insert("module".into(), row.module_digest.clone().into());
    Some(value)
}

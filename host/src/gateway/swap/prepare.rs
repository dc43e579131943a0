//! Whether a module would serve a registry.

use crate::config::registry::RegistryConfig;
use crate::gateway::roster::{check_needs, loaded};
use crate::gateway::{AdminError, Finding, Gateway, check_settings};
use crate::sandbox::{Description, Module};
use crate::store::Registry;

/// A module that is loaded and fits.
pub(in crate::gateway) struct Prepared {
    /// The registry, as it was looked at.
    pub(in crate::gateway) row: Registry,
    pub(in crate::gateway) module: Module,
    /// What is right to know, and does not stand in the way.
    pub(in crate::gateway) findings: Vec<Finding>,
    /// Settings that its schema does not allow.
    pub(super) unfit: Vec<Finding>,
    /// Forms that the module which serves reads, and this one does not.
    pub(in crate::gateway) dropped: Vec<u32>,
}

impl Prepared {
    /// Refuses settings that the module's schema does not allow. Not asked of what served before: it
    /// may again.
    pub(super) fn fits(&self) -> Result<(), AdminError> {
        if self.unfit.is_empty() {
            return Ok(());
        }
        Err(refused(self.unfit.clone()))
    }

    pub(super) fn is_active(&self) -> bool {
        self.row.module_digest == self.module.digest()
    }
}

impl Gateway {
    /// Loads the module beside the one that serves, and looks whether it would serve the registry as
    /// that is configured. Changes nothing: each of several gateways can do it before any of them
    /// flips.
    pub(in crate::gateway) async fn prepare(
        &self,
        registry: &str,
        digest: &str,
    ) -> Result<Prepared, AdminError> {
        let row = self.known(registry).await?;
        let store = &self.inner.store;
        let loaded = loaded(&self.inner.roster, store, digest).await?;
        let module = loaded.ok_or_else(|| AdminError::Unknown {
            what: "module",
            name: digest.to_owned(),
        })?;
        let module = module.map_err(|why| does_not_fit("module", why))?;
        let config: RegistryConfig = serde_json::from_str(&row.configuration)
            .map_err(|error| does_not_fit("configuration", error.to_string()))?;
        check_needs(&config, &module).map_err(|why| does_not_fit("endpoints", why))?;
        let slot = self.inner.roster.slot_of(registry);
        let active = slot.as_ref().and_then(|slot| slot.state.entry());
        let active = active.map(|entry| entry.module.description());
        let new = module.description();
        let schema = new.settings_schema.as_ref();
        let unfit = schema.map(|schema| check_settings(schema, &config.settings));
        let findings = active.map(|active| compared(active, new));
        let dropped = active.map(|active| dropped(active, new));
        Ok(Prepared {
            unfit: unfit.unwrap_or_default(),
            findings: findings.unwrap_or_default(),
            dropped: dropped.unwrap_or_default(),
            row,
            module,
        })
    }

    /// The registry as the store has it.
    pub(in crate::gateway) async fn known(&self, registry: &str) -> Result<Registry, AdminError> {
        let row = self.inner.store.registries().get(registry).await?;
        row.ok_or_else(|| AdminError::Unknown {
            what: "registry",
            name: registry.to_owned(),
        })
    }
}

fn does_not_fit(place: &str, problem: String) -> AdminError {
    refused(vec![Finding {
        place: place.into(),
        problem: Some(problem),
    }])
}

fn refused(findings: Vec<Finding>) -> AdminError {
    AdminError::Refused {
        code: "does-not-fit",
        detail: "the module would not serve this registry; nothing was changed".into(),
        findings,
    }
}

/// What an administrator may not expect of the new one.
fn compared(active: &Description, new: &Description) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |place: String, problem: String| {
        let problem = Some(problem);
        findings.push(Finding { place, problem });
    };
    if active.name != new.name {
        let problem = format!("it is the adapter {}, and {} serves", new.name, active.name);
        find("name".into(), problem);
    }
    let lost = active.abilities.iter();
    for ability in lost.filter(|ability| !new.abilities.contains(ability)) {
        let problem = "the module that serves can, this one cannot: such calls would be refused";
        find(format!("abilities.{ability}"), problem.into());
    }
    for form in dropped(active, new) {
        let problem = "the module that serves reads this form, this one does not: it is not \
            activated while somebody holds such a state";
        find(format!("readable-states.{form}"), problem.into());
    }
    let lost = active.searchable_fields.iter();
    for field in lost.filter(|field| !new.searchable_fields.contains(field)) {
        let problem = "the module that serves searches by it, this one does not say so";
        find(format!("searchable-fields.{field}"), problem.into());
    }
    findings
}

fn dropped(active: &Description, new: &Description) -> Vec<u32> {
    let forms = active.readable_states.iter();
    let dropped = forms.filter(|form| !new.readable_states.contains(form));
    dropped.copied().collect()
}

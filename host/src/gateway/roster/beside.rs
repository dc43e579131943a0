//! A module beside the one that serves: one that may serve next, and one that should and cannot.

use std::sync::Arc;

use super::Roster;
use crate::config::registry::RegistryConfig;
use crate::gateway::modules;
use crate::sandbox::Module;
use crate::store::{Behind, Store, StoreError};

impl Roster {
    /// What is served by an older module than it should be, and why.
    pub(in crate::gateway) fn behind(&self) -> Arc<Vec<Behind>> {
        self.behind.load_full()
    }

    pub(super) fn tell_behind(&self, behind: Vec<Behind>) {
        let known = self.behind.load();
        for one in behind.iter().filter(|one| !known.contains(one)) {
            let Behind {
                registry,
                serves,
                committed,
                reason,
            } = one;
            tracing::error!(
                registry,
                serves,
                committed,
                reason,
                "serves an older module"
            );
        }
        self.behind.store(Arc::new(behind));
    }

    /// Loads a module beside the one that serves, and looks whether it would serve the registry as it
    /// is configured, with this gateway's own secrets.
    pub(in crate::gateway) async fn prepare(
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
}

//! A module beside the one that serves: one that may serve next, and one that should and cannot.

use std::sync::Arc;

use super::Roster;
use crate::config::registry::RegistryConfig;
use crate::sandbox::Module;
use crate::store::{Behind, Registry};

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

    /// Why this gateway would not serve the registry with the module: it lacks a secret, say.
    pub(in crate::gateway) fn would_not_serve(
        &self,
        row: &Registry,
        module: &Module,
    ) -> Option<String> {
        let config = match serde_json::from_str::<RegistryConfig>(&row.configuration) {
            Ok(config) => config,
            Err(error) => return Some(format!("its stored configuration: {error}")),
        };
        self.lend(row, config, module.clone()).err()
    }
}

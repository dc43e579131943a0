//! A registry is switched on or off, or goes.

use crate::gateway::{Act, Acting, AdminError, Gateway};
use crate::store::RegistryChange;

impl Gateway {
    /// Makes a registry take calls, or no longer, from when this returns. Calls under way end.
    ///
    /// # Errors
    /// [`AdminError`]: there is none of that name, or the store is not there.
    pub async fn enable_registry(
        &self,
        by: &Acting,
        name: &str,
        enabled: bool,
    ) -> Result<(), AdminError> {
        let word = if enabled {
            "registry.enable"
        } else {
            "registry.disable"
        };
        let name = name.to_owned();
        let change = |name| RegistryChange::Enable { name, enabled };
        self.change_registry(by, word, name, change).await
    }

    /// Removes a registry. Its audit rows stay.
    ///
    /// # Errors
    /// [`AdminError`]: there is none of that name, or the store is not there.
    pub async fn delete_registry(&self, by: &Acting, name: &str) -> Result<(), AdminError> {
        let change = |name| RegistryChange::Delete { name };
        self.change_registry(by, "registry.delete", name.to_owned(), change)
            .await
    }

    async fn change_registry(
        &self,
        by: &Acting,
        word: &'static str,
        name: String,
        change: impl FnOnce(String) -> RegistryChange,
    ) -> Result<(), AdminError> {
        let act = Act {
            word,
            registry: Some(name.clone()),
            ..Act::default()
        };
        let (gateway, by_name) = (self.clone(), by.caller.name.clone());
        let change = change(name);
        let doing = async move {
            let store = &gateway.inner.store;
            store.registries().by(&by_name).apply(vec![change]).await?;
            gateway.take_over_registries().await;
            Ok(())
        };
        self.act(by, act, doing).await
    }
}

//! What ran when, and the way back to it.

use jiff::Timestamp;

use super::conflict;
use crate::gateway::{AdminError, Gateway};
use crate::store::Activation;

/// Where a rollback goes.
#[derive(Clone, Debug)]
pub enum Back {
    /// To what served before what serves now.
    Previous,
    /// To a module that served once, by its digest.
    To(String),
    /// To what served at that time.
    At(Timestamp),
}

impl Gateway {
    /// What served a registry, the newest first; or the one change that held at a time. Of one that
    /// is gone, too.
    ///
    /// # Errors
    /// [`AdminError::Unknown`] where there never was such a registry.
    pub async fn history(
        &self,
        registry: &str,
        at: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<Activation>, AdminError> {
        let activations = self.inner.store.activations();
        let rows = match at {
            Some(at) => activations.at(registry, at).await?.into_iter().collect(),
            None => activations.of(registry, limit).await?,
        };
        if rows.is_empty() && activations.of(registry, 1).await?.is_empty() {
            self.known(registry).await?;
        }
        Ok(rows)
    }

    pub(super) async fn served_before(
        &self,
        registry: &str,
        to: &Back,
    ) -> Result<String, AdminError> {
        let row = self.known(registry).await?;
        let activations = self.inner.store.activations();
        match to {
            Back::At(at) if *at > Timestamp::now() => Err(AdminError::Invalid {
                field: "at".into(),
                problem: "is in the future: write the day too, 2026-03-01T14:03:00Z".into(),
            }),
            Back::At(at) => {
                let held = activations.at(registry, *at).await?;
                held.and_then(|held| held.module_digest).ok_or_else(|| {
                    conflict(
                        "nothing-served",
                        "no module served the registry at that time",
                    )
                })
            }
            Back::Previous => {
                let served = activations.served(Some(registry)).await?.into_iter();
                let mut others = served.map(|one| one.module_digest);
                others
                    .find(|digest| *digest != row.module_digest)
                    .ok_or_else(|| {
                        conflict(
                            "nothing-served",
                            "no other module served the registry before",
                        )
                    })
            }
            Back::To(digest) => {
                let served = activations.served(Some(registry)).await?;
                if served.iter().any(|one| one.module_digest == *digest) {
                    Ok(digest.clone())
                } else {
                    Err(AdminError::Invalid {
                        field: "module".into(),
                        problem: "this module has never served the registry: activate it".into(),
                    })
                }
            }
        }
    }
}

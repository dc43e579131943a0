//! How a module comes in: looked at, compiled, started, described, and only then stored. Nothing of
//! it is on a request's path.

mod difference;
mod examine;
mod peer;
mod pull;
mod replay;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Act, Acting, AdminError, Finding, Gateway, StartError};
use crate::config::admission::{AdmissionConfig, OciConfig};
use crate::package::TrustedKey;
use crate::sandbox::{self, Description, Sandbox};
use crate::store::{ModuleFacts, ModuleSummary, NewModule, StoreError};
pub(super) use examine::loaded;
use examine::{Examined, Rules, examine};
pub(super) use replay::{PACE, Recorded, call as recorded_call, problems};

/// What modules go through.
pub(super) struct Admission {
    places: Arc<Semaphore>,
    rules: Arc<Rules>,
    oci: BTreeMap<String, OciConfig>,
}

/// A place for one module: what it takes to hold and look at it is bounded.
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

/// A module that is stored, retired or not.
#[derive(Clone, Debug)]
pub struct ModuleView {
    /// What the store knows.
    pub summary: ModuleSummary,
    /// What it says of itself. None: it came with a file of registries, and is not in memory.
    pub description: Option<Description>,
    /// The registries that it serves.
    pub serves: Vec<String>,
    /// The registries that it may serve next.
    pub candidate_of: Vec<String>,
    /// Whether it answers a share of one's lookups.
    pub in_shadow: bool,
}

/// A module that would be admitted.
#[derive(Clone, Debug)]
pub struct CheckedModule {
    /// Its digest.
    pub digest: String,
    /// What it says of itself.
    pub description: Description,
    /// The number of the trusted key that signed it.
    pub signed_by: Option<String>,
    /// How many recordings it was checked with.
    pub recordings: usize,
}

impl Admission {
    pub(super) fn new(config: &AdmissionConfig) -> Result<Self, StartError> {
        let at_once = usize::try_from(config.at_once.get()).unwrap_or(usize::MAX);
        let trusted = config.trusted_keys.iter().map(|key| TrustedKey::parse(key));
        let trusted = trusted.collect::<Result<_, _>>();
        Ok(Self {
            places: Arc::new(Semaphore::new(at_once.min(Semaphore::MAX_PERMITS))),
            rules: Arc::new(Rules {
                trusted: trusted.map_err(StartError::TrustedKey)?,
                signed: config.signed(),
                replay: Duration::from_millis(config.replay_timeout_ms),
            }),
            oci: config.oci.clone(),
        })
    }
}

impl Gateway {
    /// The largest module that is looked at.
    pub fn max_module_bytes(&self) -> u64 {
        self.sandbox().max_module_bytes()
    }

    /// Waits for a place. Taken before the bytes arrive, so that they wait with their sender.
    ///
    /// # Errors
    /// [`AdminError::Internal`] while the gateway ends.
    pub async fn admission_place(&self) -> Result<Place, AdminError> {
        let places = self.inner.admission.places.clone();
        let permit = places.acquire_owned().await;
        let permit = permit.map_err(|_| AdminError::Internal)?;
        Ok(Place { _permit: permit })
    }

    /// Admits a module and stores it. The same one again changes nothing.
    ///
    /// # Errors
    /// [`AdminError::Refused`] with all that is wrong with it, or as for any act.
    pub async fn add_module(
        &self,
        by: &Acting,
        bytes: Bytes,
        place: Place,
    ) -> Result<ModuleView, AdminError> {
        let came_by = by.caller.name.clone();
        let gateway = self.clone();
        self.look_at(
            by,
            "module.add",
            bytes.clone(),
            place,
            |examined| async move { gateway.store_module(examined, bytes, came_by).await },
        )
        .await
    }

    /// The same, and stores nothing.
    ///
    /// # Errors
    /// As [`add_module`](Self::add_module).
    pub async fn check_module(
        &self,
        by: &Acting,
        bytes: Bytes,
        place: Place,
    ) -> Result<CheckedModule, AdminError> {
        self.look_at(by, "module.check", bytes, place, |examined| async move {
            Ok(CheckedModule {
                digest: examined.module.digest().to_owned(),
                description: examined.module.description().clone(),
                signed_by: examined.signed_by,
                recordings: examined.recordings,
            })
        })
        .await
    }

    async fn look_at<T, F>(
        &self,
        by: &Acting,
        word: &'static str,
        bytes: Bytes,
        place: Place,
        then: impl FnOnce(Examined) -> F + Send + 'static,
    ) -> Result<T, AdminError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, AdminError>> + Send + 'static,
    {
        let act = Act {
            word,
            module: Some(digest_of(bytes.clone()).await?),
            detail: Some(json!({ "sizeBytes": bytes.len() })),
            ..Act::default()
        };
        let gateway = self.clone();
        self.act(by, act, async move {
            let _place = place;
            then(gateway.examine(&bytes).await?).await
        })
        .await
    }

    /// All modules, retired ones too.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn modules(&self) -> Result<Vec<ModuleView>, AdminError> {
        let summaries = self.inner.store.modules().list().await?;
        self.views(summaries).await
    }

    /// The module of that digest.
    ///
    /// # Errors
    /// [`AdminError::Unknown`] or [`AdminError::Store`].
    pub async fn module(&self, digest: &str) -> Result<ModuleView, AdminError> {
        let summary = self.inner.store.modules().summary(digest).await?;
        let mut views = self.views(summary.into_iter().collect()).await?;
        views.pop().ok_or_else(|| AdminError::Unknown {
            what: "module",
            name: digest.to_owned(),
        })
    }

    /// Removes a module's bytes. It stays known by its digest.
    ///
    /// # Errors
    /// [`AdminError::Conflict`] with what still needs it, or as for any act.
    pub async fn retire_module(&self, by: &Acting, digest: &str) -> Result<(), AdminError> {
        let digest = digest.to_owned();
        let act = Act {
            word: "module.retire",
            module: Some(digest.clone()),
            ..Act::default()
        };
        let gateway = self.clone();
        self.act(by, act, async move {
            gateway.inner.store.modules().retire(&digest).await?;
            gateway.sandbox().forget(&digest).await;
            Ok(())
        })
        .await
    }

    /// Removes compiled code that no module of the store needs: of what another gateway retired, and
    /// of what was admitted while the process died.
    pub(super) async fn sweep_code(&self, unused: Duration) -> Result<(), StoreError> {
        let modules = self.inner.store.modules().list().await?.into_iter();
        let kept = modules.filter(|it| it.facts.as_ref().is_none_or(|it| it.retired_at.is_none()));
        let digests = kept.map(|it| it.digest).collect();
        self.sandbox().sweep(digests, unused).await;
        Ok(())
    }

    async fn examine(&self, bytes: &Bytes) -> Result<Examined, AdminError> {
        let rules = self.inner.admission.rules.clone();
        let examined = examine(self.sandbox(), rules, bytes.clone()).await;
        examined.map_err(refused)
    }

    async fn store_module(
        &self,
        examined: Examined,
        bytes: Bytes,
        came_by: String,
    ) -> Result<ModuleView, AdminError> {
        let description = examined.module.description().clone();
        let stored = self.inner.store.modules().put(NewModule {
            adapter: description.name.clone(),
            version: description.version.clone(),
            bytes,
            facts: Some(ModuleFacts {
                description: serde_json::to_string(&description)
                    .map_err(|_| AdminError::Internal)?,
                signed_by: examined.signed_by,
                came_by,
                retired_at: None,
            }),
        });
        let summary = stored.await?;
        // Only now: of what is looked at and refused nothing stays on disk.
        self.sandbox().keep(&examined.module).await;
        let mut views = self.views(vec![summary]).await?;
        views.pop().ok_or(AdminError::Internal)
    }

    async fn views(&self, summaries: Vec<ModuleSummary>) -> Result<Vec<ModuleView>, AdminError> {
        let rows = self.inner.store.registries().list().await?;
        let rows: Vec<_> = rows.into_iter().filter_map(Result::ok).collect();
        let candidates = self.inner.store.candidates().list().await?;
        let views = summaries.into_iter().map(|summary| {
            let told = summary.facts.as_ref();
            let told = told.and_then(|facts| serde_json::from_str(&facts.description).ok());
            let serves = rows
                .iter()
                .filter(|row| row.module_digest == summary.digest);
            let staged: Vec<_> = candidates
                .iter()
                .filter(|candidate| candidate.module_digest == summary.digest)
                .collect();
            ModuleView {
                serves: serves.map(|row| row.name.clone()).collect(),
                in_shadow: staged.iter().any(|it| it.share_percent.is_some()),
                candidate_of: staged.into_iter().map(|it| it.registry.clone()).collect(),
                description: told,
                summary,
            }
        });
        Ok(views.collect())
    }

    fn sandbox(&self) -> &Sandbox {
        self.inner.roster.sandbox()
    }
}

fn refused(findings: Vec<Finding>) -> AdminError {
    AdminError::Refused {
        code: "module-refused",
        detail: "the module is not admitted, and not stored".into(),
        findings,
    }
}

/// Off the event loop: megabytes take milliseconds.
async fn digest_of(bytes: Bytes) -> Result<String, AdminError> {
    tokio::task::spawn_blocking(move || sandbox::digest_of(&bytes))
        .await
        .map_err(|_| AdminError::Internal)
}

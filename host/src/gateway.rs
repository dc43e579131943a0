//! The verbs, without HTTP, SQL or WebAssembly. One lookup is a straight line: who asks, which
//! registry, may they, a durable audit row, a turn, the module, another durable audit row, and
//! what the caller may see of the answer.

mod acting;
mod admission;
mod allowance;
mod audited;
mod caller_acts;
mod callers;
mod check;
mod disclosed;
mod error;
mod fingerprint;
mod guesses;
mod keys;
mod lookups;
mod metrics;
mod modules;
mod page_token;
mod policy;
mod registries;
mod retry;
mod roster;
mod settings;
mod stage;
mod tokens;
mod waiting;
mod watch;
mod watched;

use std::path::Path;
use std::sync::Arc;

pub use acting::{Act, Acting, AdminError, Finding};
pub use admission::{ModuleView, Place as AdmissionPlace};
pub use audited::{Answered, Asking};
pub use caller_acts::KeyWish;
pub use callers::{AddedKey, Caller, CallerError, CallerView, KnownCaller, NewCaller};
pub use check::check;
pub use error::GatewayError;
pub use lookups::{MAX_PAGE_SIZE, PageAnswer};
pub use metrics::Metrics;
pub use registries::{
    AppliedRegistries, ApplyError, Change, Exported, FieldDifference, RegistriesToApply,
    RegistryDifference, What, apply_file,
};
pub use roster::{AdministeredRegistry, Readiness, RegistryState, RegistryView, chain};
pub use settings::check_settings;
pub use stage::NotReady;

// They stand in `GatewayError`: who renders one should not have to know whose they are.
pub use crate::config::registry::Requirement;
pub use crate::sandbox::Fault;
pub use crate::store::{CallerKey, CallerSettings};

use tokio_util::task::TaskTracker;

pub(crate) use crate::sandbox::digest as module_digest;
use admission::Admission;
use allowance::Allowance;
use fingerprint::Fingerprint;
use keys::Keys;
use page_token::PageTokens;
use roster::Roster;
use stage::Stage;
use tokens::Tokens;

use crate::config::admission::AdmissionConfig;
use crate::config::callers::CallersConfig;
use crate::config::secret::Secrets;
use crate::egress::Egress;
use crate::sandbox::Sandbox;
use crate::store::Store;

/// Everything behind the API. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    roster: Roster,
    keys: Keys,
    tokens: Tokens,
    allowance: Allowance,
    fingerprint: Fingerprint,
    page_tokens: PageTokens,
    metrics: Metrics,
    /// The calls under way: each goes on when its caller has hung up.
    tasks: TaskTracker,
    stage: Stage,
    admission: Admission,
}

/// The sections of the configuration that the gateway itself obeys.
#[derive(Clone, Copy)]
pub struct Sections<'a> {
    /// How modules come in.
    pub admission: &'a AdmissionConfig,
    /// Who calls, and how much.
    pub callers: &'a CallersConfig,
}

/// The gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The key of the audit's hashes cannot be read or made.
    #[error("the key file in the data directory cannot be used")]
    Key(#[source] std::io::Error),
    /// There is an audit and no key to it.
    #[error(
        "the key of the audit is gone from the data directory, and nobody could be found in the \
         audit again: restore audit.key from backup"
    )]
    KeyLost,
    /// An issuer of tokens is not configured as it should be.
    #[error("callers.issuers.{name}: {problem}")]
    Issuer {
        /// Its name here.
        name: String,
        /// What is wrong, with the remedy.
        problem: String,
    },
    /// The database does not answer.
    #[error("the configuration cannot be read from the database")]
    Store(#[from] crate::store::StoreError),
}

impl Gateway {
    /// One that answers every call with "starting" until [`load`](Self::load) is done.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn new(
        store: Store,
        sandbox: Sandbox,
        egress: Egress,
        secrets: Secrets,
        data_dir: &Path,
        config: Sections<'_>,
    ) -> Result<Self, StartError> {
        let fingerprint = fingerprint(&store, &data_dir.join("audit.key")).await?;
        let page_tokens = PageTokens::new(fingerprint.derive(b"page tokens"));
        let name_key = fingerprint.derive(b"names of callers");
        let tokens = Tokens::new(config.callers, &egress, name_key)?;
        Ok(Self {
            inner: Arc::new(Inner {
                tokens,
                roster: Roster::new(sandbox, egress, secrets),
                keys: Keys::new(config.callers.failed_keys_per_minute.get()),
                allowance: Allowance::new(config.callers),
                fingerprint,
                page_tokens,
                metrics: Metrics::new(),
                tasks: TaskTracker::new(),
                stage: Stage::default(),
                admission: Admission::new(config.admission),
                store,
            }),
        })
    }

    /// Loads registries and callers, and keeps them as the store has them from then on.
    ///
    /// # Errors
    /// [`StartError`]. A registry that does not load is no error: it is shown with its reason.
    pub async fn load(&self) -> Result<(), StartError> {
        self.reload().await?;
        self.watch();
        self.inner.stage.loaded();
        Ok(())
    }

    /// The process's figures.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }
}

/// The key of the audit. One is made before the first row only: under another key nobody would be
/// found in the rows that are there, and nothing would tell.
async fn fingerprint(store: &Store, path: &Path) -> Result<Fingerprint, StartError> {
    if let Some(known) = Fingerprint::open(path).map_err(StartError::Key)? {
        return Ok(known);
    }
    if !store.audit().recent(1).await?.is_empty() {
        return Err(StartError::KeyLost);
    }
    Fingerprint::make(path).map_err(StartError::Key)
}

#[cfg(test)]
mod tests;

//! The verbs, without HTTP, SQL or WebAssembly. One lookup is a straight line: who asks, which
//! registry, may they, a durable audit row, a turn, the module, another durable audit row, and
//! what the caller may see of the answer.

mod audited;
mod callers;
mod error;
mod fingerprint;
mod lookups;
mod metrics;
mod page_token;
mod policy;
mod registries;
mod roster;
mod watch;

use std::path::Path;
use std::sync::Arc;

pub use audited::{Answered, Asking};
pub use callers::{Caller, CallerError};
pub use error::GatewayError;
pub use lookups::{MAX_PAGE_SIZE, PageAnswer};
pub use metrics::Metrics;
pub use registries::{ApplyError, Change, What, apply_file};
pub use roster::{RegistryState, RegistryView};

// They stand in `GatewayError`: who renders one should not have to know whose they are.
pub use crate::config::registry::Requirement;
pub use crate::sandbox::Fault;

use callers::Callers;
use fingerprint::Fingerprint;
use page_token::PageTokens;
use roster::Roster;

use crate::config::secret::Secrets;
use crate::egress::Egress;
use crate::sandbox::Sandbox;
use crate::store::Store;

/// How long an answer to "ready?" stands.
const READINESS_KEPT: std::time::Duration = std::time::Duration::from_secs(1);

/// Everything behind the API. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    roster: Roster,
    callers: Callers,
    fingerprint: Fingerprint,
    page_tokens: PageTokens,
    metrics: Metrics,
    readiness: tokio::sync::Mutex<Option<(tokio::time::Instant, bool)>>,
}

/// The gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The key of the audit's hashes cannot be read or made.
    #[error("the key file in the data directory cannot be used")]
    Key(#[source] std::io::Error),
    /// The database does not answer.
    #[error("the configuration cannot be read from the database")]
    Store(#[from] crate::store::StoreError),
}

impl Gateway {
    /// Loads registries and callers, and keeps them as the store has them from then on.
    ///
    /// # Errors
    /// [`StartError`]. A registry that does not load is no error: it is shown with its reason.
    pub async fn start(
        store: Store,
        sandbox: Sandbox,
        egress: Egress,
        secrets: Secrets,
        data_dir: &Path,
    ) -> Result<Self, StartError> {
        let fingerprint =
            Fingerprint::open(&data_dir.join("audit.key")).map_err(StartError::Key)?;
        let page_tokens = PageTokens::new(fingerprint.derive(b"page tokens"));
        let gateway = Self {
            inner: Arc::new(Inner {
                roster: Roster::new(sandbox, egress, secrets),
                callers: Callers::default(),
                fingerprint,
                page_tokens,
                metrics: Metrics::new(),
                readiness: tokio::sync::Mutex::default(),
                store,
            }),
        };
        gateway.reload().await?;
        gateway.watch();
        Ok(gateway)
    }

    /// The process's figures.
    pub fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// Whether audit rows can be written: without them no call is answered. The answer is kept
    /// for a second, since anybody may ask.
    pub async fn ready(&self) -> bool {
        let mut known = self.inner.readiness.lock().await;
        match *known {
            Some((at, ready)) if at.elapsed() < READINESS_KEPT => ready,
            _ => {
                let ready = self.inner.store.ready().await.is_ok();
                *known = Some((tokio::time::Instant::now(), ready));
                ready
            }
        }
    }

    /// Ends: what is queued for the database is written.
    pub async fn close(&self) {
        self.inner.store.close().await;
    }
}

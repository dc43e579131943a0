//! The verbs, without HTTP, SQL or WebAssembly. One lookup is a straight line: who asks, which
//! registry, may they, a durable audit row, a turn, the module, another durable audit row, and
//! what the caller may see of the answer.

mod audited;
mod callers;
mod disclosed;
mod error;
mod fingerprint;
mod lookups;
mod metrics;
mod modules;
mod page_token;
mod policy;
mod registries;
mod roster;
mod waiting;
mod watch;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

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

use tokio_util::task::TaskTracker;

use callers::Callers;
use fingerprint::Fingerprint;
use page_token::PageTokens;
use roster::Roster;

use crate::config::secret::Secrets;
use crate::egress::Egress;
use crate::sandbox::Sandbox;
use crate::store::Store;

/// How long an answer to "ready?" stands.
const READINESS_KEPT: Duration = Duration::from_secs(1);

/// How long closing waits for the calls under way: the default limit of a call's time, its turn
/// and the end of its audit row.
const CLOSE_WAIT: Duration = Duration::from_secs(35);

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
    /// The calls under way: each goes on when its caller has hung up.
    tasks: TaskTracker,
    readiness: tokio::sync::Mutex<Option<(tokio::time::Instant, bool)>>,
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
        let fingerprint = fingerprint(&store, &data_dir.join("audit.key")).await?;
        let page_tokens = PageTokens::new(fingerprint.derive(b"page tokens"));
        let gateway = Self {
            inner: Arc::new(Inner {
                roster: Roster::new(sandbox, egress, secrets),
                callers: Callers::default(),
                fingerprint,
                page_tokens,
                metrics: Metrics::new(),
                tasks: TaskTracker::new(),
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

    /// Ends: calls under way go on to the end of their audit row, as far as they do in a bounded
    /// time, and what is queued for the database is written.
    pub async fn close(&self) {
        let tasks = &self.inner.tasks;
        tasks.close();
        if tokio::time::timeout(CLOSE_WAIT, tasks.wait())
            .await
            .is_err()
        {
            let calls = tasks.len();
            tracing::error!(
                calls,
                "calls did not end: their audit rows stay without an end"
            );
        }
        self.inner.store.close().await;
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
mod tests {
    use super::*;
    use crate::config::store::StoreConfig;
    use crate::store::AuditBegin;

    #[tokio::test]
    async fn a_key_is_made_before_the_first_row_only() {
        let directory = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            path: directory.path().join("gateway.db"),
            ..StoreConfig::default()
        };
        let store = Store::open(&config, None).await.unwrap();
        let path = directory.path().join("audit.key");
        let made = fingerprint(&store, &path).await.unwrap();
        let row = AuditBegin {
            id: uuid::Uuid::now_v7(),
            at: jiff::Timestamp::now(),
            request_id: "request".into(),
            caller: "openimis".into(),
            user: None,
            entity: None,
            purpose: None,
            legal_basis: None,
            registry: "social".into(),
            ability: "find".into(),
            module_digest: "sha256:0".into(),
            asked: vec![made.of("national-id", "1")],
        };
        store.audit().begin(row).await.unwrap();
        assert!(fingerprint(&store, &path).await.is_ok());
        std::fs::remove_file(&path).unwrap();
        let lost = fingerprint(&store, &path).await.err().unwrap();
        assert!(matches!(lost, StartError::KeyLost), "{lost}");
        assert!(!path.exists());
        store.close().await;
    }
}

//! Where the gateway is between its start and its end, and whether it can be asked.

use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::metrics::Now;
use super::{Gateway, GatewayError};

/// How long an answer to "ready?" stands.
const READINESS_KEPT: Duration = Duration::from_secs(1);

/// How long the database may take to write what is queued and to close: its own time limits are
/// shorter, so that this is for a disk that does not answer.
const CLOSE_WAIT: Duration = Duration::from_secs(10);

/// The others find out by themselves soon after.
const LEAVE_WAIT: Duration = Duration::from_secs(2);

/// Why no call should be sent here.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotReady {
    /// Modules are being loaded.
    #[error("the gateway is starting: registries are being loaded")]
    Starting,
    /// It takes no more calls soon.
    #[error("the gateway is stopping")]
    Stopping,
    /// Without audit rows no call is answered.
    #[error("the database takes no audit rows")]
    NoAudit,
}

const LOADING: u8 = 0;
const SERVING: u8 = 1;
const STOPPING: u8 = 2;

#[derive(Debug, Default)]
pub(super) struct Phase {
    now: AtomicU8,
    audit: Mutex<Option<(Instant, bool)>>,
}

impl Phase {
    pub(super) fn loaded(&self) {
        // One that is stopping stays so.
        let _ = self.now.compare_exchange(LOADING, SERVING, SeqCst, SeqCst);
    }
}

impl Gateway {
    /// Whether calls can be answered. Whether audit rows can be written is looked at once in a
    /// second, since anybody may ask.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let phase = &self.inner.phase;
        match phase.now.load(SeqCst) {
            LOADING => return Err(NotReady::Starting),
            STOPPING => return Err(NotReady::Stopping),
            _ => {}
        }
        let mut known = phase.audit.lock().await;
        let ready = match *known {
            Some((at, ready)) if at.elapsed() < READINESS_KEPT => ready,
            _ => {
                let ready = self.inner.store.ready().await.is_ok();
                *known = Some((Instant::now(), ready));
                ready
            }
        };
        ready.then_some(()).ok_or(NotReady::NoAudit)
    }

    /// Whether callers and registries are known: until then a key that is right looks wrong.
    pub(super) fn started(&self) -> Result<(), GatewayError> {
        match self.inner.phase.now.load(SeqCst) {
            LOADING => Err(GatewayError::Starting),
            _ => Ok(()),
        }
    }

    /// Whether it ends: what is told without end is told no further.
    pub fn is_stopping(&self) -> bool {
        self.inner.phase.now.load(SeqCst) == STOPPING
    }

    /// From now on it says that it is not ready; calls are still answered.
    pub fn stopping(&self) {
        self.inner.phase.now.store(STOPPING, SeqCst);
    }

    /// Ends: calls under way go on to the end of their audit row until `by`, and what is queued for
    /// the database is written. Gives the number of calls that did not end: their rows stay without
    /// an end.
    pub async fn close(&self, by: Instant) -> usize {
        self.stopping();
        let tasks = &self.inner.tasks;
        tasks.close();
        let left = match tokio::time::timeout_at(by, tasks.wait()).await {
            Ok(()) => 0,
            Err(_) => tasks.len(),
        };
        if left > 0 {
            tracing::error!(
                calls = left,
                "calls did not end in time: their audit rows stay without an end"
            );
        }
        if tokio::time::timeout(LEAVE_WAIT, self.leave())
            .await
            .is_err()
        {
            tracing::warn!("the other nodes were not told that this one stops");
        }
        let closed = tokio::time::timeout(CLOSE_WAIT, async {
            self.seal_at_the_end().await;
            self.inner.store.close().await;
        });
        if closed.await.is_err() {
            tracing::error!("the database did not close in time");
        }
        left
    }

    /// The process's figures as Prometheus scrapes them, with what is so right now.
    pub fn figures(&self) -> String {
        let inner = &self.inner;
        inner.metrics.live().look(&Now {
            sandbox: inner.roster.occupancy(),
            registries: inner.roster.states(),
            behind: inner.roster.behind().len(),
            queued: inner.store.queued(),
            commits: inner.store.audit().commits(),
        });
        inner.metrics.text()
    }
}

//! The one task that writes, of this process. Whatever waits in its queue goes to disk with one sync:
//! the more calls at once, the fewer syncs for each.

mod chain;
mod task;
pub(super) mod transaction;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::agreements::{Answering, Beginning, Deciding};
use super::audit::{AuditBegin, AuditEnd};
use super::audit_acts::AuditAct;
use super::audit_checkpoints::NewCheckpoint;
use super::audit_people::IndexStep;
use super::callers::CallerChange;
use super::db::{Conn, Opener};
use super::error::StoreError;
use super::events::{Aged, Dropping, TakingCallbacks, TakingCursor, Telling};
use super::key_check::KeyCheck;
use super::links::Linking;
use super::lookups::LookupChange;
use super::modules::Module;
use super::nodes::Beating;
use super::open_states::OpenState;
use super::operations::{Resealed, Step, Taking};
use super::quotas::Leasing;
use super::registries::RegistryChange;
use super::sealed::SealedAnew;
use super::webhooks::WebhookStep;
use crate::config::store::StoreConfig;
pub(super) use chain::Chain;
use task::Task;

/// Where the rest of the store hands in its writes.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    queue_wait: Duration,
    commits: Arc<AtomicU64>,
    closing: CancellationToken,
    task: TaskTracker,
}

/// Every write there is.
#[derive(Debug)]
pub(super) enum Work {
    /// Shares its transaction with the other audit rows that wait.
    Audit(AuditRow),
    /// Shares it too, with audit rows of its own. They are written only if the step is done.
    Operation(Step, Vec<AuditRow>),
    /// The same, of what a registry tells.
    Telling(Telling, Vec<AuditRow>),
    /// Has a transaction of its own.
    Change(Change),
}

/// What shares a transaction with others.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) step: Option<Step>,
    pub(super) telling: Option<Telling>,
    pub(super) rows: Vec<AuditRow>,
}

/// A row of the audit, of whichever table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AuditRow {
    /// Who is about to ask what about whom.
    Begin(Box<AuditBegin>),
    /// What came of it.
    End(Box<AuditEnd>),
    /// One of the two rows of an act of administration.
    Act(Box<AuditAct>),
}

#[derive(Debug)]
pub(super) enum Change {
    PutModule(Box<Module>),
    /// Whose act it is, too.
    Registries(Vec<RegistryChange>, String),
    OpenState(Box<OpenState>),
    RetireModule(String),
    /// By which reference, and its digest.
    PulledModule(String, String),
    RegistriesOf {
        state: String,
        by: String,
        changes: Vec<RegistryChange>,
    },
    Caller(Box<CallerChange>),
    Checkpoint(Box<NewCheckpoint>),
    KeepKeyCheck(KeyCheck),
    Beat(Box<Beating>),
    Leave {
        id: Uuid,
        run: Uuid,
    },
    ForgetNodes(Duration),
    BeginAgreement(Box<Beginning>),
    AnswerAgreement(Box<Answering>),
    DecideAgreement(Box<Deciding>),
    TakeQuota(Box<Leasing>),
    GiveBackQuota {
        name: String,
        day: Date,
        count: u64,
    },
    ForgetQuotas(Duration),
    /// Of what was over before then.
    PurgeOperations(Timestamp),
    ResealOperations(Vec<Resealed>),
    Reseal(Vec<SealedAnew>),
    TakeOperations(Box<Taking>),
    Lookup(Box<LookupChange>),
    Link(Box<Linking>),
    Unlink {
        id: Uuid,
        why: String,
        by: String,
    },
    TakeCallbacks(Box<TakingCallbacks>),
    TakeEventCursor(Box<TakingCursor>),
    /// What a holder had taken up before it died.
    FreeLeases(String, Duration),
    SequenceEvents,
    SweepEvents(Aged, Timestamp),
    DropCallbacks(Box<Dropping>),
    Webhook(Box<WebhookStep>),
    IndexPeople(Box<IndexStep>),
    PruneAudit,
    /// None: only whether one could be made.
    Check,
    /// Lets the connection's file grow by no more than a few pages.
    #[cfg(test)]
    FillTheDisk,
}

impl From<AuditRow> for Shared {
    fn from(row: AuditRow) -> Self {
        Self {
            step: None,
            telling: None,
            rows: vec![row],
        }
    }
}

impl AuditRow {
    /// The id of its call or act.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Begin(row) => row.id,
            Self::End(row) => row.id,
            Self::Act(row) => row.id,
        }
    }

    pub(super) fn begin(&self) -> Option<&AuditBegin> {
        match self {
            Self::Begin(row) => Some(row),
            Self::End(_) | Self::Act(_) => None,
        }
    }

    pub(super) fn end(&self) -> Option<&AuditEnd> {
        match self {
            Self::End(row) => Some(row),
            Self::Begin(_) | Self::Act(_) => None,
        }
    }

    pub(super) fn act(&self) -> Option<&AuditAct> {
        match self {
            Self::Act(row) => Some(row),
            Self::Begin(_) | Self::End(_) => None,
        }
    }
}

impl Writer {
    pub(super) fn start(conn: Conn, opener: Opener, config: &StoreConfig) -> Self {
        let queue_rows = usize::try_from(config.queue_rows.get()).unwrap_or(usize::MAX);
        let batch_rows = usize::try_from(config.batch_rows.get()).unwrap_or(usize::MAX);
        let (queue, jobs) = mpsc::channel(queue_rows);
        let writer = Self {
            queue,
            queue_wait: Duration::from_millis(config.queue_wait_ms.into()),
            commits: Arc::default(),
            closing: CancellationToken::new(),
            task: TaskTracker::new(),
        };
        let task = Task::new(jobs, batch_rows, conn, opener, Arc::clone(&writer.commits));
        writer.task.spawn(task.run(writer.closing.clone()));
        writer.task.close();
        writer
    }

    /// Nobody writes: for a store that is only looked at.
    pub(super) fn none() -> Self {
        let (queue, _) = mpsc::channel(1);
        let writer = Self {
            queue,
            queue_wait: Duration::ZERO,
            commits: Arc::default(),
            closing: CancellationToken::new(),
            task: TaskTracker::new(),
        };
        writer.task.close();
        writer
    }

    /// Returns once the work is durable. What the number means belongs to the work. A caller that
    /// stops waiting does not withdraw its work.
    pub(super) async fn write(&self, work: Work) -> Result<i64, StoreError> {
        let (reply, answer) = oneshot::channel();
        let place = tokio::time::timeout(self.queue_wait, self.queue.reserve())
            .await
            .map_err(|_| StoreError::Busy)?
            .map_err(|_| StoreError::Closed)?;
        place.send(Job { work, reply });
        // The task answers every job; it falls silent only when its runtime is torn down.
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.task.wait().await;
    }
}

#[derive(Debug)]
struct Job {
    work: Work,
    reply: oneshot::Sender<Result<i64, StoreError>>,
}

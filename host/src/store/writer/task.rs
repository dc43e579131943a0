use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Chain, Change, Job, Shared, Work, transaction};
use crate::store::db::{Conn, Opener};
use crate::store::error::StoreError;

type Reply = oneshot::Sender<Result<i64, StoreError>>;

/// The writing end: owns the connection and takes what waits in the queue.
pub(super) struct Task {
    jobs: mpsc::Receiver<Job>,
    batch_rows: usize,
    opener: Opener,
    /// Absent after a failure: the next write starts afresh.
    conn: Option<Conn>,
    /// Where that connection's audit rows go on.
    chain: Chain,
    /// Whether the last write went well.
    healthy: bool,
    commits: Arc<AtomicU64>,
}

impl Task {
    pub(super) fn new(
        jobs: mpsc::Receiver<Job>,
        batch_rows: usize,
        conn: Conn,
        opener: Opener,
        commits: Arc<AtomicU64>,
    ) -> Self {
        Self {
            jobs,
            batch_rows,
            opener,
            conn: Some(conn),
            chain: Chain::default(),
            healthy: true,
            commits,
        }
    }

    /// Until the store is closed or all its handles are gone, and the queue is empty.
    pub(super) async fn run(mut self, closing: CancellationToken) {
        let mut waiting = Vec::new();
        loop {
            let taken = tokio::select! {
                biased;
                () = closing.cancelled() => {
                    // Refuses what is new; what is in the queue is still written.
                    self.jobs.close();
                    self.what_is_here(&mut waiting)
                }
                taken = self.jobs.recv_many(&mut waiting, self.batch_rows) => taken,
            };
            if taken == 0 {
                break;
            }
            self.work_off(std::mem::take(&mut waiting)).await;
        }
        if let Some(conn) = self.conn.take() {
            conn.close().await;
        }
    }

    /// Without waiting: a caller may have been given a place in the queue and not go on, because it
    /// is itself what waits for the end.
    fn what_is_here(&mut self, waiting: &mut Vec<Job>) -> usize {
        while waiting.len() < self.batch_rows
            && let Ok(job) = self.jobs.try_recv()
        {
            waiting.push(job);
        }
        waiting.len()
    }

    /// What shares a transaction together, each change by itself, in the order in which they came.
    async fn work_off(&mut self, jobs: Vec<Job>) {
        let mut shared = Vec::new();
        let mut replies = Vec::new();
        let mut jobs = jobs.into_iter().peekable();
        while let Some(Job { work, reply }) = jobs.next() {
            let one = match work {
                Work::Change(change) => {
                    let failure = self.change(change, reply).await;
                    if self.has_failed(failure, &mut jobs) {
                        return;
                    }
                    continue;
                }
                Work::Audit(row) => Shared::from(row),
                Work::Operation(step, rows) => Shared {
                    step: Some(step),
                    telling: None,
                    rows,
                },
                Work::Telling(telling, rows) => Shared {
                    step: None,
                    telling: Some(telling),
                    rows,
                },
            };
            shared.push(one);
            replies.push(reply);
            let next = jobs.peek().map(|job| &job.work);
            if matches!(
                next,
                Some(Work::Audit(_) | Work::Operation(..) | Work::Telling(..))
            ) {
                continue;
            }
            let failure = self.together(&shared, replies.drain(..)).await;
            shared.clear();
            if self.has_failed(failure, &mut jobs) {
                return;
            }
        }
    }

    /// Whether the database failed: then all who wait hear of it now. Each trying the lock in turn
    /// would add up the timeouts.
    fn has_failed(
        &mut self,
        failure: Option<StoreError>,
        waiting: &mut impl Iterator<Item = Job>,
    ) -> bool {
        self.healthy = failure.is_none();
        if let Some(error) = &failure {
            waiting.for_each(|job| answer(job.reply, Err(error.clone())));
            self.fail_queue(error);
        }
        failure.is_some()
    }

    /// Returns the database's failure, if it failed.
    async fn together(
        &mut self,
        shared: &[Shared],
        replies: impl Iterator<Item = Reply>,
    ) -> Option<StoreError> {
        let done = match self.begin().await {
            Ok((conn, chain)) => transaction::shared(conn, chain, shared).await,
            Err(error) => Err(error),
        };
        match self.drop_failed(done).await {
            Ok(results) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                for (reply, result) in replies.zip(results) {
                    answer(reply, result);
                }
                None
            }
            Err(error) => {
                replies.for_each(|reply| answer(reply, Err(error.clone())));
                Some(error)
            }
        }
    }

    /// Returns the database's failure, if it failed.
    async fn change(&mut self, change: Change, reply: Reply) -> Option<StoreError> {
        let healthy = self.healthy;
        let done = match self.begin().await {
            Ok((conn, _)) => transaction::change(conn, change, healthy).await,
            Err(error) => Err(error),
        };
        let done = self.drop_failed(done).await;
        let failure = done
            .as_ref()
            .err()
            .filter(|error| error.is_of_the_database())
            .cloned();
        answer(reply, done);
        failure
    }

    /// A connection within a transaction.
    async fn begin(&mut self) -> Result<(&mut Conn, &mut Chain), StoreError> {
        if let Some(mut conn) = self.conn.take() {
            match conn.begin().await {
                Ok(()) => return Ok((self.conn.insert(conn), &mut self.chain)),
                // The server went away while nothing was written: nothing had begun that another
                // connection would do twice.
                Err(StoreError::Unavailable(cause)) => {
                    tracing::warn!(error = %cause, "connecting to the database anew");
                    conn.close().await;
                }
                Err(error) => {
                    self.conn = Some(conn);
                    return Err(error);
                }
            }
        }
        // The last transaction may have been committed without our hearing of it: what the database
        // has of the chain is what counts.
        self.chain = Chain::default();
        let mut conn = self.opener.connect().await?;
        conn.begin().await?;
        Ok((self.conn.insert(conn), &mut self.chain))
    }

    /// After a failed write or sync what a connection believes of its file is not to be trusted.
    async fn drop_failed<T>(&mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Unavailable(cause)) = &done {
            tracing::error!(error = %cause, "the database failed");
            if let Some(conn) = self.conn.take() {
                conn.close().await;
            }
        }
        done
    }

    fn fail_queue(&mut self, error: &StoreError) {
        // Only those here now: who comes later gets a try of their own.
        for _ in 0..self.jobs.len() {
            if let Ok(job) = self.jobs.try_recv() {
                answer(job.reply, Err(error.clone()));
            }
        }
    }
}

fn answer(reply: Reply, result: Result<i64, StoreError>) {
    // A caller that stopped waiting is no concern of the writer.
    drop(reply.send(result));
}

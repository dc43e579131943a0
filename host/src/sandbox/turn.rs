//! Where a guest's call runs. It starts on the tokio worker, where a lookup costs no thread
//! switch; once it overruns its first slice of processor time it computes on a thread of the lowest
//! priority for the rest of the call. A guest that only yielded on tokio would keep the run queue
//! full, and every 61st task is too rarely to look at the network.
//!
//! Such a thread is held only while the guest computes. While it waits for the registry the call
//! is back on tokio: sixteen slow lookups of a slow language must not stop the seventeenth.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;

use super::progress::{Charged, Progress};

/// Where the system has no threads that run when nobody else wants to: as nice as can be.
const NICENESS: i32 = 19;
/// An idle busy thread ends after so long.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The bounded set of threads for busy guests.
pub(super) struct BusyThreads {
    /// Only its blocking pool is used. None after drop has taken it.
    runtime: Option<Runtime>,
    in_use: Arc<AtomicUsize>,
}

impl BusyThreads {
    pub(super) fn new(threads: usize) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(threads.max(1))
            .thread_keep_alive(KEEP_ALIVE)
            .thread_name("busy-adapter")
            .on_thread_start(|| {
                if yield_to_all().is_err() {
                    tracing::warn!("a thread for busy adapters has normal priority");
                }
            })
            .build()?;
        Ok(Self {
            runtime: Some(runtime),
            in_use: Arc::default(),
        })
    }

    /// Threads that compute at this moment.
    pub(super) fn in_use(&self) -> usize {
        self.in_use.load(Relaxed)
    }

    /// Runs the call to its end. Dropped earlier, the call stops: waiting at once, computing at
    /// the next tick.
    pub(super) async fn run<F>(&self, call: F, progress: Arc<Progress>) -> Option<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut call = Charged {
            inner: Box::pin(call),
            progress: progress.clone(),
        };
        let done = std::future::poll_fn(|context| match Pin::new(&mut call).poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if progress.overran() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await;
        match done {
            Some(output) => Some(output),
            None => self.go_on_apart(call, progress).await,
        }
    }

    async fn go_on_apart<F>(
        &self,
        mut call: Charged<F>,
        progress: Arc<Progress>,
    ) -> Option<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let runtime = self.runtime.as_ref()?;
        let _cancel = CancelOnDrop(progress.clone());
        let woken = Arc::new(Woken(Notify::new()));
        let waker = Waker::from(woken.clone());
        loop {
            // The guest's timers and connections belong to the gateway's runtime, wherever it
            // computes.
            let (home, waker, progress) = (Handle::current(), waker.clone(), progress.clone());
            // So do its log lines belong to its request.
            let (in_use, line) = (self.in_use.clone(), tracing::Span::current());
            let slice = runtime.spawn_blocking(move || {
                let _in_use = InUse::begin(in_use);
                if progress.cancelled() {
                    return None;
                }
                let _home = home.enter();
                let _line = line.enter();
                match Pin::new(&mut call).poll(&mut Context::from_waker(&waker)) {
                    Poll::Ready(output) => Some(Ok(output)),
                    Poll::Pending => Some(Err(call)),
                }
            });
            match slice.await.ok()?? {
                Ok(output) => return Some(output),
                Err(waits) => call = waits,
            }
            woken.0.notified().await;
        }
    }
}

/// Lets this thread run where nobody else wants to. A nice thread runs its slice of milliseconds to the
/// end even when the gateway wakes up, and a lookup wakes it ten times; an idle one is stopped at once.
/// Neither needs a privilege.
pub(super) fn yield_to_all() -> std::io::Result<()> {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    if set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle).is_ok() {
        return Ok(());
    }
    // Linux takes 0 for the calling thread.
    Ok(rustix::process::setpriority_process(None, NICENESS)?)
}

impl Drop for BusyThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for guests here would hang whoever drops the sandbox.
            runtime.shutdown_background();
        }
    }
}

/// What the guest waits for has come. One that comes early is kept until it is looked at.
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.notify_one();
    }
}

/// Counts a thread for as long as it computes, also where the guest's thread panics.
struct InUse(Arc<AtomicUsize>);

impl InUse {
    fn begin(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Stops a call that computes. One that waits is dropped with the future that holds it.
struct CancelOnDrop(Arc<Progress>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Pending once: hands the thread back so that the call can be moved.
#[derive(Default)]
pub(super) struct LetGo {
    done: bool,
}

impl Future for LetGo {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.done, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

//! Counts a call's processor time, apart from the time it waits and from the gateway's own work.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A call's first slice: what it may compute before it leaves the tokio worker for a thread of its
/// own. Lookups in compiled languages need a twentieth of it.
pub(super) const FIRST_SLICE: Duration = Duration::from_millis(1);

/// One call's account. Written by the thread that runs the call, read by whoever waits for it.
#[derive(Debug)]
pub(super) struct Progress {
    budget: u64,
    /// Of the polls that are over, in nanoseconds.
    used: AtomicU64,
    /// Thread time when the running poll began.
    began: AtomicU64,
    /// As the last tick saw it: a call that is cut short while it computes ends no poll.
    seen: AtomicU64,
    /// Thread time within polls that was the gateway's own.
    excluded: AtomicU64,
    overran: AtomicBool,
    cancelled: AtomicBool,
    budget_spent: AtomicBool,
}

impl Progress {
    pub(super) fn new(budget: Duration) -> Arc<Self> {
        Arc::new(Self {
            budget: nanos(budget),
            used: AtomicU64::new(0),
            began: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            excluded: AtomicU64::new(0),
            overran: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            budget_spent: AtomicBool::new(false),
        })
    }

    /// Guest time up to the last poll's end or tick.
    pub(super) fn used(&self) -> Duration {
        let all = self.used.load(Relaxed).max(self.seen.load(Relaxed));
        Duration::from_nanos(all.saturating_sub(self.excluded.load(Relaxed)))
    }

    /// What the epoch's tick decides. Called on the thread that runs the guest.
    pub(super) fn tick(&self) -> Tick {
        if self.cancelled.load(Relaxed) {
            return Tick::Stop;
        }
        let running = thread_time().saturating_sub(self.began.load(Relaxed));
        let all = self.used.load(Relaxed) + running;
        self.seen.store(all, Relaxed);
        let guest = all.saturating_sub(self.excluded.load(Relaxed));
        if guest > self.budget {
            self.budget_spent.store(true, Relaxed);
            return Tick::Stop;
        }
        if guest > nanos(FIRST_SLICE) && !self.overran.swap(true, Relaxed) {
            return Tick::Move;
        }
        Tick::GoOn
    }

    /// The guest used up its first slice and has to leave the tokio worker.
    pub(super) fn overran(&self) -> bool {
        self.overran.load(Relaxed)
    }

    /// Whether the guest was stopped for its budget, not for a cancelled call.
    pub(super) fn budget_spent(&self) -> bool {
        self.budget_spent.load(Relaxed)
    }

    /// Nobody waits for the call any more.
    pub(super) fn cancelled(&self) -> bool {
        self.cancelled.load(Relaxed)
    }

    /// Nobody waits for the call any more: it stops at the next tick.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Relaxed);
    }
}

/// What becomes of a guest at a tick.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tick {
    GoOn,
    Move,
    Stop,
}

/// Polls a guest's call and books the time.
pub(super) struct Charged<F> {
    pub(super) inner: Pin<Box<F>>,
    pub(super) progress: Arc<Progress>,
}

impl<F: Future> Future for Charged<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = thread_time();
        self.progress.began.store(began, Relaxed);
        let polled = self.inner.as_mut().poll(context);
        let spent = thread_time().saturating_sub(began);
        self.progress.used.fetch_add(spent, Relaxed);
        // Between polls nothing runs: a tick that comes first in the next poll starts from zero.
        self.progress.began.store(thread_time(), Relaxed);
        polled
    }
}

/// Polls the gateway's own work inside a guest's call (a request to the registry, with its
/// encryption) and takes the time off the guest's account.
pub(super) struct Excluded<F> {
    pub(super) inner: Pin<Box<F>>,
    pub(super) progress: Arc<Progress>,
}

impl<F: Future> Future for Excluded<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = thread_time();
        let polled = self.inner.as_mut().poll(context);
        let spent = thread_time().saturating_sub(began);
        self.progress.excluded.fetch_add(spent, Relaxed);
        polled
    }
}

/// This thread's processor time in nanoseconds.
fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burn(time: Duration) {
        let began = thread_time();
        while thread_time() - began < nanos(time) {
            std::hint::spin_loop();
        }
    }

    fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
        let mut future = Box::pin(future);
        future
            .as_mut()
            .poll(&mut Context::from_waker(std::task::Waker::noop()))
    }

    #[test]
    fn the_gateways_own_work_is_not_charged() {
        let progress = Progress::new(Duration::from_secs(1));
        let own = Excluded {
            inner: Box::pin(async { burn(Duration::from_millis(20)) }),
            progress: progress.clone(),
        };
        let call = Charged {
            inner: Box::pin(async {
                burn(Duration::from_millis(2));
                own.await;
            }),
            progress: progress.clone(),
        };
        assert!(poll_once(call).is_ready());
        assert!(progress.used() >= Duration::from_millis(2));
        assert!(progress.used() < Duration::from_millis(20));
    }

    #[test]
    fn a_guest_is_moved_once_then_stopped_at_its_budget() {
        let progress = Progress::new(Duration::from_millis(10));
        let call = Charged {
            inner: Box::pin(async {
                assert_eq!(progress.tick(), Tick::GoOn);
                burn(Duration::from_millis(2));
                assert_eq!(progress.tick(), Tick::Move);
                assert_eq!(progress.tick(), Tick::GoOn);
                burn(Duration::from_millis(10));
                assert_eq!(progress.tick(), Tick::Stop);
            }),
            progress: progress.clone(),
        };
        assert!(poll_once(call).is_ready());
        assert!(progress.budget_spent());
    }

    #[test]
    fn a_cancelled_call_stops_without_blame() {
        let progress = Progress::new(Duration::from_secs(1));
        progress.cancel();
        assert_eq!(progress.tick(), Tick::Stop);
        assert!(!progress.budget_spent());
    }
}

//! Requests per second, evenly spaced, first come, first served: of all gateways of a database
//! together, each of which has a share.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::{Instant, sleep, timeout_at};

use crate::egress::cluster::{Share, WHOLE};

/// A gateway without a share looks again so often whether it has one.
const NO_SHARE: Duration = Duration::from_millis(50);
/// When to come again where it has none for longer.
const NO_SHARE_AGAIN: Duration = Duration::from_secs(1);
/// Whoever waits looks again so often whether the share has changed.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// A rate that gateways share.
pub struct Rate {
    per_second: f64,
    burst: u32,
    share: Arc<Share>,
    /// As the share was when somebody last looked.
    now: Mutex<Option<Arc<Shared>>>,
    ticks: Ticks,
    /// Held by the first of those that wait. It is fair: they go in the order that they came in.
    line: tokio::sync::Mutex<()>,
    waiting: AtomicU32,
}

/// The rate of one share.
struct Shared {
    share: u32,
    limiter: RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Duration>>,
    /// Between two requests.
    every: Duration,
}

/// tokio's clock, which tests can turn.
#[derive(Clone, Copy)]
struct Ticks {
    since: Instant,
}

/// A place in the line, given up when it is dropped.
struct Place<'a> {
    waiting: &'a AtomicU32,
    ahead: u32,
}

impl Rate {
    /// `per_second` is within the limits of [`check`](crate::config::traffic::TrafficConfig::check).
    pub fn new(per_second: f64, burst: u32, share: Arc<Share>) -> Self {
        Self {
            per_second,
            burst,
            share,
            now: Mutex::default(),
            ticks: Ticks {
                since: Instant::now(),
            },
            line: tokio::sync::Mutex::default(),
            waiting: AtomicU32::new(0),
        }
    }

    /// One now, without waiting, or how long it takes.
    ///
    /// # Errors
    /// It comes later than now.
    pub fn at_once(&self) -> Result<(), Duration> {
        let shared = self.shared().ok_or(NO_SHARE_AGAIN)?;
        let checked = shared.limiter.check();
        checked.map_err(|refused| refused.wait_time_from(self.ticks.now()))
    }

    /// Waits for the turn of one request, at most until `by`. Where it would come later, says so at
    /// once: how long it takes.
    pub(super) async fn turn(&self, by: Instant) -> Result<(), Duration> {
        let shared = self.shared();
        let free = |shared: &Arc<Shared>| shared.limiter.check().is_ok();
        if self.waiting.load(Relaxed) == 0 && shared.as_ref().is_some_and(free) {
            return Ok(());
        }
        let place = Place::behind(&self.waiting);
        let every = shared.map_or(NO_SHARE, |shared| shared.every);
        // The first of those ahead may be about to go.
        let at_least = every * place.ahead;
        if Instant::now() + at_least > by {
            return Err(at_least);
        }
        let in_line = async {
            let _first = self.line.lock().await;
            loop {
                let Some(shared) = self.shared() else {
                    sleep(NO_SHARE).await;
                    continue;
                };
                let Err(refused) = shared.limiter.check() else {
                    return Ok(());
                };
                let wait = refused.wait_time_from(self.ticks.now());
                if Instant::now() + wait > by {
                    return Err(wait);
                }
                sleep(wait.min(LOOK_AGAIN)).await;
            }
        };
        let none = || Err(every.max(NO_SHARE_AGAIN.min(every * 20)));
        timeout_at(by, in_line).await.unwrap_or_else(|_| none())
    }

    /// The rate by the share that this gateway has now. None: it has none.
    fn shared(&self) -> Option<Arc<Shared>> {
        let share = self.share.now();
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = now.as_ref().filter(|shared| shared.share == share) {
            return Some(Arc::clone(shared));
        }
        if share == 0 {
            return None;
        }
        let shared = Shared::new(self.per_second, self.burst, share, self.ticks);
        if now.is_some() {
            // A changed share is no pause: the burst was there before.
            let burst = NonZeroU32::new(shared.burst(self.burst)).unwrap_or(NonZeroU32::MIN);
            let _ = shared.limiter.check_n(burst);
        }
        Some(Arc::clone(now.insert(Arc::new(shared))))
    }
}

impl Shared {
    fn new(per_second: f64, burst: u32, share: u32, ticks: Ticks) -> Self {
        let part = f64::from(share) / f64::from(WHOLE);
        // Neither falls back: the configuration was checked.
        let every = Duration::try_from_secs_f64(1.0 / (per_second * part));
        let every = every.unwrap_or(Duration::from_secs(1));
        let every = every.max(Duration::from_nanos(1));
        let one = Quota::per_second(NonZeroU32::MIN);
        let quota = Quota::with_period(every).unwrap_or(one);
        let burst = NonZeroU32::new(of_share(burst, share)).unwrap_or(NonZeroU32::MIN);
        Self {
            share,
            limiter: RateLimiter::direct_with_clock(quota.allow_burst(burst), ticks),
            every,
        }
    }

    fn burst(&self, whole: u32) -> u32 {
        of_share(whole, self.share)
    }
}

/// At least one: less than a request is none.
fn of_share(burst: u32, share: u32) -> u32 {
    let part = u64::from(burst) * u64::from(share) / u64::from(WHOLE);
    u32::try_from(part).unwrap_or(burst).max(1)
}
impl Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.since.elapsed()
    }
}

impl<'a> Place<'a> {
    fn behind(waiting: &'a AtomicU32) -> Self {
        let ahead = waiting.fetch_add(1, Relaxed);
        Self { waiting, ahead }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;

//! Requests per second, evenly spaced, first come, first served.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout_at};

pub(super) struct Rate {
    limiter: RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Duration>>,
    ticks: Ticks,
    /// Between two requests.
    every: Duration,
    /// Held by the first of those that wait. It is fair: they go in the order that they came in.
    line: Mutex<()>,
    waiting: AtomicU32,
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
    pub(super) fn new(per_second: f64, burst: u32) -> Self {
        // Neither falls back: the configuration was checked.
        let every = Duration::try_from_secs_f64(1.0 / per_second).unwrap_or(Duration::from_secs(1));
        let every = every.max(Duration::from_nanos(1));
        let one = Quota::per_second(NonZeroU32::MIN);
        let quota = Quota::with_period(every).unwrap_or(one);
        let ticks = Ticks {
            since: Instant::now(),
        };
        Self {
            limiter: RateLimiter::direct_with_clock(
                quota.allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN)),
                ticks,
            ),
            ticks,
            every,
            line: Mutex::default(),
            waiting: AtomicU32::new(0),
        }
    }

    /// Waits for the turn of one request, at most until `by`. Where it would come later, says so at
    /// once: how long it takes.
    pub(super) async fn turn(&self, by: Instant) -> Result<(), Duration> {
        if self.waiting.load(Relaxed) == 0 && self.limiter.check().is_ok() {
            return Ok(());
        }
        let place = Place::behind(&self.waiting);
        // The first of those ahead may be about to go.
        let at_least = self.every * place.ahead;
        if Instant::now() + at_least > by {
            return Err(at_least);
        }
        let in_line = async {
            let _first = self.line.lock().await;
            loop {
                let Err(refused) = self.limiter.check() else {
                    return Ok(());
                };
                let wait = refused.wait_time_from(self.ticks.now());
                if Instant::now() + wait > by {
                    return Err(wait);
                }
                sleep(wait).await;
            }
        };
        timeout_at(by, in_line).await.unwrap_or(Err(self.every))
    }
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

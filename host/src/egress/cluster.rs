//! What an endpoint's owner counts, whichever gateway asks: all that share a database are one.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::time::Instant;

/// The whole of a rate, in the millionths that gateways share it by.
pub(super) const WHOLE: u32 = 1_000_000;

/// Counts what all gateways use of a day together.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Takes some of what is left of today. None: that cannot be told now.
    async fn take(&self, name: &str, zone: &TimeZone, limit: u64) -> Option<Granted>;

    /// Gives back what was taken on that day and not used.
    async fn give_back(&self, name: &str, day: Date, count: u64);
}

/// What may be used.
#[derive(Clone, Debug)]
pub struct Granted {
    /// So many; none: there are none left today.
    pub count: u64,
    /// On this day.
    pub day: Date,
    /// So long, from when it was asked for.
    pub for_: Duration,
}

/// The part of each rate that this gateway may use. It ends by itself: who is not seen by the others
/// any more has none, before they take it.
#[derive(Debug)]
pub struct Share {
    now: Mutex<(u32, Option<Instant>)>,
}

impl Share {
    /// All of it, for ever: there is nobody else.
    pub fn whole() -> Self {
        Self {
            now: Mutex::new((WHOLE, None)),
        }
    }

    /// So many millionths, until then.
    pub fn set(&self, millionths: u32, until: Instant) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = (millionths, Some(until));
    }

    /// In millionths.
    pub fn now(&self) -> u32 {
        match *self.now.lock().unwrap_or_else(PoisonError::into_inner) {
            (_, Some(until)) if Instant::now() >= until => 0,
            (share, _) => share,
        }
    }
}

impl Default for Share {
    fn default() -> Self {
        Self::whole()
    }
}

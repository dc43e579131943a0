//! What an endpoint's owner counts, whichever gateway asks: all that share a database are one.

use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::tz::TimeZone;

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

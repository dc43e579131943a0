//! How writes are delivered.

use std::num::{NonZeroU32, NonZeroU64};

use serde::Deserialize;

/// The section `[operations]`: how many writes are under way at the same time, and for how long one is
/// tried.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OperationsConfig {
    /// Attempts of this gateway at the same time.
    pub at_once: NonZeroU32,
    /// Of those at one registry: one that is slow leaves room for the others.
    pub at_once_per_registry: NonZeroU32,
    /// Before the second attempt, in milliseconds. It doubles with each further one.
    pub first_wait_ms: NonZeroU64,
    /// The longest wait before an attempt, in milliseconds, unless the registry asks for a longer one.
    pub max_wait_ms: NonZeroU64,
    /// For how many days it is kept what was asked and answered, once that is over. Where it stood and
    /// when stays.
    pub keep_bodies_days: NonZeroU32,
    /// For how many days a write is tried where its caller gives no deadline.
    pub give_up_days: NonZeroU32,
}

const fn or_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

const fn or_one_ms(number: u64) -> NonZeroU64 {
    match NonZeroU64::new(number) {
        Some(number) => number,
        None => NonZeroU64::MIN,
    }
}

impl Default for OperationsConfig {
    fn default() -> Self {
        Self {
            at_once: or_one(32),
            at_once_per_registry: or_one(4),
            first_wait_ms: or_one_ms(1_000),
            max_wait_ms: or_one_ms(600_000),
            keep_bodies_days: or_one(30),
            give_up_days: or_one(30),
        }
    }
}

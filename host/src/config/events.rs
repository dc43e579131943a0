//! Life events: how much of what registries call back with is taken, and how long it is kept.

use std::num::{NonZeroU32, NonZeroU64};

use serde::{Deserialize, Serialize};

/// The section `[events]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventsConfig {
    /// The largest callback. It is stored before its sender is verified.
    pub max_callback_bytes: NonZeroU32,
    /// Callbacks of one registry per second, on average, on this node.
    pub callbacks_per_second: NonZeroU32,
    /// Of them at once, after a pause.
    pub callback_burst: NonZeroU32,
    /// Callbacks that are under way at the same time on this node: their bodies are in memory.
    pub callbacks_at_once: NonZeroU32,
    /// The same, of one registry.
    pub callbacks_at_once_per_registry: NonZeroU32,
    /// Callbacks of one registry that are kept and not read.
    pub max_unread_callbacks: NonZeroU32,
    /// The same, in bytes.
    pub max_unread_bytes: NonZeroU64,
    /// Bytes that are kept of what one registry called back with, read or not, and of answers in it.
    pub max_kept_bytes: NonZeroU64,
    /// How long a callback is kept that was read, in milliseconds.
    pub callback_retention_ms: u64,
    /// How long a callback is kept that could not be read, in milliseconds.
    pub unread_retention_ms: u64,
    /// How long an event can be read, in milliseconds. It is known for ever.
    pub event_retention_ms: u64,
    /// How long an answer waits for whoever waits for it, in milliseconds.
    pub answer_retention_ms: u64,
    /// Readings that wait for the next event, on this node.
    pub max_waiting_reads: u32,
}

/// What a registry tells by itself.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryEvents {
    /// How often it is asked for what changed, in milliseconds. Left out: it only calls back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_ms: Option<NonZeroU32>,
}

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl EventsConfig {
    /// 1 MiB: a household with pictures by reference.
    pub const MAX_CALLBACK_BYTES: NonZeroU32 = at_least_one(1 << 20);
    /// More than a country has births and deaths.
    pub const CALLBACKS_PER_SECOND: NonZeroU32 = at_least_one(50);
    /// What piled up in a registry that was offline.
    pub const CALLBACK_BURST: NonZeroU32 = at_least_one(500);
    /// 64 MiB of bodies of the largest size.
    pub const CALLBACKS_AT_ONCE: NonZeroU32 = at_least_one(64);
    /// One registry leaves room for three others.
    pub const CALLBACKS_AT_ONCE_PER_REGISTRY: NonZeroU32 = at_least_one(16);
    /// A day of a broken adapter.
    pub const MAX_UNREAD_CALLBACKS: NonZeroU32 = at_least_one(10_000);
    /// 256 MiB.
    pub const MAX_UNREAD_BYTES: NonZeroU64 = match NonZeroU64::new(256 << 20) {
        Some(bytes) => bytes,
        None => NonZeroU64::MIN,
    };
    /// 1 GiB: a week of a large country.
    pub const MAX_KEPT_BYTES: NonZeroU64 = match NonZeroU64::new(1 << 30) {
        Some(bytes) => bytes,
        None => NonZeroU64::MIN,
    };
    /// A week: somebody asks what came.
    pub const CALLBACK_RETENTION_MS: u64 = 7 * DAY_MS;
    /// 30 days: an adapter is mended.
    pub const UNREAD_RETENTION_MS: u64 = 30 * DAY_MS;
    /// 90 days: a reader that was away for a quarter.
    pub const EVENT_RETENTION_MS: u64 = 90 * DAY_MS;
    /// A day.
    pub const ANSWER_RETENTION_MS: u64 = DAY_MS;
    /// Each is a connection.
    pub const MAX_WAITING_READS: u32 = 200;
}

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

impl RegistryEvents {
    /// Whether nothing is said.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self {
            max_callback_bytes: Self::MAX_CALLBACK_BYTES,
            callbacks_per_second: Self::CALLBACKS_PER_SECOND,
            callback_burst: Self::CALLBACK_BURST,
            callbacks_at_once: Self::CALLBACKS_AT_ONCE,
            callbacks_at_once_per_registry: Self::CALLBACKS_AT_ONCE_PER_REGISTRY,
            max_unread_callbacks: Self::MAX_UNREAD_CALLBACKS,
            max_unread_bytes: Self::MAX_UNREAD_BYTES,
            max_kept_bytes: Self::MAX_KEPT_BYTES,
            callback_retention_ms: Self::CALLBACK_RETENTION_MS,
            unread_retention_ms: Self::UNREAD_RETENTION_MS,
            event_retention_ms: Self::EVENT_RETENTION_MS,
            answer_retention_ms: Self::ANSWER_RETENTION_MS,
            max_waiting_reads: Self::MAX_WAITING_READS,
        }
    }
}

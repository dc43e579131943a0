//! How lookups are kept whose registry answers later.

use std::num::{NonZeroU32, NonZeroU64};

use serde::Deserialize;

/// The section `[lookups]`: for how long, and how many, lookups are kept whose callers come back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LookupsConfig {
    /// How long a lookup is kept for its registry's answer and its caller's question, in
    /// milliseconds.
    pub keep_ms: NonZeroU64,
    /// How long an answer that was told can be read again, in milliseconds.
    pub answer_keep_ms: NonZeroU64,
    /// Lookups of one caller that are kept at the same time.
    pub max_per_caller: NonZeroU32,
    /// Lookups of one registry that are kept at the same time.
    pub max_per_registry: NonZeroU32,
}

impl LookupsConfig {
    /// A day: as long as the answer of a callback waits.
    pub const KEEP_MS: NonZeroU64 = NonZeroU64::MIN.saturating_add(86_400_000 - 1);
    /// Ten minutes: longer than a connection that broke takes to come back.
    pub const ANSWER_KEEP_MS: NonZeroU64 = NonZeroU64::MIN.saturating_add(600_000 - 1);
    /// A list that a caller works off.
    pub const MAX_PER_CALLER: NonZeroU32 = NonZeroU32::MIN.saturating_add(1_000 - 1);
    /// Ten such callers.
    pub const MAX_PER_REGISTRY: NonZeroU32 = NonZeroU32::MIN.saturating_add(10_000 - 1);
}

impl Default for LookupsConfig {
    fn default() -> Self {
        Self {
            keep_ms: Self::KEEP_MS,
            answer_keep_ms: Self::ANSWER_KEEP_MS,
            max_per_caller: Self::MAX_PER_CALLER,
            max_per_registry: Self::MAX_PER_REGISTRY,
        }
    }
}

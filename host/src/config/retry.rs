//! When a lookup that failed is made again.

use serde::{Deserialize, Serialize};

/// When a lookup that failed is made again, as a whole, in a fresh instance. Only reads are, only
/// after the failure `unavailable`, and never while an endpoint rests. All attempts together have the
/// limits of one call.
///
/// ```toml
/// [registries.crvs]
/// retry = { when = "unavailable", max_attempts = 3, first_wait_ms = 500 }
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// Default: [`RetryWhen::NotSent`].
    pub when: RetryWhen,
    /// The first one counts; 1: a lookup is made once. Default: [`Self::MAX_ATTEMPTS`].
    pub max_attempts: u32,
    /// Before the second attempt, in milliseconds; doubled before each further one, and each up to
    /// twice as long by chance, so that not all come back at once. Default: [`Self::FIRST_WAIT_MS`].
    pub first_wait_ms: u64,
    /// A wait is never longer, in milliseconds: where the registry asks for more, there is no further
    /// attempt. Default: [`Self::MAX_WAIT_MS`].
    pub max_wait_ms: u64,
}

/// After which failures.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryWhen {
    /// Where a request did not reach the registry, and none may have without an answer: the registry
    /// has no work twice.
    #[default]
    NotSent,
    /// Whatever made the registry unavailable: a time limit, a connection cut, a 503.
    Unavailable,
}

impl RetryConfig {
    /// Once more: a connection that fails twice fails.
    pub const MAX_ATTEMPTS: u32 = 2;
    /// A server that restarts behind a balancer is back by then.
    pub const FIRST_WAIT_MS: u64 = 200;
    /// A person waits.
    pub const MAX_WAIT_MS: u64 = 2_000;
    /// More is a load test.
    pub const MOST_ATTEMPTS: u32 = 10;
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            when: RetryWhen::default(),
            max_attempts: Self::MAX_ATTEMPTS,
            first_wait_ms: Self::FIRST_WAIT_MS,
            max_wait_ms: Self::MAX_WAIT_MS,
        }
    }
}

//! Callers: how much each may ask, and how often somebody may err.

mod issuer;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::Deserialize;

pub use issuer::{IssuerConfig, MappedConfig, SigningAlgorithm};

/// What holds for every caller for whom nothing else is said.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallersConfig {
    /// Calls per second of one caller to one registry. None: no limit.
    pub requests_per_second: Option<NonZeroU32>,
    /// Of them at once, after a pause.
    pub burst: NonZeroU32,
    /// Calls per day of one caller to one registry, from midnight to midnight UTC. None: no limit.
    pub requests_per_day: Option<NonZeroU32>,
    /// Keys that nobody has, from one address. More are refused before they are looked at.
    pub failed_keys_per_minute: NonZeroU32,
    /// The longest token of an issuer.
    pub max_token_bytes: NonZeroU32,
    /// Whose tokens open the door too, by a name of your own.
    pub issuers: BTreeMap<String, IssuerConfig>,
}

impl CallersConfig {
    /// A page that asks for a family at once.
    pub const BURST: NonZeroU32 = match NonZeroU32::new(20) {
        Some(burst) => burst,
        None => NonZeroU32::MIN,
    };
    /// 8 KiB: a token with hundreds of groups.
    pub const MAX_TOKEN_BYTES: NonZeroU32 = match NonZeroU32::new(8 << 10) {
        Some(most) => most,
        None => NonZeroU32::MIN,
    };
    /// One a second: more than a person mistypes, and than a fleet with one wrong key needs.
    pub const FAILED_KEYS_PER_MINUTE: NonZeroU32 = match NonZeroU32::new(60) {
        Some(most) => most,
        None => NonZeroU32::MIN,
    };
}

impl Default for CallersConfig {
    fn default() -> Self {
        Self {
            requests_per_second: None,
            burst: Self::BURST,
            requests_per_day: None,
            failed_keys_per_minute: Self::FAILED_KEYS_PER_MINUTE,
            max_token_bytes: Self::MAX_TOKEN_BYTES,
            issuers: BTreeMap::new(),
        }
    }
}

//! The audit's section.

use std::num::{NonZeroU32, NonZeroU64};

use serde::Deserialize;

use super::secret::SecretSource;

/// The section `[audit]`: who signs it, how often, and how long it is kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// The ed25519 key that signs checkpoints, PKCS #8 in PEM: what `openssl genpkey -algorithm
    /// ed25519` makes. Left out: `audit-signing.key` in the data directory, made when missing.
    pub signing_key: Option<SecretSource>,
    /// Public keys whose checkpoints are believed too: of other gateways on the same database, and of
    /// this one's earlier keys. Each `ed25519:` and base64, as `audit checkpoint` prints it.
    pub trusted_keys: Vec<String>,
    /// How often a checkpoint is made where there is something new, in milliseconds.
    pub checkpoint_interval_ms: NonZeroU64,
    /// How many days rows are kept. Left out: for ever.
    pub retention_days: Option<NonZeroU32>,
}

impl AuditConfig {
    /// 10 minutes: so much can be written anew by whoever owns the database, unseen.
    pub const CHECKPOINT_INTERVAL_MS: NonZeroU64 = match NonZeroU64::new(600_000) {
        Some(interval) => interval,
        None => NonZeroU64::MIN,
    };
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            signing_key: None,
            trusted_keys: Vec::new(),
            checkpoint_interval_ms: Self::CHECKPOINT_INTERVAL_MS,
            retention_days: None,
        }
    }
}

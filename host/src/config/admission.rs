//! How modules come in.

mod oci;

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::Deserialize;

pub use oci::{OciConfig, host_of};

/// How modules come in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdmissionConfig {
    /// Modules that are taken in and looked at at the same time; the one too many waits.
    pub at_once: NonZeroU32,
    /// Public keys in minisign's form, `RW…`: only modules that one of them signed are admitted.
    pub trusted_keys: Vec<String>,
    /// Whether a module must be signed. Left out: as soon as there is a trusted key.
    pub require_signature: Option<bool>,
    /// How long all recordings of a package may take, in milliseconds.
    pub replay_timeout_ms: u64,
    /// The OCI registries that modules are pulled from, by host and port as in references.
    pub oci: BTreeMap<String, OciConfig>,
}

impl AdmissionConfig {
    /// Each may be as large as `sandbox.max_module_bytes`, in memory.
    pub const AT_ONCE: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
    /// A minute: a Python adapter replays two hundred recordings in one second.
    pub const REPLAY_TIMEOUT_MS: u64 = 60_000;

    /// Whether a module must be signed.
    pub fn signed(&self) -> bool {
        self.require_signature
            .unwrap_or(!self.trusted_keys.is_empty())
    }
}

impl Default for AdmissionConfig {
    fn default() -> Self {
        Self {
            at_once: Self::AT_ONCE,
            trusted_keys: Vec::new(),
            require_signature: None,
            replay_timeout_ms: Self::REPLAY_TIMEOUT_MS,
            oci: BTreeMap::new(),
        }
    }
}

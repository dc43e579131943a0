//! How modules come in.

use std::num::NonZeroU32;

use serde::Deserialize;

/// How modules come in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdmissionConfig {
    /// Modules that are taken in and looked at at the same time; the one too many waits.
    pub at_once: NonZeroU32,
}

impl AdmissionConfig {
    /// Each may be as large as `sandbox.max_module_bytes`, in memory.
    pub const AT_ONCE: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
}

impl Default for AdmissionConfig {
    fn default() -> Self {
        Self {
            at_once: Self::AT_ONCE,
        }
    }
}

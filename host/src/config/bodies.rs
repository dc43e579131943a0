//! What is kept of people in the database.

use serde::Deserialize;

use super::secret::SecretSource;

/// The section `[bodies]`: by which key what was asked and answered is sealed in the database.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BodiesConfig {
    /// 32 bytes in Base64: what `openssl rand -base64 32` makes. Left out: `bodies.key` in the data
    /// directory, made when missing.
    pub key: Option<SecretSource>,
    /// Keys of before: what they sealed is still opened, and nothing more is sealed by them.
    pub previous_keys: Vec<SecretSource>,
}

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// Sees all that is read: whether secrets are what they were can be told without keeping them.
#[derive(Clone, Default)]
pub struct Witness {
    seen: Arc<Mutex<Sha256>>,
}

impl Witness {
    pub(super) fn saw(&self, field: &str, secret: &SecretString) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for text in [field, secret.expose_secret()] {
            seen.update(text.len().to_le_bytes());
            seen.update(text.as_bytes());
        }
    }

    /// A hash of all that was read so far, with the fields that it was read for.
    pub fn hash(&self) -> [u8; 32] {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clone().finalize().into()
    }
}

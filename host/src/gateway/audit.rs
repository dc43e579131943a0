//! The audit as a whole: sealed by signed checkpoints, verified, exported, searched.

mod acts;
mod astray;
mod export;
mod find;
pub(super) mod fingerprint;
mod keep;
mod key;
mod line;
mod prune;
mod put_in;
mod reading;
mod seal;
mod statement;
#[cfg(test)]
mod tests;
mod verifier;
mod verify;

use std::path::Path;
use std::sync::Arc;

pub use export::{ExportError, verify_export};
pub use find::{FindPage, Found, FoundCall};
pub use key::{BadPublicKey, PublicKey};
pub use seal::SealError;
pub use statement::SignedCheckpoint;
pub use verifier::{Bad, Verdict};
pub use verify::Kept;

use super::StartError;
use crate::config::audit::AuditConfig;
use crate::config::secret::Secrets;
use crate::store::{Store, StoreError};
use key::SigningKey;
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

/// Where the key is that signs checkpoints, where none is configured.
const KEY_FILE: &str = "audit-signing.key";
/// How many exports there may be at the same time: each goes through the whole audit.
const EXPORTS_MAX: usize = 4;

/// Who signs the audit, and whose signature is believed.
pub(super) struct Audit {
    config: AuditConfig,
    key: SigningKey,
    keys: Vec<PublicKey>,
    /// Checkpoints of this process are made one after the other.
    sealing: tokio::sync::Mutex<()>,
    /// Room for exports. One whose reader takes nothing ends with its connection.
    exports: Arc<Semaphore>,
}

impl Audit {
    /// Reads the key, or makes it before the first checkpoint: under another key nothing would tell
    /// what was signed before from what an intruder signed.
    pub(super) async fn open(
        config: &AuditConfig,
        store: &Store,
        secrets: &Secrets,
        data_dir: &Path,
    ) -> Result<Self, StartError> {
        let mut keys = trusted(config)?;
        let path = data_dir.join(KEY_FILE);
        let key = match known(config, secrets, &path)? {
            Some(key) => key,
            None if lost(store, &keys).await? => return Err(StartError::SigningKeyLost),
            None => SigningKey::make(&path).map_err(StartError::SigningKey)?,
        };
        if !keys.contains(&key.public()) {
            keys.insert(0, key.public());
        }
        Ok(Self {
            config: config.clone(),
            key,
            keys,
            sealing: tokio::sync::Mutex::default(),
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
        })
    }

    /// What would keep it from being opened. Nothing is made.
    pub(super) async fn check(
        config: &AuditConfig,
        store: &Store,
        secrets: &Secrets,
        data_dir: &Path,
    ) -> Result<Option<StartError>, StoreError> {
        let keys = match trusted(config) {
            Ok(keys) => keys,
            Err(error) => return Ok(Some(error)),
        };
        match known(config, secrets, &data_dir.join(KEY_FILE)) {
            Ok(Some(_)) => Ok(None),
            Ok(None) => Ok(lost(store, &keys)
                .await?
                .then_some(StartError::SigningKeyLost)),
            Err(error) => Ok(Some(error)),
        }
    }
}

fn trusted(config: &AuditConfig) -> Result<Vec<PublicKey>, StartError> {
    let keys = config.trusted_keys.iter().enumerate();
    keys.map(|(at, text)| {
        PublicKey::parse(text).map_err(|bad| StartError::AuditTrustedKey(at, bad))
    })
    .collect()
}

/// None: none is configured, and none was made yet.
fn known(
    config: &AuditConfig,
    secrets: &Secrets,
    path: &Path,
) -> Result<Option<SigningKey>, StartError> {
    match &config.signing_key {
        None => SigningKey::open(path).map_err(StartError::SigningKey),
        Some(source) => {
            let pem = secrets
                .resolve("audit.signing_key", source)
                .map_err(StartError::SigningKeySecret)?;
            let key = SigningKey::parse(pem.expose_secret());
            key.map(Some).map_err(StartError::SigningKey)
        }
    }
}

/// Whether somebody signed here whose signature would not be believed.
async fn lost(store: &Store, keys: &[PublicKey]) -> Result<bool, StoreError> {
    let last = store.audit().last_checkpoint().await?;
    Ok(last.is_some_and(|last| !keys.contains(&PublicKey(last.public_key))))
}

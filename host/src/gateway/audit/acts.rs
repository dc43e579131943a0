//! What auditors do. Reading the audit is in the audit too.

use super::verify::Kept;
use super::{PublicKey, SealError, SignedCheckpoint, Verdict};
use crate::gateway::{Act, Acting, AdminError, Gateway};
use crate::store::StoreError;

impl Gateway {
    /// Goes through the whole audit.
    ///
    /// # Errors
    /// As for any act.
    pub async fn verify_audit(&self, by: &Acting, kept: Kept) -> Result<Verdict, AdminError> {
        let act = Act {
            word: "audit.verify",
            ..Act::default()
        };
        let inner = self.inner.clone();
        self.act(by, act, async move {
            Ok(inner.audit.verify(&inner.store, &kept).await?)
        })
        .await
    }

    /// The same, without being in the audit itself: for who looks at a database that nobody is to
    /// write to any more.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn verdict(&self, kept: &Kept) -> Result<Verdict, StoreError> {
        self.inner.audit.verify(&self.inner.store, kept).await
    }

    /// Makes a checkpoint of all there is.
    ///
    /// # Errors
    /// As for any act.
    pub async fn seal_audit(&self, by: &Acting) -> Result<SignedCheckpoint, AdminError> {
        let act = Act {
            word: "audit.checkpoint",
            ..Act::default()
        };
        let inner = self.inner.clone();
        self.act(by, act, async move {
            let made = inner.audit.seal(&inner.store).await?;
            // There is this act's own row at least.
            let made = made.as_ref().ok_or(AdminError::Internal)?;
            Ok(SignedCheckpoint::of(made))
        })
        .await
    }

    /// The checkpoints behind a number, at most 1,000. They hold nothing of what was done.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn checkpoints(&self, behind: i64) -> Result<Vec<SignedCheckpoint>, AdminError> {
        let found = self.inner.store.audit().checkpoints(behind, 1_000).await?;
        Ok(found.iter().map(SignedCheckpoint::of).collect())
    }

    /// The key that signs checkpoints here.
    pub fn audit_key(&self) -> PublicKey {
        self.inner.audit.key.public()
    }
}

impl From<SealError> for AdminError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Store(error) => error.into(),
            SealError::Unbelievable { .. } => Self::Conflict {
                code: "checkpoint-not-believed",
                detail: error.to_string(),
            },
        }
    }
}

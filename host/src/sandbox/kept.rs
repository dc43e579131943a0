//! Which modules' compiled code stays on disk: of those that are stored, and of no others. What is
//! looked at and refused leaves nothing, or whoever may bring modules could fill the disk.
//!
//! Files are written and removed off the event loop.

use std::collections::HashSet;
use std::time::Duration;

use super::engine::Sandbox;
use super::module::Module;

impl Sandbox {
    /// Keeps the module's compiled code, so that it need not be compiled again.
    pub async fn keep(&self, module: &Module) {
        let (inner, module) = (self.inner.clone(), module.clone());
        let kept = move || inner.cache.keep(module.digest(), module.component());
        // Only where the process ends: it is compiled anew then.
        let _ = tokio::task::spawn_blocking(kept).await;
    }

    /// Removes the compiled code of a module that nobody will load any more.
    pub async fn forget(&self, digest: &str) {
        let (inner, digest) = (self.inner.clone(), digest.to_owned());
        let forgotten = move || {
            if let Err(error) = inner.cache.forget(&digest) {
                tracing::warn!(module = digest, %error, "its compiled code stays in the cache");
            }
        };
        let _ = tokio::task::spawn_blocking(forgotten).await;
    }

    /// Removes compiled code that is of none of these modules or for another engine, and was not
    /// used for so long. It costs a compilation where somebody wants it after all.
    pub async fn sweep(&self, digests: HashSet<String>, unused: Duration) {
        let inner = self.inner.clone();
        let swept = move || match inner.cache.sweep(&digests, unused) {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "compiled code that nothing needs was removed"),
            Err(error) => tracing::warn!(%error, "the cache of compiled modules stays as it is"),
        };
        let _ = tokio::task::spawn_blocking(swept).await;
    }
}

//! A registry's turns: so many of its instances run at the same time.

use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::Entry;
use crate::gateway::GatewayError;

impl Entry {
    /// A turn to run an instance. The one too many waits a bounded time.
    pub(in crate::gateway) async fn turn(&self) -> Result<SemaphorePermit<'_>, GatewayError> {
        self.turn_until(Instant::now() + self.max_wait).await
    }

    /// The same until then, for what has waited for its registry already: its answer is there, and
    /// would be lost.
    pub(in crate::gateway) async fn turn_until(
        &self,
        until: Instant,
    ) -> Result<SemaphorePermit<'_>, GatewayError> {
        match tokio::time::timeout_at(until, self.slots.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(GatewayError::Busy),
        }
    }
}

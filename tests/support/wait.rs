//! Waiting for what another task or process does.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Far longer than anything takes: who waits so long waits in vain.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Asks again and again until it is so.
///
/// # Panics
/// If it never is.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "in vain: {what}");
        sleep(PAUSE).await;
    }
}

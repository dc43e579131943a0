//! How much is kept of what each registry called back with. It is counted every few seconds and not
//! for each callback: what several nodes keep in between may go beyond the limit by so much.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::gateway::Gateway;
use crate::store::StoreError;

/// So long a count is good, with what was added here since.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// Where there seems to be no room, it is counted again this soon: something may be gone.
const FULL_FOR: Duration = Duration::from_millis(250);

/// What was counted. The names are those of registries that are configured.
#[derive(Default)]
pub(super) struct Kept {
    of: Mutex<HashMap<String, Counted>>,
}

#[derive(Clone, Copy)]
struct Counted {
    bytes: u64,
    at: Instant,
}

impl Kept {
    /// Whether there is room, and takes it. None: it must be counted.
    fn take(&self, registry: &str, size: u64, most: u64, now: Instant) -> Option<bool> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = of.get_mut(registry)?;
        let age = now.saturating_duration_since(counted.at);
        let with = counted.bytes.saturating_add(size);
        let fits = with <= most;
        if age > if fits { GOOD_FOR } else { FULL_FOR } {
            return None;
        }
        if fits {
            counted.bytes = with;
        }
        Some(fits)
    }

    fn counted(&self, registry: &str, bytes: u64, at: Instant) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        of.insert(registry.to_owned(), Counted { bytes, at });
    }
}

impl Gateway {
    /// Whether so many bytes more of that registry may be kept.
    pub(super) async fn has_room(&self, registry: &str, size: u64) -> Result<bool, StoreError> {
        let events = &self.inner.events;
        let most = events.config.max_kept_bytes.get();
        let kept = &events.kept;
        if let Some(fits) = kept.take(registry, size, most, Instant::now()) {
            return Ok(fits);
        }
        let bytes = self.inner.store.events().kept_bytes(registry).await?;
        let now = Instant::now();
        kept.counted(registry, bytes, now);
        Ok(kept.take(registry, size, most, now).unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_until_it_is_counted_again() {
        let kept = Kept::default();
        let now = Instant::now();
        assert_eq!(kept.take("civil", 1, 100, now), None, "not counted yet");
        kept.counted("civil", 50, now);
        assert_eq!(kept.take("civil", 40, 100, now), Some(true));
        assert_eq!(kept.take("civil", 20, 100, now), Some(false));
        assert_eq!(kept.take("civil", 10, 100, now), Some(true), "to the brim");
        assert_eq!(kept.take("social", 1, 100, now), None, "its own");
        let soon = now + FULL_FOR * 2;
        assert_eq!(kept.take("civil", 0, 100, soon), Some(true));
        assert_eq!(kept.take("civil", 1, 100, soon), None);
        assert_eq!(kept.take("civil", 0, 100, now + GOOD_FOR * 2), None);
    }
}

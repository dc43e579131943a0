//! How much is kept of what each registry called back with. It is counted every few seconds and not
//! for each callback: what several nodes keep in between may go beyond the limit by so much.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::gateway::Gateway;
use crate::store::StoreError;

/// So long a count is good, with what was added here since.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// Where nothing makes room, it is looked again this soon: something may be gone.
const FULL_FOR: Duration = Duration::from_millis(250);
/// What makes room makes so much of the whole at once: otherwise each callback would have to.
const AT_ONCE: u64 = 64;

/// What was counted. The names are those of registries that are configured.
#[derive(Default)]
pub(super) struct Kept {
    of: Mutex<HashMap<String, Counted>>,
    /// Who counts and makes room: several at the same time would drop more than they need.
    making: tokio::sync::Mutex<()>,
}

#[derive(Clone, Copy)]
struct Counted {
    bytes: u64,
    at: Instant,
    /// There was nothing that could be dropped.
    is_stuck: bool,
}

impl Kept {
    /// Whether there is room, and takes it. None: it must be counted.
    fn take(&self, registry: &str, size: u64, most: u64, now: Instant) -> Option<bool> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = of.get_mut(registry)?;
        let age = now.saturating_duration_since(counted.at);
        let with = counted.bytes.saturating_add(size);
        if with <= most {
            if age > GOOD_FOR {
                return None;
            }
            counted.bytes = with;
            return Some(true);
        }
        (counted.is_stuck && age <= FULL_FOR).then_some(false)
    }

    fn counted(&self, registry: &str, counted: Counted) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        of.insert(registry.to_owned(), counted);
    }
}

impl Gateway {
    /// Whether so many bytes more of that registry may be kept. What was read and is kept only to be looked
    /// at makes room, the oldest first.
    pub(super) async fn has_room(&self, registry: &str, size: u64) -> Result<bool, StoreError> {
        let Self { inner } = self;
        let most = inner.events.config.max_kept_bytes.get();
        let kept = &inner.events.kept;
        if let Some(fits) = kept.take(registry, size, most, Instant::now()) {
            return Ok(fits);
        }
        let _making = kept.making.lock().await;
        // Somebody else may have made room meanwhile.
        if let Some(fits) = kept.take(registry, size, most, Instant::now()) {
            return Ok(fits);
        }
        let events = inner.store.events();
        let mut bytes = events.kept_bytes(registry).await?;
        let too_many = bytes.saturating_add(size).saturating_sub(most);
        if too_many > 0 {
            let wanted = too_many.saturating_add(most / AT_ONCE);
            let dropped = events.drop_read(registry, wanted).await?;
            bytes = bytes.saturating_sub(dropped);
            if dropped > 0 {
                tracing::info!(
                    registry,
                    bytes = dropped,
                    "the oldest callbacks that were read made room"
                );
            }
        }
        let at = Instant::now();
        let is_stuck = bytes.saturating_add(size) > most;
        kept.counted(
            registry,
            Counted {
                bytes,
                at,
                is_stuck,
            },
        );
        Ok(kept.take(registry, size, most, at).unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_until_it_is_counted_again() {
        let kept = Kept::default();
        let at = Instant::now();
        assert_eq!(kept.take("civil", 1, 100, at), None, "not counted yet");
        let counted = |is_stuck| Counted {
            bytes: 50,
            at,
            is_stuck,
        };
        kept.counted("civil", counted(false));
        assert_eq!(kept.take("civil", 40, 100, at), Some(true));
        assert_eq!(kept.take("civil", 20, 100, at), None, "room may be made");
        assert_eq!(kept.take("civil", 10, 100, at), Some(true), "to the brim");
        assert_eq!(kept.take("social", 1, 100, at), None, "its own");
        assert_eq!(kept.take("civil", 0, 100, at + FULL_FOR * 2), Some(true));
        assert_eq!(kept.take("civil", 0, 100, at + GOOD_FOR * 2), None);

        kept.counted("civil", counted(true));
        assert_eq!(kept.take("civil", 51, 100, at), Some(false));
        assert_eq!(kept.take("civil", 51, 100, at + FULL_FOR * 2), None);
        assert_eq!(kept.take("civil", 50, 100, at), Some(true), "a smaller one");
    }
}

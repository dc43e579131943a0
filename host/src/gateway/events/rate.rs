//! How quickly a registry's callbacks are taken. The names are those of registries that are configured,
//! so that nobody from outside makes them more.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::config::events::EventsConfig;

/// What each registry has left.
pub(super) struct Rates {
    per_second: f64,
    burst: f64,
    left: Mutex<HashMap<String, (f64, Instant)>>,
}

impl Rates {
    pub(super) fn new(config: &EventsConfig) -> Self {
        Self {
            per_second: config.callbacks_per_second.get().into(),
            burst: config.callback_burst.get().into(),
            left: Mutex::default(),
        }
    }

    /// Takes one; or says when there is one again, in milliseconds.
    pub(super) fn take(&self, registry: &str) -> Result<(), u32> {
        self.take_at(registry, Instant::now())
    }

    fn take_at(&self, registry: &str, now: Instant) -> Result<(), u32> {
        let mut all = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, at) = all.get(registry).copied().unwrap_or((self.burst, now));
        let since = now.saturating_duration_since(at).as_secs_f64();
        let left = (left + since * self.per_second).min(self.burst);
        let taken = left >= 1.0;
        let left = if taken { left - 1.0 } else { left };
        all.insert(registry.to_owned(), (left, now));
        if taken {
            return Ok(());
        }
        let wait = (1.0 - left) / self.per_second * 1_000.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most a second, and not negative"
        )]
        Err(wait.ceil() as u32)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_registry_has_its_burst_and_then_its_rate() {
        let rates = Rates::new(&EventsConfig {
            callbacks_per_second: NonZeroU32::new(2).unwrap(),
            callback_burst: NonZeroU32::new(3).unwrap(),
            ..EventsConfig::default()
        });
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(rates.take_at("civil", now), Ok(()));
        }
        assert_eq!(rates.take_at("civil", now), Err(500));
        assert_eq!(rates.take_at("social", now), Ok(()), "its own");
        let later = now + Duration::from_millis(600);
        assert_eq!(rates.take_at("civil", later), Ok(()));
        assert_eq!(rates.take_at("civil", later), Err(400));
    }
}

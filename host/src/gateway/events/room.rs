//! How many callbacks are under way at the same time: from before their bodies are read until they are
//! dealt with. The names are those of registries that are configured.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::events::EventsConfig;

/// Room for callbacks of all registries, and of each.
pub(super) struct Room {
    all: Arc<Semaphore>,
    each: usize,
    of: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A callback that may come in. Held until it is dealt with.
#[derive(Debug)]
pub struct Admitted {
    _all: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
}

impl Room {
    pub(super) fn new(config: &EventsConfig) -> Self {
        Self {
            all: Arc::new(Semaphore::new(places(config.callbacks_at_once.get()))),
            each: places(config.callbacks_at_once_per_registry.get()),
            of: Mutex::default(),
        }
    }

    /// None: there is no room now.
    pub(super) fn take(&self, registry: &str) -> Option<Admitted> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let own = of.entry(registry.to_owned());
        let own = own.or_insert_with(|| Arc::new(Semaphore::new(self.each)));
        let own = Arc::clone(own).try_acquire_owned().ok()?;
        let all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Admitted {
            _all: all,
            _own: own,
        })
    }
}

fn places(number: u32) -> usize {
    usize::try_from(number).map_or(Semaphore::MAX_PERMITS, |it| it.min(Semaphore::MAX_PERMITS))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn one_registry_does_not_take_the_room_of_all() {
        let room = Room::new(&EventsConfig {
            callbacks_at_once: NonZeroU32::new(3).unwrap(),
            callbacks_at_once_per_registry: NonZeroU32::new(2).unwrap(),
            ..EventsConfig::default()
        });
        let first = room.take("civil").unwrap();
        let _second = room.take("civil").unwrap();
        assert!(room.take("civil").is_none());
        let third = room.take("social").unwrap();
        assert!(room.take("social").is_none(), "all room is taken");
        drop(first);
        let _fourth = room.take("social").unwrap();
        assert!(room.take("civil").is_none(), "all room is taken");
        drop(third);
        assert!(room.take("civil").is_some());
    }
}

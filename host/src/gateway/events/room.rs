//! How many callbacks are under way at the same time: those that come in, from before their bodies are read
//! until they are dealt with, and those that are taken up again. The names are those of registries that are configured.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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
    pub(super) fn new(all: u32, each: u32) -> Self {
        Self {
            all: Arc::new(Semaphore::new(places(all))),
            each: places(each),
            of: Mutex::default(),
        }
    }

    /// How many of any registry could come in now.
    pub(super) fn free(&self) -> u32 {
        u32::try_from(self.all.available_permits()).unwrap_or(u32::MAX)
    }

    /// The same, of that one by itself.
    pub(super) fn free_of(&self, registry: &str) -> u32 {
        let of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let own = of.get(registry);
        let own = own.map_or(self.each, |own| own.available_permits());
        u32::try_from(own).unwrap_or(u32::MAX)
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
    use super::*;

    #[test]
    fn one_registry_does_not_take_the_room_of_all() {
        let room = Room::new(3, 2);
        assert_eq!((room.free(), room.free_of("civil")), (3, 2));
        let first = room.take("civil").unwrap();
        let _second = room.take("civil").unwrap();
        assert!(room.take("civil").is_none());
        let free = ["civil", "social"].map(|of| room.free_of(of));
        assert_eq!((room.free(), free), (1, [0, 2]));
        let third = room.take("social").unwrap();
        assert!(room.take("social").is_none(), "all room is taken");
        drop(first);
        let _fourth = room.take("social").unwrap();
        assert!(room.take("civil").is_none(), "all room is taken");
        drop(third);
        assert!(room.take("civil").is_some());
    }
}

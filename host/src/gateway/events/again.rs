//! Callbacks that are taken up again: how many at once, and which registry's are next.

use std::sync::{Mutex, PoisonError};

use super::room::{Admitted, Room};

/// Callbacks that are taken up at once, on this node.
const AT_ONCE: u32 = 16;
/// Of them, those of one registry: what an adapter puts off again and again is not in the way of others.
const AT_ONCE_PER_REGISTRY: u32 = 4;

/// The places, and whose turn it is.
pub(super) struct Again {
    room: Room,
    /// The registry that was given places last: those behind it by name are next.
    last: Mutex<String>,
}

impl Again {
    pub(super) fn new() -> Self {
        Self {
            room: Room::new(AT_ONCE, AT_ONCE_PER_REGISTRY),
            last: Mutex::default(),
        }
    }

    /// How many may be taken up now.
    pub(super) fn free(&self) -> u32 {
        self.room.free()
    }

    /// How many of each of these, in the order of their turns. With more registries than there are places
    /// for, one that always has something would otherwise be before the others each time.
    pub(super) fn turns(&self, mut serving: Vec<String>) -> Vec<(String, u32)> {
        serving.sort_unstable();
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let next = serving.partition_point(|name| *name <= *last);
        drop(last);
        serving.rotate_left(next);
        let of_each = serving.into_iter().map(|name| {
            let free = self.room.free_of(&name);
            (name, free)
        });
        of_each.filter(|(_, free)| *free > 0).collect()
    }

    /// Nobody else takes of this room: what was free is still.
    pub(super) fn take(&self, registry: &str) -> Option<Admitted> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        registry.clone_into(&mut last);
        drop(last);
        self.room.take(registry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(again: &Again) -> Vec<(String, u32)> {
        again.turns(["e", "b", "a", "d", "c"].map(str::to_owned).to_vec())
    }

    fn of(turns: &[(&str, u32)]) -> Vec<(String, u32)> {
        let turns = turns.iter();
        turns
            .map(|(name, free)| ((*name).to_owned(), *free))
            .collect()
    }

    #[test]
    fn each_registry_has_its_places_and_its_turn() {
        let again = Again::new();
        let all = [("a", 4), ("b", 4), ("c", 4), ("d", 4), ("e", 4)];
        assert_eq!(turns(&again), of(&all));
        let mut places = Vec::new();
        for name in ["a", "b", "c", "d"] {
            places.extend((0..4).map(|_| again.take(name).unwrap()));
            assert!(again.room.take(name).is_none(), "{name}");
        }
        // Whoever had to wait is first where there is room again, although the others have more.
        assert_eq!((again.free(), turns(&again)), (0, of(&[("e", 4)])));
        places.drain(..2);
        assert_eq!(
            (again.free(), turns(&again)),
            (2, of(&[("e", 4), ("a", 2)]))
        );
    }
}

//! Room for live instances, divided between registries.
//!
//! The threat: a registry answers slowly, and each call that waits for it holds an instance. Were
//! the room given to whoever comes first, a few slow registries would take all of it, and calls of
//! the quick ones would stand in line behind those of the slow. So the last places are kept for
//! registries that hold none, and a place that becomes free goes to whoever waits and holds least.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// Of so many places one is kept for registries that hold none.
const ONE_KEPT_OF: u32 = 64;
/// How long a call waits for room. Registries bound their own calls: room is short only when the
/// gateway as a whole has too little, and the caller should hear of that, not of a slow registry.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// All the places of a sandbox.
pub(super) struct Room {
    divided: Arc<Mutex<Divided>>,
}

/// A place for one instance. Dropped, it is free for another.
pub(super) struct Place {
    divided: Arc<Mutex<Divided>>,
    registry: Arc<str>,
}

struct Divided {
    free: u32,
    kept: u32,
    /// Waiting calls, with those that were given up and not cleared away yet.
    waiting: usize,
    /// Numbers those who wait.
    arrivals: u64,
    /// Only registries that hold a place or wait for one.
    holders: HashMap<Arc<str>, Holder>,
}

#[derive(Default)]
struct Holder {
    held: u32,
    waiting: VecDeque<(u64, oneshot::Sender<Place>)>,
}

impl Room {
    pub(super) fn new(places: u32) -> Self {
        let kept = if places > 1 {
            (places / ONE_KEPT_OF).max(1)
        } else {
            0
        };
        let divided = Divided {
            free: places,
            kept,
            waiting: 0,
            arrivals: 0,
            holders: HashMap::new(),
        };
        Self {
            divided: Arc::new(Mutex::new(divided)),
        }
    }

    /// Places that nobody holds.
    pub(super) fn free(&self) -> u32 {
        lock(&self.divided).free
    }

    /// Waits a bounded time for a place; none when there is none.
    pub(super) async fn enter(&self, registry: &str) -> Option<Place> {
        let granted = {
            let mut divided = lock(&self.divided);
            let registry = match divided.holders.get_key_value(registry) {
                Some((registry, _)) => registry.clone(),
                None => registry.into(),
            };
            let (tell, granted) = oneshot::channel();
            let free = divided.free;
            let kept = divided.kept;
            let holder = divided.holders.entry(registry.clone()).or_default();
            // Calls of one registry keep their order.
            holder.drop_given_up();
            if holder.waiting.is_empty() && may_take(holder.held, free, kept) {
                holder.held += 1;
                divided.free -= 1;
                return Some(Place {
                    divided: self.divided.clone(),
                    registry,
                });
            }
            let arrival = divided.arrivals;
            divided.arrivals += 1;
            let holder = divided.holders.entry(registry).or_default();
            holder.waiting.push_back((arrival, tell));
            divided.waiting += 1;
            granted
        };
        tokio::time::timeout(MAX_WAIT, granted).await.ok()?.ok()
    }
}

fn may_take(held: u32, free: u32, kept: u32) -> bool {
    free > kept || free > 0 && held == 0
}

fn lock(divided: &Mutex<Divided>) -> MutexGuard<'_, Divided> {
    divided.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Divided {
    /// Whoever waits, may take a place, and holds least; of those who hold as little, who came first.
    fn next(&mut self) -> Option<(Arc<str>, oneshot::Sender<Place>)> {
        if self.waiting == 0 || self.free == 0 {
            return None;
        }
        let (free, kept) = (self.free, self.kept);
        let mut waiting = 0;
        self.holders.retain(|_, holder| {
            holder.drop_given_up();
            waiting += holder.waiting.len();
            holder.held > 0 || !holder.waiting.is_empty()
        });
        self.waiting = waiting;
        let (registry, holder) = self
            .holders
            .iter_mut()
            .filter(|(_, holder)| !holder.waiting.is_empty())
            .filter(|(_, holder)| may_take(holder.held, free, kept))
            .min_by_key(|(_, holder)| {
                let first = holder.waiting.front().map(|(arrival, _)| *arrival);
                (holder.held, first)
            })?;
        let (_, tell) = holder.waiting.pop_front()?;
        holder.held += 1;
        self.free -= 1;
        self.waiting -= 1;
        Some((registry.clone(), tell))
    }
}

impl Holder {
    fn drop_given_up(&mut self) {
        while self
            .waiting
            .front()
            .is_some_and(|(_, tell)| tell.is_closed())
        {
            self.waiting.pop_front();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let next = {
            let mut divided = lock(&self.divided);
            divided.free += 1;
            if let Some(holder) = divided.holders.get_mut(&self.registry) {
                holder.held = holder.held.saturating_sub(1);
                if holder.held == 0 && holder.waiting.is_empty() {
                    divided.holders.remove(&self.registry);
                }
            }
            divided.next()
        };
        // Not under the lock: who has just given up hands the place back.
        if let Some((registry, tell)) = next {
            let place = Place {
                divided: self.divided.clone(),
                registry,
            };
            drop(tell.send(place));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// Places that a registry takes without waiting.
    fn take(room: &Room, registry: &str, most: usize) -> Vec<Place> {
        let places = (0..most).map_while(|_| room.enter(registry).now_or_never()?);
        places.collect()
    }

    #[tokio::test]
    async fn one_registry_never_takes_the_last_place() {
        let room = Room::new(512);
        let slow = take(&room, "slow", 600);
        assert_eq!(slow.len(), 504);
        assert!(room.enter("slow").await.is_none(), "after a bounded wait");
        // Others get in, one each while room is short.
        let others = ["a", "b", "c"].map(|name| take(&room, name, 2).len());
        assert_eq!(others, [1, 1, 1]);
        drop(slow);
        assert_eq!(take(&room, "a", 600).len(), 504);
        for (places, most) in [(1, 1), (2, 1), (8, 7), (64, 63), (128, 126)] {
            assert_eq!(take(&Room::new(places), "one", 600).len(), most, "{places}");
        }
    }

    #[tokio::test]
    async fn a_free_place_goes_to_whoever_holds_least() {
        let room = Room::new(4);
        let mut slow = take(&room, "slow", 4);
        let quick = take(&room, "quick", 4);
        assert_eq!((slow.len(), quick.len()), (3, 1));
        let mut of_slow = Box::pin(room.enter("slow"));
        assert!(of_slow.as_mut().now_or_never().is_none());
        let mut of_quick = Box::pin(room.enter("quick"));
        assert!(of_quick.as_mut().now_or_never().is_none());
        let mut third = Box::pin(room.enter("third"));
        assert!(third.as_mut().now_or_never().is_none());
        // The one that came last holds least.
        drop(slow.pop());
        let third = third.now_or_never().flatten().expect("a place");
        assert!(of_slow.as_mut().now_or_never().is_none());
        assert!(of_quick.as_mut().now_or_never().is_none());
        // The last place is kept: nobody who holds one takes it.
        drop(slow.pop());
        assert!(of_quick.as_mut().now_or_never().is_none());
        drop(slow.pop());
        // Now the slow one holds none.
        assert!(of_slow.now_or_never().flatten().is_some());
        drop(third);
        assert!(of_quick.now_or_never().flatten().is_some());
    }

    /// Whatever order a map has them in.
    #[tokio::test]
    async fn among_equals_who_waits_longest_is_next() {
        let room = Room::new(1);
        let names: Vec<String> = (0..8).map(|at| format!("registry-{at}")).collect();
        let mut held = take(&room, "first", 1).pop();
        let mut waiting: VecDeque<_> = names
            .iter()
            .map(|name| (name, Box::pin(room.enter(name))))
            .collect();
        for (_, enter) in &mut waiting {
            assert!(enter.as_mut().now_or_never().is_none());
        }
        for turn in 0..24 {
            drop(held.take());
            let (name, enter) = waiting.pop_front().expect("all wait");
            held = enter.now_or_never().flatten();
            assert!(held.is_some(), "turn {turn} is {name}'s");
            let mut again = Box::pin(room.enter(name));
            assert!(again.as_mut().now_or_never().is_none());
            waiting.push_back((name, again));
        }
    }

    #[tokio::test]
    async fn who_gives_up_leaves_nothing_behind() {
        let room = Room::new(2);
        let held = take(&room, "a", 1);
        let mut gone = Box::pin(room.enter("a"));
        assert!(gone.as_mut().now_or_never().is_none());
        let mut stays = Box::pin(room.enter("a"));
        assert!(stays.as_mut().now_or_never().is_none());
        drop(gone);
        drop(held);
        let place = stays.now_or_never().flatten().expect("the next in line");
        drop(place);
        // Granted, and given up before it was looked at.
        let held = take(&room, "a", 1);
        let mut late = Box::pin(room.enter("a"));
        assert!(late.as_mut().now_or_never().is_none());
        drop(held);
        drop(late);
        let divided = lock(&room.divided);
        assert_eq!((divided.free, divided.waiting), (2, 0));
        assert!(divided.holders.is_empty());
    }
}

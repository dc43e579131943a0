//! Calls that go on with what no longer serves.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use jiff::{SignedDuration, Timestamp};

use super::Entry;
use super::slot::{Slot, State};

/// What served until a while ago, and is still asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Drain {
    /// The module's digest.
    pub module: String,
    /// Since when no new call goes to it.
    pub since: Timestamp,
    /// By then the last call has ended by its own limits.
    pub until: Timestamp,
    /// How many calls go on with it.
    pub calls: usize,
}

#[derive(Default)]
pub(super) struct Drains {
    known: Mutex<Vec<Old>>,
}

/// Without holding it: it goes with its last call.
struct Old {
    registry: String,
    module: String,
    since: Timestamp,
    until: Timestamp,
    entry: Weak<Entry>,
}

impl Drains {
    /// Something else serves now, or nothing.
    pub(super) fn turned(&self, before: Option<&Arc<Slot>>, after: Option<&Arc<Slot>>) {
        let Some(State::Ready(old)) = before.map(|slot| &slot.state) else {
            return;
        };
        if let Some(State::Ready(new)) = after.map(|slot| &slot.state)
            && Arc::ptr_eq(old, new)
        {
            return;
        }
        let since = Timestamp::now();
        let longest = SignedDuration::try_from(old.longest_call()).unwrap_or(SignedDuration::MAX);
        let mut known = self.lock();
        known.retain(|one| one.entry.strong_count() > 0);
        known.push(Old {
            registry: old.name.clone(),
            module: old.module.digest().to_owned(),
            since,
            until: since.checked_add(longest).unwrap_or(Timestamp::MAX),
            entry: Arc::downgrade(old),
        });
    }

    /// Of one registry, the oldest first. Whoever has just taken an entry may not be counted yet.
    pub(super) fn of(&self, registry: &str) -> Vec<Drain> {
        let mut known = self.lock();
        known.retain(|one| one.entry.strong_count() > 0);
        let here = known.iter().filter(|one| one.registry == registry);
        here.filter_map(|one| {
            let calls = one.entry.upgrade()?.calls.load(SeqCst);
            // Somebody else may still hold it for a moment: a reload that looks at what served.
            (calls > 0).then(|| Drain {
                module: one.module.clone(),
                since: one.since,
                until: one.until,
                calls,
            })
        })
        .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Old>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

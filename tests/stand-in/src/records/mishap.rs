//! What goes wrong with a write, told by a test or by a seed.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use crate::shuffle::mix;

/// One thing that goes wrong with a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mishap {
    /// It is done at once, and answered so much later.
    Late(Duration),
    /// The connection breaks before anything is done.
    LostBefore,
    /// It is done, and the connection breaks before the answer.
    LostAfter,
    /// This status instead of the answer: 429, 502, 503, 504.
    Status {
        /// The status.
        status: u16,
        /// Whether it is done all the same.
        applied: bool,
        /// `Retry-After` in seconds.
        retry_after: Option<u32>,
    },
    /// 202: done so much later, and told by a callback, or only to who asks.
    Later {
        /// When it is done.
        after: Duration,
        /// Whether the hook is told.
        calls_back: bool,
    },
}

/// Mishaps by a seed. What a request meets depends on the seed, on what it says and on how often it
/// came, so that the same requests meet the same mishaps in whatever order they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// What it all depends on.
    pub seed: u64,
    /// Of a hundred writes so many meet one of `mishaps`.
    pub writes_percent: u64,
    /// Of a hundred callbacks so many are sent twice, and so many later than those after them.
    pub callbacks_percent: u64,
    /// From which one is picked.
    pub mishaps: Vec<Mishap>,
}

impl Schedule {
    /// One of every kind, with short times: for tests that run many.
    pub fn of_everything(seed: u64, percent: u64) -> Self {
        let status = |status, applied, retry_after| Mishap::Status {
            status,
            applied,
            retry_after,
        };
        let later = |calls_back| Mishap::Later {
            after: Duration::from_millis(100),
            calls_back,
        };
        Self {
            seed,
            writes_percent: percent,
            callbacks_percent: percent,
            mishaps: vec![
                Mishap::Late(Duration::from_millis(150)),
                Mishap::LostBefore,
                Mishap::LostAfter,
                status(429, false, Some(1)),
                status(503, false, Some(1)),
                status(502, false, None),
                status(502, true, None),
                status(504, false, None),
                status(504, true, None),
                later(true),
                later(false),
            ],
        }
    }
}

/// Those that wait, and the schedule.
#[derive(Debug)]
pub(super) struct Mishaps {
    injected: VecDeque<Mishap>,
    schedule: Option<Schedule>,
    seen: BTreeMap<u64, u64>,
}

impl Mishaps {
    pub(super) fn new(schedule: Option<Schedule>) -> Self {
        Self {
            injected: VecDeque::new(),
            schedule,
            seen: BTreeMap::new(),
        }
    }

    pub(super) fn inject(&mut self, mishap: Mishap) {
        self.injected.push_back(mishap);
    }

    pub(super) fn set_schedule(&mut self, schedule: Option<Schedule>) {
        self.schedule = schedule;
    }

    /// What the request with this print meets. One that was injected comes first.
    pub(super) fn next(&mut self, print: &str) -> Option<Mishap> {
        let print = hash(print);
        let times = self.seen.entry(print).or_default();
        *times += 1;
        if let Some(mishap) = self.injected.pop_front() {
            return Some(mishap);
        }
        let schedule = self.schedule.as_ref()?;
        let chance = mix(&[schedule.seed, print, *times]);
        if chance % 100 >= schedule.writes_percent {
            return None;
        }
        let count = schedule.mishaps.len().max(1) as u64;
        let pick = usize::try_from((chance >> 32) % count).unwrap_or_default();
        schedule.mishaps.get(pick).cloned()
    }
}

/// The same in every process: the keys of this hasher are fixed.
pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_depends_on_what_is_asked_and_not_on_when() {
        let requests: Vec<String> = (0..200).map(|number| format!("request {number}")).collect();
        let met = |order: &mut dyn Iterator<Item = &String>| {
            let mut mishaps = Mishaps::new(Some(Schedule::of_everything(7, 30)));
            let met = order.map(|request| (request.clone(), mishaps.next(request)));
            met.collect::<BTreeMap<_, _>>()
        };
        let forth = met(&mut requests.iter());
        assert_eq!(forth, met(&mut requests.iter().rev()));
        let count = forth.values().flatten().count();
        assert!((30..90).contains(&count), "{count} of 200 met one");
        let mut other = Mishaps::new(Some(Schedule::of_everything(8, 30)));
        assert!(
            forth
                .iter()
                .any(|(request, met)| other.next(request) != *met)
        );
    }

    #[test]
    fn a_repeat_may_meet_another_mishap_than_the_first() {
        let mut mishaps = Mishaps::new(Some(Schedule::of_everything(1, 50)));
        let met: Vec<bool> = (0..40).map(|_| mishaps.next("again").is_some()).collect();
        assert!(met.contains(&true) && met.contains(&false));
    }
}

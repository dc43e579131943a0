//! How each registry did over the last hour, by the minute, for whoever looks at it now. In memory,
//! of this node alone: Prometheus keeps what is older, and adds up nodes.
//!
//! A registry that was asked costs some nine kilobytes, whatever it was asked; the others nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::gateway::{AdminError, Following, Gateway};

/// Minutes that are told, the one under way too.
const MINUTES: usize = 60;
/// Registries that are remembered. Of the one too many, the quietest is forgotten.
const MOST: usize = 2_048;
/// From a millisecond to more than a minute, two to the octave.
const BUCKETS: usize = 34;
const MINUTE: i64 = 60;

/// How a call ended, as far as this is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ending {
    /// Answered, also with "nobody of that identifier".
    Answered,
    /// The registry or its adapter is to blame.
    Failed,
    /// The gateway refused it: policy, grant, a mistake of the caller.
    Refused,
}

/// How calls went in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Went {
    /// Answered, also with "nobody has that identifier".
    pub answered: u64,
    /// The registry said that it cannot, did not answer, or its adapter broke.
    pub failed: u64,
    /// Not asked: the caller, the policy or a limit stood against it.
    pub refused: u64,
    /// Half of the calls that were asked took so long or less.
    pub p50: Option<Duration>,
    /// 95 of 100.
    pub p95: Option<Duration>,
    /// 99 of 100.
    pub p99: Option<Duration>,
}

/// A minute, and how calls went in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minute {
    /// When it began.
    pub at: Timestamp,
    /// How they went.
    pub went: Went,
}

/// A registry's last hour on this node.
#[derive(Clone, Debug)]
pub struct Hour {
    /// All of it.
    pub whole: Went,
    /// Oldest first, each minute, the one under way last.
    pub minutes: Vec<Minute>,
}

/// What is remembered of all registries. Cheap to clone.
#[derive(Clone, Default)]
pub(in crate::gateway) struct Health {
    registries: Arc<Mutex<HashMap<String, Box<Ring>>>>,
}

/// One place per minute of the hour.
struct Ring([Counts; MINUTES]);

#[derive(Clone, Copy)]
struct Counts {
    /// Minutes since 1970; what stands here is of that minute alone.
    minute: i64,
    answered: u32,
    failed: u32,
    refused: u32,
    took: [u32; BUCKETS],
}

impl Health {
    pub(in crate::gateway) fn saw(&self, registry: &str, outcome: &str, took: Duration) {
        self.saw_at(minute_now(), registry, outcome, took);
    }

    fn saw_at(&self, minute: i64, registry: &str, outcome: &str, took: Duration) {
        // A call whose registry nobody has, or that its caller may not know of.
        if registry.is_empty() {
            return;
        }
        let mut registries = self.lock();
        if let Some(ring) = registries.get_mut(registry) {
            return ring.count(minute, outcome, took);
        }
        if registries.len() >= MOST {
            let quietest = registries.iter().min_by_key(|(_, ring)| ring.last());
            if let Some(name) = quietest.map(|(name, _)| name.clone()) {
                registries.remove(&name);
            }
        }
        let ring = registries.entry(registry.to_owned());
        ring.or_insert_with(|| Box::new(Ring([Counts::EMPTY; MINUTES])))
            .count(minute, outcome, took);
    }

    pub(in crate::gateway) fn hour(&self, registry: &str) -> Hour {
        self.hour_at(minute_now(), registry)
    }

    fn hour_at(&self, now: i64, registry: &str) -> Hour {
        let registries = self.lock();
        let ring = registries.get(registry);
        let mut whole = Counts::EMPTY;
        let first = now - i64::try_from(MINUTES).unwrap_or(0) + 1;
        let minutes = (first..=now).map(|minute| {
            let counts = ring.and_then(|ring| ring.of(minute));
            let counts = counts.copied().unwrap_or(Counts::EMPTY);
            whole.add(&counts);
            Minute {
                at: Timestamp::from_second(minute * MINUTE).unwrap_or_default(),
                went: counts.went(),
            }
        });
        let minutes = minutes.collect();
        Hour {
            whole: whole.went(),
            minutes,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Box<Ring>>> {
        self.registries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway {
    /// How a registry did over the last hour, on this node.
    ///
    /// # Errors
    /// [`AdminError::Unknown`].
    pub fn hour(&self, registry: &str) -> Result<Hour, AdminError> {
        self.is_known(registry)?;
        Ok(self.inner.metrics.health().hour(registry))
    }

    /// What a registry's adapter logged lately, and logs from now on, on this node.
    ///
    /// # Errors
    /// [`AdminError::Unknown`].
    pub fn follow(&self, registry: &str) -> Result<Following, AdminError> {
        self.is_known(registry)?;
        Ok(self.inner.roster.sandbox().follow(registry))
    }

    /// Whether there is a registry of that name.
    pub(in crate::gateway) fn is_known(&self, registry: &str) -> Result<(), AdminError> {
        if self.registries(|name| name == registry).is_empty() {
            return Err(AdminError::Unknown {
                what: "registry",
                name: registry.to_owned(),
            });
        }
        Ok(())
    }
}

impl Ring {
    fn count(&mut self, minute: i64, outcome: &str, took: Duration) {
        let Some(counts) = place(minute).and_then(|place| self.0.get_mut(place)) else {
            return;
        };
        if counts.minute != minute {
            *counts = Counts::EMPTY;
            counts.minute = minute;
        }
        let ending = Ending::of(outcome);
        let number = match ending {
            Ending::Answered => &mut counts.answered,
            Ending::Failed => &mut counts.failed,
            Ending::Refused => &mut counts.refused,
        };
        *number = number.saturating_add(1);
        // What was not asked took no time, and would make a slow registry look quick.
        if ending != Ending::Refused
            && let Some(bucket) = counts.took.get_mut(bucket(took))
        {
            *bucket = bucket.saturating_add(1);
        }
    }

    fn of(&self, minute: i64) -> Option<&Counts> {
        let counts = self.0.get(place(minute)?)?;
        (counts.minute == minute).then_some(counts)
    }

    fn last(&self) -> i64 {
        self.0.iter().map(|counts| counts.minute).max().unwrap_or(0)
    }
}

impl Counts {
    const EMPTY: Self = Self {
        minute: 0,
        answered: 0,
        failed: 0,
        refused: 0,
        took: [0; BUCKETS],
    };

    fn add(&mut self, other: &Self) {
        self.answered = self.answered.saturating_add(other.answered);
        self.failed = self.failed.saturating_add(other.failed);
        self.refused = self.refused.saturating_add(other.refused);
        for (sum, one) in self.took.iter_mut().zip(other.took) {
            *sum = sum.saturating_add(one);
        }
    }

    fn went(&self) -> Went {
        Went {
            answered: self.answered.into(),
            failed: self.failed.into(),
            refused: self.refused.into(),
            p50: self.quantile(50),
            p95: self.quantile(95),
            p99: self.quantile(99),
        }
    }

    /// The upper end of the bucket in which so many of 100 are reached.
    fn quantile(&self, percent: u64) -> Option<Duration> {
        let all: u64 = self.took.iter().copied().map(u64::from).sum();
        let wanted = (all * percent).div_ceil(100);
        let mut seen = 0;
        for (bucket, count) in self.took.iter().enumerate() {
            seen += u64::from(*count);
            if wanted > 0 && seen >= wanted {
                return Some(end(bucket));
            }
        }
        None
    }
}

impl Ending {
    /// By the words of `GatewayError` and `Fault`. What is not known here counts as failed: nothing
    /// new looks healthy by mistake.
    fn of(outcome: &str) -> Self {
        match outcome {
            "done" | "not-found" | "ambiguous" | "rejected" | "conflict" | "unsupported" => {
                Self::Answered
            }
            "starting" | "unknown-caller" | "not-granted" | "unknown-registry" | "disabled"
            | "no-ability" | "missing-statement" | "invalid" | "hidden-field" | "busy" => {
                Self::Refused
            }
            _ => Self::Failed,
        }
    }
}

fn minute_now() -> i64 {
    Timestamp::now().as_second().div_euclid(MINUTE)
}

fn place(minute: i64) -> Option<usize> {
    usize::try_from(minute).ok().map(|minute| minute % MINUTES)
}

/// The upper end of a bucket: 1 ms × √2 per step.
fn end(bucket: usize) -> Duration {
    let whole = u32::try_from(bucket / 2).unwrap_or(u32::MAX);
    let octave = Duration::from_millis(1).saturating_mul(1u32.checked_shl(whole).unwrap_or(0));
    if bucket.is_multiple_of(2) {
        octave
    } else {
        octave.mul_f64(std::f64::consts::SQRT_2)
    }
}

/// The first bucket that it fits; the last one takes all that is longer.
fn bucket(took: Duration) -> usize {
    let mut fits = 0..BUCKETS - 1;
    fits.find(|bucket| took <= end(*bucket))
        .unwrap_or(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn an_hour_is_told_by_the_minute_and_then_forgotten() {
        let health = Health::default();
        let now = 29_000_000;
        health.saw_at(now - 60, "civil", "done", MS);
        health.saw_at(now - 59, "civil", "done", MS * 100);
        health.saw_at(now, "civil", "not-found", MS * 3);
        health.saw_at(now, "civil", "out-of-time", MS * 30_000);
        health.saw_at(now, "civil", "busy", MS);
        health.saw_at(now, "", "unknown-registry", MS);
        let hour = health.hour_at(now, "civil");
        assert_eq!(hour.minutes.len(), MINUTES);
        let whole = hour.whole;
        assert_eq!((whole.answered, whole.failed, whole.refused), (2, 1, 1));
        assert_eq!(hour.minutes[0].went.answered, 1);
        assert_eq!(hour.minutes[0].at.as_second(), (now - 59) * 60);
        let last = hour.minutes[MINUTES - 1].went;
        assert_eq!((last.answered, last.failed, last.refused), (1, 1, 1));
        assert_eq!(hour.minutes[30].went, Went::default());
        assert_eq!(health.hour_at(now, "social").whole, Went::default());
        assert_eq!(health.lock().len(), 1);
    }

    #[test]
    fn quantiles_are_right_to_half_an_octave() {
        let health = Health::default();
        for ms in 1..=1_000 {
            health.saw_at(1, "civil", "done", MS * ms);
        }
        let whole = health.hour_at(1, "civil").whole;
        for (told, real) in [(whole.p50, 500), (whole.p95, 950), (whole.p99, 990)] {
            let told = told.unwrap();
            assert!(
                told >= MS * real && told <= (MS * real).mul_f64(1.42),
                "{told:?}"
            );
        }
        assert_eq!(bucket(Duration::ZERO), 0);
        assert_eq!(bucket(Duration::MAX), BUCKETS - 1);
        assert!(end(BUCKETS - 2) > Duration::from_secs(60));
    }

    #[test]
    fn memory_is_bounded() {
        let health = Health::default();
        for registry in 0..MOST + 100 {
            let minute = i64::try_from(registry).unwrap();
            health.saw_at(minute, &format!("r{registry}"), "done", MS);
        }
        assert_eq!(health.lock().len(), MOST);
        assert!(!health.lock().contains_key("r0"));
        assert!(size_of::<Ring>() < 10_000, "{}", size_of::<Ring>());
    }
}

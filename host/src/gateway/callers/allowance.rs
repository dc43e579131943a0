//! How much each caller may ask of each registry: calls per second, and per day.
//!
//! Counted in this process. The count of a day is the part that several nodes must share: `Day` is
//! where another one would go.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;

use crate::config::callers::CallersConfig;
use crate::gateway::{Caller, GatewayError};
use crate::model::CallerLimits;

/// Pairs of callers and registries that are counted at once. Callers of an issuer are not ours to
/// count.
const MOST: usize = 100_000;
const DAY: i64 = 86_400;

/// What callers have asked.
pub(in crate::gateway) struct Allowance {
    defaults: CallerLimits,
    pairs: Mutex<Pairs>,
}

#[derive(Default)]
struct Pairs {
    by_caller: HashMap<String, HashMap<String, Pair>>,
    count: usize,
}

/// One caller and one registry.
struct Pair {
    limits: CallerLimits,
    rate: Option<DefaultDirectRateLimiter>,
    day: Day,
}

/// Calls of one day.
#[derive(Default)]
struct Day {
    day: i64,
    calls: u32,
}

impl Allowance {
    pub(in crate::gateway) fn new(config: &CallersConfig) -> Self {
        Self {
            defaults: CallerLimits {
                requests_per_second: config.requests_per_second.map(NonZeroU32::get),
                burst: Some(config.burst.get()),
                requests_per_day: config.requests_per_day.map(NonZeroU32::get),
            },
            pairs: Mutex::default(),
        }
    }

    /// Counts one call, or says how long the caller should wait.
    pub(in crate::gateway) fn take(
        &self,
        caller: &Caller,
        registry: &str,
    ) -> Result<(), GatewayError> {
        self.take_at(caller, registry, Timestamp::now())
    }

    fn take_at(&self, caller: &Caller, registry: &str, now: Timestamp) -> Result<(), GatewayError> {
        let own = caller.limits().unwrap_or_default();
        let limits = CallerLimits {
            requests_per_second: own
                .requests_per_second
                .or(self.defaults.requests_per_second),
            burst: own.burst.or(self.defaults.burst),
            requests_per_day: own.requests_per_day.or(self.defaults.requests_per_day),
        };
        if limits.requests_per_second.is_none() && limits.requests_per_day.is_none() {
            return Ok(());
        }
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = pairs.pair(&caller.name, registry, limits, now)?;
        // Looked at first and counted last: what the rate refuses is no call of the day.
        let left = limits.requests_per_day.map(|most| pair.day.left(most, now));
        if left == Some(0) {
            return Err(GatewayError::QuotaSpent {
                retry_after_ms: until_midnight_ms(now),
            });
        }
        if let Some(rate) = &pair.rate
            && let Err(later) = rate.check()
        {
            let wait = later.wait_time_from(DefaultClock::default().now());
            return Err(GatewayError::RateLimited {
                retry_after_ms: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX),
            });
        }
        pair.day.calls = pair.day.calls.saturating_add(1);
        Ok(())
    }
}

impl Pairs {
    fn pair(
        &mut self,
        caller: &str,
        registry: &str,
        limits: CallerLimits,
        now: Timestamp,
    ) -> Result<&mut Pair, GatewayError> {
        let there = |pairs: &Self| {
            let of_caller = pairs.by_caller.get(caller);
            of_caller.is_some_and(|of_caller| of_caller.contains_key(registry))
        };
        if !there(self) {
            if self.count >= MOST {
                self.forget(now);
            }
            // Nobody gets more by filling the memory of it.
            if self.count >= MOST {
                return Err(GatewayError::RateLimited {
                    retry_after_ms: 60_000,
                });
            }
            let of_caller = self.by_caller.entry(caller.to_owned()).or_default();
            of_caller.insert(registry.to_owned(), Pair::new(limits));
            self.count += 1;
        }
        let of_caller = self.by_caller.get_mut(caller);
        let pair = of_caller.and_then(|of_caller| of_caller.get_mut(registry));
        let pair = pair.ok_or(GatewayError::Internal)?;
        if pair.limits != limits {
            // The day goes on: other limits are no second quota.
            pair.rate = rate(limits);
            pair.limits = limits;
        }
        Ok(pair)
    }

    /// Takes away what counts nothing: of other days, and without a rate under way.
    fn forget(&mut self, now: Timestamp) {
        let today = day_of(now);
        for of_caller in self.by_caller.values_mut() {
            of_caller.retain(|_, pair| pair.day.day == today && pair.day.calls > 0);
        }
        self.by_caller.retain(|_, of_caller| !of_caller.is_empty());
        self.count = self.by_caller.values().map(HashMap::len).sum();
    }
}

impl Pair {
    fn new(limits: CallerLimits) -> Self {
        Self {
            limits,
            rate: rate(limits),
            day: Day::default(),
        }
    }
}

impl Day {
    fn left(&mut self, most: u32, now: Timestamp) -> u32 {
        let today = day_of(now);
        // A clock that is set back gives no second day.
        if today > self.day {
            *self = Self {
                day: today,
                calls: 0,
            };
        }
        most.saturating_sub(self.calls)
    }
}

fn rate(limits: CallerLimits) -> Option<DefaultDirectRateLimiter> {
    let per_second = limits.requests_per_second.and_then(NonZeroU32::new)?;
    let burst = limits.burst.and_then(NonZeroU32::new);
    let quota = Quota::per_second(per_second).allow_burst(burst.unwrap_or(NonZeroU32::MIN));
    Some(RateLimiter::direct(quota))
}

fn day_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(DAY)
}

fn until_midnight_ms(now: Timestamp) -> u32 {
    let left = DAY - now.as_second().rem_euclid(DAY);
    u32::try_from(left * 1_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::NewCaller;

    fn caller(name: &str, limits: Option<CallerLimits>) -> Caller {
        let mut settings = NewCaller::client(name, Vec::new()).settings;
        settings.limits = limits;
        Caller::of(name.to_owned(), settings)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const NOON: i64 = 20_000 * DAY + DAY / 2;

    #[test]
    fn a_day_is_counted_by_caller_and_registry_until_midnight() {
        let allowance = Allowance::new(&CallersConfig {
            requests_per_day: NonZeroU32::new(2),
            ..CallersConfig::default()
        });
        let (one, other) = (caller("one", None), caller("other", None));
        for _ in 0..2 {
            allowance.take_at(&one, "civil", at(NOON)).unwrap();
        }
        let spent = allowance.take_at(&one, "civil", at(NOON));
        assert!(matches!(
            spent,
            Err(GatewayError::QuotaSpent {
                retry_after_ms: 43_200_000
            })
        ));
        allowance.take_at(&one, "social", at(NOON)).unwrap();
        allowance.take_at(&other, "civil", at(NOON)).unwrap();
        // A clock that goes back a day does not begin anew.
        assert!(allowance.take_at(&one, "civil", at(NOON - DAY)).is_err());
        allowance
            .take_at(&one, "civil", at(NOON + DAY / 2))
            .unwrap();
    }

    #[test]
    fn a_rate_refuses_what_is_too_quick_and_counts_it_for_no_day() {
        let allowance = Allowance::new(&CallersConfig::default());
        let limits = CallerLimits {
            requests_per_second: Some(1),
            burst: Some(3),
            requests_per_day: Some(4),
        };
        let quick = caller("quick", Some(limits));
        for _ in 0..3 {
            allowance.take_at(&quick, "civil", at(NOON)).unwrap();
        }
        for _ in 0..10 {
            let refused = allowance.take_at(&quick, "civil", at(NOON));
            let Err(GatewayError::RateLimited { retry_after_ms }) = refused else {
                panic!("{refused:?}");
            };
            assert!(retry_after_ms <= 1_000, "{retry_after_ms}");
        }
        // With other limits one call of the day is left.
        let more = CallerLimits {
            requests_per_second: None,
            ..limits
        };
        let quick = caller("quick", Some(more));
        allowance.take_at(&quick, "civil", at(NOON)).unwrap();
        assert!(allowance.take_at(&quick, "civil", at(NOON)).is_err());
    }

    #[test]
    fn who_has_no_limit_is_not_counted_and_the_memory_is_bounded() {
        let allowance = Allowance::new(&CallersConfig::default());
        allowance
            .take_at(&caller("free", None), "civil", at(NOON))
            .unwrap();
        assert_eq!(allowance.pairs.lock().unwrap().count, 0);
        let limits = CallerLimits {
            requests_per_day: Some(9),
            ..CallerLimits::default()
        };
        let limited = caller("limited", Some(limits));
        for registry in 0..MOST {
            let name = registry.to_string();
            allowance.take_at(&limited, &name, at(NOON)).unwrap();
        }
        let refused = allowance.take_at(&limited, "one-more", at(NOON));
        assert!(matches!(refused, Err(GatewayError::RateLimited { .. })));
        allowance
            .take_at(&limited, "one-more", at(NOON + DAY))
            .unwrap();
        assert_eq!(allowance.pairs.lock().unwrap().count, 1);
    }
}

//! How much each caller may ask of each registry: calls per second, and per day.
//!
//! Counted for all gateways of the database together, as endpoints' requests are: a day's calls by
//! parts that are taken from the database before they are used, a rate by this gateway's share of it.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::tz::TimeZone;
use tokio::time::Instant;

use crate::config::callers::CallersConfig;
use crate::egress::{Day, Ledger, NoneLeft, Rate, Share};
use crate::gateway::{Caller, GatewayError};
use crate::model::CallerLimits;

/// Pairs of callers and registries that are counted at once: those that were heard a short while ago.
const MOST: usize = 100_000;
/// When to come again where there are more.
const FULL_AGAIN_MS: u32 = 60_000;
/// A call waits so long for the count of its day.
const COUNT_WAIT: Duration = Duration::from_secs(5);
/// So many days are given back at the same time: the database writes them together.
const GIVING_BACK: usize = 64;
/// A pair is forgotten when its burst would be whole again, and not before this.
const KEPT: Duration = Duration::from_secs(10);

/// What callers have asked.
pub(in crate::gateway) struct Allowance {
    defaults: CallerLimits,
    ledger: Arc<dyn Ledger>,
    share: Arc<Share>,
    pairs: Mutex<Pairs>,
}

#[derive(Default)]
struct Pairs {
    by_caller: HashMap<String, HashMap<String, Known>>,
    count: usize,
}

struct Known {
    pair: Arc<Pair>,
    used_at: Instant,
}

/// One caller and one registry.
struct Pair {
    limits: CallerLimits,
    rate: Option<Arc<Rate>>,
    day: Option<Arc<Day>>,
}

impl Allowance {
    pub(in crate::gateway) fn new(
        config: &CallersConfig,
        ledger: Arc<dyn Ledger>,
        share: Arc<Share>,
    ) -> Self {
        Self {
            defaults: CallerLimits {
                requests_per_second: config.requests_per_second.map(NonZeroU32::get),
                burst: Some(config.burst.get()),
                requests_per_day: config.requests_per_day.map(NonZeroU32::get),
            },
            ledger,
            share,
            pairs: Mutex::default(),
        }
    }

    /// Counts one call, or says how long the caller should wait. Who has no limit is not counted.
    pub(in crate::gateway) async fn take(
        &self,
        caller: &Caller,
        registry: &str,
    ) -> Result<(), GatewayError> {
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
        let pair = self.pair(&caller.name, registry, limits)?;
        // Looked at first and counted last: what the rate refuses is no call of the day.
        let counted = match &pair.day {
            Some(day) => Some(day.take(Instant::now() + COUNT_WAIT).await.map_err(none)?),
            None => None,
        };
        if let Some(rate) = &pair.rate
            && let Err(wait) = rate.at_once()
        {
            return Err(GatewayError::RateLimited {
                retry_after_ms: milliseconds(wait),
            });
        }
        if let Some(counted) = counted {
            counted.used();
        }
        Ok(())
    }

    /// Gives back what was taken of days and not used for so long, and forgets who is not heard any
    /// more.
    pub(in crate::gateway) async fn give_back(&self, unused: Duration) {
        let days: Vec<Arc<Day>> = {
            let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
            let days = pairs.all().filter_map(|known| known.pair.day.clone());
            let days = days.collect();
            pairs.forget();
            days
        };
        stream::iter(days)
            .for_each_concurrent(GIVING_BACK, async |day| day.give_back(unused).await)
            .await;
    }

    fn pair(
        &self,
        caller: &str,
        registry: &str,
        limits: CallerLimits,
    ) -> Result<Arc<Pair>, GatewayError> {
        let now = Instant::now();
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = pairs.get(caller, registry) {
            known.used_at = now;
            if known.pair.limits != limits {
                known.pair = Arc::new(self.counting(caller, registry, limits, Some(&known.pair)));
            }
            return Ok(Arc::clone(&known.pair));
        }
        // Nobody gets more by filling the memory of it.
        if pairs.count >= MOST {
            return Err(GatewayError::RateLimited {
                retry_after_ms: FULL_AGAIN_MS,
            });
        }
        let pair = Arc::new(self.counting(caller, registry, limits, None));
        let known = Known {
            pair: Arc::clone(&pair),
            used_at: now,
        };
        let of_caller = pairs.by_caller.entry(caller.to_owned()).or_default();
        of_caller.insert(registry.to_owned(), known);
        pairs.count += 1;
        Ok(pair)
    }

    /// With what goes on of how it was counted before. Other limits are no second quota: the day's
    /// count is the database's.
    fn counting(
        &self,
        caller: &str,
        registry: &str,
        limits: CallerLimits,
        before: Option<&Pair>,
    ) -> Pair {
        let same_day = |it: &&Pair| it.limits.requests_per_day == limits.requests_per_day;
        let day = match (before.filter(same_day), limits.requests_per_day) {
            (Some(before), _) => before.day.clone(),
            (None, None) => None,
            (None, Some(requests)) => {
                // A registry has no `/` in its name.
                let name = format!("caller {caller}/{registry}");
                let ledger = Arc::clone(&self.ledger);
                Some(Day::new(name, requests.into(), TimeZone::UTC, Some(ledger)))
            }
        };
        let rate_of = |it: &CallerLimits| (it.requests_per_second, it.burst);
        let same_rate = |it: &&Pair| rate_of(&it.limits) == rate_of(&limits);
        let rate = match (before.filter(same_rate), limits.requests_per_second) {
            (Some(before), _) => before.rate.clone(),
            (None, None) => None,
            (None, Some(per_second)) => {
                let burst = limits.burst.unwrap_or(1);
                let share = Arc::clone(&self.share);
                Some(Arc::new(Rate::new(per_second.into(), burst, share)))
            }
        };
        Pair { limits, rate, day }
    }
}

impl Pairs {
    fn get(&mut self, caller: &str, registry: &str) -> Option<&mut Known> {
        self.by_caller.get_mut(caller)?.get_mut(registry)
    }

    fn all(&self) -> impl Iterator<Item = &Known> {
        self.by_caller.values().flat_map(HashMap::values)
    }

    /// Takes away who was not heard for so long that nothing is lost by it: its days are counted in
    /// the database.
    fn forget(&mut self) {
        for of_caller in self.by_caller.values_mut() {
            of_caller.retain(|_, known| known.used_at.elapsed() < known.pair.kept());
        }
        self.by_caller.retain(|_, of_caller| !of_caller.is_empty());
        self.count = self.by_caller.values().map(HashMap::len).sum();
    }
}

impl Pair {
    /// Until its burst is whole again, even with a small share of the rate.
    fn kept(&self) -> Duration {
        let burst = u64::from(self.limits.burst.unwrap_or(1));
        let per_second = u64::from(self.limits.requests_per_second.unwrap_or(1).max(1));
        let whole = Duration::from_secs(burst.div_ceil(per_second));
        match self.rate {
            Some(_) => KEPT.max(whole * 2),
            None => KEPT,
        }
    }
}

fn none(why: NoneLeft) -> GatewayError {
    match why {
        NoneLeft::Today(wait) => GatewayError::QuotaSpent {
            retry_after_ms: milliseconds(wait),
        },
        NoneLeft::Unknown(wait) => GatewayError::QuotaUnknown {
            retry_after_ms: milliseconds(wait),
        },
    }
}

fn milliseconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;

//! How much a registry's endpoint is asked, and when: what its owner wants to be spared.

mod clock;
mod day;
mod hours;

use serde::{Deserialize, Serialize};

pub use day::PerDay;
pub use hours::{OpeningHours, Window, Zone};

/// How much one endpoint of one registry is asked, and when. All of it counts requests, not calls:
/// a call may send several. A redirect that is followed, and the request for a token, do not count.
///
/// ```toml
/// [registries.crvs.endpoints.search.traffic]
/// requests_per_second = 10
/// max_in_flight = 4
/// per_day = { requests = 2000, zone = "Asia/Kathmandu" }
/// opening_hours = { zone = "Asia/Kathmandu", windows = ["sun-thu 09:00-17:00", "fri 09:00-15:00"] }
/// breaker = { consecutive_failures = 5, rest_ms = 30000 }
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrafficConfig {
    /// Requests begun per second, evenly spaced; below 1 too. Default: as many as there are.
    pub requests_per_second: Option<f64>,
    /// How many of them may begin at once after a pause. Default: [`Self::BURST`].
    pub burst: u32,
    /// Requests at the same time. Default: as many as there are.
    pub max_in_flight: Option<u32>,
    /// Requests in a day. Default: as many as there are.
    pub per_day: Option<PerDay>,
    /// How long one too many waits for its turn by `requests_per_second` and `max_in_flight`, in milliseconds. Default:
    /// [`Self::MAX_WAIT_MS`].
    pub max_wait_ms: u64,
    /// When the endpoint may be asked. Default: always.
    pub opening_hours: Option<OpeningHours>,
    /// When an endpoint that fails is left alone.
    pub breaker: BreakerConfig,
    /// A 429 or 503 with `Retry-After` lets the endpoint rest for so long as it says, at most for
    /// this many milliseconds; 0: it does not. Default: [`Self::MAX_RETRY_AFTER_MS`].
    pub max_retry_after_ms: u64,
}

/// When an endpoint that fails is left alone. A failure is no connection, no TLS, no whole answer,
/// or 502, 503 or 504: what says that nobody is there. A 500 may be about one record.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// So many failures one after the other let it rest; 0: none do. Default:
    /// [`Self::CONSECUTIVE_FAILURES`].
    pub consecutive_failures: u32,
    /// So many in a hundred of the last `window_requests` let it rest; 0: none do. Default:
    /// [`Self::FAILURE_PERCENT`].
    pub failure_percent: u32,
    /// How many requests `failure_percent` is of. Default: [`Self::WINDOW_REQUESTS`].
    pub window_requests: u32,
    /// How long it rests, in milliseconds. One request then tries it, before all do. Default:
    /// [`Self::REST_MS`].
    pub rest_ms: u64,
}

/// A value that makes no sense: the field below `traffic`, and what to write.
pub type TrafficProblem = (&'static str, &'static str);

impl TrafficConfig {
    /// None at once: the registry sees what its owner agreed to.
    pub const BURST: u32 = 1;
    /// As a call waits for its turn at the registry.
    pub const MAX_WAIT_MS: u64 = 2_000;
    /// 5 minutes: a slip of the registry must not close it for a day.
    pub const MAX_RETRY_AFTER_MS: u64 = 300_000;
    /// More than any registry takes, and few enough to be told apart on a clock of nanoseconds.
    const HIGHEST_RATE: f64 = 1_000_000.0;
    /// One a day.
    const LOWEST_RATE: f64 = 1.0 / 86_400.0;
    /// A burst of a day's requests at the lowest rate is still a number of nanoseconds.
    const MOST_BURST: u32 = 10_000;
    /// 49 days: the contract tells waiting in 32 bits of milliseconds.
    const LONGEST_MS: u64 = 49 * 86_400_000;

    /// What serde cannot tell of a value.
    ///
    /// # Errors
    /// The first field that makes no sense.
    pub fn check(&self) -> Result<(), TrafficProblem> {
        let rates = Self::LOWEST_RATE..=Self::HIGHEST_RATE;
        if self
            .requests_per_second
            .is_some_and(|it| !rates.contains(&it))
        {
            let problem =
                "write between one a day, 0.0000116, and 1000000; leave it out for no limit";
            return Err(("requests_per_second", problem));
        }
        if self.burst == 0 {
            return Err(("burst", "0 lets no request through; leave it out for 1"));
        }
        if self.burst > Self::MOST_BURST {
            return Err(("burst", "at most 10000"));
        }
        if self.max_in_flight == Some(0) {
            let problem = "0 lets no request through; leave it out for no limit";
            return Err(("max_in_flight", problem));
        }
        if let Some(per_day) = &self.per_day {
            per_day.check()?;
        }
        let BreakerConfig {
            failure_percent,
            window_requests,
            rest_ms,
            ..
        } = self.breaker;
        if failure_percent > 100 {
            return Err(("breaker.failure_percent", "at most 100; 0 switches it off"));
        }
        if !(1..=BreakerConfig::MOST_WINDOW_REQUESTS).contains(&window_requests) {
            return Err(("breaker.window_requests", "write between 1 and 1000"));
        }
        for (field, value) in [
            ("max_wait_ms", self.max_wait_ms),
            ("breaker.rest_ms", rest_ms),
            ("max_retry_after_ms", self.max_retry_after_ms),
        ] {
            if value > Self::LONGEST_MS {
                return Err((field, "at most 4233600000, which is 49 days"));
            }
        }
        Ok(())
    }
}

impl BreakerConfig {
    /// A hiccup of the network takes a few requests; ten in a row are no chance.
    pub const CONSECUTIVE_FAILURES: u32 = 10;
    /// Half of what is asked is lost.
    pub const FAILURE_PERCENT: u32 = 50;
    /// Enough to speak of half.
    pub const WINDOW_REQUESTS: u32 = 50;
    /// A restart of a server takes about that.
    pub const REST_MS: u64 = 10_000;
    /// Each is remembered by a byte.
    const MOST_WINDOW_REQUESTS: u32 = 1_000;
}

impl Default for TrafficConfig {
    fn default() -> Self {
        Self {
            requests_per_second: None,
            burst: Self::BURST,
            max_in_flight: None,
            per_day: None,
            max_wait_ms: Self::MAX_WAIT_MS,
            opening_hours: None,
            breaker: BreakerConfig::default(),
            max_retry_after_ms: Self::MAX_RETRY_AFTER_MS,
        }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            consecutive_failures: Self::CONSECUTIVE_FAILURES,
            failure_percent: Self::FAILURE_PERCENT,
            window_requests: Self::WINDOW_REQUESTS,
            rest_ms: Self::REST_MS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default() {
        let read = |text| toml::from_str::<TrafficConfig>(text).expect(text);
        assert_eq!(read(""), TrafficConfig::default());
        assert_eq!(TrafficConfig::default().check(), Ok(()));
        let breaker = read("breaker = { rest_ms = 5 }").breaker;
        let expected = BreakerConfig {
            rest_ms: 5,
            ..BreakerConfig::default()
        };
        assert_eq!(breaker, expected);
        // A whole number is a rate too.
        assert_eq!(
            read("requests_per_second = 3").requests_per_second,
            Some(3.0)
        );
        toml::from_str::<TrafficConfig>("request_per_second = 3").expect_err("unknown key");
        toml::from_str::<TrafficConfig>("breaker = { rest = 3 }").expect_err("unknown key");
        toml::from_str::<TrafficConfig>("per_day = { requests = 3 }").expect_err("whose day?");
    }

    #[test]
    fn what_the_store_keeps_is_read_again() {
        let text = "requests_per_second = 0.5\nmax_in_flight = 2\n\
                    per_day = { requests = 2000, zone = 'Asia/Kathmandu' }\n\
                    opening_hours = { zone = 'Asia/Kathmandu', windows = ['sun-thu 09:00-17:00'] }";
        let config: TrafficConfig = toml::from_str(text).expect("parses");
        let json = serde_json::to_string(&config).expect("JSON");
        assert_eq!(
            serde_json::from_str::<TrafficConfig>(&json).expect("JSON"),
            config
        );
    }

    #[test]
    fn values_without_sense_are_named() {
        for (text, field) in [
            ("requests_per_second = 0", "requests_per_second"),
            ("requests_per_second = -1.5", "requests_per_second"),
            ("requests_per_second = nan", "requests_per_second"),
            ("requests_per_second = inf", "requests_per_second"),
            ("requests_per_second = 0.00001", "requests_per_second"),
            ("burst = 0", "burst"),
            ("burst = 10001", "burst"),
            ("max_in_flight = 0", "max_in_flight"),
            (
                "per_day = { requests = 0, zone = 'UTC' }",
                "per_day.requests",
            ),
            (
                "per_day = { requests = 1000000001, zone = 'UTC' }",
                "per_day.requests",
            ),
            ("max_wait_ms = 4233600001", "max_wait_ms"),
            ("max_retry_after_ms = 4233600001", "max_retry_after_ms"),
            ("breaker = { rest_ms = 4233600001 }", "breaker.rest_ms"),
            (
                "breaker = { failure_percent = 101 }",
                "breaker.failure_percent",
            ),
            (
                "breaker = { window_requests = 0 }",
                "breaker.window_requests",
            ),
            (
                "breaker = { window_requests = 1001 }",
                "breaker.window_requests",
            ),
        ] {
            let config: TrafficConfig = toml::from_str(text).expect(text);
            let (named, remedy) = config.check().expect_err(text);
            assert_eq!(named, field, "{text}");
            assert!(remedy.contains(char::is_numeric), "{remedy}");
        }
        for fine in ["max_wait_ms = 0", "breaker = { consecutive_failures = 0 }"] {
            let config: TrafficConfig = toml::from_str(fine).expect(fine);
            assert_eq!(config.check(), Ok(()), "{fine}");
        }
    }
}

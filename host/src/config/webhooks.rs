//! Webhooks: where messages may go, and how long they are tried.

use std::num::{NonZeroU32, NonZeroU64};

use ipnet::IpNet;
use serde::Deserialize;

use super::secret::SecretSource;

/// The section `[webhooks]`. Without a host no webhook can be added: where people's data goes is for
/// whoever runs the gateway to say, and not for whoever adds a subscription.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhooksConfig {
    /// The hosts that a webhook may go to.
    pub allow_hosts: Vec<HostPattern>,
    /// Networks that may be reached though they are not public. Plain `http` goes to these alone.
    pub allow_networks: Vec<IpNet>,
    /// Authorities that vouch for receivers, PEM, in place of the system's.
    pub ca_file: Option<SecretSource>,
    /// For one message, from connecting to the receiver's answer, in milliseconds.
    pub timeout_ms: NonZeroU32,
    /// Subscriptions that this gateway sends for at the same time.
    pub at_once: NonZeroU32,
    /// Before a message is sent the second time, in milliseconds. It doubles with each further one.
    pub first_wait_ms: NonZeroU64,
    /// The longest wait before a message is sent again, in milliseconds, unless the receiver asks for a
    /// longer one.
    pub max_wait_ms: NonZeroU64,
    /// A subscription whose messages all fail for so long is paused, in milliseconds.
    pub pause_after_ms: NonZeroU64,
}

/// A host's name or address, or with `*.` before it whatever is below that name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct HostPattern(String);

/// It is none.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("write a host's name or address without scheme, port and path, or `*.` before a name")]
pub struct NoHost;

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

const fn milliseconds(number: u64) -> NonZeroU64 {
    match NonZeroU64::new(number) {
        Some(number) => number,
        None => NonZeroU64::MIN,
    }
}

impl WebhooksConfig {
    /// Whether a webhook may go to that host, as a URL has it.
    pub fn allows(&self, host: &str) -> bool {
        self.allow_hosts.iter().any(|pattern| pattern.covers(host))
    }
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            allow_hosts: Vec::new(),
            allow_networks: Vec::new(),
            ca_file: None,
            timeout_ms: at_least_one(15_000),
            at_once: at_least_one(16),
            first_wait_ms: milliseconds(5_000),
            max_wait_ms: milliseconds(60 * 60 * 1_000),
            // A long weekend, and the day on which somebody looks.
            pause_after_ms: milliseconds(5 * 24 * 60 * 60 * 1_000),
        }
    }
}

impl HostPattern {
    fn covers(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        match self.0.strip_prefix("*.") {
            Some(above) => host
                .strip_suffix(above)
                .is_some_and(|below| below.len() > 1 && below.ends_with('.')),
            None => host == self.0,
        }
    }
}

impl TryFrom<String> for HostPattern {
    type Error = NoHost;

    fn try_from(text: String) -> Result<Self, NoHost> {
        let text = text.to_ascii_lowercase();
        if text.parse::<std::net::IpAddr>().is_ok() {
            return Ok(Self(text));
        }
        let name = text.strip_prefix("*.").unwrap_or(&text);
        let is_label = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|it| it.is_ascii_alphanumeric() || it == b'-')
        };
        match name.split('.').all(is_label) {
            true => Ok(Self(text)),
            false => Err(NoHost),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        HostPattern::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_pattern_covers_its_host_and_what_is_below_a_star() {
        let one = pattern("Imis.Example.org");
        assert!(one.covers("imis.example.org") && one.covers("imis.example.org."));
        assert!(!one.covers("a.imis.example.org") && !one.covers("example.org"));
        let below = pattern("*.example.org");
        assert!(below.covers("a.example.org") && below.covers("a.b.example.org"));
        for other in [
            "example.org",
            ".example.org",
            "badexample.org",
            "example.org.evil.net",
        ] {
            assert!(!below.covers(other), "{other}");
        }
        assert!(pattern("::1").covers("[::1]") && pattern("127.0.0.1").covers("127.0.0.1"));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "",
            "*",
            "*.",
            "https://a.org",
            "a.org:443",
            "a.org/x",
            "a..org",
            "a b",
        ] {
            assert!(HostPattern::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}

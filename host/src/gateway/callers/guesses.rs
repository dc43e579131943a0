//! Who sends keys that nobody has.
//!
//! A key is 256 random bits: it is not guessed. What is bounded here is the trying: the log, the
//! processor, and the answer to whoever tries what leaked elsewhere. An address that tries too often
//! is refused before its key is looked at, so that it learns nothing. Several callers may come from
//! one address, through a proxy: keys that were good from there before are still taken
//! ([`super::keys`]), and the address is heard again after seconds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::gateway::GatewayError;

/// Addresses that are remembered at once. Those beyond are looked at like any other: whoever has so
/// many would else keep out all who were not seen before, and a key is not guessed by trying.
const MOST: usize = 10_000;
/// Those that are forgotten are looked for no more often, where there are so many.
const SWEEP: Duration = Duration::from_secs(1);
/// Who has no address.
const UNKNOWN: u64 = u64::MAX;

/// What failed, by address. A failure is forgotten after `1 / per_second` seconds.
pub(in crate::gateway) struct Guesses {
    most: f64,
    per_second: f64,
    by_peer: Mutex<ByPeer>,
}

#[derive(Default)]
struct ByPeer {
    failures: HashMap<u64, Failures>,
    swept_at: Option<Instant>,
    #[cfg(test)]
    sweeps: u32,
}

#[derive(Clone, Copy)]
struct Failures {
    count: f64,
    at: Instant,
}

/// A number for an address: whoever has one of IPv6 has 2^64 of them.
pub(in crate::gateway) fn peer_of(address: Option<IpAddr>) -> u64 {
    match address.map(|address| address.to_canonical()) {
        None => UNKNOWN,
        // No network has these first 64 bits.
        Some(IpAddr::V4(address)) => u64::from(address.to_bits()) | 1 << 63 | 1 << 62 | 1 << 61,
        // Never 0, which stands for nobody.
        Some(IpAddr::V6(address)) => u64::try_from(address.to_bits() >> 64)
            .unwrap_or(UNKNOWN)
            .max(1),
    }
}

impl Guesses {
    pub(in crate::gateway) fn new(per_minute: u32) -> Self {
        Self {
            most: per_minute.into(),
            per_second: f64::from(per_minute) / 60.0,
            by_peer: Mutex::default(),
        }
    }

    /// Whether a key from there is looked at.
    pub(in crate::gateway) fn check(&self, peer: u64) -> Result<(), GatewayError> {
        self.check_at(peer, Instant::now())
    }

    pub(in crate::gateway) fn failed(&self, peer: u64) {
        self.failed_at(peer, Instant::now());
    }

    fn check_at(&self, peer: u64, now: Instant) -> Result<(), GatewayError> {
        let by_peer = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        let count = by_peer
            .failures
            .get(&peer)
            .map_or(0.0, |it| self.left(*it, now));
        // One more would be too many.
        let over = count + 1.0 - self.most;
        if over <= 0.0 {
            return Ok(());
        }
        let seconds = over / self.per_second.max(f64::MIN_POSITIVE);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "bounded, and not negative"
        )]
        let retry_after_ms = (seconds * 1_000.0).clamp(0.0, 60_000.0) as u32;
        Err(GatewayError::TooManyFailedKeys { retry_after_ms })
    }

    fn failed_at(&self, peer: u64, now: Instant) {
        let mut by_peer = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        let full = by_peer.failures.len() >= MOST && !by_peer.failures.contains_key(&peer);
        if full && !self.sweep(&mut by_peer, now) {
            return;
        }
        let before = by_peer
            .failures
            .get(&peer)
            .map_or(0.0, |it| self.left(*it, now));
        let failures = Failures {
            count: (before + 1.0).min(self.most),
            at: now,
        };
        by_peer.failures.insert(peer, failures);
    }

    /// Whether there is room now.
    fn sweep(&self, by_peer: &mut ByPeer, now: Instant) -> bool {
        let swept = by_peer.swept_at;
        if swept.is_some_and(|at| now.saturating_duration_since(at) < SWEEP) {
            return false;
        }
        by_peer.swept_at = Some(now);
        #[cfg(test)]
        {
            by_peer.sweeps += 1;
        }
        by_peer.failures.retain(|_, it| self.left(*it, now) > 0.0);
        by_peer.failures.len() < MOST
    }

    fn left(&self, failures: Failures, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(failures.at).as_secs_f64();
        (failures.count - passed * self.per_second).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn who_guesses_is_refused_and_heard_again() {
        let guesses = Guesses::new(60);
        let (one, other) = (1, 2);
        let begin = Instant::now();
        for _ in 0..60 {
            assert!(guesses.check_at(one, begin).is_ok());
            guesses.failed_at(one, begin);
        }
        let refused = guesses.check_at(one, begin);
        assert!(matches!(
            refused,
            Err(GatewayError::TooManyFailedKeys {
                retry_after_ms: 1_000
            })
        ));
        assert!(guesses.check_at(other, begin).is_ok());
        let later = begin + Duration::from_millis(1_001);
        assert!(guesses.check_at(one, later).is_ok());
        guesses.failed_at(one, later);
        assert!(guesses.check_at(one, later).is_err());
        assert!(
            guesses
                .check_at(one, later + Duration::from_secs(60))
                .is_ok()
        );
    }

    /// Whoever has very many addresses fills no memory, and keeps nobody else out.
    #[test]
    fn the_memory_of_it_is_bounded() {
        let guesses = Guesses::new(60);
        let begin = Instant::now();
        for _ in 0..60 {
            guesses.failed_at(0, begin);
        }
        for peer in 1..20_000 {
            guesses.failed_at(peer, begin);
        }
        let held = guesses.by_peer.lock().unwrap().failures.len();
        assert_eq!(held, MOST);
        assert!(guesses.check_at(0, begin).is_err(), "it is remembered");
        assert!(
            guesses.check_at(19_999, begin).is_ok(),
            "no place is shared"
        );
        assert!(
            guesses.check_at(30_000, begin).is_ok(),
            "nor is a new one's"
        );
        let later = begin + Duration::from_secs(61);
        guesses.failed_at(30_000, later);
        assert_eq!(guesses.by_peer.lock().unwrap().failures.len(), 1);
    }

    /// Each failure beyond would else walk through all of them, while everybody waits.
    #[test]
    fn what_is_over_is_looked_for_once_a_second() {
        let guesses = Guesses::new(60);
        let begin = Instant::now();
        let sweeps = || guesses.by_peer.lock().unwrap().sweeps;
        for peer in 0..20_000 {
            guesses.failed_at(peer, begin);
        }
        assert_eq!(sweeps(), 1);
        for ms in (0..3_000).step_by(100) {
            let now = begin + Duration::from_millis(ms);
            // One that is known needs no room, and one that is new does.
            guesses.failed_at(1, now);
            guesses.failed_at(0, now);
            guesses.failed_at(20_000 + ms, now);
        }
        // At the second second there was room again, and so no other was needed.
        assert_eq!(sweeps(), 2);
    }

    #[test]
    fn a_network_of_ipv6_is_one_peer() {
        let v6 = |text: &str| peer_of(Some(text.parse::<Ipv6Addr>().unwrap().into()));
        assert_eq!(v6("2001:db8:1:2::1"), v6("2001:db8:1:2:ffff::9"));
        assert_ne!(v6("2001:db8:1:2::1"), v6("2001:db8:1:3::1"));
        let v4 = peer_of(Some(Ipv4Addr::new(192, 0, 2, 1).into()));
        assert_eq!(v6("::ffff:192.0.2.1"), v4);
        assert_ne!(v4, peer_of(Some(Ipv4Addr::new(192, 0, 2, 2).into())));
        assert_ne!(v4, peer_of(None));
    }
}

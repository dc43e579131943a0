//! Which guard stands before which endpoint. A guard knows what its registry has had and how it was:
//! taking over a configuration that leaves the endpoint's traffic as it is must not forget that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::Guard;
use crate::config::endpoint::EndpointConfig;
use crate::config::traffic::TrafficConfig;
use crate::egress::cluster::{Ledger, Share};

/// The guards in use, by registry and endpoint. What nobody uses any more is forgotten.
#[derive(Default)]
pub(in crate::egress) struct Guards {
    known: Mutex<HashMap<(String, String), Known>>,
    ledger: Option<Arc<dyn Ledger>>,
    share: Arc<Share>,
}

struct Known {
    /// As configured: another address is another system.
    base_url: String,
    traffic: TrafficConfig,
    guard: Weak<Guard>,
}

impl Guards {
    pub(in crate::egress) fn in_cluster(ledger: Arc<dyn Ledger>, share: Arc<Share>) -> Self {
        Self {
            ledger: Some(ledger),
            share,
            ..Self::default()
        }
    }

    /// Gives back what was taken of a day and not used for so long.
    pub(in crate::egress) async fn give_back(&self, unused: Duration) {
        let known: Vec<_> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.values().filter_map(|it| it.guard.upgrade()).collect()
        };
        for guard in known {
            guard.give_back(unused).await;
        }
    }

    /// The guard that stands there already, where it is configured alike, or a new one.
    pub(in crate::egress) fn before(
        &self,
        registry: &str,
        endpoint: &str,
        config: &EndpointConfig,
    ) -> Arc<Guard> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (registry.to_owned(), endpoint.to_owned());
        let stands = known
            .get(&key)
            .filter(|it| it.base_url == config.base_url && it.traffic == config.traffic)
            .and_then(|it| it.guard.upgrade());
        if let Some(guard) = stands {
            return guard;
        }
        known.retain(|_, it| it.guard.strong_count() > 0);
        let guard = Arc::new(Guard::new(
            format!("{registry}/{endpoint}"),
            &config.traffic,
            self.ledger.clone(),
            &self.share,
        ));
        let now = Known {
            base_url: config.base_url.clone(),
            traffic: config.traffic.clone(),
            guard: Arc::downgrade(&guard),
        };
        known.insert(key, now);
        guard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(base_url: &str, max_wait_ms: u64) -> EndpointConfig {
        let mut config = EndpointConfig::new(base_url);
        config.traffic.max_wait_ms = max_wait_ms;
        config
    }

    #[test]
    fn a_guard_stays_while_its_endpoint_is_configured_alike() {
        let guards = Guards::default();
        let before = |registry: &str, endpoint: &str, config: &EndpointConfig| {
            guards.before(registry, endpoint, config)
        };
        let first = before("crvs", "search", &config("https://a.example", 5));
        let mut same = config("https://a.example", 5);
        same.timeout_ms = 7;
        assert!(Arc::ptr_eq(&first, &before("crvs", "search", &same)));
        for (registry, endpoint, other) in [
            ("crvs", "records", config("https://a.example", 5)),
            ("social", "search", config("https://a.example", 5)),
            ("crvs", "search", config("https://b.example", 5)),
        ] {
            let other = before(registry, endpoint, &other);
            assert!(!Arc::ptr_eq(&first, &other), "{registry} {endpoint}");
        }
        let again = before("crvs", "search", &config("https://a.example", 6));
        assert!(!Arc::ptr_eq(&first, &again));
    }

    #[test]
    fn what_nobody_uses_is_forgotten() {
        let guards = Guards::default();
        let endpoint = config("https://a.example", 5);
        for registry in 0..100 {
            drop(guards.before(&registry.to_string(), "search", &endpoint));
        }
        assert_eq!(guards.known.lock().expect("known").len(), 1);
    }
}

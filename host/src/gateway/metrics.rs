//! The process's figures, in OpenMetrics' text form. Labels are names from the configuration and
//! words of this program: nothing of a person, and nothing that a caller or an adapter chooses. A
//! series is made when there is something to count, so that a thousand registries of which ten are
//! asked cost the series of ten.

pub(super) mod health;
mod live;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::lookups::waiting::Spent;
use crate::model::Ability;
use health::Health;
use live::Live;
pub(super) use live::Now;
use webhooks::Webhooks;

/// What is counted. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    calls: Family<CallLabels, Counter>,
    call_time: Family<AbilityLabels, Histogram, fn() -> Histogram>,
    faults: Family<FaultLabels, Counter>,
    turn_wait: Family<RegistryLabels, Seconds>,
    guest_cpu: Family<RegistryLabels, Seconds>,
    guest_memory: Family<RegistryLabels, Gauge>,
    egress_wait: Family<RegistryLabels, Seconds>,
    egress_requests: Family<EgressLabels, Counter>,
    retries: Family<AbilityLabels, Counter>,
    audit_wait: Family<PhaseLabels, Histogram, fn() -> Histogram>,
    attempts: Family<CallLabels, Counter>,
    operations: Family<OperationLabels, Gauge>,
    lookups: Family<OperationLabels, Gauge>,
    requests: Family<RequestLabels, Counter>,
    webhooks: Webhooks,
    live: Live,
    health: Health,
}

/// Time that adds up.
type Seconds = Counter<f64, std::sync::atomic::AtomicU64>;

/// Whose a call is: the registry, and the adapter that serves it.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub(super) struct RegistryLabels {
    pub(super) registry: String,
    pub(super) adapter: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct CallLabels {
    registry: String,
    adapter: String,
    ability: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct AbilityLabels {
    registry: String,
    adapter: String,
    ability: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct FaultLabels {
    registry: String,
    adapter: String,
    kind: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct EgressLabels {
    registry: String,
    adapter: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct OperationLabels {
    registry: String,
    state: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct PhaseLabels {
    phase: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct RequestLabels {
    route: String,
    status: u16,
}

/// Few, since each is a line per registry and ability: within a page's patience, a person's, and
/// the default limit of a call's time.
fn call_seconds() -> Histogram {
    Histogram::new([0.01, 0.05, 0.25, 1.0, 5.0, 30.0])
}

/// One disk sync, a slow one, a full queue.
fn audit_seconds() -> Histogram {
    Histogram::new([0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0])
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::default();
        let live = Live::new(&mut registry);
        let ours = registry.sub_registry_with_prefix("registry_gateway");
        let seconds = Some(Unit::Seconds);
        let metrics = Self {
            calls: put(
                ours,
                "calls",
                "Calls by how they ended",
                None,
                Family::default(),
            ),
            call_time: put(
                ours,
                "call_duration",
                "From a call's start to its answer, audit and waiting included",
                seconds.clone(),
                Family::new_with_constructor(call_seconds as fn() -> Histogram),
            ),
            faults: put(
                ours,
                "faults",
                "Calls that the adapter broke",
                None,
                Family::default(),
            ),
            turn_wait: put(
                ours,
                "turn_wait",
                "Waiting for a turn: concurrency.max_calls",
                seconds.clone(),
                Family::default(),
            ),
            guest_cpu: put(
                ours,
                "guest_cpu",
                "Processor time of the adapter",
                seconds.clone(),
                Family::default(),
            ),
            guest_memory: put(
                ours,
                "guest_memory_peak",
                "The most linear memory that a call has had since the start",
                Some(Unit::Bytes),
                Family::default(),
            ),
            egress_wait: put(
                ours,
                "egress_wait",
                "Waiting for the registry",
                seconds.clone(),
                Family::default(),
            ),
            egress_requests: put(
                ours,
                "egress_requests",
                "Requests to the registry by status class, or by what went wrong",
                None,
                Family::default(),
            ),
            retries: put(
                ours,
                "retries",
                "Lookups made again after a failure",
                None,
                Family::default(),
            ),
            audit_wait: put(
                ours,
                "audit_wait",
                "Waiting for an audit row to be durable",
                seconds,
                Family::new_with_constructor(audit_seconds as fn() -> Histogram),
            ),
            attempts: put(
                ours,
                "operation_attempts",
                "Attempts at writes, and questions about one, by how they ended",
                None,
                Family::default(),
            ),
            lookups: put(
                ours,
                "lookups_kept",
                "Lookups that are kept for callers who come back",
                None,
                Family::default(),
            ),
            operations: put(
                ours,
                "operations",
                "Writes that are not over, by where they stand",
                None,
                Family::default(),
            ),
            requests: put(
                ours,
                "http_requests",
                "HTTP requests by the route's pattern",
                None,
                Family::default(),
            ),
            webhooks: Webhooks::new(ours),
            live,
            health: Health::default(),
            registry: Arc::default(),
        };
        Self {
            registry: Arc::new(registry),
            ..metrics
        }
    }

    /// Counts an HTTP request by its route's pattern.
    pub fn request(&self, route: &str, status: u16) {
        let labels = RequestLabels {
            route: route.to_owned(),
            status,
        };
        self.requests.get_or_create(&labels).inc();
    }

    /// The text that Prometheus scrapes.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub(super) fn webhooks(&self) -> &Webhooks {
        &self.webhooks
    }

    pub(super) fn live(&self) -> &Live {
        &self.live
    }

    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    pub(super) fn answered(
        &self,
        of: &RegistryLabels,
        ability: Ability,
        outcome: &'static str,
        took: Duration,
    ) {
        self.health.saw(&of.registry, outcome, took);
        let RegistryLabels { registry, adapter } = of.clone();
        let labels = CallLabels {
            registry,
            adapter,
            ability: ability.as_str(),
            outcome,
        };
        self.calls.get_or_create(&labels).inc();
        let labels = AbilityLabels {
            registry: labels.registry,
            adapter: labels.adapter,
            ability: labels.ability,
        };
        self.call_time
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    pub(super) fn fault(&self, of: &RegistryLabels, kind: &'static str) {
        let RegistryLabels { registry, adapter } = of.clone();
        let labels = FaultLabels {
            registry,
            adapter,
            kind,
        };
        self.faults.get_or_create(&labels).inc();
    }

    /// What a call has used.
    pub(super) fn used(&self, of: &RegistryLabels, spent: &Spent) {
        let usage = &spent.usage;
        for (family, time) in [
            (&self.turn_wait, spent.turn_wait),
            (&self.guest_cpu, usage.cpu),
            (&self.egress_wait, usage.http_wait),
        ] {
            family.get_or_create(of).inc_by(time.as_secs_f64());
        }
        let memory = i64::try_from(usage.memory).unwrap_or(i64::MAX);
        self.guest_memory
            .get_or_create(of)
            .inner()
            .fetch_max(memory, std::sync::atomic::Ordering::Relaxed);
        for (outcome, count) in usage.http_ends.counts() {
            let RegistryLabels { registry, adapter } = of.clone();
            let labels = EgressLabels {
                registry,
                adapter,
                outcome,
            };
            self.egress_requests
                .get_or_create(&labels)
                .inc_by(count.into());
        }
    }

    /// Steps of a call that were made again.
    pub(super) fn retried(&self, of: &RegistryLabels, ability: Ability, times: u32) {
        if times > 0 {
            let RegistryLabels { registry, adapter } = of.clone();
            let labels = AbilityLabels {
                registry,
                adapter,
                ability: ability.as_str(),
            };
            self.retries.get_or_create(&labels).inc_by(times.into());
        }
    }

    /// An attempt at a write, or a question about one, has ended.
    pub(super) fn attempted(&self, of: &RegistryLabels, ability: Ability, outcome: &'static str) {
        let RegistryLabels { registry, adapter } = of.clone();
        let labels = CallLabels {
            registry,
            adapter,
            ability: ability.as_str(),
            outcome,
        };
        self.attempts.get_or_create(&labels).inc();
    }

    /// How many writes stand where, of all that are not over.
    pub(super) fn stand(&self, counts: Vec<(String, &'static str, u64)>) {
        set_all(&self.operations, counts);
    }

    /// How many lookups are kept, and where they stand.
    pub(super) fn kept(&self, counts: Vec<(String, &'static str, u64)>) {
        set_all(&self.lookups, counts);
    }

    pub(super) fn audit_wait(&self, phase: &'static str, took: Duration) {
        self.audit_wait
            .get_or_create(&PhaseLabels { phase })
            .observe(took.as_secs_f64());
    }
}

fn set_all(family: &Family<OperationLabels, Gauge>, counts: Vec<(String, &'static str, u64)>) {
    family.clear();
    for (registry, state, count) in counts {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let labels = OperationLabels { registry, state };
        family.get_or_create(&labels).set(count);
    }
}

/// Registers a metric and gives it back.
fn put<M>(registry: &mut Registry, name: &str, help: &str, unit: Option<Unit>, metric: M) -> M
where
    M: Clone + EncodeMetric + TypedMetric + Send + Sync + std::fmt::Debug + 'static,
{
    match unit {
        Some(unit) => registry.register_with_unit(name, help, unit, metric.clone()),
        None => registry.register(name, help, metric.clone()),
    }
    metric
}

#[cfg(test)]
mod tests;

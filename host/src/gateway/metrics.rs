//! The process's figures, in Prometheus' text form. Labels are names from the configuration and
//! words of this program: nothing of a person.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::model::Ability;
use crate::sandbox::Usage;

/// What is counted. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: std::sync::Arc<Registry>,
    answers: Family<AnswerLabels, Counter>,
    answer_time: Family<CallLabels, Histogram, fn() -> Histogram>,
    guest_cpu: Family<CallLabels, Histogram, fn() -> Histogram>,
    guest_memory: Family<CallLabels, Gauge>,
    egress_wait: Family<CallLabels, Histogram, fn() -> Histogram>,
    egress_calls: Family<CallLabels, Counter>,
    retries: Family<CallLabels, Counter>,
    audit_wait: Histogram,
    requests: Family<RequestLabels, Counter>,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct AnswerLabels {
    registry: String,
    ability: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct CallLabels {
    registry: String,
    ability: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct RequestLabels {
    route: String,
    status: u16,
}

/// 0.1 ms to 26 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_1, 4.0, 10))
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("registry_gateway");
        let metrics = Self {
            answers: Family::default(),
            answer_time: Family::new_with_constructor(seconds),
            guest_cpu: Family::new_with_constructor(seconds),
            guest_memory: Family::default(),
            egress_wait: Family::new_with_constructor(seconds),
            egress_calls: Family::default(),
            retries: Family::default(),
            audit_wait: seconds(),
            requests: Family::default(),
            registry: std::sync::Arc::default(),
        };
        registry.register("answers", "Answers by outcome", metrics.answers.clone());
        registry.register_with_unit(
            "answer_time",
            "From the verb's start to its answer",
            Unit::Seconds,
            metrics.answer_time.clone(),
        );
        registry.register_with_unit(
            "guest_cpu",
            "Processor time of the adapter per call",
            Unit::Seconds,
            metrics.guest_cpu.clone(),
        );
        registry.register_with_unit(
            "guest_memory_peak",
            "The most linear memory that a call has had",
            Unit::Bytes,
            metrics.guest_memory.clone(),
        );
        registry.register_with_unit(
            "egress_wait",
            "Waiting for the registry per call",
            Unit::Seconds,
            metrics.egress_wait.clone(),
        );
        registry.register(
            "egress_requests",
            "Requests to the registry",
            metrics.egress_calls.clone(),
        );
        registry.register(
            "retries",
            "Lookups made again after a failure",
            metrics.retries.clone(),
        );
        registry.register_with_unit(
            "audit_wait",
            "Waiting for an audit row to be durable",
            Unit::Seconds,
            metrics.audit_wait.clone(),
        );
        registry.register("http_requests", "HTTP requests", metrics.requests.clone());
        Self {
            registry: std::sync::Arc::new(registry),
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
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub(super) fn answered(
        &self,
        registry: &str,
        ability: Ability,
        outcome: &'static str,
        took: Duration,
    ) {
        let labels = AnswerLabels {
            registry: registry.to_owned(),
            ability: ability.as_str(),
            outcome,
        };
        self.answers.get_or_create(&labels).inc();
        self.answer_time
            .get_or_create(&call(registry, ability))
            .observe(took.as_secs_f64());
    }

    pub(super) fn used(&self, registry: &str, ability: Ability, usage: &Usage) {
        let labels = call(registry, ability);
        self.guest_cpu
            .get_or_create(&labels)
            .observe(usage.cpu.as_secs_f64());
        self.egress_wait
            .get_or_create(&labels)
            .observe(usage.http_wait.as_secs_f64());
        self.egress_calls
            .get_or_create(&labels)
            .inc_by(usage.http_calls.into());
        let memory = i64::try_from(usage.memory).unwrap_or(i64::MAX);
        let peak = self.guest_memory.get_or_create(&labels);
        if peak.get() < memory {
            peak.set(memory);
        }
    }

    pub(super) fn retried(&self, registry: &str, ability: Ability, times: u32) {
        if times > 0 {
            let labels = call(registry, ability);
            self.retries.get_or_create(&labels).inc_by(times.into());
        }
    }

    pub(super) fn audit_wait(&self, took: Duration) {
        self.audit_wait.observe(took.as_secs_f64());
    }
}

fn call(registry: &str, ability: Ability) -> CallLabels {
    CallLabels {
        registry: registry.to_owned(),
        ability: ability.as_str(),
    }
}

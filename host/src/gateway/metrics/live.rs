//! What is so right now: looked at when somebody asks, not counted along the way.

use std::sync::atomic::Ordering::Relaxed;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use rustix::time::{ClockId, clock_gettime};

use super::{Seconds, put};
use crate::sandbox::Occupancy;

/// The gauges of the process and of what all registries share.
#[derive(Clone)]
pub(in crate::gateway) struct Live {
    cpu: Seconds,
    resident: Gauge,
    registries: Family<StateLabels, Gauge>,
    behind: Gauge,
    instances: Gauge,
    busy_threads: Gauge,
    module_loads: Family<SourceLabels, Counter>,
    queue: Gauge,
    commits: Counter,
}

/// What the rest of the gateway tells for it.
pub(in crate::gateway) struct Now {
    pub(in crate::gateway) sandbox: Occupancy,
    /// Ready, disabled, not ready.
    pub(in crate::gateway) registries: [(&'static str, usize); 3],
    /// Those that are served by an older module than they should be.
    pub(in crate::gateway) behind: usize,
    /// Writes that wait for the database.
    pub(in crate::gateway) queued: usize,
    /// Transactions of audit rows so far.
    pub(in crate::gateway) commits: u64,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct StateLabels {
    state: &'static str,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct SourceLabels {
    source: &'static str,
}

impl Live {
    pub(super) fn new(registry: &mut Registry) -> Self {
        // Under the names that every Prometheus client gives them.
        let (cpu, resident) = ("process_cpu", "process_resident_memory");
        let cpu = put(
            registry,
            cpu,
            "Processor time of the process",
            Some(Unit::Seconds),
            Seconds::default(),
        );
        let resident = put(
            registry,
            resident,
            "Memory of the process that is in RAM",
            Some(Unit::Bytes),
            Gauge::default(),
        );
        let ours = registry.sub_registry_with_prefix("registry_gateway");
        let mut gauge = |name, help| put(ours, name, help, None, Gauge::default());
        Self {
            cpu,
            resident,
            instances: gauge("instances", "Live instances of all registries"),
            busy_threads: gauge("busy_threads", "Threads that compute for busy adapters"),
            behind: gauge(
                "registries_behind",
                "Registries that are served by an older module than they should be",
            ),
            queue: gauge("store_queue_rows", "Writes that wait for the database"),
            registries: put(
                ours,
                "registries",
                "Registries by state",
                None,
                Family::default(),
            ),
            module_loads: put(
                ours,
                "module_loads",
                "Modules taken from the cache or compiled",
                None,
                Family::default(),
            ),
            commits: put(
                ours,
                "audit_commits",
                "Transactions of audit rows: many rows share one",
                None,
                Counter::default(),
            ),
        }
    }

    pub(in crate::gateway) fn look(&self, now: &Now) {
        self.cpu
            .inner()
            .store(processor_seconds().to_bits(), Relaxed);
        if let Some(bytes) = resident_bytes() {
            self.resident.set(bytes);
        }
        for (state, count) in now.registries {
            let gauge = self.registries.get_or_create(&StateLabels { state });
            gauge.set(number(count));
        }
        let Occupancy {
            instances,
            busy_threads,
            cache_hits,
            compiled,
        } = now.sandbox;
        self.instances.set(number(instances));
        self.busy_threads.set(number(busy_threads));
        for (source, count) in [("cache", cache_hits), ("compiler", compiled)] {
            let counter = self.module_loads.get_or_create(&SourceLabels { source });
            counter.inner().store(count, Relaxed);
        }
        self.behind.set(number(now.behind));
        self.queue.set(number(now.queued));
        self.commits.inner().store(now.commits, Relaxed);
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a figure, and years fit in a float"
    )]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    seconds
}

/// None where there is no `/proc`.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

//! README's tables of limits are the defaults, and the adapters' table has each ability, all of them and no
//! others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use gateway_tests::components::workspace;
use registry_gateway::config::Config;
use registry_gateway::config::callers::IssuerConfig;
use registry_gateway::config::endpoint::EndpointConfig;
use registry_gateway::config::limits::CallLimits;
use registry_gateway::config::read::toml_text;
use registry_gateway::config::registry::{ConcurrencyConfig, PagesConfig, RegistryFile};
use registry_gateway::config::retry::RetryConfig;
use registry_gateway::config::traffic::{BreakerConfig, TrafficConfig};

const README: &str = include_str!("../../README.md");

/// Rows of the form ``| `key` | number | …``.
fn told() -> BTreeMap<String, u64> {
    README
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
            let key = cells.next()?.strip_suffix('`')?;
            Some((key.to_owned(), cells.next()?.parse().ok()?))
        })
        .collect()
}

fn real() -> BTreeMap<String, u64> {
    let mut real = BTreeMap::new();
    let mut put = |prefix: &str, value: serde_json::Value| {
        let serde_json::Value::Object(fields) = value else {
            panic!("{prefix} is a table");
        };
        for (key, value) in fields {
            if let Some(number) = value.as_u64() {
                real.insert(format!("{prefix}{key}"), number);
            }
        }
    };
    let json = |value: Result<serde_json::Value, _>| value.unwrap();
    put("", json(serde_json::to_value(CallLimits::default())));
    put(
        "concurrency.",
        json(serde_json::to_value(ConcurrencyConfig::default())),
    );
    put(
        "endpoints.*.",
        json(serde_json::to_value(EndpointConfig::new("https://x"))),
    );
    put(
        "endpoints.*.traffic.",
        json(serde_json::to_value(TrafficConfig::default())),
    );
    put(
        "endpoints.*.traffic.breaker.",
        json(serde_json::to_value(BreakerConfig::default())),
    );
    put("retry.", json(serde_json::to_value(RetryConfig::default())));
    put("pages.", json(serde_json::to_value(PagesConfig::default())));
    let config = Config::default();
    let gateway = [
        ("api.max_body_bytes", config.api.max_body_bytes as u64),
        (
            "api.max_configuration_bytes",
            config.api.max_configuration_bytes as u64,
        ),
        (
            "api.max_connections",
            config.api.max_connections.get().into(),
        ),
        ("api.read_timeout_ms", config.api.read_timeout_ms),
        ("api.write_timeout_ms", config.api.write_timeout_ms),
        ("api.log_reading_max_ms", config.api.log_reading_max_ms),
        ("api.upload_timeout_ms", config.api.upload_timeout_ms),
        ("admission.at_once", config.admission.at_once.get().into()),
        (
            "admission.replay_timeout_ms",
            config.admission.replay_timeout_ms,
        ),
        ("api.drain_delay_ms", config.api.drain_delay_ms.into()),
        ("api.drain_timeout_ms", config.api.drain_timeout_ms.into()),
        (
            "callers.max_token_bytes",
            config.callers.max_token_bytes.get().into(),
        ),
        (
            "callers.issuers.*.clock_leeway_s",
            IssuerConfig::CLOCK_LEEWAY_S.into(),
        ),
        (
            "callers.issuers.*.timeout_ms",
            IssuerConfig::TIMEOUT_MS.into(),
        ),
        (
            "callers.issuers.*.max_document_bytes",
            IssuerConfig::MAX_DOCUMENT_BYTES.into(),
        ),
        (
            "callers.issuers.*.refresh_after_s",
            IssuerConfig::REFRESH_AFTER_S.into(),
        ),
        (
            "callers.issuers.*.refresh_least_s",
            IssuerConfig::REFRESH_LEAST_S.into(),
        ),
        (
            "callers.issuers.*.keep_keys_s",
            IssuerConfig::KEEP_KEYS_S.into(),
        ),
        ("api.session_idle_ms", config.api.session_idle_ms),
        ("api.session_max_ms", config.api.session_max_ms),
        ("api.max_log_readers", config.api.max_log_readers.into()),
        ("callers.burst", config.callers.burst.get().into()),
        (
            "callers.failed_keys_per_minute",
            config.callers.failed_keys_per_minute.get().into(),
        ),
        ("sandbox.max_module_bytes", config.sandbox.max_module_bytes),
        ("sandbox.max_instances", config.sandbox.max_instances.into()),
        ("sandbox.max_memory_bytes", config.sandbox.max_memory_bytes),
        (
            "sandbox.compile_memory_bytes",
            config.sandbox.compile_memory_bytes,
        ),
        (
            "sandbox.compile_timeout_ms",
            config.sandbox.compile_timeout_ms,
        ),
        ("sandbox.busy_threads", config.sandbox.busy_threads as u64),
        (
            "events.max_callback_bytes",
            config.events.max_callback_bytes.get().into(),
        ),
        (
            "events.callbacks_per_second",
            config.events.callbacks_per_second.get().into(),
        ),
        (
            "events.callback_burst",
            config.events.callback_burst.get().into(),
        ),
        (
            "events.callbacks_at_once",
            config.events.callbacks_at_once.get().into(),
        ),
        (
            "events.callbacks_at_once_per_registry",
            config.events.callbacks_at_once_per_registry.get().into(),
        ),
        (
            "events.max_unread_callbacks",
            config.events.max_unread_callbacks.get().into(),
        ),
        (
            "events.max_unread_bytes",
            config.events.max_unread_bytes.get(),
        ),
        ("events.max_kept_bytes", config.events.max_kept_bytes.get()),
        (
            "events.callback_retention_ms",
            config.events.callback_retention_ms,
        ),
        (
            "events.unread_retention_ms",
            config.events.unread_retention_ms,
        ),
        (
            "events.event_retention_ms",
            config.events.event_retention_ms,
        ),
        (
            "events.answer_retention_ms",
            config.events.answer_retention_ms,
        ),
        (
            "events.max_waiting_reads",
            config.events.max_waiting_reads.into(),
        ),
        ("node.heartbeat_ms", config.node.heartbeat_ms.into()),
        ("node.dead_after_ms", config.node.dead_after_ms.into()),
        ("node.forget_after_ms", config.node.forget_after_ms),
        ("node.prepare_ms", config.node.prepare_ms.into()),
        (
            "sandbox.ready_versions",
            config.sandbox.ready_versions.into(),
        ),
        ("sandbox.shadow_calls", config.sandbox.shadow_calls.into()),
        ("lookups.keep_ms", config.lookups.keep_ms.get()),
        (
            "lookups.answer_keep_ms",
            config.lookups.answer_keep_ms.get(),
        ),
        (
            "lookups.max_per_caller",
            config.lookups.max_per_caller.get().into(),
        ),
        (
            "lookups.max_per_registry",
            config.lookups.max_per_registry.get().into(),
        ),
        ("operations.at_once", config.operations.at_once.get().into()),
        (
            "operations.at_once_per_registry",
            config.operations.at_once_per_registry.get().into(),
        ),
        (
            "operations.first_wait_ms",
            config.operations.first_wait_ms.get(),
        ),
        (
            "operations.max_wait_ms",
            config.operations.max_wait_ms.get(),
        ),
        (
            "operations.keep_bodies_days",
            config.operations.keep_bodies_days.get().into(),
        ),
        (
            "operations.give_up_days",
            config.operations.give_up_days.get().into(),
        ),
        (
            "webhooks.timeout_ms",
            config.webhooks.timeout_ms.get().into(),
        ),
        ("webhooks.at_once", config.webhooks.at_once.get().into()),
        (
            "webhooks.first_wait_ms",
            config.webhooks.first_wait_ms.get(),
        ),
        ("webhooks.max_wait_ms", config.webhooks.max_wait_ms.get()),
        (
            "webhooks.pause_after_ms",
            config.webhooks.pause_after_ms.get(),
        ),
        ("store.queue_rows", config.store.queue_rows.get().into()),
        ("store.queue_wait_ms", config.store.queue_wait_ms.into()),
        (
            "audit.checkpoint_interval_ms",
            config.audit.checkpoint_interval_ms.get(),
        ),
        (
            "telemetry.queue_spans",
            config.telemetry.queue_spans.get().into(),
        ),
        ("telemetry.timeout_ms", config.telemetry.timeout_ms.into()),
    ];
    real.extend(gateway.map(|(key, value)| (key.to_owned(), value)));
    real
}

#[test]
fn the_limits_in_the_readme_are_the_defaults() {
    assert_eq!(told(), real());
}

/// README's example of traffic is one.
#[test]
fn the_traffic_in_the_readme_is_read() {
    let blocks = README.split("```toml\n").skip(1);
    let mut blocks = blocks.filter_map(|block| block.split("```").next());
    let block = blocks.find(|block| block.contains(".traffic]")).unwrap();
    let endpoint =
        "[registries.social.endpoints.registry]\nbase_url = \"https://sr.example.org/\"\n";
    let file: RegistryFile = toml_text(&format!("{endpoint}{block}")).unwrap();
    let social = &file.registries["social"];
    let traffic = &social.endpoints["registry"].traffic;
    assert_eq!(traffic.check(), Ok(()));
    assert_eq!(traffic.requests_per_second, Some(10.0));
    assert_eq!(traffic.opening_hours.as_ref().unwrap().windows.len(), 2);
    assert_eq!(
        (traffic.breaker.rest_ms, social.retry.max_attempts),
        (30_000, 3)
    );
}

/// What each adapter was tried against is told of each of its abilities (`adapters/README.md`).
#[test]
fn the_table_of_adapters_has_each_ability_of_each_folder() {
    let folder = workspace().join("adapters");
    let mut real = BTreeSet::new();
    for entry in fs::read_dir(&folder).unwrap() {
        // What has none is a library.
        let Ok(text) = fs::read_to_string(entry.unwrap().path().join("adapter.toml")) else {
            continue;
        };
        let manifest: toml::Table = text.parse().unwrap();
        let name = manifest["name"].as_str().unwrap();
        for ability in manifest["abilities"].as_array().unwrap() {
            real.insert((name.to_owned(), ability.as_str().unwrap().to_owned()));
        }
    }
    assert!(real.len() > 20, "{real:?}");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<Vec<&str>> = rows
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let word = |cell: &str| cell.trim_matches('`').to_owned();
    let told = rows.iter().map(|row| (word(row[0]), word(row[1])));
    assert_eq!(told.collect::<BTreeSet<_>>(), real);
    // Each once, with what it was tried against and what never.
    assert_eq!(rows.len(), real.len());
    assert!(
        rows.iter()
            .all(|row| row.len() == 4 && !row[2].is_empty() && !row[3].is_empty())
    );
}

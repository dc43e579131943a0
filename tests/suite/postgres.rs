//! The gateway seen from outside, on PostgreSQL: all of the suite that has a database. Where the
//! machine has no server programs this says so aloud, and under `CI=true` it fails.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod access;
mod administering;
mod applying;
mod audit;
mod audit_chain;
mod audit_export;
mod audit_reading;
mod bad_input;
mod bringing;
mod callers;
mod credentials;
mod damage;
mod events;
mod fault_proxy;
mod following;
mod households;
mod kept_lookups;
mod leaks;
mod links;
mod lookups;
mod many;
mod metrics;
mod modules;
mod nodes;
mod oci;
mod openapi;
mod operations;
mod packages;
mod registry_faults;
mod roles;
mod roster;
mod searches;
mod spdci_async;
mod starting;
mod swap;
mod tokens;
mod traffic;
mod trials;
mod ui;
mod webhooks;

/// What every other test of this program takes for granted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_is_on_postgres() {
    let gateway = gateway_tests::gateway::TestGateway::start().await;
    assert!(gateway.is_on_postgres());
    assert!(gateway.config.store.postgres.is_some());
    assert!(!gateway.config.store.path.exists(), "a SQLite file");
}

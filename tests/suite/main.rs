//! The gateway seen from outside.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod access;
mod administering;
mod admission;
mod applying;
mod audit;
mod audit_chain;
mod audit_export;
mod audit_reading;
mod bad_input;
mod bench;
mod bringing;
mod busy;
mod cache;
mod callers;
mod credentials;
mod damage;
mod escapes;
mod events;
mod fault_proxy;
mod following;
mod hostile;
mod house;
mod households;
mod kept_lookups;
mod leaks;
mod links;
mod logs;
mod lookups;
mod many;
mod metrics;
mod modules;
mod nodes;
mod oci;
mod openapi;
mod operations;
mod outbound;
mod packages;
mod peer;
mod problems;
mod readme;
mod registrar;
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
mod uploads;
mod webhooks;

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
mod bad_input;
mod bench;
mod busy;
mod cache;
mod callers;
mod credentials;
mod damage;
mod escapes;
mod fault_proxy;
mod hostile;
mod house;
mod households;
mod leaks;
mod logs;
mod lookups;
mod many;
mod metrics;
mod modules;
mod openapi;
mod outbound;
mod peer;
mod readme;
mod registry_faults;
mod roles;
mod roster;
mod searches;
mod starting;
mod tokens;
mod traffic;
mod uploads;

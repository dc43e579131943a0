//! The registry gateway: lets openIMIS talk to any national registry through sandboxed adapters.
//!
//! `ARCHITECTURE.md` at the top of the repository describes the house; `main.rs` is only its door.

pub mod api;
pub mod cli;
pub mod config;
pub mod egress;
pub mod gateway;
pub mod model;
pub mod package;
pub mod sandbox;
pub mod serve;
pub mod store;
pub mod telemetry;

//! What the suite and the examples share.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

pub mod ask;
pub mod compiled;
pub mod components;
pub mod crafted;
pub mod database;
pub mod fault_proxy;
pub mod gateway;
pub mod issuer;
pub mod leaks;
pub mod left_out;
pub mod postgres;
pub mod program;
pub mod receiver;
pub mod registries;
pub mod schema;
pub mod versions;
pub mod wait;

pub use stand_in;

//! What the suite and the examples share.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

pub mod components;
pub mod crafted;
pub mod stand_in;

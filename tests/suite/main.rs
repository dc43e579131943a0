//! The gateway seen from outside.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops"
)]

mod admission;
mod bench;
mod busy;
mod cache;
mod hostile;
mod logs;
mod outbound;
mod peer;
mod readme;
mod uploads;

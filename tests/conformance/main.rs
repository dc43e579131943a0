//! Adapters against software of others, through the whole gateway and the real component.
//!
//! What this needs is not part of the repository: the fixtures (REGISTRY_GATEWAY_SHARED names their
//! folder) and the node packages of `package.json` here (`npm ci --prefix tests/conformance`).
//! Without the fixtures each test says that it is left out; where CI=true it fails.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy exempts tests, not their helpers"
)]

mod fixtures;
mod gateway;
mod medplum;
mod mockoon;
mod peer;
mod prism;
mod recorder;

//! One struct per concern; the only place that reads the environment.

pub mod endpoint;
pub mod secret;

//! The HTTP API's section.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;

use serde::Deserialize;

/// The HTTP API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiConfig {
    /// Address and port. Port 0 takes a free one. TLS is a reverse proxy's work.
    pub listen: SocketAddr,
    /// The largest request body.
    pub max_body_bytes: usize,
    /// How long a request's head may take to arrive, and how long its body, in milliseconds.
    pub read_timeout_ms: u64,
    /// Connections at the same time; the one too many waits until another ends.
    pub max_connections: NonZeroU32,
}

impl ApiConfig {
    /// Loopback: whoever opens it to a network puts TLS in front.
    pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
    /// 256 KiB: a claimed person with a small photo fits.
    pub const MAX_BODY_BYTES: usize = 256 << 10;
    /// 10 seconds.
    pub const READ_TIMEOUT_MS: u64 = 10_000;
    /// A reverse proxy keeps far fewer, and so many fit the usual limit of open files.
    pub const MAX_CONNECTIONS: NonZeroU32 = match NonZeroU32::new(1_024) {
        Some(most) => most,
        None => NonZeroU32::MIN,
    };
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: Self::LISTEN,
            max_body_bytes: Self::MAX_BODY_BYTES,
            read_timeout_ms: Self::READ_TIMEOUT_MS,
            max_connections: Self::MAX_CONNECTIONS,
        }
    }
}

//! The HTTP API's section.

use std::net::{Ipv4Addr, SocketAddr};

use serde::Deserialize;

/// The HTTP API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiConfig {
    /// Address and port. Port 0 takes a free one. TLS is a reverse proxy's work.
    pub listen: SocketAddr,
    /// The largest request body.
    pub max_body_bytes: usize,
    /// How long a request may take to arrive, in milliseconds.
    pub read_timeout_ms: u64,
}

impl ApiConfig {
    /// Loopback: whoever opens it to a network puts TLS in front.
    pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
    /// 256 KiB: a claimed person with a small photo fits.
    pub const MAX_BODY_BYTES: usize = 256 << 10;
    /// 10 seconds.
    pub const READ_TIMEOUT_MS: u64 = 10_000;
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: Self::LISTEN,
            max_body_bytes: Self::MAX_BODY_BYTES,
            read_timeout_ms: Self::READ_TIMEOUT_MS,
        }
    }
}

//! The HTTP API's section.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;

use ipnet::IpNet;
use serde::Deserialize;

/// The HTTP API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiConfig {
    /// Address and port. Port 0 takes a free one. TLS is a reverse proxy's work.
    pub listen: SocketAddr,
    /// Reverse proxies, by network: only what they say of whom they speak for (`X-Forwarded-For`) is
    /// believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The largest request body.
    pub max_body_bytes: usize,
    /// The largest body that holds registries to apply.
    pub max_configuration_bytes: usize,
    /// How long a request's head may take to arrive, and how long its body, in milliseconds.
    pub read_timeout_ms: u64,
    /// How long a module may take to arrive, in milliseconds.
    pub upload_timeout_ms: u64,
    /// How long a caller may take nothing of its answer, in milliseconds: then its connection is cut,
    /// and what it held is free.
    pub write_timeout_ms: u64,
    /// Connections at the same time; the one too many waits until another ends.
    pub max_connections: NonZeroU32,
    /// On SIGTERM, for so long `/readyz` says no while new requests are still taken, in
    /// milliseconds: what balances load must hear of it before connections are refused.
    pub drain_delay_ms: u32,
    /// After that, calls under way have so long to end, audit rows included, in milliseconds.
    pub drain_timeout_ms: u32,
    /// A session of the admin page ends when nobody has acted for so long, in milliseconds.
    pub session_idle_ms: u64,
    /// It ends after so long whatever happens, in milliseconds.
    pub session_max_ms: u64,
    /// Readers of adapters' logs at the same time: each holds a connection.
    pub max_log_readers: u32,
    /// A reading of logs ends after so long, in milliseconds, and who still reads begins anew: who has
    /// gone or stopped while little is logged is not told from one who reads.
    pub log_reading_max_ms: u64,
}

impl ApiConfig {
    /// Loopback: whoever opens it to a network puts TLS in front.
    pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
    /// 256 KiB: a claimed person with a small photo fits.
    pub const MAX_BODY_BYTES: usize = 256 << 10;
    /// 16 MiB: some thousand registries.
    pub const MAX_CONFIGURATION_BYTES: usize = 16 << 20;
    /// 10 seconds.
    pub const READ_TIMEOUT_MS: u64 = 10_000;
    /// A minute.
    pub const WRITE_TIMEOUT_MS: u64 = 60_000;
    /// 10 minutes: 64 MiB over a slow line, behind another one.
    pub const UPLOAD_TIMEOUT_MS: u64 = 600_000;
    /// A reverse proxy keeps far fewer, and so many fit the usual limit of open files.
    pub const MAX_CONNECTIONS: NonZeroU32 = match NonZeroU32::new(1_024) {
        Some(most) => most,
        None => NonZeroU32::MIN,
    };
    /// None: who runs one gateway without a load balancer wants a quick restart.
    pub const DRAIN_DELAY_MS: u32 = 0;
    /// The default limit of a call's time, its turn, and the end of its audit row.
    pub const DRAIN_TIMEOUT_MS: u32 = 35_000;
    /// 15 minutes.
    pub const SESSION_IDLE_MS: u64 = 900_000;
    /// A working day.
    pub const SESSION_MAX_MS: u64 = 28_800_000;
    /// A few for each who administers.
    pub const MAX_LOG_READERS: u32 = 32;
    /// 10 minutes.
    pub const LOG_READING_MAX_MS: u64 = 600_000;
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: Self::LISTEN,
            trusted_proxies: Vec::new(),
            max_body_bytes: Self::MAX_BODY_BYTES,
            max_configuration_bytes: Self::MAX_CONFIGURATION_BYTES,
            read_timeout_ms: Self::READ_TIMEOUT_MS,
            write_timeout_ms: Self::WRITE_TIMEOUT_MS,
            upload_timeout_ms: Self::UPLOAD_TIMEOUT_MS,
            max_connections: Self::MAX_CONNECTIONS,
            drain_delay_ms: Self::DRAIN_DELAY_MS,
            drain_timeout_ms: Self::DRAIN_TIMEOUT_MS,
            session_idle_ms: Self::SESSION_IDLE_MS,
            session_max_ms: Self::SESSION_MAX_MS,
            max_log_readers: Self::MAX_LOG_READERS,
            log_reading_max_ms: Self::LOG_READING_MAX_MS,
        }
    }
}

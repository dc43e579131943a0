//! One endpoint of a registry: a base URL, its credential and its limits.

mod connection;
mod credential;
mod session;

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use connection::{ClientCertificate, ClientCertificateConfig, EndpointSecrets, ProxyConfig};
pub use credential::{Credential, CredentialConfig, OAuth2Client, TokenForm};
pub use session::{
    Expiry, LoginConfig, LoginMethod, SendAs, SessionConfig, TokenConnection, TokenPlace,
};

use super::secret::SecretSource;
use super::traffic::TrafficConfig;

/// Name resolution, TCP and TLS together.
pub const DEFAULT_CONNECT_TIMEOUT_MS: u64 = 5_000;
/// From the first byte sent to the last byte read, redirects included.
pub const DEFAULT_TIMEOUT_MS: u64 = 20_000;
/// 1 MiB: an update with a photo fits.
pub const DEFAULT_MAX_REQUEST_BYTES: u64 = 1024 * 1024;
/// 4 MiB, counted after decompression.
pub const DEFAULT_MAX_RESPONSE_BYTES: u64 = 4 * 1024 * 1024;
/// Redirects within the grant.
pub const DEFAULT_MAX_REDIRECTS: u8 = 3;

/// A named base URL, as granted to a registry's adapter.
///
/// ```toml
/// [registries.crvs.endpoints.search]
/// base_url = "https://search.crvs.example/api/v1"
/// credential = { kind = "oauth2", token_url = "https://auth.crvs.example/token", client_id = "openimis", client_secret = "env:REGISTRY_SECRET_CRVS" }
/// headers = { "x-tenant" = "health" }
/// ```
///
/// `https` is the rule. A plain `http` base URL is accepted only with `allow_networks`, and then
/// reaches the listed networks alone, public addresses not; `allow_plain_http = true` lifts that.
/// A token endpoint under plain `http` always needs `allow_networks`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// Scheme, host, port and base path. The path may hold `${secret:name}`.
    pub base_url: String,
    /// How the gateway authenticates. Default: not at all.
    #[serde(default)]
    pub credential: CredentialConfig,
    /// Headers set on each request; adapters cannot set them. Values may hold `${secret:name}`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The gateway's certificate, for registries that ask for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificateConfig>,
    /// A bundle of certificate authorities, PEM. They take the place of the system's: an endpoint
    /// under an authority of its own trusts that one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<SecretSource>,
    /// Default: none. The system's own proxies are never used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyConfig>,
    /// Private, loopback and link-local addresses are reached only where listed here. With a
    /// `proxy` this is about the proxy's address, and about a base URL that is itself an address.
    #[serde(default)]
    pub allow_networks: Vec<IpNet>,
    /// Lets a plain `http` base URL reach public addresses. Personal data is then readable on the
    /// way. Default: false.
    #[serde(default)]
    pub allow_plain_http: bool,
    /// Tells the registry by `traceparent` of which trace a request is part (W3C Trace Context): a
    /// number for the request, which names nobody. Default: false.
    #[serde(default)]
    pub trace_context: bool,
    /// Default: [`DEFAULT_CONNECT_TIMEOUT_MS`].
    #[serde(default = "default_connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// Default: [`DEFAULT_TIMEOUT_MS`].
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// Default: [`DEFAULT_MAX_REQUEST_BYTES`].
    #[serde(default = "default_max_request_bytes")]
    pub max_request_bytes: u64,
    /// Default: [`DEFAULT_MAX_RESPONSE_BYTES`].
    #[serde(default = "default_max_response_bytes")]
    pub max_response_bytes: u64,
    /// Default: [`DEFAULT_MAX_REDIRECTS`].
    #[serde(default = "default_max_redirects")]
    pub max_redirects: u8,
    /// How much it is asked, and when.
    #[serde(default)]
    pub traffic: TrafficConfig,
}

impl EndpointConfig {
    /// An endpoint with all defaults.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            credential: CredentialConfig::default(),
            headers: BTreeMap::new(),
            client_certificate: None,
            ca_file: None,
            proxy: None,
            allow_networks: Vec::new(),
            allow_plain_http: false,
            trace_context: false,
            connect_timeout_ms: DEFAULT_CONNECT_TIMEOUT_MS,
            timeout_ms: DEFAULT_TIMEOUT_MS,
            max_request_bytes: DEFAULT_MAX_REQUEST_BYTES,
            max_response_bytes: DEFAULT_MAX_RESPONSE_BYTES,
            max_redirects: DEFAULT_MAX_REDIRECTS,
            traffic: TrafficConfig::default(),
        }
    }
}

fn default_connect_timeout_ms() -> u64 {
    DEFAULT_CONNECT_TIMEOUT_MS
}

fn default_timeout_ms() -> u64 {
    DEFAULT_TIMEOUT_MS
}

fn default_max_request_bytes() -> u64 {
    DEFAULT_MAX_REQUEST_BYTES
}

fn default_max_response_bytes() -> u64 {
    DEFAULT_MAX_RESPONSE_BYTES
}

fn default_max_redirects() -> u8 {
    DEFAULT_MAX_REDIRECTS
}

#[cfg(test)]
mod tests;

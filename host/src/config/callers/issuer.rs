use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::Deserialize;
use url::Url;

use crate::config::endpoint::{EndpointConfig, ProxyConfig};
use crate::config::secret::SecretSource;
use crate::model::{Grant, Role};

/// Whose tokens (JWT) open the door, and for what.
///
/// ```toml
/// [callers.issuers.keycloak]
/// issuer = "https://id.example.org/realms/health"
/// audiences = ["registry-gateway"]
/// roles_claim = "realm_access.roles"
///
/// [callers.issuers.keycloak.mapping.registry-clerk]
/// roles = ["client"]
/// grants = [{ registries = ["civil"], abilities = ["find"] }]
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// As tokens say it in `iss`, to the letter.
    pub issuer: String,
    /// A token is for one of these, by `aud`.
    pub audiences: Vec<String>,
    /// Where its keys are. Without it: where its discovery document says.
    #[serde(default)]
    pub jwks_url: Option<Url>,
    /// What tokens may be signed with.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<SigningAlgorithm>,
    /// Which claim names the caller.
    #[serde(default = "name_claim")]
    pub name_claim: String,
    /// Whether that claim stands in the audit as it is: it is then the name of a program, and no
    /// person's. Otherwise a keyed hash of it does.
    #[serde(default)]
    pub name_in_clear: bool,
    /// Which claim says what the caller is there for: a word, words with blanks between, or a list.
    /// Dots lead into objects.
    pub roles_claim: String,
    /// What each of its words gives. What is not here gives nothing.
    #[serde(default)]
    pub mapping: BTreeMap<String, MappedConfig>,
    /// Addresses of the issuer that are not public.
    #[serde(default)]
    pub allow_networks: Vec<IpNet>,
    /// A bundle of certificate authorities, PEM, in place of the system's.
    #[serde(default)]
    pub ca_file: Option<SecretSource>,
    /// Default: none. The system's own proxies are never used.
    #[serde(default)]
    pub proxy: Option<ProxyConfig>,
    /// How far the two clocks may be apart, in seconds.
    #[serde(default = "clock_leeway_s")]
    pub clock_leeway_s: u32,
    /// For a document of the issuer to arrive, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u32,
    /// The largest document that is read.
    #[serde(default = "max_document_bytes")]
    pub max_document_bytes: u32,
    /// Keys older than so many seconds are read anew.
    #[serde(default = "refresh_after_s")]
    pub refresh_after_s: u32,
    /// For a key that is not known they are read anew at most once in so many seconds.
    #[serde(default = "refresh_least_s")]
    pub refresh_least_s: u32,
    /// While the issuer is away its keys are good for so many seconds.
    #[serde(default = "keep_keys_s")]
    pub keep_keys_s: u32,
}

/// What a word of a token gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappedConfig {
    /// What the caller is there for.
    pub roles: Vec<Role>,
    /// What it may ask, and see.
    #[serde(default)]
    pub grants: Vec<Grant>,
}

/// Signatures that only the issuer can make. Those whose key both sides have, and none, are not here.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

impl IssuerConfig {
    /// How it is connected to, in the words of endpoints.
    pub fn endpoint(&self) -> EndpointConfig {
        let mut endpoint = EndpointConfig::new(match &self.jwks_url {
            Some(url) => url.as_str(),
            None => &self.issuer,
        });
        endpoint.allow_networks = self.allow_networks.clone();
        endpoint.ca_file = self.ca_file.clone();
        endpoint.proxy = self.proxy.clone();
        endpoint
    }

    /// A minute: what machines without a time server drift in a week.
    pub const CLOCK_LEEWAY_S: u32 = 60;
    /// Five seconds.
    pub const TIMEOUT_MS: u32 = 5_000;
    /// 256 KiB: a hundred keys with their certificates.
    pub const MAX_DOCUMENT_BYTES: u32 = 256 << 10;
    /// An hour: a key that the issuer takes back is taken back here by then.
    pub const REFRESH_AFTER_S: u32 = 3_600;
    /// Half a minute.
    pub const REFRESH_LEAST_S: u32 = 30;
    /// A day: longer, and a key that was taken back would live on for who keeps us from the issuer.
    pub const KEEP_KEYS_S: u32 = 86_400;
}

fn algorithms() -> Vec<SigningAlgorithm> {
    use SigningAlgorithm as A;
    vec![A::RS256, A::ES256, A::EdDSA]
}

fn name_claim() -> String {
    "sub".into()
}

const fn clock_leeway_s() -> u32 {
    IssuerConfig::CLOCK_LEEWAY_S
}

const fn timeout_ms() -> u32 {
    IssuerConfig::TIMEOUT_MS
}

const fn max_document_bytes() -> u32 {
    IssuerConfig::MAX_DOCUMENT_BYTES
}

const fn refresh_after_s() -> u32 {
    IssuerConfig::REFRESH_AFTER_S
}

const fn refresh_least_s() -> u32 {
    IssuerConfig::REFRESH_LEAST_S
}

const fn keep_keys_s() -> u32 {
    IssuerConfig::KEEP_KEYS_S
}

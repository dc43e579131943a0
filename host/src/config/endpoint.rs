//! One endpoint of a registry: a base URL, its credential and its limits.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::secret::{SecretError, SecretSource, Secrets};

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
    /// Private, loopback and link-local addresses are reached only where listed here.
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
}

/// How the gateway authenticates at an endpoint. Holds the places of secrets, not the secrets.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CredentialConfig {
    /// No credential.
    None {},
    /// RFC 7617.
    Basic {
        /// Without a colon.
        user: String,
        /// Where the password is.
        password: SecretSource,
    },
    /// A fixed bearer token, RFC 6750.
    Bearer {
        /// Where the token is.
        token: SecretSource,
    },
    /// A fixed value in a header of the registry's choice.
    ApiKey {
        /// The header's name.
        header: String,
        /// Where its value is.
        value: SecretSource,
    },
    /// Client credentials, RFC 6749 section 4.4.
    #[serde(rename = "oauth2")]
    OAuth2 {
        /// Reached under the same address rules as the endpoint.
        token_url: String,
        /// The client's public name.
        client_id: String,
        /// Where the client's secret is.
        client_secret: SecretSource,
        /// Space separated.
        #[serde(default)]
        scope: Option<String>,
        /// Some servers ask for it.
        #[serde(default)]
        audience: Option<String>,
        /// Default: `form`.
        #[serde(default)]
        form: TokenForm,
    },
}

/// How the token request carries its parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenForm {
    /// All in a form body.
    #[default]
    Form,
    /// All in a JSON body.
    Json,
    /// All in the query, without a body (OpenCRVS).
    Query,
    /// Client id and secret by RFC 7617, the rest in a form body: what RFC 6749 prefers.
    Basic,
}

/// A credential with its secrets read: what egress works with.
#[derive(Clone, Default)]
pub enum Credential {
    /// No credential.
    #[default]
    None,
    /// RFC 7617.
    Basic {
        /// Without a colon.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// RFC 6750.
    Bearer {
        /// The token.
        token: SecretString,
    },
    /// A value in a header.
    ApiKey {
        /// The header's name.
        header: String,
        /// Its value.
        value: SecretString,
    },
    /// Client credentials.
    OAuth2(OAuth2Client),
}

/// A client of an OAuth 2.0 token endpoint.
#[derive(Clone)]
pub struct OAuth2Client {
    /// The token endpoint.
    pub token_url: String,
    /// The client's public name.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretString,
    /// Space separated.
    pub scope: Option<String>,
    /// Asked for by some servers.
    pub audience: Option<String>,
    /// How the parameters travel.
    pub form: TokenForm,
}

impl EndpointConfig {
    /// An endpoint with all defaults.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            credential: CredentialConfig::default(),
            headers: BTreeMap::new(),
            allow_networks: Vec::new(),
            allow_plain_http: false,
            trace_context: false,
            connect_timeout_ms: DEFAULT_CONNECT_TIMEOUT_MS,
            timeout_ms: DEFAULT_TIMEOUT_MS,
            max_request_bytes: DEFAULT_MAX_REQUEST_BYTES,
            max_response_bytes: DEFAULT_MAX_RESPONSE_BYTES,
            max_redirects: DEFAULT_MAX_REDIRECTS,
        }
    }
}

impl CredentialConfig {
    /// Reads the credential's secrets. `field` is the credential's own path in the configuration.
    pub fn resolve(&self, field: &str, secrets: &Secrets) -> Result<Credential, SecretError> {
        let read = |name: &str, source| secrets.resolve(&format!("{field}.{name}"), source);
        Ok(match self {
            Self::None {} => Credential::None,
            Self::Basic { user, password } => Credential::Basic {
                user: user.clone(),
                password: read("password", password)?,
            },
            Self::Bearer { token } => Credential::Bearer {
                token: read("token", token)?,
            },
            Self::ApiKey { header, value } => Credential::ApiKey {
                header: header.clone(),
                value: read("value", value)?,
            },
            Self::OAuth2 {
                token_url,
                client_id,
                client_secret,
                scope,
                audience,
                form,
            } => Credential::OAuth2(OAuth2Client {
                token_url: token_url.clone(),
                client_id: client_id.clone(),
                client_secret: read("client_secret", client_secret)?,
                scope: scope.clone(),
                audience: audience.clone(),
                form: *form,
            }),
        })
    }
}

impl Default for CredentialConfig {
    fn default() -> Self {
        Self::None {}
    }
}

/// The kind alone.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic",
            Self::Bearer { .. } => "Bearer",
            Self::ApiKey { .. } => "ApiKey",
            Self::OAuth2(_) => "OAuth2",
        })
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
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_constants() {
        let config: EndpointConfig =
            toml::from_str("base_url = \"https://r.example/api\"").expect("parses");
        assert_eq!(config, EndpointConfig::new("https://r.example/api"));
    }

    #[test]
    fn every_credential_is_read_and_unknown_keys_are_not() {
        for (text, expected) in [
            ("kind = 'none'", "None"),
            (
                "kind = 'basic'\nuser = 'u'\npassword = 'env:REGISTRY_SECRET_A'",
                "Basic",
            ),
            ("kind = 'bearer'\ntoken = 'env:REGISTRY_SECRET_A'", "Bearer"),
            (
                "kind = 'api-key'\nheader = 'x-key'\nvalue = 'env:REGISTRY_SECRET_A'",
                "ApiKey",
            ),
            (
                "kind = 'oauth2'\ntoken_url = 'https://a.example/t'\nclient_id = 'c'\n\
                 client_secret = 'env:REGISTRY_SECRET_A'\nform = 'query'",
                "OAuth2",
            ),
        ] {
            let config: CredentialConfig = toml::from_str(text).expect(text);
            let secrets = Secrets::with_environment(None, |_| Some("hunter2".into()));
            let credential = config.resolve("c", &secrets).expect(text);
            assert_eq!(format!("{credential:?}"), expected);
            toml::from_str::<CredentialConfig>(&format!("{text}\ncolour = 'red'"))
                .expect_err("unknown key");
        }
        toml::from_str::<EndpointConfig>("base_url = 'https://a.example'\ntimeout = 3")
            .expect_err("unknown key");
        toml::from_str::<CredentialConfig>("kind = 'bearer'\ntoken = 'hunter2'")
            .expect_err("a secret is not a source");
    }

    #[test]
    fn a_missing_secret_names_its_field() {
        let config: CredentialConfig =
            toml::from_str("kind = 'bearer'\ntoken = 'env:REGISTRY_SECRET_A'").expect("parses");
        let secrets = Secrets::with_environment(None, |_| None);
        let error = config
            .resolve("registries.crvs.endpoints.search.credential", &secrets)
            .expect_err("not set");
        assert_eq!(
            error.to_string(),
            "registries.crvs.endpoints.search.credential.token: \
             set env:REGISTRY_SECRET_A in the gateway's environment"
        );
    }
}

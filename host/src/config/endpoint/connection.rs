//! How an endpoint is connected to: who the gateway is there, whom it trusts, and through whom.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::EndpointConfig;
use super::credential::Credential;
use crate::config::secret::{SecretError, SecretSource, Secrets};

/// The gateway's certificate at a registry that asks for one (mutual TLS).
///
/// ```toml
/// [registries.cr.endpoints.registry]
/// base_url = "https://cr.example.org/fhir"
/// client_certificate = { chain = "file:cr/client.pem", key = "file:cr/client.key" }
/// ca_file = "file:cr/authority.pem"
/// ```
///
/// All three are places like those of secrets, so that each gateway on the same store finds them
/// anew at every start. Nothing but the key is secret.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificateConfig {
    /// PEM, the gateway's own certificate first, then those that lead to the authority.
    pub chain: SecretSource,
    /// PEM, without a passphrase: PKCS #8, PKCS #1 or SEC 1.
    pub key: SecretSource,
}

/// A proxy through which the endpoint is reached, by HTTP `CONNECT`.
///
/// ```toml
/// [registries.cr.endpoints.registry]
/// base_url = "https://cr.example.org/fhir"
/// allow_networks = ["10.0.0.8/32"]           # the proxy's own address
/// proxy = { url = "http://10.0.0.8:3128", user = "gateway", password = "env:REGISTRY_SECRET_PROXY" }
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProxyConfig {
    /// `http://`, a host and a port. Its address must be in `allow_networks`.
    pub url: String,
    /// For proxies that ask who connects (RFC 7617). Without a colon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Together with `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretSource>,
}

/// All that an endpoint's configuration names the place of, read.
#[derive(Clone, Default)]
pub struct EndpointSecrets {
    /// How the gateway authenticates.
    pub credential: Credential,
    /// Who it is in TLS.
    pub client_certificate: Option<ClientCertificate>,
    /// The certificate authorities that are trusted, PEM.
    pub ca: Option<SecretString>,
    /// For the proxy.
    pub proxy_password: Option<SecretString>,
}

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct ClientCertificate {
    /// The gateway's own certificate first.
    pub chain: SecretString,
    /// Its private key.
    pub key: SecretString,
}

impl EndpointConfig {
    /// Reads what the configuration names the places of. `field` is the endpoint's own path in the
    /// configuration.
    pub fn resolve(&self, field: &str, secrets: &Secrets) -> Result<EndpointSecrets, SecretError> {
        let read = |name: &str, source| secrets.resolve(&format!("{field}.{name}"), source);
        let client_certificate = match &self.client_certificate {
            Some(config) => Some(ClientCertificate {
                chain: read("client_certificate.chain", &config.chain)?,
                key: read("client_certificate.key", &config.key)?,
            }),
            None => None,
        };
        let ca = self.ca_file.as_ref().map(|source| read("ca_file", source));
        let password = self
            .proxy
            .as_ref()
            .and_then(|proxy| proxy.password.as_ref());
        let proxy_password = password.map(|source| read("proxy.password", source));
        Ok(EndpointSecrets {
            credential: self
                .credential
                .resolve(&format!("{field}.credential"), secrets)?,
            client_certificate,
            ca: ca.transpose()?,
            proxy_password: proxy_password.transpose()?,
        })
    }
}

/// An endpoint with nothing but a credential.
impl From<Credential> for EndpointSecrets {
    fn from(credential: Credential) -> Self {
        Self {
            credential,
            ..Self::default()
        }
    }
}

/// The credential's kind alone.
impl fmt::Debug for EndpointSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointSecrets")
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

//! How the gateway authenticates at an endpoint.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::session::{SessionConfig, TokenConnection};
use crate::config::secret::{SecretError, SecretSource, Secrets};

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
        /// Default: `same`.
        #[serde(default)]
        connection: TokenConnection,
    },
    /// A token for a login.
    Session(Box<SessionConfig>),
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
    /// A login. Its secrets are the registry's named ones, which egress puts in.
    Session(Box<SessionConfig>),
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
    /// Over what connection.
    pub connection: TokenConnection,
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
                connection,
            } => Credential::OAuth2(OAuth2Client {
                token_url: token_url.clone(),
                client_id: client_id.clone(),
                client_secret: read("client_secret", client_secret)?,
                scope: scope.clone(),
                audience: audience.clone(),
                form: *form,
                connection: *connection,
            }),
            Self::Session(session) => Credential::Session(session.clone()),
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
            Self::Session(_) => "Session",
        })
    }
}

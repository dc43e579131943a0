//! Credentials that are obtained by logging in: one declared request, and where its answer has the
//! token.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A login, for registries that have no OAuth 2.0: openIMIS, openIMIS' DCI service, OpenCR, Odoo.
///
/// ```toml
/// [registries.fhir.secrets]
/// login = "env:REGISTRY_SECRET_FHIR"
///
/// [registries.fhir.endpoints.registry]
/// base_url = "https://imis.example.org/api/api_fhir_r4"
///
/// [registries.fhir.endpoints.registry.credential]
/// kind = "session"
/// login = { url = "/login/", json = { username = "gateway", password = "${secret:login}" } }
/// token = { json = "/token" }
/// expires = { at = "/exp" }
/// ```
///
/// A token in a cookie, sent back as one:
///
/// ```toml
/// [registries.odoo.secrets]
/// login = "file:odoo-password"
///
/// [registries.odoo.endpoints.registry]
/// base_url = "https://odoo.example.org/dci"
///
/// [registries.odoo.endpoints.registry.credential]
/// kind = "session"
/// token = { cookie = "session_id" }
/// expires = { seconds = 3600 }
/// send_as = { cookie = "session_id" }
///
/// [registries.odoo.endpoints.registry.credential.login]
/// url = "https://odoo.example.org/web/session/authenticate"
/// json = { jsonrpc = "2.0", params = { db = "spp", login = "gateway", password = "${secret:login}" } }
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionConfig {
    /// The request that is answered with a token.
    pub login: LoginConfig,
    /// Where the answer has it.
    pub token: TokenPlace,
    /// How long it is used. Default: as long as a token whose server does not say, 300 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
    /// Where requests carry it. Default: `Authorization: Bearer …`.
    #[serde(default)]
    pub send_as: SendAs,
    /// Default: `same`.
    #[serde(default)]
    pub connection: TokenConnection,
}

/// A login request. In the values of `headers`, `query`, `form` and `json`, `${secret:name}` stands
/// for a secret. It is put in as a value, never into the text of a body: no password can end a
/// string or add a parameter.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LoginConfig {
    /// Default: `POST`.
    #[serde(default)]
    pub method: LoginMethod,
    /// A path below the base URL, which begins with `/`; or a whole URL, reached under the same
    /// address rules as the endpoint. Redirects are not followed.
    pub url: String,
    /// Sent beside what the body asks for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// For registries that read parameters there (OpenCR).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// A body of form fields. Not together with `json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<BTreeMap<String, String>>,
    /// A body of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<serde_json::Value>,
}

/// What logs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LoginMethod {
    /// RFC 9110, section 9.3.1.
    Get,
    /// RFC 9110, section 9.3.3.
    #[default]
    Post,
    /// RFC 9110, section 9.3.4.
    Put,
}

/// Where a login's answer has the token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TokenPlace {
    /// A JSON pointer (RFC 6901) to a text in the body.
    Json(String),
    /// A header.
    Header(String),
    /// A cookie that is set (RFC 6265).
    Cookie(String),
}

/// How long a token is used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Expiry {
    /// So many seconds.
    Seconds(u64),
    /// A JSON pointer to the seconds that it lives, as `expires_in`.
    After(String),
    /// A JSON pointer to its end in seconds since 1970, as `exp`. Needs a clock that is right.
    At(String),
}

/// Where requests carry the token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum SendAs {
    /// A header.
    Header {
        /// Its name.
        header: String,
        /// What stands before the token, with its space: `Bearer `.
        #[serde(default)]
        prefix: String,
    },
    /// A cookie.
    Cookie {
        /// Its name.
        cookie: String,
    },
}

/// Over what connection a token is obtained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenConnection {
    /// With the endpoint's client certificate, certificate authorities and proxy.
    #[default]
    Same,
    /// With none of them, for a token server outside the registry's own network or authority.
    Direct,
}

impl Default for SendAs {
    fn default() -> Self {
        Self::Header {
            header: "authorization".to_owned(),
            prefix: "Bearer ".to_owned(),
        }
    }
}

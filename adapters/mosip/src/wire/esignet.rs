//! eSignet's token endpoint (OpenID Connect Core, sections 3.1.3 and 9; eSignet's OpenAPI,
//! `/oauth/v2/token` and `/oidc/userinfo`).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// The kind of our client assertion.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// RFC 3986 unreserved characters stay: forms and paths read them alike.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// `application/x-www-form-urlencoded`.
pub fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, FORM).to_string();
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

/// What the token endpoint answers. No `Debug`: it holds the person's token.
#[derive(Deserialize)]
pub struct Tokens {
    /// For the userinfo endpoint.
    #[serde(default)]
    pub access_token: Option<String>,
    /// `Bearer` or `DPoP`.
    #[serde(default)]
    pub token_type: Option<String>,
    /// Who it is, signed.
    #[serde(default)]
    pub id_token: Option<String>,
}

/// Why there is no token (RFC 6749, section 5.2). The description is not read: it is in words.
#[derive(Debug, Deserialize)]
pub struct OauthError {
    /// `invalid_grant`
    #[serde(default)]
    pub error: Option<String>,
}

/// `error` of a `WWW-Authenticate` header, as eSignet writes it: `error="invalid_token"`.
pub fn challenge(header: &str) -> Option<&str> {
    let (_, rest) = header.split_once("error=")?;
    let word = rest.trim_start_matches('"');
    let end = word
        .find(|c: char| !(c.is_ascii_lowercase() || c == '_'))
        .unwrap_or(word.len());
    word.get(..end).filter(|word| !word.is_empty())
}

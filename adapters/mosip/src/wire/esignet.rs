//! eSignet's token endpoint (OpenID Connect Core, sections 3.1.3 and 9; eSignet's OpenAPI,
//! `/oauth/v2/token` and `/oidc/userinfo`).

use adapter_sdk::Failure;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::{object, text};

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
pub struct Tokens {
    /// For the userinfo endpoint.
    pub access_token: Option<String>,
    /// `Bearer` or `DPoP`.
    pub token_type: Option<String>,
    /// Who it is, signed.
    pub id_token: Option<String>,
}

impl Tokens {
    /// Reads an answer.
    ///
    /// # Errors
    /// `unreadable` with code `json.shape`.
    pub fn read(value: &Value) -> Result<Self, Failure> {
        let record = object(value)?;
        Ok(Self {
            access_token: text(record, "access_token")?,
            token_type: text(record, "token_type")?,
            id_token: text(record, "id_token")?,
        })
    }
}

/// `error` of an answer without tokens (RFC 6749, section 5.2). Its description is not read: it is in
/// words.
pub fn error(value: &Value) -> Option<&str> {
    value.as_object()?.get("error")?.as_str()
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

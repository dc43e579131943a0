//! ID Authentication: `AuthRequestDTO` and `AuthResponseDTO` (mosip/id-authentication,
//! `authentication-core`, package `indauth.dto`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Object;

/// `id` of an authentication.
pub const AUTH: &str = "mosip.identity.auth";
/// `version` and `specVersion`.
pub const VERSION: &str = "1.0";

/// What is posted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthRequest<'a> {
    /// [`AUTH`]
    pub id: &'static str,
    /// [`VERSION`]
    pub version: &'static str,
    /// [`VERSION`]
    pub spec_version: &'static str,
    /// The UIN or VID.
    pub individual_id: &'a str,
    /// Which of them.
    pub individual_id_type: &'a str,
    /// Ten letters or digits.
    #[serde(rename = "transactionID")]
    pub transaction_id: &'a str,
    /// With milliseconds and zone.
    pub request_time: &'a str,
    /// SHA-256 of IDA's certificate, by which it knows its key.
    pub thumbprint: String,
    /// Where IDA checks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain_uri: Option<&'a str>,
    /// Where IDA checks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<&'a str>,
    /// The person agreed.
    pub consent_obtained: bool,
    /// What the request holds, for versions before 1.2.
    pub requested_auth: RequestedAuth,
    /// [`Inner`], sealed.
    pub request: String,
    /// The key that it is sealed with, sealed for IDA.
    pub request_session_key: String,
    /// The hash of [`Inner`], sealed with the same key.
    #[serde(rename = "requestHMAC")]
    pub request_hmac: String,
}

/// Which kinds of proof are in the request.
#[derive(Debug, Serialize)]
pub struct RequestedAuth {
    /// Demographic data.
    pub demo: bool,
    /// A one-time password.
    pub otp: bool,
    /// Never: biometrics do not enter a component.
    pub bio: bool,
    /// Never.
    pub pin: bool,
}

/// `RequestDTO`: what only IDA reads.
#[derive(Debug, Serialize)]
pub struct Inner<'a> {
    /// What is claimed.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub demographics: &'a Map<String, Value>,
    /// A one-time password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otp: Option<&'a str>,
    /// As `requestTime`.
    pub timestamp: &'a str,
}

/// What is answered. HTTP 200 whatever it says.
#[derive(Debug, Default, Deserialize)]
pub struct AuthAnswer {
    /// Ours.
    #[serde(default, rename = "transactionID")]
    pub transaction_id: Option<String>,
    /// [`AUTH`]
    #[serde(default)]
    pub id: Option<String>,
    /// Why not. Empty or null where it agreed.
    #[serde(default)]
    pub errors: Option<Vec<Object<AuthError>>>,
    /// The result.
    #[serde(default)]
    pub response: Option<Object<AuthResult>>,
}

/// One reason.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthError {
    /// `IDA-<module>-<number>`
    #[serde(default)]
    pub error_code: Option<String>,
    /// In words, with the name of an attribute or parameter in it.
    #[serde(default)]
    pub error_message: Option<String>,
}

/// The result.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthResult {
    /// Whether all of it agreed.
    #[serde(default)]
    pub auth_status: Option<bool>,
    /// IDA's token for this person and this partner.
    #[serde(default)]
    pub auth_token: Option<String>,
}

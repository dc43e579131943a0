//! The registry's reasons and the failures that they are: IDA's error codes
//! (`IdAuthenticationErrorConstants` of mosip/id-authentication) and the OAuth errors of eSignet.
//!
//! The registry's own words are left out, since they may hold a value of the person; so is a code that
//! is not built like one.

use adapter_sdk::Failure;

use Kind::{Denied, Misconfigured, NotFound, Other, Rejected, Unavailable, Unsupported};

use crate::wire::ida::AuthError;

/// Which failure a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nobody by that number.
    NotFound,
    /// What was asked must change.
    Rejected,
    /// Who we are, or the person's consent, is not accepted.
    Denied,
    /// This cannot be done here, whatever the values.
    Unsupported,
    /// An administrator must mend it.
    Misconfigured,
    /// Later it may work.
    Unavailable,
    /// None of these.
    Other,
}

/// Codes without `IDA-`, what they are, and the field or setting that they are about.
pub static IDA: &[(&str, Kind, &str)] = &[
    // One-time passwords. A new one may work.
    ("OTA-001", Denied, "proof"),
    ("OTA-003", Rejected, "proof"),
    ("OTA-004", Rejected, "proof"),
    ("OTA-005", Rejected, "proof"),
    ("OTA-006", Denied, "proof"),
    ("OTA-007", Denied, "proof"),
    ("OTA-010", Rejected, "proof"),
    ("OTA-011", Rejected, "proof"),
    ("OTA-012", Rejected, "proof"),
    ("OTA-013", Denied, "proof"),
    // The request came too late or too early: a clock is wrong.
    ("MLC-001", Misconfigured, ""),
    ("MLC-002", Rejected, "identifiers"),
    // The person is there, and deactivated or blocked.
    ("MLC-003", Other, "identifiers"),
    ("MLC-004", Rejected, "identifiers"),
    ("MLC-005", Rejected, "identifiers"),
    ("MLC-006", Rejected, ""),
    ("MLC-007", Unavailable, ""),
    ("MLC-008", Rejected, "claimed"),
    ("MLC-009", Rejected, ""),
    ("MLC-010", Other, "identifiers"),
    ("MLC-011", Unsupported, ""),
    ("MLC-012", Denied, "consent"),
    ("MLC-013", Rejected, "claimed"),
    ("MLC-015", Misconfigured, "settings.ida.identifier_types"),
    ("MLC-017", Rejected, "identifiers"),
    ("MLC-018", NotFound, ""),
    // The person locked this kind of authentication.
    ("MLC-019", Denied, ""),
    ("MLC-020", Unavailable, ""),
    ("MLC-021", Unavailable, ""),
    ("MLC-022", Other, "identifiers"),
    ("MLC-023", Other, "identifiers"),
    ("MLC-025", Denied, ""),
    ("MLC-026", Rejected, "identifiers"),
    ("MLC-027", Rejected, "identifiers"),
    ("MLC-028", Rejected, "identifiers"),
    ("MLC-029", Rejected, "identifiers"),
    ("DEA-002", Misconfigured, "settings.languages"),
    ("IDV-001", Rejected, "claimed"),
    // Who we are: licence, partner, policy.
    ("MPA-001", Misconfigured, "settings.ida.signing_key"),
    ("MPA-002", Misconfigured, "settings.ida.signing_key"),
    ("MPA-003", Misconfigured, "settings.ida.certificate"),
    ("MPA-004", Misconfigured, "settings.ida.certificate"),
    ("MPA-005", Denied, ""),
    ("MPA-006", Denied, ""),
    ("MPA-007", Denied, ""),
    ("MPA-008", Denied, ""),
    ("MPA-009", Denied, ""),
    ("MPA-010", Denied, ""),
    ("MPA-012", Denied, ""),
    ("MPA-013", Denied, ""),
    ("MPA-014", Denied, ""),
    // The partner's policy wants a further proof.
    ("MPA-015", Rejected, "proof"),
    ("MPA-016", Misconfigured, "settings.ida.certificate"),
    ("MPA-017", Denied, ""),
    ("MPA-018", Denied, ""),
    ("MPA-019", Denied, ""),
    ("MPA-020", Denied, ""),
    ("MPA-021", Misconfigured, "settings.ida.signing_key"),
    ("MPA-022", Misconfigured, "settings.ida.signing_key"),
    ("MPA-023", Denied, ""),
    ("MPA-030", Denied, ""),
    // Licence key, partner and API key are in the endpoint's base URL.
    ("MPA-038", Misconfigured, ""),
    ("MPA-039", Denied, ""),
    ("RST-006", Unavailable, ""),
    ("RST-007", Unavailable, ""),
    ("RST-008", Unavailable, ""),
];

/// Codes of the partner service that IDA passes on: all say that we are not accepted.
const PARTNER: &str = "PMS_PMP_";

/// What IDA calls a parameter that is missing or wrong, and what it is here.
const PARAMETERS: &[(&str, Kind, &str)] = &[
    ("env", Misconfigured, "settings.ida.env"),
    ("request/env", Misconfigured, "settings.ida.env"),
    ("domainUri", Misconfigured, "settings.ida.domain_uri"),
    (
        "request/domainUri",
        Misconfigured,
        "settings.ida.domain_uri",
    ),
    ("signature", Misconfigured, "settings.ida.signing_key"),
    ("thumbprint", Misconfigured, "settings.ida.certificate"),
    (
        "individualIdType",
        Misconfigured,
        "settings.ida.identifier_types",
    ),
    ("individualId", Rejected, "identifiers"),
    // The endpoint has no credential.
    ("Authorization - header", Misconfigured, ""),
    ("dob", Rejected, "claimed"),
    ("age", Rejected, "claimed"),
    ("OTP", Rejected, "proof"),
];

/// `error` of the token and userinfo endpoints, and what it is about.
pub static OAUTH: &[(&str, Kind, &str)] = &[
    // The code is used up, too old, of another client, or its verifier does not fit.
    ("invalid_grant", Rejected, "proof"),
    ("invalid_transaction", Rejected, "proof"),
    ("invalid_redirect_uri", Rejected, "proof"),
    ("unsupported_pkce_challenge_method", Rejected, "proof"),
    ("invalid_pkce_challenge", Rejected, "proof"),
    ("use_pkce", Rejected, "proof"),
    (
        "invalid_client",
        Misconfigured,
        "settings.esignet.client_key",
    ),
    (
        "invalid_client_id",
        Misconfigured,
        "settings.esignet.client_id",
    ),
    (
        "unauthorized_client",
        Misconfigured,
        "settings.esignet.client_id",
    ),
    (
        "invalid_assertion",
        Misconfigured,
        "settings.esignet.client_key",
    ),
    ("invalid_assertion_type", Unsupported, ""),
    ("unsupported_grant_type", Unsupported, ""),
    ("invalid_request", Rejected, "proof"),
    ("invalid_input", Rejected, "proof"),
    ("invalid_scope", Rejected, "proof"),
    // The client was registered for proofs of possession (RFC 9449).
    ("invalid_dpop_proof", Unsupported, ""),
    ("use_dpop_nonce", Unsupported, ""),
    ("invalid_token", Denied, ""),
    ("missing_header", Misconfigured, ""),
    ("data_exchange_failed", Unavailable, ""),
    ("temporarily_unavailable", Unavailable, ""),
    ("server_error", Unavailable, ""),
    ("unknown_error", Unavailable, ""),
];

/// The code that stands for what is no code.
const UNKNOWN: &str = "reason.unknown";

/// The failure of an error of IDA that is not about what was compared.
pub fn ida(error: &AuthError) -> Failure {
    let code = error.code.as_deref().unwrap_or_default().trim();
    if let Some((_, kind, field)) = parameter(code, error.message.as_deref()) {
        return failure(*kind, code, field);
    }
    let own = code.strip_prefix("IDA-").unwrap_or_default();
    match IDA.iter().find(|(known, _, _)| *known == own) {
        Some((_, kind, field)) => failure(*kind, code, field),
        None if is_numbered(code.strip_prefix(PARTNER)) => Failure::denied(code),
        None if is_ida(code) => Failure::other(code),
        None => Failure::other(UNKNOWN),
    }
}

/// The failure of an OAuth error.
pub fn oauth(error: &str) -> Failure {
    let error = error.trim();
    let word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    match OAUTH.iter().find(|(known, _, _)| *known == error) {
        Some((_, kind, field)) => failure(*kind, error, field),
        None if (1..=64).contains(&error.len()) && error.bytes().all(word) => Failure::other(error),
        None => Failure::other(UNKNOWN),
    }
}

/// What a missing (`MLC-006`) or invalid (`MLC-009`) parameter is, by its name in the words.
fn parameter(
    code: &str,
    message: Option<&str>,
) -> Option<&'static (&'static str, Kind, &'static str)> {
    if !matches!(code, "IDA-MLC-006" | "IDA-MLC-009") {
        return None;
    }
    let (_, name) = message?.split_once("Parameter - ")?;
    PARAMETERS
        .iter()
        .find(|(known, _, _)| *known == name.trim())
}

fn failure(kind: Kind, code: &str, field: &str) -> Failure {
    let failure = match kind {
        NotFound => Failure::not_found(),
        Rejected => Failure::rejected(code),
        Denied => Failure::denied(code),
        Unsupported => Failure::unsupported(code),
        Misconfigured => Failure::misconfigured(code),
        Unavailable => Failure::unavailable(code),
        Other => Failure::other(code),
    };
    if field.is_empty() {
        failure
    } else {
        failure.field(field)
    }
}

/// `IDA-` three capitals `-` three digits.
fn is_ida(code: &str) -> bool {
    let parts: Vec<&str> = code.split('-').collect();
    let [product, module, number] = parts.as_slice() else {
        return false;
    };
    let capitals = module.len() == 3 && module.bytes().all(|byte| byte.is_ascii_uppercase());
    *product == "IDA" && capitals && is_numbered(Some(number))
}

fn is_numbered(number: Option<&str>) -> bool {
    number.is_some_and(|n| n.len() == 3 && n.bytes().all(|byte| byte.is_ascii_digit()))
}

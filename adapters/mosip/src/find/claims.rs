//! Whether a token is for us, from whom we asked, and still good (OpenID Connect Core, sections
//! 3.1.3.7 and 5.3.2).

use adapter_sdk::Failure;
use serde_json::{Map, Value};

use crate::settings::Esignet;

/// Checks an ID token whose signature holds, and tells its `sub`. The nonce is compared where the
/// caller hands over the one that it sent.
///
/// # Errors
/// `unreadable` with code `id-token.<claim>`; `rejected` where the nonce is another: the code belongs
/// to another log-in.
pub fn id_token(
    claims: &Map<String, Value>,
    nonce: Option<&str>,
    esignet: &Esignet,
    now: u64,
) -> Result<String, Failure> {
    let wrong = |claim: &str| Failure::unreadable(format!("id-token.{claim}"));
    for claim in ["iss", "aud", "exp"] {
        if !claims.contains_key(claim) {
            return Err(wrong(claim));
        }
    }
    if let Some(claim) = amiss(claims, esignet, now) {
        return Err(wrong(claim));
    }
    let azp = claims.get("azp");
    if azp.is_some_and(|azp| azp.as_str() != Some(&esignet.client_id)) {
        return Err(wrong("azp"));
    }
    if nonce.is_some() && claims.get("nonce").and_then(Value::as_str) != nonce {
        return Err(Failure::rejected("proof.nonce").field("proof"));
    }
    subject(claims).ok_or_else(|| wrong("sub"))
}

/// Checks userinfo whose signature holds. MOSIP's ID system signs it, and leaves out who it is from and
/// for whom: what stands there must be right, and `sub` must be the ID token's.
///
/// # Errors
/// `unreadable` with code `userinfo.<claim>`.
pub fn userinfo(
    claims: &Map<String, Value>,
    id_token_subject: &str,
    esignet: &Esignet,
    now: u64,
) -> Result<(), Failure> {
    let wrong = |claim: &str| Failure::unreadable(format!("userinfo.{claim}"));
    if let Some(claim) = amiss(claims, esignet, now) {
        return Err(wrong(claim));
    }
    match subject(claims) {
        Some(subject) if subject == id_token_subject => Ok(()),
        _ => Err(wrong("sub")),
    }
}

/// The first claim that is there and wrong.
fn amiss(claims: &Map<String, Value>, esignet: &Esignet, now: u64) -> Option<&'static str> {
    let skew = esignet.clock_skew_s;
    // RFC 7519: numbers of seconds, which may have a fraction.
    let late = |value: &Value| seconds(value).is_none_or(|exp| now >= exp.saturating_add(skew));
    let early = |value: &Value| seconds(value).is_none_or(|from| from > now.saturating_add(skew));
    let from_other = |value: &Value| value.as_str() != Some(&esignet.issuer);
    let for_other = |value: &Value| match value {
        Value::Array(list) => !list
            .iter()
            .any(|one| one.as_str() == Some(&esignet.client_id)),
        one => one.as_str() != Some(&esignet.client_id),
    };
    let wrong =
        |claim: &str, is_wrong: &dyn Fn(&Value) -> bool| claims.get(claim).is_some_and(is_wrong);
    if wrong("iss", &from_other) {
        Some("iss")
    } else if wrong("aud", &for_other) {
        Some("aud")
    } else if wrong("exp", &late) {
        Some("exp")
    } else if wrong("nbf", &early) {
        Some("nbf")
    } else if wrong("iat", &early) {
        Some("iat")
    } else {
        None
    }
}

fn seconds(value: &Value) -> Option<u64> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a fraction of a second is left out, and what is out of range saturates"
    )]
    let whole = |number: f64| (number >= 0.0).then_some(number as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(whole))
}

fn subject(claims: &Map<String, Value>) -> Option<String> {
    let subject = claims.get("sub")?.as_str()?;
    (!subject.trim().is_empty()).then(|| subject.to_owned())
}

//! Who calls back: OpenCRVS's webhooks by their signature, country configuration by its token.

use adapter_sdk::model::{Callback, CallbackResponse, Reception};
use adapter_sdk::{Failure, signing};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What ECMAScript's `encodeURIComponent` leaves as it is, beside letters and digits.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// The longest challenge that is given back.
const MAX_CHALLENGE: usize = 512;

/// What is signed is not the body but this: so in the code of every version up to 1.9 (opencrvs-core
/// 1.9.9, webhooks/features/event/service, `createRequestSignature`), whatever the documentation says.
pub fn signed_text(body: &str) -> String {
    format!("sha256:{}", utf8_percent_encode(body, COMPONENT))
}

/// The code in `X-Hub-Signature: sha256=<hexadecimal digits>`.
pub fn signature(callback: &Callback) -> Option<Vec<u8>> {
    let headers = callback.headers.iter();
    let mut values = headers.filter(|(name, _)| name == "x-hub-signature");
    let (_, value) = values.next()?;
    // Two signatures are none: which one counts would be the sender's choice.
    if values.next().is_some() {
        return None;
    }
    let digits = value.trim().strip_prefix("sha256=")?;
    if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// Whether the body was signed with the key that the gateway holds under this name.
///
/// # Errors
/// `unsupported` where the key is not granted or does not fit.
pub fn is_signed(callback: &Callback, key: &str) -> Result<bool, Failure> {
    let (Some(mac), Ok(body)) = (signature(callback), std::str::from_utf8(&callback.body)) else {
        return Ok(false);
    };
    signing::verify_mac(key, "HS256", signed_text(body).as_bytes(), &mac)
}

/// Whether it carries the token whose hash is set, as `Authorization: Bearer`. Only the hash is set,
/// since settings are no secret.
pub fn has_token(callback: &Callback, hash: &str) -> bool {
    let mut headers = callback.headers.iter();
    let bearer = headers.find(|(name, _)| name == "authorization");
    let token = bearer.and_then(|(_, value)| {
        let (scheme, token) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim())
    });
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return false;
    };
    let digest = Sha256::digest(token.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    // A hash is compared with a hash: how far they agree tells nothing of the token.
    digest.eq_ignore_ascii_case(hash.trim())
}

/// The answer to the check of a subscription: `GET ?mode=subscribe&challenge=…&topic=…` wants the
/// challenge back (opencrvs-core 1.9.9, webhooks/features/manage/handler).
pub fn challenge(callback: &Callback) -> Reception {
    let value = |name: &str| {
        let found = callback.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    let known = matches!(
        value("topic"),
        Some("BIRTH_REGISTERED" | "DEATH_REGISTERED")
    );
    match value("challenge") {
        Some(challenge)
            if known
                && value("mode") == Some("subscribe")
                && (1..=MAX_CHALLENGE).contains(&challenge.len()) =>
        {
            answer(200, &json!({ "challenge": challenge }))
        }
        _ => Reception::status(400),
    }
}

/// A status and a JSON body.
pub fn answer(status: u16, body: &Value) -> Reception {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Reception {
        response: CallbackResponse {
            status,
            headers,
            body: body.to_string().into_bytes(),
        },
        ..Reception::status(status)
    }
}

/// The type and the action of a forward's path: `…/trigger/events/{type}/actions/{action}`, or
/// `triggers`, as the documentation spells it.
pub fn forwarded_action(path: &str) -> Option<&str> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [.., "trigger" | "triggers", "events", _, "actions", action] => Some(action),
        _ => None,
    }
}

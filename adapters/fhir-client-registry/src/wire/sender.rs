//! Who sent us a message, and what a sender is told who is not believed.

use adapter_sdk::model::{Callback, CallbackResponse, Reception};
use fhir_r4::server::FHIR_JSON;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Whether a callback carries the token, as `Authorization: Bearer` or as the first part of its path,
/// whose hash is set. Only the hash is set, since settings are no secret. Without one nobody is
/// believed: anybody could say that somebody died.
pub fn is_proven(callback: &Callback, hash: Option<&str>) -> bool {
    let Some(hash) = hash else {
        return false;
    };
    let headers = callback.headers.iter();
    let bearer = headers.filter(|(name, _)| name == "authorization");
    let bearer = bearer.filter_map(|(_, value)| {
        let (scheme, token) = value.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim())
    });
    let first = callback.path.split('/').find(|part| !part.is_empty());
    bearer.chain(first).any(|token| is(token, hash))
}

/// Looks at every digit, whichever differ.
fn is(token: &str, hash: &str) -> bool {
    let theirs = hash.chars().map(|digit| digit.to_ascii_lowercase());
    let differing = digits(token.as_bytes())
        .zip(theirs)
        .fold(0, |sum, (ours, theirs)| sum + u32::from(ours != theirs));
    hash.len() == 64 && differing == 0
}

/// The SHA-256 of some bytes in hexadecimal digits.
pub fn digits(bytes: &[u8]) -> impl Iterator<Item = char> {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    digest
        .into_iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0'))
}

/// Refuses, in FHIR's form.
pub fn refused(status: u16, code: &str, why: &str) -> Reception {
    answered(
        status,
        &json!({ "resourceType": "OperationOutcome", "issue": [
            { "severity": "error", "code": code, "diagnostics": why },
        ] }),
    )
}

/// Answers with a resource.
pub fn answered(status: u16, body: &Value) -> Reception {
    Reception {
        response: CallbackResponse {
            status,
            headers: vec![("content-type".to_owned(), FHIR_JSON.to_owned())],
            body: body.to_string().into_bytes(),
        },
        ..Reception::status(status)
    }
}

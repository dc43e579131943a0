//! Signatures with keys that the gateway holds under a name. Algorithms are JOSE names (RFC 7518,
//! RFC 8037). Not lent yet: a module that uses it is refused at load.

pub use crate::bindings::lent::openimis::registry::signing::Error;
use crate::{Failure, lent};

/// Signs the bytes as they are: `EdDSA`, `RS256`, `PS256`, `ES256`.
///
/// # Errors
/// `unsupported` with code `signing.<error>` where the key is not granted or does not fit.
pub fn sign(key: &str, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, Failure> {
    Ok(lent::signing::sign(key, algorithm, data)?)
}

/// Checks a signature. `key` may name a set (JWKS); then `key_id` selects.
///
/// # Errors
/// As [`sign`].
pub fn verify(
    key: &str,
    key_id: Option<&str>,
    algorithm: &str,
    data: &[u8],
    signature: &[u8],
) -> Result<bool, Failure> {
    Ok(lent::signing::verify(
        key, key_id, algorithm, data, signature,
    )?)
}

/// A message authentication code: `HS256`.
///
/// # Errors
/// As [`sign`].
pub fn mac(key: &str, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, Failure> {
    Ok(lent::signing::mac(key, algorithm, data)?)
}

/// Checks a message authentication code, in constant time.
///
/// # Errors
/// As [`sign`].
pub fn verify_mac(key: &str, algorithm: &str, data: &[u8], mac: &[u8]) -> Result<bool, Failure> {
    Ok(lent::signing::verify_mac(key, algorithm, data, mac)?)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::unsupported(match error {
            Error::KeyNotGranted => "signing.key-not-granted",
            Error::AlgorithmNotSupported => "signing.algorithm-not-supported",
            Error::KeyNotFound => "signing.key-not-found",
            Error::Invalid => "signing.invalid",
            Error::Other(_) => "signing.other",
        })
    }
}

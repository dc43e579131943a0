//! The sealed parts of a request to IDA. Each is `ciphertext ‖ tag ‖ IV` with a tag and an IV of 16
//! bytes, in base64url (mosip/id-authentication, `KeyManager`; mosip/keymanager, `CryptoCore`).

use adapter_sdk::Failure;
use sha2::{Digest, Sha256};

use crate::jose::{self, A256GCM, RSA_OAEP_256, encode};
use crate::keys::{Keys, Session};

const SETTING: &str = "settings.ida.certificate";
const IV_BYTES: usize = 16;

/// What IDA alone can open, and by what it knows its key.
#[derive(Debug)]
pub struct Envelope {
    /// The request's JSON.
    pub request: String,
    /// The key, sealed for IDA.
    pub session_key: String,
    /// The JSON's SHA-256 in upper-case hexadecimal digits.
    pub hmac: String,
    /// SHA-256 of IDA's certificate, in hexadecimal digits.
    pub thumbprint: String,
}

/// Seals a request for the holder of a certificate. Each part has an IV of its own: two texts under
/// one key and IV would betray each other.
///
/// # Errors
/// `misconfigured`: the certificate is not there or does not fit.
pub fn seal(keys: &impl Keys, certificate: &str, inner: &str) -> Result<Envelope, Failure> {
    let plain = inner.as_bytes();
    let leaf = jose::leaf(keys, certificate, SETTING)?;
    let ours = |error| jose::ours(error, SETTING);
    let session = keys.generate(A256GCM).map_err(ours)?;
    let part = |plain: &[u8]| -> Result<String, Failure> {
        let iv: [u8; IV_BYTES] = random()?;
        let sealed = session.seal(&iv, &[], plain).map_err(ours)?;
        let bytes = [sealed.ciphertext, sealed.tag, sealed.iv].concat();
        Ok(encode(&bytes))
    };
    Ok(Envelope {
        request: part(plain)?,
        hmac: part(hexadecimal(&Sha256::digest(plain)).as_bytes())?,
        session_key: encode(&session.wrap(certificate, RSA_OAEP_256).map_err(ours)?),
        thumbprint: hexadecimal(&Sha256::digest(&leaf)),
    })
}

/// Ten digits: IDA's `transactionID`.
///
/// # Errors
/// `unavailable`: there is no randomness.
pub fn transaction_id() -> Result<String, Failure> {
    let number = u64::from_le_bytes(random()?) % 10_000_000_000;
    Ok(format!("{number:010}"))
}

/// # Errors
/// `unavailable`: there is no randomness.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(Failure::unavailable("random")),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

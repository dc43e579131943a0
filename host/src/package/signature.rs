//! Signatures in the form of minisign: Ed25519 over BLAKE2b, in a few lines of text.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign::{KeyPair, SecretKey, SecretKeyBox};
use minisign_verify::{Error as VerifyError, PublicKey, Signature};
use secrecy::{ExposeSecret, SecretString};

use super::Wrong;

/// A few lines.
const MAX_SIGNATURE: usize = 2 << 10;
/// Where the key's number is, in keys and signatures: behind two bytes for the algorithm.
const NUMBER: std::ops::Range<usize> = 2..10;

/// A public key whose signatures are trusted.
pub struct TrustedKey {
    key: PublicKey,
    number: String,
}

/// It is no public key of minisign.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("write the second line of a minisign public key, as `adapter keygen` prints it: RW…")]
pub struct KeyError;

/// Why a file cannot be said to come from who is trusted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unverified {
    /// There is no signature at the end.
    #[error("it is not signed: sign it by `adapter sign`, as the last step")]
    NotSigned,
    /// By somebody else.
    #[error(
        "it is signed by key {0}, which is not in admission.trusted_keys: sign it by one of those, \
         or let an administrator add the key"
    )]
    UnknownKey(String),
    /// By a trusted key, over something else.
    #[error(
        "its signature by key {0} is not of this file: it was changed after it was signed, bring it \
         as it was"
    )]
    Changed(String),
    /// It is no signature.
    #[error("its signature cannot be read: sign it again by `adapter sign`")]
    Unreadable,
}

/// A secret key, ready to sign.
pub struct Signer {
    key: SecretKey,
    number: String,
}

/// Why nothing is signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The key, or its password.
    #[error("the secret key cannot be used: is it a minisign key, and the password its own?")]
    Key,
    /// The file.
    #[error("{0}")]
    File(Wrong),
}

impl TrustedKey {
    /// Of its text.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let key = PublicKey::from_base64(text).map_err(|_| KeyError)?;
        let number = number(text).ok_or(KeyError)?;
        Ok(Self { key, number })
    }

    /// By which it is told from others.
    pub fn number(&self) -> &str {
        &self.number
    }
}

/// Not the key itself: the number says which.
impl fmt::Debug for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrustedKey").field(&self.number).finish()
    }
}

pub(super) fn verify<'k>(
    signed: &[u8],
    signature: &[u8],
    trusted: &'k [TrustedKey],
) -> Result<&'k str, Unverified> {
    if signature.len() > MAX_SIGNATURE {
        return Err(Unverified::Unreadable);
    }
    let text = std::str::from_utf8(signature).map_err(|_| Unverified::Unreadable)?;
    let parsed = Signature::decode(text).map_err(|_| Unverified::Unreadable)?;
    let by = text.lines().nth(1).and_then(|line| number(line.trim()));
    let by = by.ok_or(Unverified::Unreadable)?;
    for key in trusted {
        match key.key.verify(signed, &parsed, false) {
            Ok(()) => return Ok(&key.number),
            Err(VerifyError::UnexpectedKeyId) => {}
            // Another key may have the same number.
            Err(_) if trusted.iter().filter(|it| it.number == by).count() > 1 => {}
            Err(_) => return Err(Unverified::Changed(by)),
        }
    }
    Err(Unverified::UnknownKey(by))
}

impl Signer {
    /// Of a secret key's file.
    ///
    /// # Errors
    /// It is none, or the password is not its own.
    pub fn open(file: &str, password: Option<&SecretString>) -> Result<Self, SignError> {
        let key = SecretKeyBox::from_string(file).map_err(|_| SignError::Key)?;
        let key = match password {
            None => key.into_unencrypted_secret_key(),
            Some(password) => key.into_secret_key(Some(password.expose_secret().to_owned())),
        };
        let key = key.map_err(|_| SignError::Key)?;
        let number = shown(key.keynum()).ok_or(SignError::Key)?;
        Ok(Self { key, number })
    }

    /// The key's number.
    pub fn number(&self) -> &str {
        &self.number
    }

    pub(super) fn sign(&self, file: &[u8]) -> Result<String, SignError> {
        let comment = "adapter for registry-gateway";
        let signature = minisign::sign(None, &self.key, file, None, Some(comment));
        Ok(signature.map_err(|_| SignError::Key)?.into_string())
    }
}

/// A new pair: the secret key's file, and the public key as one line for `admission.trusted_keys`.
///
/// # Errors
/// The system gives no random numbers.
pub fn keygen(password: Option<&SecretString>) -> Result<(SecretString, String), SignError> {
    let pair = match password {
        None => KeyPair::generate_unencrypted_keypair(),
        Some(password) => {
            KeyPair::generate_encrypted_keypair(Some(password.expose_secret().to_owned()))
        }
    };
    let KeyPair { pk, sk } = pair.map_err(|_| SignError::Key)?;
    let secret = sk.to_box(Some("secret key of an adapter's author"));
    let secret = secret.map_err(|_| SignError::Key)?.into_string();
    Ok((secret.into(), pk.to_base64()))
}

/// Of a key or a signature in base64.
fn number(base64: &str) -> Option<String> {
    let bytes = STANDARD.decode(base64).ok()?;
    shown(bytes.get(NUMBER)?)
}

/// As minisign shows it.
fn shown(number: &[u8]) -> Option<String> {
    let number = u64::from_le_bytes(number.try_into().ok()?);
    Some(format!("{number:016X}"))
}

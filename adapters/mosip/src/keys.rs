//! The gateway's keys as this adapter uses them. No private key is in here: every operation is done
//! by the gateway on a key that it holds under a name (`wit/lent.wit`, `signing`).
//!
//! A trait, so that native tests can do with real cryptography what the gateway does in a component.

use adapter_sdk::bindings::lent::openimis::registry::signing::{self, SessionKey};
pub use adapter_sdk::bindings::lent::openimis::registry::signing::{Error, Sealed};

/// Keys by name.
pub trait Keys {
    /// A symmetric key that never leaves the gateway.
    type Session: Session;

    /// Signs the bytes as they are.
    ///
    /// # Errors
    /// The key is not granted, or does not fit the algorithm.
    fn sign(&self, key: &str, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, Error>;

    /// Checks a signature with a key, or with the one of a set that `key_id` names.
    ///
    /// # Errors
    /// As [`Keys::sign`]; the set has no such key, or could not be fetched.
    fn verify(
        &self,
        key: &str,
        key_id: Option<&str>,
        algorithm: &str,
        data: &[u8],
        signature: &[u8],
    ) -> Result<bool, Error>;

    /// The certificates of a key, DER, leaf first.
    ///
    /// # Errors
    /// The key is not granted, or has no certificate.
    fn certificate_chain(&self, key: &str) -> Result<Vec<Vec<u8>>, Error>;

    /// A new random key.
    ///
    /// # Errors
    /// There is no such algorithm.
    fn generate(&self, algorithm: &str) -> Result<Self::Session, Error>;

    /// A key that somebody sealed for one of ours.
    ///
    /// # Errors
    /// As [`Keys::sign`]; it is not sealed for this key.
    fn unwrap(
        &self,
        key: &str,
        algorithm: &str,
        encrypted_key: &[u8],
        content_algorithm: &str,
    ) -> Result<Self::Session, Error>;
}

/// A symmetric key.
pub trait Session {
    /// This key, sealed for the holder of a public key.
    ///
    /// # Errors
    /// As [`Keys::sign`].
    fn wrap(&self, key: &str, algorithm: &str) -> Result<Vec<u8>, Error>;

    /// Encrypts. An IV is used once.
    ///
    /// # Errors
    /// `invalid`: this key was used with this IV before.
    fn seal(&self, iv: &[u8], additional: &[u8], plain: &[u8]) -> Result<Sealed, Error>;

    /// Decrypts.
    ///
    /// # Errors
    /// `invalid`: it was not encrypted with this key, or was changed since.
    fn open(&self, sealed: &Sealed, additional: &[u8]) -> Result<Vec<u8>, Error>;
}

/// The keys that the gateway lends.
#[derive(Clone, Copy, Debug)]
pub struct Lent;

impl Keys for Lent {
    type Session = SessionKey;

    fn sign(&self, key: &str, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, Error> {
        signing::sign(key, algorithm, data)
    }

    fn verify(
        &self,
        key: &str,
        key_id: Option<&str>,
        algorithm: &str,
        data: &[u8],
        signature: &[u8],
    ) -> Result<bool, Error> {
        signing::verify(key, key_id, algorithm, data, signature)
    }

    fn certificate_chain(&self, key: &str) -> Result<Vec<Vec<u8>>, Error> {
        signing::certificate_chain(key)
    }

    fn generate(&self, algorithm: &str) -> Result<SessionKey, Error> {
        SessionKey::generate(algorithm)
    }

    fn unwrap(
        &self,
        key: &str,
        algorithm: &str,
        encrypted_key: &[u8],
        content_algorithm: &str,
    ) -> Result<SessionKey, Error> {
        SessionKey::unwrap(key, algorithm, encrypted_key, content_algorithm)
    }
}

impl Session for SessionKey {
    fn wrap(&self, key: &str, algorithm: &str) -> Result<Vec<u8>, Error> {
        SessionKey::wrap(self, key, None, algorithm)
    }

    fn seal(&self, iv: &[u8], additional: &[u8], plain: &[u8]) -> Result<Sealed, Error> {
        SessionKey::seal(self, Some(iv), additional, plain)
    }

    fn open(&self, sealed: &Sealed, additional: &[u8]) -> Result<Vec<u8>, Error> {
        SessionKey::open(self, sealed, additional)
    }
}

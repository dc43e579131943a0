//! The key that signs checkpoints. It is not in the database: who can write there can compute hashes,
//! and cannot sign.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;

/// What is signed begins with this: a signature for another purpose is none here.
const PURPOSE: &[u8] = b"registry-gateway audit checkpoint\n";
const PREFIX: &str = "ed25519:";
/// Of an ed25519 key in PKCS #8 (RFC 8410, section 7); the 32 bytes of the key follow.
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// Signs.
pub(super) struct SigningKey(Ed25519KeyPair);

/// Whose signature it may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublicKey(pub [u8; 32]);

/// The text is no public key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a public key is `ed25519:` and the base64 of its 32 bytes, as `audit checkpoint` prints it"
)]
pub struct BadPublicKey;

impl SigningKey {
    /// From PEM.
    pub(super) fn parse(pem: &str) -> io::Result<Self> {
        let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| bad("it is no PRIVATE KEY in PEM"))?;
        // OpenSSL leaves the public half out.
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der())
            .map(Self)
            .map_err(|_| bad("it is no ed25519 key: openssl genpkey -algorithm ed25519 makes one"))
    }

    /// Reads it. None: there is none yet.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        match fs::read_to_string(path) {
            Ok(pem) => Self::parse(&pem).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes one where there is none: whole, on disk, and for its owner alone.
    pub(super) fn make(path: &Path) -> io::Result<Self> {
        let mut key = PKCS8_HEAD.to_vec();
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        key.extend_from_slice(&secret);
        let text = STANDARD.encode(key);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        let directory = path.parent().unwrap_or(path);
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(pem.as_bytes())?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Err(lost) if lost.error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(lost.error);
            }
            _ => fs::File::open(directory)?.sync_all()?,
        }
        // Another process may have been first.
        Self::open(path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(self.0.public_key().as_ref()) {
            *to = *from;
        }
        PublicKey(key)
    }

    pub(super) fn sign(&self, body: &str) -> [u8; 64] {
        let made = self.0.sign(&[PURPOSE, body.as_bytes()].concat());
        let mut signature = [0; 64];
        for (to, from) in signature.iter_mut().zip(made.as_ref()) {
            *to = *from;
        }
        signature
    }
}

impl PublicKey {
    /// From its text.
    ///
    /// # Errors
    /// [`BadPublicKey`].
    pub fn parse(text: &str) -> Result<Self, BadPublicKey> {
        let text = text.trim().strip_prefix(PREFIX).ok_or(BadPublicKey)?;
        let bytes = STANDARD.decode(text).map_err(|_| BadPublicKey)?;
        bytes.try_into().map(Self).map_err(|_| BadPublicKey)
    }

    /// Whether it signed that.
    pub(super) fn signed(&self, body: &str, signature: &[u8]) -> bool {
        let message = [PURPOSE, body.as_bytes()].concat();
        let key = UnparsedPublicKey::new(&ED25519, self.0);
        key.verify(&message, signature).is_ok()
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{PREFIX}{}", STANDARD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_outlives_a_restart_is_private_and_signs_for_this_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("audit-signing.key");
        assert!(SigningKey::open(&file).unwrap().is_none());
        let made = SigningKey::make(&file).unwrap();
        assert_eq!(SigningKey::make(&file).unwrap().public(), made.public());
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let public = PublicKey::parse(&made.public().to_string()).unwrap();
        let signature = made.sign("words");
        assert!(public.signed("words", &signature));
        assert!(!public.signed("other words", &signature));
        assert!(!PublicKey([1; 32]).signed("words", &signature));
        let elsewhere = UnparsedPublicKey::new(&ED25519, public.0);
        assert!(elsewhere.verify(b"words", &signature).is_err());
        fs::write(
            &file,
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        )
        .unwrap();
        assert!(SigningKey::open(&file).is_err());
    }

    /// As `openssl genpkey -algorithm ed25519` writes one (the key of RFC 8410, section 10.3).
    #[test]
    fn openssls_keys_are_read() {
        let pem = "-----BEGIN PRIVATE KEY-----\n\
                   MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                   -----END PRIVATE KEY-----\n";
        let key = SigningKey::parse(pem).unwrap();
        let public = "ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        assert_eq!(key.public().to_string(), public);
        for bad in ["", "ed25519:", "ed25519:AAAA", &public[8..]] {
            assert_eq!(PublicKey::parse(bad), Err(BadPublicKey), "{bad}");
        }
    }
}

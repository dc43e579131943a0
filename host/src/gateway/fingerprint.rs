//! Keyed hashes of people: the audit can tell who was looked up to whoever holds the key and the
//! identifier, and to nobody else. Identifiers are short numbers, so a hash without a key would
//! be undone by trying them all.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::Identifier;

const KEY_BYTES: usize = 32;

/// Makes the hashes.
pub(super) struct Fingerprint {
    key: [u8; KEY_BYTES],
}

impl Fingerprint {
    /// Reads the key, or makes one on the first start. Whoever loses it can no longer find people
    /// in the audit; it is backed up with the database, and apart from it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(bytes) => {
                let key = <[u8; KEY_BYTES]>::try_from(bytes).map_err(|_| {
                    io::Error::new(io::ErrorKind::InvalidData, "the key is not 32 bytes")
                })?;
                Ok(Self { key })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(path),
            Err(error) => Err(error),
        }
    }

    fn make(path: &Path) -> io::Result<Self> {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(&key)?;
        file.sync_all()?;
        Ok(Self { key })
    }

    /// A key of its own for another use.
    pub(super) fn derive(&self, what: &[u8]) -> [u8; 32] {
        self.mac(&[b"derive", what])
    }

    /// Of one identifier. Lengths are hashed too, so that no two pairs run together alike.
    pub(super) fn of(&self, identifier: &Identifier) -> [u8; 32] {
        self.mac(&[
            b"person",
            identifier.scheme.as_bytes(),
            identifier.value.as_bytes(),
        ])
    }

    /// Of a question without identifiers: a search.
    pub(super) fn of_question(&self, question: &str) -> [u8; 32] {
        self.mac(&[b"question", question.as_bytes()])
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new(&self.key_block());
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// HMAC's own padding of a short key (RFC 2104, section 2).
    fn key_block(&self) -> hmac::digest::Key<Hmac<Sha256>> {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(self.key) {
            *to = from;
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifier(scheme: &str, value: &str) -> Identifier {
        Identifier {
            scheme: scheme.into(),
            value: value.into(),
            normalisation: None,
            extra: Vec::new(),
        }
    }

    #[test]
    fn tells_people_apart_and_needs_the_key() {
        let one = Fingerprint { key: [1; 32] };
        let two = Fingerprint { key: [2; 32] };
        let sita = identifier("national-id", "123");
        assert_eq!(one.of(&sita), one.of(&sita));
        assert_ne!(one.of(&sita), two.of(&sita));
        assert_ne!(one.of(&sita), one.of(&identifier("national-id1", "23")));
    }

    #[test]
    fn is_hmac_sha256() {
        let key = Fingerprint { key: [1; 32] };
        let mut mac = Hmac::<Sha256>::new_from_slice(&[1; 32]).unwrap();
        mac.update(&8u64.to_be_bytes());
        mac.update(b"question");
        mac.update(&1u64.to_be_bytes());
        mac.update(b"q");
        assert_eq!(key.of_question("q")[..], mac.finalize().into_bytes()[..]);
    }

    #[test]
    fn the_key_outlives_a_restart_and_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("audit.key");
        let first = Fingerprint::open(&file).unwrap();
        let second = Fingerprint::open(&file).unwrap();
        assert_eq!(first.key, second.key);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&file, b"short").unwrap();
        assert!(Fingerprint::open(&file).is_err());
    }
}

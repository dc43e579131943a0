//! Keyed hashes of people: the audit can tell who was looked up to whoever holds the key and the
//! identifier, and to nobody else. Identifiers are short numbers, so a hash without a key would
//! be undone by trying them all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const KEY_BYTES: usize = 32;

/// Makes the hashes.
pub(in crate::gateway) struct Fingerprint {
    key: [u8; KEY_BYTES],
}

impl Fingerprint {
    /// Reads the key. None: there is none yet. Whoever loses it can no longer find people in the
    /// audit; it is backed up with the database, and apart from it.
    pub(in crate::gateway) fn open(path: &Path) -> io::Result<Option<Self>> {
        match fs::read(path) {
            Ok(bytes) => {
                let key = <[u8; KEY_BYTES]>::try_from(bytes).map_err(|_| {
                    io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the key is not 32 bytes: restore audit.key from backup",
                    )
                })?;
                Ok(Some(Self { key }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a key where there is none. It appears at once and whole, or not at all, and is on disk
    /// before it is used: rows under a key that a power cut took would name nobody.
    pub(in crate::gateway) fn make(path: &Path) -> io::Result<Self> {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let directory = path.parent().unwrap_or(path);
        // Readable for its owner alone: that is how temporary files are made.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&key)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Err(lost) if lost.error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(lost.error);
            }
            _ => fs::File::open(directory)?.sync_all()?,
        }
        // Another process may have been first: the key is whatever stands there now.
        Self::open(path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// A key of its own for another use.
    pub(in crate::gateway) fn derive(&self, what: &[u8]) -> [u8; 32] {
        self.mac(&[b"derive", what])
    }

    /// What tells whether two keys are the same, and nothing of them.
    pub(in crate::gateway) fn check(&self) -> [u8; 32] {
        self.derive(b"key check")
    }

    /// Of one identifier. Lengths are hashed too, so that no two pairs run together alike.
    pub(in crate::gateway) fn of(&self, scheme: &str, value: &str) -> [u8; 32] {
        self.mac(&[b"person", scheme.as_bytes(), value.as_bytes()])
    }

    /// Of a search as a whole, in one form.
    pub(in crate::gateway) fn of_question(&self, question: &str) -> [u8; 32] {
        self.mac(&[b"question", question.as_bytes()])
    }

    /// Of a word of a registry's: what it is, whose, and the word.
    pub(in crate::gateway) fn of_word(&self, what: &str, registry: &str, word: &str) -> [u8; 32] {
        let parts: [&[u8]; 4] = [
            b"word",
            what.as_bytes(),
            registry.as_bytes(),
            word.as_bytes(),
        ];
        self.mac(&parts)
    }

    /// Of a caller's own name for somebody.
    pub(in crate::gateway) fn of_subject(&self, caller: &str, subject: &str) -> [u8; 32] {
        self.mac(&[b"subject", caller.as_bytes(), subject.as_bytes()])
    }

    /// Of all that a write asks, in one form.
    pub(in crate::gateway) fn of_write(&self, write: &[u8]) -> [u8; 32] {
        self.mac(&[b"write", write])
    }

    /// Of what a registry's callback will name an operation by.
    pub(in crate::gateway) fn of_reference(&self, registry: &str, reference: &str) -> [u8; 32] {
        self.mac(&[b"reference", registry.as_bytes(), reference.as_bytes()])
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

    #[test]
    fn tells_people_apart_and_needs_the_key() {
        let one = Fingerprint { key: [1; 32] };
        let two = Fingerprint { key: [2; 32] };
        let sita = one.of("national-id", "123");
        assert_eq!(sita, one.of("national-id", "123"));
        assert_ne!(sita, two.of("national-id", "123"));
        assert_ne!(sita, one.of("national-id1", "23"));
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
        assert!(Fingerprint::open(&file).unwrap().is_none());
        let first = Fingerprint::make(&file).unwrap();
        let second = Fingerprint::open(&file).unwrap().unwrap();
        assert_eq!(first.key, second.key);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(&file, b"short").unwrap();
        assert!(Fingerprint::open(&file).is_err());
    }

    #[test]
    fn who_makes_the_key_second_gets_the_first() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("audit.key");
        let first = Fingerprint::make(&file).unwrap();
        assert_eq!(first.key, Fingerprint::make(&file).unwrap().key);
        let left = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(left, 1, "no temporary file is left");
    }
}

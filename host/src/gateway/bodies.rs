//! What people are told of and asked about is sealed in the database: whoever has a copy of it, and not
//! the key, reads nothing of it. AES-256-GCM; what is sealed can be opened only in the place that it was
//! made for.

use std::io;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use uuid::Uuid;

/// Seals and opens. Nonces are random: one key is good for some four thousand million bodies.
pub(super) struct Bodies {
    key: LessSafeKey,
}

/// What a body is of. Sealed for one place it cannot be opened in another.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) of: Uuid,
    pub(super) column: &'static str,
}

/// It was sealed by a key that is not here, or for another place, or was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a sealed body cannot be opened")]
pub(super) struct Sealed;

impl Bodies {
    pub(super) fn new(key: &[u8; 32]) -> io::Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(Self {
            key: LessSafeKey::new(key),
        })
    }

    /// Seals it for that place.
    pub(super) fn seal(&self, place: Place, mut plain: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let aad = Aad::from(place.bytes());
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut plain)
            .map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok([&nonce[..], &plain].concat())
    }

    /// Opens what was sealed for that place.
    ///
    /// # Errors
    /// [`Sealed`].
    pub(super) fn unseal(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>, Sealed> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN).ok_or(Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Sealed)?;
        let mut body = body.to_vec();
        let opened = self.key.open_in_place(nonce, Aad::from(place.bytes()), &mut body);
        let length = opened.map_err(|_| Sealed)?.len();
        body.truncate(length);
        Ok(body)
    }
}

impl Place {
    fn bytes(self) -> Vec<u8> {
        [self.of.as_bytes(), self.column.as_bytes()].concat()
    }
}

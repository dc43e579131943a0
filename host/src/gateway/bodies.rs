//! What people are told of and asked about is sealed in the database: whoever has a copy of it, and not
//! the key, reads nothing of it. AES-256-GCM; what is sealed says by which key, and can be opened only
//! in the place that it was made for.

mod anew;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::StartError;
use crate::config::bodies::BodiesConfig;
use crate::config::secret::Secrets;
use crate::store::Store;

/// Where the key is, where none is configured.
const KEY_FILE: &str = "bodies.key";
const KEY_BYTES: usize = 32;
/// The first byte of what is sealed; a later form has another.
const FORM: u8 = 1;
const ID_BYTES: usize = 4;
const HEAD_BYTES: usize = 1 + ID_BYTES + NONCE_LEN;

/// Seals and opens. Nonces are random: one key is good for some four thousand million bodies.
pub(super) struct Bodies {
    current: Key,
    previous: Vec<Key>,
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

struct Key {
    id: [u8; ID_BYTES],
    /// Tells in the database which it is, and nothing of it.
    check: [u8; 32],
    key: LessSafeKey,
}

impl Bodies {
    /// Reads the keys, or makes one before the first body.
    pub(super) async fn open(
        config: &BodiesConfig,
        store: &Store,
        secrets: &Secrets,
        data_dir: &Path,
    ) -> Result<Self, StartError> {
        let path = data_dir.join(KEY_FILE);
        let (bodies, made) = match Self::look(config, store, secrets, data_dir).await? {
            Some(bodies) => (bodies, false),
            None => {
                let bodies = Self {
                    current: make(&path).map_err(StartError::BodiesKey)?,
                    previous: previous(config, secrets)?,
                };
                (bodies, true)
            }
        };
        let before = bodies.previous.iter().map(|key| key.check).collect();
        let mine = bodies.current.check;
        if store.keep_bodies_key_check(mine, before).await? == mine {
            return Ok(bodies);
        }
        if made {
            // Another gateway made its own at the same moment. Nothing was sealed by this one.
            fs::remove_file(path).map_err(StartError::BodiesKey)?;
        }
        Err(StartError::BodiesOtherKey)
    }

    /// What is wrong with the keys. Nothing is made.
    pub(super) async fn check(
        config: &BodiesConfig,
        store: &Store,
        secrets: &Secrets,
        data_dir: &Path,
    ) -> Option<StartError> {
        let looked = Self::look(config, store, secrets, data_dir).await;
        // Those of before are read even where there is no body yet.
        looked.and_then(|_| previous(config, secrets)).err()
    }

    /// None: there is no key, and nothing that needs one.
    async fn look(
        config: &BodiesConfig,
        store: &Store,
        secrets: &Secrets,
        data_dir: &Path,
    ) -> Result<Option<Self>, StartError> {
        let path = data_dir.join(KEY_FILE);
        let there = store.bodies_key_check().await?;
        let current = match &config.key {
            Some(source) => Key::secret("bodies.key", source, secrets)?,
            None => match read(&path).map_err(StartError::BodiesKey)? {
                Some(key) => key,
                None if there.is_some() || newest(store).await?.is_some() => {
                    return Err(StartError::BodiesKeyLost);
                }
                None => return Ok(None),
            },
        };
        let bodies = Self {
            current,
            previous: previous(config, secrets)?,
        };
        if let Some(there) = there
            && bodies.keys().all(|key| key.check != there)
        {
            return Err(StartError::BodiesOtherKey);
        }
        if let Some((place, sealed)) = newest(store).await?
            && bodies.unseal(place, &sealed).is_err()
        {
            return Err(StartError::BodiesKeyLost);
        }
        Ok(Some(bodies))
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// Whether there are keys of before.
    pub(super) fn is_rotated(&self) -> bool {
        !self.previous.is_empty()
    }

    /// The same by the key of today. None: it is already, or cannot be opened.
    pub(super) fn anew(&self, place: Place, sealed: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let id = sealed.get(1..=ID_BYTES);
        if id == Some(&self.current.id[..]) {
            return Ok(None);
        }
        match self.unseal(place, sealed) {
            Ok(plain) => self.seal(place, plain).map(Some),
            Err(Sealed) => Ok(None),
        }
    }

    /// Seals it for that place.
    pub(super) fn seal(&self, place: Place, mut plain: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let aad = Aad::from(place.bytes());
        let key = &self.current;
        key.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut plain)
            .map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok([&[FORM], &key.id[..], &nonce, &plain].concat())
    }

    /// Opens what was sealed for that place.
    ///
    /// # Errors
    /// [`Sealed`].
    pub(super) fn unseal(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>, Sealed> {
        let (head, body) = sealed.split_at_checked(HEAD_BYTES).ok_or(Sealed)?;
        let (form, head) = head.split_first().ok_or(Sealed)?;
        let (id, nonce) = head.split_at_checked(ID_BYTES).ok_or(Sealed)?;
        if *form != FORM {
            return Err(Sealed);
        }
        for key in self.keys().filter(|key| key.id == id) {
            let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Sealed)?;
            let mut body = body.to_vec();
            if let Ok(plain) = key
                .key
                .open_in_place(nonce, Aad::from(place.bytes()), &mut body)
            {
                let length = plain.len();
                body.truncate(length);
                return Ok(body);
            }
        }
        Err(Sealed)
    }
}

fn previous(config: &BodiesConfig, secrets: &Secrets) -> Result<Vec<Key>, StartError> {
    let keys = config.previous_keys.iter().enumerate();
    let keys = keys
        .map(|(at, source)| Key::secret(&format!("bodies.previous_keys.{at}"), source, secrets));
    keys.collect()
}

impl Place {
    fn bytes(self) -> Vec<u8> {
        [self.of.as_bytes(), self.column.as_bytes()].concat()
    }
}

impl Key {
    fn new(key: &[u8; KEY_BYTES]) -> io::Result<Self> {
        let hash = Sha256::new()
            .chain_update(b"id of a key of bodies")
            .chain_update(key)
            .finalize();
        let mut id = [0; ID_BYTES];
        for (to, from) in id.iter_mut().zip(hash) {
            *to = from;
        }
        let check = Sha256::new()
            .chain_update(b"check of a key of bodies")
            .chain_update(key)
            .finalize();
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(Self {
            id,
            check: check.into(),
            key: LessSafeKey::new(key),
        })
    }

    fn parse(text: &str) -> io::Result<Self> {
        let bytes = STANDARD.decode(text.trim()).ok();
        let key = bytes.and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok());
        let key = key.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "it is not 32 bytes in Base64: openssl rand -base64 32 makes one",
            )
        })?;
        Self::new(&key)
    }

    fn secret(
        field: &str,
        source: &crate::config::secret::SecretSource,
        secrets: &Secrets,
    ) -> Result<Self, StartError> {
        let text = secrets.resolve(field, source);
        let text = text.map_err(StartError::BodiesKeySecret)?;
        Self::parse(text.expose_secret()).map_err(StartError::BodiesKey)
    }
}

fn read(path: &Path) -> io::Result<Option<Key>> {
    match fs::read_to_string(path) {
        Ok(text) => Key::parse(&text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whole, on disk, and for its owner alone.
fn make(path: &Path) -> io::Result<Key> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let directory = path.parent().unwrap_or(path);
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(format!("{}\n", STANDARD.encode(key)).as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(lost) if lost.error.kind() != io::ErrorKind::AlreadyExists => return Err(lost.error),
        _ => fs::File::open(directory)?.sync_all()?,
    }
    // Another process may have been first.
    read(path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// The last body that somebody sealed: who cannot open it has another key than they.
async fn newest(store: &Store) -> Result<Option<(Place, Vec<u8>)>, StartError> {
    if let Some((of, request)) = store.operations().newest_sealed().await? {
        let column = super::operations::REQUEST;
        return Ok(Some((Place { of, column }, request)));
    }
    if let Some((id, body)) = store.events().newest_sealed().await? {
        return Ok(Some((super::events::place_of_event(&id), body)));
    }
    let filter = crate::store::LinkFilter {
        ended: true,
        limit: 1,
        ..Default::default()
    };
    if let Some(link) = store.links().list(&filter).await?.pop() {
        return Ok(Some((super::links::place(link.id), link.sealed)));
    }
    let webhook = store.webhooks().newest_sealed().await?;
    Ok(webhook.map(|(id, secret)| (super::webhooks::place_of_secret(id), secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(current: u8, previous: &[u8]) -> Bodies {
        let key = |byte: u8| Key::new(&[byte; KEY_BYTES]).unwrap();
        Bodies {
            current: key(current),
            previous: previous.iter().copied().map(key).collect(),
        }
    }

    const SITA: Place = Place {
        of: Uuid::from_u128(1),
        column: "request",
    };

    #[test]
    fn a_body_is_opened_in_its_place_by_its_key_and_unchanged() {
        let mine = bodies(1, &[]);
        let sealed = mine.seal(SITA, b"Sita Devi".to_vec()).unwrap();
        assert!(!sealed.windows(4).any(|part| part == b"Sita"));
        assert_eq!(mine.unseal(SITA, &sealed), Ok(b"Sita Devi".to_vec()));
        assert_ne!(sealed, mine.seal(SITA, b"Sita Devi".to_vec()).unwrap());

        let of = Uuid::from_u128(2);
        let column = "receipt";
        for elsewhere in [Place { of, ..SITA }, Place { column, ..SITA }] {
            assert_eq!(mine.unseal(elsewhere, &sealed), Err(Sealed));
        }
        assert_eq!(bodies(2, &[]).unseal(SITA, &sealed), Err(Sealed));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(mine.unseal(SITA, &changed), Err(Sealed), "byte {at}");
            assert_eq!(mine.unseal(SITA, &sealed[..at]), Err(Sealed), "cut at {at}");
        }
    }

    #[test]
    fn a_key_of_before_opens_and_seals_no_more() {
        let sealed = bodies(1, &[]).seal(SITA, b"old".to_vec()).unwrap();
        let rotated = bodies(2, &[1]);
        assert_eq!(rotated.unseal(SITA, &sealed), Ok(b"old".to_vec()));
        let new = rotated.seal(SITA, b"new".to_vec()).unwrap();
        assert_eq!(bodies(2, &[]).unseal(SITA, &new), Ok(b"new".to_vec()));
        assert_eq!(bodies(1, &[]).unseal(SITA, &new), Err(Sealed));
        let anew = rotated.anew(SITA, &sealed).unwrap().unwrap();
        assert_eq!(bodies(2, &[]).unseal(SITA, &anew), Ok(b"old".to_vec()));
        assert_eq!(rotated.anew(SITA, &anew).unwrap(), None);
        assert_eq!(bodies(3, &[]).anew(SITA, &sealed).unwrap(), None);
    }

    #[test]
    fn the_key_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(KEY_FILE);
        assert!(read(&file).unwrap().is_none());
        let made = make(&file).unwrap();
        assert_eq!(make(&file).unwrap().id, made.id);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for bad in ["", "AAAA", "not base64"] {
            fs::write(&file, bad).unwrap();
            assert!(read(&file).is_err(), "{bad}");
        }
    }
}

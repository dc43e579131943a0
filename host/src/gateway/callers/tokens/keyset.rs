use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Keys of an issuer that are looked at.
const MOST: usize = 100;

/// The keys of an issuer, as it told them last.
pub(in crate::gateway) struct KeySet {
    keys: Vec<Key>,
    /// What the issuer told, as a hash: the same document read again takes no token back.
    pub(in crate::gateway) document: [u8; 32],
    read_at: Instant,
}

struct Key {
    id: Option<String>,
    /// What it is for, where that is said.
    algorithm: Option<String>,
    curve: Option<EllipticCurve>,
    key: DecodingKey,
}

impl KeySet {
    /// What can be used of a document. A key that cannot be read is none: the others can.
    pub(in crate::gateway) fn read(document: &Value, read_at: Instant) -> Option<Self> {
        let keys = document.get("keys")?.as_array()?;
        let keys = keys.iter().take(MOST).filter_map(Key::read).collect();
        Some(Self {
            keys,
            document: Sha256::digest(document.to_string().as_bytes()).into(),
            read_at,
        })
    }

    pub(in crate::gateway) fn age(&self) -> Duration {
        self.read_at.elapsed()
    }

    /// The key of that id. Without an id the one that fits, if it is the only one.
    pub(in crate::gateway) fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Option<&DecodingKey> {
        let fits = |key: &&Key| key.fits(algorithm) && (id.is_none() || key.id.as_deref() == id);
        let mut found = self.keys.iter().filter(fits);
        let one = found.next()?;
        (id.is_some() || found.next().is_none()).then_some(&one.key)
    }
}

impl Key {
    fn read(value: &Value) -> Option<Self> {
        let key: Jwk = serde_json::from_value(value.clone()).ok()?;
        if !matches!(
            key.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        ) {
            return None;
        }
        let operations = key.common.key_operations.as_ref();
        if operations.is_some_and(|all| !all.contains(&KeyOperations::Verify)) {
            return None;
        }
        let curve = match &key.algorithm {
            AlgorithmParameters::RSA(_) => None,
            AlgorithmParameters::EllipticCurve(of) => Some(of.curve.clone()),
            AlgorithmParameters::OctetKeyPair(of) => Some(of.curve.clone()),
            // One that both sides have has no place in a public document.
            AlgorithmParameters::OctetKey(_) => return None,
            // Kinds that no configured algorithm has.
            _ => return None,
        };
        Some(Self {
            key: DecodingKey::from_jwk(&key).ok()?,
            id: key.common.key_id,
            algorithm: value.get("alg").and_then(Value::as_str).map(str::to_owned),
            curve,
        })
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        let curve = match algorithm {
            Algorithm::ES256 => Some(EllipticCurve::P256),
            Algorithm::ES384 => Some(EllipticCurve::P384),
            Algorithm::EdDSA => Some(EllipticCurve::Ed25519),
            _ => None,
        };
        let name = format!("{algorithm:?}");
        let said = self.algorithm.as_ref().is_none_or(|said| *said == name);
        said && self.curve == curve
            && self.key.family() == algorithm.family()
            && algorithm.family() != AlgorithmFamily::Hmac
    }
}

//! What a checkpoint states, and the form in which it is kept elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::key::PublicKey;
use super::verifier::Bad;
use crate::store::{AuditCheckpoint, Hash};

/// The form of statements that this gateway makes.
const FORM: u32 = 1;

/// What is signed: what of the audit there is at a time.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Statement {
    form: u32,
    /// Its place.
    pub(super) number: i64,
    /// What the clock said.
    pub(super) at: Timestamp,
    /// The SHA-256 of the statement before this one.
    pub(super) previous: Option<Hex>,
    pub(super) chains: Vec<ChainEnd>,
    pub(super) unchained: Unchained,
    /// What may be missing since it was kept for long enough.
    pub(super) pruned: Vec<PrunedTo>,
}

/// A chain's last row.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChainEnd {
    pub(super) chain: i64,
    pub(super) seq: i64,
    pub(super) hash: Hex,
}

/// The rows that were written before there were chains.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Unchained {
    pub(super) rows: u64,
    pub(super) hash: Hex,
}

/// Up to which row a chain was removed, and the hash to go on from. Chain 0: the rows without one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PrunedTo {
    pub(super) chain: i64,
    pub(super) seq: i64,
    pub(super) hash: Hex,
    /// The checkpoint that covers what was removed.
    pub(super) sealed_by: i64,
}

/// A hash, written as hexadecimal.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Hex(pub(super) Hash);

/// A checkpoint as it is exported: kept where the database's owner cannot reach it, it holds the
/// gateway to what was there.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedCheckpoint {
    /// What is signed, word for word: a JSON object as text.
    pub statement: String,
    /// Whose signature it is.
    pub public_key: String,
    /// The ed25519 signature, in base64.
    pub signature: String,
}

impl Statement {
    pub(super) fn new(number: i64, at: Timestamp, previous: Option<&str>) -> Self {
        Self {
            form: FORM,
            number,
            at,
            previous: previous.map(hash_of),
            chains: Vec::new(),
            unchained: Unchained::default(),
            pruned: Vec::new(),
        }
    }

    /// Reads a checkpoint that one of the keys must have signed.
    pub(super) fn open(signed: &AuditCheckpoint, keys: &[PublicKey]) -> Result<Self, String> {
        let key = PublicKey(signed.public_key);
        if !keys.contains(&key) {
            return Err(format!(
                "it is signed with the key {key}, which is not known: if it is one of yours, put it \
                 into [audit] trusted_keys"
            ));
        }
        if !key.signed(&signed.body, &signed.signature) {
            return Err("its signature is not that of its words".into());
        }
        let read: Self = serde_json::from_str(&signed.body)
            .map_err(|_| "it is signed, and of a form that this gateway does not know")?;
        if read.form != FORM {
            return Err("it is signed, and of a form that this gateway does not know".into());
        }
        if read.number != signed.number || read.at != signed.at {
            return Err("it does not stand where it belongs".into());
        }
        Ok(read)
    }

    /// Whether it is the one behind another.
    pub(super) fn follows(&self, before: Option<(&Self, &str)>) -> Result<(), String> {
        let number = before.map_or(0, |(before, _)| before.number) + 1;
        if self.number > number {
            return Err(format!("checkpoint {number} is missing"));
        }
        if self.previous != before.map(|(_, body)| hash_of(body)) {
            return Err("it does not name the checkpoint before it".into());
        }
        if let Some((before, _)) = before
            && before.pruned.iter().any(|was| !was.is_in(&self.pruned))
        {
            return Err("it takes back what the one before it says is removed".into());
        }
        Ok(())
    }
}

impl SignedCheckpoint {
    /// The exported form of a checkpoint.
    pub fn of(signed: &AuditCheckpoint) -> Self {
        Self {
            statement: signed.body.clone(),
            public_key: PublicKey(signed.public_key).to_string(),
            signature: STANDARD.encode(signed.signature),
        }
    }

    /// What it was before it was exported, not yet believed.
    pub(super) fn back(&self) -> Result<AuditCheckpoint, Bad> {
        #[derive(Deserialize)]
        struct Place {
            number: i64,
            at: Timestamp,
        }
        let bad = |problem: &str| Bad::checkpoint(0, problem.to_owned());
        let place: Place = serde_json::from_str(&self.statement)
            .map_err(|_| bad("the checkpoint given has no statement that can be read"))?;
        let signature = STANDARD.decode(&self.signature).ok();
        let signature = signature.and_then(|bytes| bytes.try_into().ok());
        Ok(AuditCheckpoint {
            number: place.number,
            at: place.at,
            body: self.statement.clone(),
            public_key: PublicKey::parse(&self.public_key)
                .map_err(|_| bad("the checkpoint given has no public key that can be read"))?
                .0,
            signature: signature
                .ok_or_else(|| bad("the checkpoint given has no signature that can be read"))?,
        })
    }
}

pub(super) fn hash_of(body: &str) -> Hex {
    Hex(Sha256::digest(body.as_bytes()).into())
}

impl From<Hex> for String {
    fn from(hash: Hex) -> Self {
        hash.0.map(|byte| format!("{byte:02x}")).concat()
    }
}

impl TryFrom<String> for Hex {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut hash = Hash::default();
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != hash.len() || !rest.is_empty() {
            return Err("a hash has 64 digits");
        }
        for (to, pair) in hash.iter_mut().zip(pairs) {
            let pair = std::str::from_utf8(pair).map_err(|_| "not hexadecimal")?;
            *to = u8::from_str_radix(pair, 16).map_err(|_| "not hexadecimal")?;
        }
        Ok(Self(hash))
    }
}

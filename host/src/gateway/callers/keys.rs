//! Keys of callers: how they are made, and who has which.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::guesses::{Guesses, peer_of};
use crate::gateway::{Caller, CallerError, GatewayError};
use crate::store::{NewKey, Store, StoreError};

/// What a key begins with, so that a leaked one is recognised by scanners and people.
const KEY_PREFIX: &str = "rgw_";
/// 256 bits: guessing is hopeless, so that a plain hash of it is safe to store.
const KEY_BYTES: usize = 32;
/// So much of a key is kept, for people to know it by. What is left of it is still not guessed.
const SHOWN: usize = KEY_PREFIX.len() + 6;
/// Addresses from which a key was good are remembered, the last few.
const PEERS: usize = 4;
/// When a key was used is kept to the hour.
const HOUR: i64 = 3_600;

/// A key that is not kept anywhere yet.
pub(in crate::gateway) struct MadeKey {
    /// For whoever will use it.
    pub(in crate::gateway) key: String,
    /// For the store.
    pub(in crate::gateway) stored: NewKey,
}

/// The living keys, by their hash.
pub(in crate::gateway) struct Keys {
    by_hash: ArcSwap<HashMap<[u8; 32], Known>>,
    /// All that are not revoked, those too whose keys have ended.
    by_name: ArcSwap<HashMap<String, Arc<Caller>>>,
    /// One at a time: what was read before a revocation must not be stored after it.
    reloading: Mutex<()>,
    guesses: Guesses,
}

/// A key and whose it is.
struct Known {
    id: Uuid,
    caller: Arc<Caller>,
    expires_at: Option<Timestamp>,
    seen: Arc<Seen>,
}

/// What was seen of a key in this process.
#[derive(Default)]
struct Seen {
    /// The hour of its last use, in seconds since 1970.
    hour: AtomicI64,
    /// The hour that the store has.
    stored: AtomicI64,
    peers: [AtomicU64; PEERS],
    next: AtomicUsize,
}

impl MadeKey {
    pub(in crate::gateway) fn new(expires_at: Option<Timestamp>) -> Result<Self, CallerError> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| CallerError::Random)?;
        let key = format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let stored = NewKey {
            hash: hash(&key),
            prefix: key.chars().take(SHOWN).collect(),
            expires_at,
        };
        Ok(Self { key, stored })
    }
}

impl Keys {
    pub(in crate::gateway) fn new(failed_per_minute: u32) -> Self {
        Self {
            by_hash: ArcSwap::default(),
            by_name: ArcSwap::default(),
            reloading: Mutex::default(),
            guesses: Guesses::new(failed_per_minute),
        }
    }

    pub(in crate::gateway) async fn reload(&self, store: &Store) -> Result<(), StoreError> {
        let _alone = self.reloading.lock().await;
        let active = store.callers().active().await?;
        let before = self.by_hash.load();
        let now = Timestamp::now();
        let (mut by_hash, mut by_name) = (HashMap::new(), HashMap::new());
        for row in active {
            // One that cannot be read opens no door, and keeps no other key from being revoked.
            let caller = match row {
                Ok(caller) => caller,
                Err(row) => {
                    let error = &row.error;
                    tracing::error!(caller = row.name, %error, "a caller's row cannot be read: revoke it, and add one of another name");
                    continue;
                }
            };
            let known = Arc::new(Caller::of(caller.name, caller.settings));
            by_name.insert(known.name.clone(), known.clone());
            for key in caller.keys.iter().filter(|key| key.lives(now)) {
                let seen = before.get(&key.hash).map(|known| known.seen.clone());
                let known = Known {
                    id: key.id,
                    caller: known.clone(),
                    expires_at: key.expires_at,
                    seen: seen.unwrap_or_default(),
                };
                by_hash.insert(key.hash, known);
            }
        }
        self.by_hash.store(Arc::new(by_hash));
        self.by_name.store(Arc::new(by_name));
        Ok(())
    }

    /// Whose key it is. Unknown, revoked and expired ones meet the same work and the same answer.
    pub(in crate::gateway) fn get(
        &self,
        key: &str,
        from: Option<IpAddr>,
    ) -> Result<Arc<Caller>, GatewayError> {
        let now = Timestamp::now();
        let peer = peer_of(from);
        let table = self.by_hash.load();
        // The table is searched by a hash of what was sent: its timing says nothing of a key.
        let known = table.get(&hash(key));
        let known = known.filter(|key| key.expires_at.is_none_or(|end| now < end));
        // A key that was good from there is taken whatever others send from the same address.
        if let Some(known) = known.filter(|key| key.seen.from(peer)) {
            known.seen.used(now);
            return Ok(known.caller.clone());
        }
        // From an address that guesses, no other key is looked at, a right one neither.
        self.guesses.check(peer)?;
        let Some(known) = known else {
            self.guesses.failed(peer);
            return Err(GatewayError::UnknownCaller);
        };
        known.seen.remember(peer);
        known.seen.used(now);
        Ok(known.caller.clone())
    }

    /// Whether something else that opens the door is looked at from there.
    pub(in crate::gateway) fn check(&self, from: Option<IpAddr>) -> Result<(), GatewayError> {
        self.guesses.check(peer_of(from))
    }

    /// It was none.
    pub(in crate::gateway) fn failed(&self, from: Option<IpAddr>) {
        self.guesses.failed(peer_of(from));
    }

    /// Whose key has that hash, for a session that was opened with it.
    pub(in crate::gateway) fn hashed(&self, hash: &[u8; 32]) -> Option<Arc<Caller>> {
        let now = Timestamp::now();
        let table = self.by_hash.load();
        let known = table.get(hash)?;
        known.expires_at.is_none_or(|end| now < end).then(|| {
            known.seen.used(now);
            known.caller.clone()
        })
    }

    /// The caller of that name, for what is done for it while it does not call.
    pub(in crate::gateway) fn named(&self, name: &str) -> Option<Arc<Caller>> {
        self.by_name.load().get(name).cloned()
    }

    /// Writes when keys were used, as far as the store does not have it. None of it is worth an
    /// error: what is not written now is written later.
    pub(in crate::gateway) async fn write_used(&self, store: &Store) {
        let table = self.by_hash.load_full();
        let news: Vec<(&Known, i64)> = table.values().filter_map(Known::news).collect();
        let rows = news.iter().filter_map(|(key, hour)| {
            let at = Timestamp::from_second(*hour).ok()?;
            Some((key.id, at))
        });
        let rows: Vec<_> = rows.collect();
        if rows.is_empty() || store.callers().used(rows).await.is_err() {
            return;
        }
        for (key, hour) in news {
            key.seen.stored.store(hour, Relaxed);
        }
    }
}

impl Known {
    fn news(&self) -> Option<(&Self, i64)> {
        let hour = self.seen.hour.load(Relaxed);
        (hour > self.seen.stored.load(Relaxed)).then_some((self, hour))
    }
}

impl Seen {
    fn from(&self, peer: u64) -> bool {
        self.peers.iter().any(|seen| seen.load(Relaxed) == peer)
    }

    fn remember(&self, peer: u64) {
        let at = self.next.fetch_add(1, Relaxed) % PEERS;
        if let Some(place) = self.peers.get(at) {
            place.store(peer, Relaxed);
        }
    }

    fn used(&self, now: Timestamp) {
        let second = now.as_second();
        let hour = second - second.rem_euclid(HOUR);
        // Mostly a read: a write by every call would bounce between processors.
        if self.hour.load(Relaxed) < hour {
            self.hour.store(hour, Relaxed);
        }
    }
}

pub(in crate::gateway) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests;

//! Callers who come with a token of an issuer (JWT) in place of a key.
//!
//! The threat: whoever sends a token writes its head. So what it says of keys (`jku`, `x5u`, `jwk`,
//! `x5c`) is not looked at, its algorithm must be one that was configured, none of which has a key
//! that both sides share, and its key one that the issuer's own document has.

mod issuer;
mod keyset;
mod ring;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, dangerous, decode, decode_header};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::config::callers::CallersConfig;
use crate::config::secret::Secrets;
use crate::egress::Egress;
use crate::gateway::{Caller, StartError};
use crate::model::Role;
use crate::store::CallerSettings;
use issuer::Issuer;

/// Tokens whose signature was found right are remembered, so many.
const REMEMBERED: usize = 10_000;
/// The longest claim that names a caller, in bytes.
const MAX_NAME: usize = 256;
/// The longest name that stands in the audit as it is.
const MAX_CLEAR: usize = 64;
/// Words of the claim that says what a caller is there for.
const MAX_WORDS: usize = 1_000;

/// Who may come with a token.
pub(in crate::gateway) struct Tokens {
    by_issuer: HashMap<String, Arc<Issuer>>,
    seen: Mutex<HashMap<[u8; 32], Seen>>,
    name_key: [u8; 32],
    max_bytes: usize,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::gateway) enum Refusal {
    /// Nobody made it for here: as good as a key that nobody has.
    Forged,
    /// Its issuer made it: it is over, or not yet valid, or lacks a claim.
    Unusable,
    /// The issuer's keys are not known, and it is away.
    Away {
        /// Then it is asked again, in milliseconds.
        retry_after_ms: u32,
    },
}

/// A token whose signature was right under these keys.
struct Seen {
    caller: Arc<Caller>,
    issuer: Arc<Issuer>,
    /// The document that had its key.
    document: [u8; 32],
    until: i64,
}

impl Tokens {
    pub(in crate::gateway) fn new(
        config: &CallersConfig,
        egress: &Egress,
        secrets: &Secrets,
        name_key: [u8; 32],
    ) -> Result<Self, StartError> {
        ring::install();
        let mut by_issuer = HashMap::new();
        for (name, config) in &config.issuers {
            let wrong = |problem| StartError::Issuer {
                name: name.clone(),
                problem,
            };
            let issuer = Issuer::new(name, config, egress, secrets).map_err(wrong)?;
            let before = by_issuer.insert(config.issuer.clone(), Arc::new(issuer));
            if before.is_some() {
                return Err(wrong("issuer: is another one's already".into()));
            }
        }
        Ok(Self {
            by_issuer,
            seen: Mutex::default(),
            name_key,
            max_bytes: usize::try_from(config.max_token_bytes.get()).unwrap_or(usize::MAX),
        })
    }

    /// Whether it looks like a token, and there is anybody who could have made it.
    pub(in crate::gateway) fn is_one(&self, text: &str) -> bool {
        !self.by_issuer.is_empty() && text.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// Whose token it is, where that was found out before and still holds.
    pub(in crate::gateway) fn seen(&self, token: &str) -> Option<Arc<Caller>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let id = hash(token);
        let known = seen.get(&id)?;
        if known.holds(Timestamp::now()) {
            return Some(known.caller.clone());
        }
        seen.remove(&id);
        None
    }

    /// Whose token it is.
    pub(in crate::gateway) async fn read(&self, token: &str) -> Result<Arc<Caller>, Refusal> {
        if token.len() > self.max_bytes {
            return Err(Refusal::Forged);
        }
        let header = decode_header(token).map_err(|_| Refusal::Forged)?;
        // What must be understood (RFC 7515, 4.1.11), and is not.
        if header.crit.is_some() {
            return Err(Refusal::Forged);
        }
        // Not believed: it says whose keys to try, and is checked with them.
        let said: Map<String, Value> =
            dangerous::insecure_decode_claims(token).map_err(|_| Refusal::Forged)?;
        let said = said.get("iss").and_then(Value::as_str);
        let issuer = said.and_then(|iss| self.by_issuer.get(iss));
        let issuer = issuer.ok_or(Refusal::Forged)?;
        if !issuer.takes(header.alg) {
            return Err(Refusal::Forged);
        }
        let keys = issuer.keys(header.kid.as_deref(), header.alg).await?;
        let key = keys.find(header.kid.as_deref(), header.alg);
        let key = key.ok_or(Refusal::Forged)?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = issuer.config.clock_leeway_s.into();
        validation.validate_nbf = true;
        validation.set_issuer(&[&issuer.config.issuer]);
        validation.set_audience(&issuer.config.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        let read = decode::<Map<String, Value>>(token, key, &validation);
        let claims = match read {
            Ok(read) => read.claims,
            Err(error) => {
                return Err(match error.kind() {
                    // Looked at after the signature.
                    ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature => Refusal::Unusable,
                    _ => Refusal::Forged,
                });
            }
        };
        let until = claims.get("exp").and_then(Value::as_f64);
        let caller = Arc::new(self.caller(issuer, &claims)?);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a time, or the longest one"
        )]
        let until = until.unwrap_or_default() as i64;
        self.remember(
            token,
            Seen {
                caller: caller.clone(),
                issuer: issuer.clone(),
                document: keys.document,
                until: until.saturating_add(issuer.config.clock_leeway_s.into()),
            },
        );
        Ok(caller)
    }

    fn remember(&self, token: &str, known: Seen) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED {
            let now = Timestamp::now();
            seen.retain(|_, known| known.holds(now));
        }
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(hash(token), known);
    }

    fn caller(&self, issuer: &Issuer, claims: &Map<String, Value>) -> Result<Caller, Refusal> {
        let config = &issuer.config;
        let named = claim(claims, &config.name_claim).and_then(Value::as_str);
        let named = named.filter(|name| !name.is_empty() && name.len() <= MAX_NAME);
        let named = named.ok_or(Refusal::Unusable)?;
        let shown = match config.name_in_clear {
            false => self.hidden(&config.issuer, named),
            true => {
                let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
                if named.len() > MAX_CLEAR || !named.bytes().all(plain) {
                    return Err(Refusal::Unusable);
                }
                named.to_owned()
            }
        };
        let mut settings = CallerSettings::default();
        for word in words(claim(claims, &config.roles_claim)) {
            let Some(mapped) = config.mapping.get(word) else {
                continue;
            };
            let new = |role: &&Role| !settings.roles.contains(role);
            let roles: Vec<Role> = mapped.roles.iter().filter(new).copied().collect();
            settings.roles.extend(roles);
            settings.grants.extend_from_slice(&mapped.grants);
        }
        Ok(Caller::of(format!("{}:{shown}", issuer.name), settings))
    }

    /// A name that leads to nobody without the key of the audit, and is the same each time.
    fn hidden(&self, issuer: &str, name: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.name_key) else {
            return String::new();
        };
        for part in [issuer, name] {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let bytes = mac.finalize().into_bytes();
        bytes.iter().take(16).fold(String::new(), |mut text, byte| {
            use std::fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl Seen {
    fn holds(&self, now: Timestamp) -> bool {
        now.as_second() < self.until && self.issuer.holds(&self.document)
    }
}

/// A claim, by names with dots between.
fn claim<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    // A name with dots in it, as some issuers have, is itself before it is a path.
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    let mut parts = path.split('.');
    let first = claims.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

fn words(claim: Option<&Value>) -> impl Iterator<Item = &str> {
    let text = claim.and_then(Value::as_str).unwrap_or_default();
    let list = claim.and_then(Value::as_array);
    let list = list.into_iter().flatten().filter_map(Value::as_str);
    text.split_whitespace().chain(list).take(MAX_WORDS)
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

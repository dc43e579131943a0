//! Sessions of the admin page: what a browser holds in place of a key. A session's token says whose
//! key it was opened with and when, authenticated by a key that all nodes derive alike, so that
//! none keeps a list. It opens nothing that its key does not: whoever revokes the caller or the key
//! ends it at once, on every node that knows of the revocation.
//!
//! The threat: another page in the same browser makes it send the cookie along. Whatever changes
//! something needs the session's second word too, which only the page itself can read.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use super::keys::hash;
use crate::gateway::{Act, Acting, AdminError, Caller, Gateway, GatewayError};
use crate::model::Role;

/// Of the token's layout.
const VERSION: u8 = 1;
const NONCE: usize = 16;
const TAG: usize = 32;
/// A token is shorter, whatever its caller is called.
const LONGEST: usize = 1_024;

/// How long a session lasts.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Without anybody acting.
    pub idle: Duration,
    /// Whatever happens.
    pub whole: Duration,
}

/// A session that is good now.
#[derive(Clone)]
pub struct Held {
    /// Whose it is.
    pub caller: Arc<Caller>,
    /// When it ends, whatever happens.
    pub ends: Timestamp,
    token: Token,
}

/// A session with what the browser is to hold of it.
pub struct Opened {
    /// The session.
    pub held: Held,
    /// The cookie's value.
    pub token: String,
    /// What must come with whatever changes something.
    pub csrf: String,
}

pub(in crate::gateway) struct Sessions {
    key: [u8; 32],
}

/// What stands in a token.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Token {
    nonce: [u8; NONCE],
    /// Milliseconds since 1970.
    begun: i64,
    /// When somebody last acted.
    seen: i64,
    key_hash: [u8; 32],
    name: String,
}

impl Sessions {
    pub(in crate::gateway) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    fn seal(&self, token: &Token) -> Option<String> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&token.nonce);
        bytes.extend_from_slice(&token.begun.to_be_bytes());
        bytes.extend_from_slice(&token.seen.to_be_bytes());
        bytes.extend_from_slice(&token.key_hash);
        bytes.extend_from_slice(token.name.as_bytes());
        let tag = self.mac(b"token", &bytes)?.finalize().into_bytes();
        bytes.extend_from_slice(&tag);
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn open(&self, text: &str) -> Option<Token> {
        if text.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        self.mac(b"token", body)?.verify_slice(tag).ok()?;
        let (version, rest) = body.split_first()?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
        let (begun, rest) = rest.split_first_chunk()?;
        let (seen, rest) = rest.split_first_chunk()?;
        let (key_hash, name) = rest.split_first_chunk::<32>()?;
        (*version == VERSION).then_some(Token {
            nonce: *nonce,
            begun: i64::from_be_bytes(*begun),
            seen: i64::from_be_bytes(*seen),
            key_hash: *key_hash,
            name: String::from_utf8(name.to_vec()).ok()?,
        })
    }

    /// Another word for the same session, that does not tell the token.
    fn csrf(&self, token: &Token) -> Option<Hmac<Sha256>> {
        let mut body = token.nonce.to_vec();
        body.extend_from_slice(&token.key_hash);
        body.extend_from_slice(token.name.as_bytes());
        self.mac(b"csrf", &body)
    }

    fn mac(&self, what: &[u8], body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        for part in [what, body] {
            mac.update(&u64::try_from(part.len()).ok()?.to_be_bytes());
            mac.update(part);
        }
        Some(mac)
    }
}

impl Gateway {
    /// Opens a session for whoever holds a key of the staff. The audit knows.
    ///
    /// # Errors
    /// [`AdminError`]: no such key, or a client's.
    pub async fn open_session(
        &self,
        key: &str,
        from: Option<IpAddr>,
        request_id: String,
        limits: SessionLimits,
    ) -> Result<Opened, AdminError> {
        let by = Acting {
            caller: self.caller(key, from).await?,
            request_id,
        };
        by.allowed(&[Role::Implementer, Role::Administrator, Role::Auditor])?;
        // What else opens the door (another issuer's token) ends by itself, and no session outlives
        // what it was opened with.
        if self.inner.keys.hashed(&hash(key)).is_none() {
            return Err(AdminError::Invalid {
                field: "key".into(),
                problem: "sessions are opened with a key of this gateway (`caller add`)".into(),
            });
        }
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| AdminError::Internal)?;
        let now = Timestamp::now().as_millisecond();
        let token = Token {
            nonce,
            begun: now,
            seen: now,
            key_hash: hash(key),
            name: by.caller.name.clone(),
        };
        let opened = self.opened(by.caller.clone(), token, limits)?;
        let act = Act {
            word: "session.open",
            ..Act::default()
        };
        self.act(&by, act, async { Ok(opened) }).await
    }

    /// The session of a token.
    ///
    /// # Errors
    /// [`GatewayError::UnknownCaller`]: it is over, or none.
    pub fn session(&self, token: &str, limits: SessionLimits) -> Result<Held, GatewayError> {
        self.session_at(token, limits, Timestamp::now().as_millisecond())
    }

    fn session_at(
        &self,
        token: &str,
        limits: SessionLimits,
        now: i64,
    ) -> Result<Held, GatewayError> {
        self.started()?;
        let token = self.inner.sessions.open(token);
        let token = token.ok_or(GatewayError::UnknownCaller)?;
        let caller = self.inner.keys.hashed(&token.key_hash);
        let caller = caller.filter(|caller| caller.name == token.name);
        let caller = caller.ok_or(GatewayError::UnknownCaller)?;
        let idle = token.seen.saturating_add(millis(limits.idle));
        let whole = token.begun.saturating_add(millis(limits.whole));
        if now >= idle.min(whole) {
            return Err(GatewayError::UnknownCaller);
        }
        Ok(Held {
            caller,
            ends: Timestamp::from_millisecond(whole).unwrap_or(Timestamp::MAX),
            token,
        })
    }

    /// The same session, from now on for another idle time: its user has acted.
    ///
    /// # Errors
    /// [`AdminError::Internal`].
    pub fn renew_session(&self, held: Held, limits: SessionLimits) -> Result<Opened, AdminError> {
        let token = Token {
            seen: Timestamp::now().as_millisecond(),
            ..held.token
        };
        self.opened(held.caller, token, limits)
    }

    /// Whether that is the session's second word.
    pub fn is_csrf(&self, held: &Held, given: &str) -> bool {
        let given = URL_SAFE_NO_PAD.decode(given);
        match (self.inner.sessions.csrf(&held.token), given) {
            (Some(real), Ok(given)) => real.verify_slice(&given).is_ok(),
            _ => false,
        }
    }

    /// Tells the audit that a session was left.
    ///
    /// # Errors
    /// [`AdminError`].
    pub async fn close_session(&self, by: &Acting) -> Result<(), AdminError> {
        let act = Act {
            word: "session.close",
            ..Act::default()
        };
        self.act(by, act, async { Ok(()) }).await
    }

    fn opened(
        &self,
        caller: Arc<Caller>,
        token: Token,
        limits: SessionLimits,
    ) -> Result<Opened, AdminError> {
        let sessions = &self.inner.sessions;
        let csrf = sessions.csrf(&token).ok_or(AdminError::Internal)?;
        let sealed = sessions.seal(&token).ok_or(AdminError::Internal)?;
        let whole = token.begun.saturating_add(millis(limits.whole));
        Ok(Opened {
            token: sealed,
            csrf: URL_SAFE_NO_PAD.encode(csrf.finalize().into_bytes()),
            held: Held {
                caller,
                ends: Timestamp::from_millisecond(whole).unwrap_or(Timestamp::MAX),
                token,
            },
        })
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token {
            nonce: [3; NONCE],
            begun: 1_000,
            seen: 2_000,
            key_hash: [4; 32],
            name: "ada".into(),
        }
    }

    #[test]
    fn opens_its_own_and_nothing_else() {
        let sessions = Sessions::new([7; 32]);
        let sealed = sessions.seal(&token()).unwrap();
        assert_eq!(sessions.open(&sealed), Some(token()));
        assert_eq!(Sessions::new([8; 32]).open(&sealed), None);
        for at in 0..sealed.len() {
            let mut bad = sealed.clone().into_bytes();
            bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
            let bad = String::from_utf8(bad).unwrap();
            // The last letter has bits that stand for nothing; base64 refuses those.
            assert_eq!(sessions.open(&bad), None, "{at}");
        }
        let long = "A".repeat(LONGEST + 4);
        for bad in ["", "A", "AAAA", &sealed[1..], &format!("{sealed}A"), &long] {
            assert_eq!(sessions.open(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_second_word_is_of_one_session_and_tells_no_token() {
        let sessions = Sessions::new([7; 32]);
        let word = |token: &Token| sessions.csrf(token).unwrap().finalize().into_bytes();
        let later = Token {
            seen: 3_000,
            ..token()
        };
        assert_eq!(word(&token()), word(&later), "it lasts as the session does");
        let other = Token {
            nonce: [5; NONCE],
            ..token()
        };
        assert_ne!(word(&token()), word(&other));
        let sealed = sessions.seal(&token()).unwrap();
        let sealed = URL_SAFE_NO_PAD.decode(sealed).unwrap();
        assert!(!sealed.ends_with(&word(&token())));
    }
}

//! The page tokens that callers hold. They carry the adapter's own bytes, authenticated: an
//! adapter never meets a token that it did not make, nor one that it made for another question or
//! another caller.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::model::Opaque;

const TAG_BYTES: usize = 32;
const UNTIL_BYTES: usize = 8;
const SCHEMA_BYTES: usize = 4;

/// What a token is good for.
#[derive(Clone, Copy)]
pub(in crate::gateway) struct Scope<'a> {
    /// The caller's name.
    pub(in crate::gateway) caller: &'a str,
    /// The registry's.
    pub(in crate::gateway) registry: &'a str,
    /// What is looked for, in one form.
    pub(in crate::gateway) question: &'a str,
}

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::gateway) enum Refused {
    /// It was not made here, or for something else.
    Foreign,
    /// Its time is over.
    Expired,
}

pub(in crate::gateway) struct PageTokens {
    key: [u8; 32],
}

impl PageTokens {
    pub(in crate::gateway) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// What the caller gets for an adapter's page of the answer to a question; good until then, to
    /// the second.
    pub(in crate::gateway) fn seal(
        &self,
        scope: Scope<'_>,
        page: &Opaque,
        until: Timestamp,
    ) -> String {
        let mut token = until.as_second().to_be_bytes().to_vec();
        token.extend_from_slice(&page.schema.to_be_bytes());
        token.extend_from_slice(&page.data);
        let Some(tag) = self.tag(scope, &token) else {
            return String::new();
        };
        token.extend_from_slice(&tag.finalize().into_bytes());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The adapter's page, where the token was made for the same caller, registry and question.
    pub(in crate::gateway) fn open(
        &self,
        scope: Scope<'_>,
        token: &str,
        now: Timestamp,
    ) -> Result<Opaque, Refused> {
        let (until, page) = self.authentic(scope, token).ok_or(Refused::Foreign)?;
        if now.as_second() < until {
            Ok(page)
        } else {
            Err(Refused::Expired)
        }
    }

    fn authentic(&self, scope: Scope<'_>, token: &str) -> Option<(i64, Opaque)> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let at = bytes.len().checked_sub(TAG_BYTES)?;
        let (body, tag) = bytes.split_at_checked(at)?;
        self.tag(scope, body)?.verify_slice(tag).ok()?;
        let (until, rest) = body.split_at_checked(UNTIL_BYTES)?;
        let (schema, data) = rest.split_at_checked(SCHEMA_BYTES)?;
        let page = Opaque {
            schema: u32::from_be_bytes(schema.try_into().ok()?),
            data: data.to_vec(),
        };
        Some((i64::from_be_bytes(until.try_into().ok()?), page))
    }

    /// Lengths are hashed too, so that no two scopes run together alike.
    fn tag(&self, scope: Scope<'_>, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        let Scope {
            caller,
            registry,
            question,
        } = scope;
        let scope = [caller, registry, question].map(str::as_bytes);
        for part in scope.into_iter().chain([body]) {
            mac.update(&u64::try_from(part.len()).ok()?.to_be_bytes());
            mac.update(part);
        }
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn opens_its_own_and_nothing_else() {
        let tokens = PageTokens::new([7; 32]);
        let page = Opaque {
            schema: 3,
            data: b"page 2".to_vec(),
        };
        let scope = Scope {
            caller: "openimis",
            registry: "social",
            question: "q",
        };
        let now = Timestamp::now();
        let until = now + 1.hour();
        let token = tokens.seal(scope, &page, until);
        let open = |tokens: &PageTokens, scope, token: &str| tokens.open(scope, token, now);
        assert_eq!(open(&tokens, scope, &token), Ok(page));
        for (at, expected) in [(until - 1.second(), true), (until, false)] {
            let opened = tokens.open(scope, &token, at);
            assert_eq!(opened.is_ok(), expected);
            assert!(expected || opened == Err(Refused::Expired));
        }
        let foreign = Err(Refused::Foreign);
        let registry = "civil";
        assert_eq!(open(&tokens, Scope { registry, ..scope }, &token), foreign);
        let question = "another";
        assert_eq!(open(&tokens, Scope { question, ..scope }, &token), foreign);
        let caller = "somebody-else";
        assert_eq!(open(&tokens, Scope { caller, ..scope }, &token), foreign);
        assert_eq!(open(&PageTokens::new([8; 32]), scope, &token), foreign);
        for bad in ["", "x", "AAAA", &token[1..], &format!("{token}A")] {
            assert_eq!(open(&tokens, scope, bad), foreign, "{bad}");
        }
    }
}

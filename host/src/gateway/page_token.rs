//! The page tokens that callers hold. They carry the adapter's own bytes, authenticated: an
//! adapter never meets a token that it did not make, nor one that it made for another question or
//! another caller.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::Opaque;

const TAG_BYTES: usize = 32;
const SCHEMA_BYTES: usize = 4;

/// What a token is good for.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The caller's name.
    pub(super) caller: &'a str,
    /// The registry's.
    pub(super) registry: &'a str,
    /// What is looked for, in one form.
    pub(super) question: &'a str,
}

pub(super) struct PageTokens {
    key: [u8; 32],
}

impl PageTokens {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// What the caller gets for an adapter's page of the answer to a question.
    pub(super) fn seal(&self, scope: Scope<'_>, page: &Opaque) -> String {
        let mut token = page.schema.to_be_bytes().to_vec();
        token.extend_from_slice(&page.data);
        let Some(tag) = self.tag(scope, &token) else {
            return String::new();
        };
        token.extend_from_slice(&tag.finalize().into_bytes());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The adapter's page, where the token was made for the same caller, registry and question.
    pub(super) fn open(&self, scope: Scope<'_>, token: &str) -> Option<Opaque> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let at = bytes.len().checked_sub(TAG_BYTES)?;
        let (body, tag) = bytes.split_at_checked(at)?;
        self.tag(scope, body)?.verify_slice(tag).ok()?;
        let (schema, data) = body.split_at_checked(SCHEMA_BYTES)?;
        Some(Opaque {
            schema: u32::from_be_bytes(schema.try_into().ok()?),
            data: data.to_vec(),
        })
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
        let token = tokens.seal(scope, &page);
        assert_eq!(tokens.open(scope, &token), Some(page));
        let registry = "civil";
        assert_eq!(tokens.open(Scope { registry, ..scope }, &token), None);
        let question = "another";
        assert_eq!(tokens.open(Scope { question, ..scope }, &token), None);
        let caller = "somebody-else";
        assert_eq!(tokens.open(Scope { caller, ..scope }, &token), None);
        assert_eq!(PageTokens::new([8; 32]).open(scope, &token), None);
        for bad in ["", "x", "AAAA", &token[1..], &format!("{token}A")] {
            assert_eq!(tokens.open(scope, bad), None, "{bad}");
        }
    }
}

//! The page tokens that callers hold. They carry the adapter's own bytes, authenticated: an
//! adapter never meets a token that it did not make, nor one that it made for another question.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::Opaque;

const TAG_BYTES: usize = 32;
const SCHEMA_BYTES: usize = 4;

pub(super) struct PageTokens {
    key: [u8; 32],
}

impl PageTokens {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// What the caller gets for an adapter's page of the answer to a question.
    pub(super) fn seal(&self, registry: &str, question: &str, page: &Opaque) -> String {
        let mut token = page.schema.to_be_bytes().to_vec();
        token.extend_from_slice(&page.data);
        let Some(tag) = self.tag(registry, question, &token) else {
            return String::new();
        };
        token.extend_from_slice(&tag.finalize().into_bytes());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The adapter's page, where the token is one of this registry's for the same question.
    pub(super) fn open(&self, registry: &str, question: &str, token: &str) -> Option<Opaque> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let at = bytes.len().checked_sub(TAG_BYTES)?;
        let (body, tag) = bytes.split_at_checked(at)?;
        self.tag(registry, question, body)?.verify_slice(tag).ok()?;
        let (schema, data) = body.split_at_checked(SCHEMA_BYTES)?;
        Some(Opaque {
            schema: u32::from_be_bytes(schema.try_into().ok()?),
            data: data.to_vec(),
        })
    }

    /// Lengths are hashed too, so that no two triples run together alike.
    fn tag(&self, registry: &str, question: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        for part in [registry.as_bytes(), question.as_bytes(), body] {
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
        let token = tokens.seal("social", "q", &page);
        assert_eq!(tokens.open("social", "q", &token), Some(page));
        assert_eq!(tokens.open("civil", "q", &token), None);
        assert_eq!(tokens.open("social", "another", &token), None);
        assert_eq!(PageTokens::new([8; 32]).open("social", "q", &token), None);
        for bad in ["", "x", "AAAA", &token[1..], &format!("{token}A")] {
            assert_eq!(tokens.open("social", "q", bad), None, "{bad}");
        }
    }
}

//! Credentials as headers. They are put on each request here and are seen nowhere else.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::exchange::SendError;
use super::token::{Token, TokenSource};

/// How one endpoint authenticates.
pub(super) enum Authenticator {
    None,
    Fixed(HeaderName, HeaderValue),
    Token(TokenSource),
}

impl Authenticator {
    /// Puts the credential on a request. The token is handed back for [`Self::refused`].
    pub(super) async fn apply(
        &self,
        headers: &mut HeaderMap,
        deadline: Instant,
    ) -> Result<Option<Token>, SendError> {
        match self {
            Self::None => Ok(None),
            Self::Fixed(name, value) => {
                headers.insert(name.clone(), value.clone());
                Ok(None)
            }
            Self::Token(source) => {
                let token = source.get(deadline).await?;
                headers.insert(AUTHORIZATION, token.header.clone());
                Ok(Some(token))
            }
        }
    }

    /// The registry answered 401 to this token.
    pub(super) async fn refused(&self, token: Option<&Token>) {
        if let (Self::Token(source), Some(token)) = (self, token) {
            source.refused(token).await;
        }
    }

    /// The header that it sets.
    pub(super) fn header_name(&self) -> Option<&HeaderName> {
        match self {
            Self::None => None,
            Self::Fixed(name, _) => Some(name),
            Self::Token(_) => Some(&AUTHORIZATION),
        }
    }
}

/// RFC 7617.
pub(super) fn basic(user: &str, password: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
    secret_value(&format!("Basic {encoded}"))
}

/// RFC 6750.
pub(super) fn bearer(token: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    secret_value(&format!("Bearer {token}"))
}

/// A value that prints as "Sensitive" and stays out of HTTP/2's compression tables.
pub(super) fn secret_value(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

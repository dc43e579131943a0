//! Credentials as headers. They are put on each request here and are seen nowhere else.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::InvalidHeaderValue;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::exchange::SendError;
use super::token::{Token, TokenSource};

/// How one endpoint authenticates.
pub(super) enum Authenticator {
    None,
    Fixed(HeaderName, HeaderValue),
    Token(HeaderName, TokenSource),
}

impl Authenticator {
    /// The token to send with, where there are any.
    pub(super) async fn token(&self, deadline: Instant) -> Result<Option<Token>, SendError> {
        match self {
            Self::None | Self::Fixed(..) => Ok(None),
            Self::Token(_, source) => source.get(deadline).await.map(Some),
        }
    }

    /// Puts the credential on a request.
    pub(super) fn apply(&self, token: Option<&Token>, headers: &mut HeaderMap) {
        match (self, token) {
            (Self::Fixed(name, value), _) => headers.insert(name.clone(), value.clone()),
            (Self::Token(name, _), Some(token)) => {
                headers.insert(name.clone(), token.header.clone())
            }
            _ => None,
        };
    }

    /// The registry answered 401 to this token. Whether there may be another.
    pub(super) async fn refused(&self, token: Option<&Token>, deadline: Instant) -> bool {
        match (self, token) {
            (Self::Token(_, source), Some(token)) => source.refused(token, deadline).await,
            _ => false,
        }
    }

    /// The header that it sets.
    pub(super) fn header_name(&self) -> Option<&HeaderName> {
        match self {
            Self::None => None,
            Self::Fixed(name, _) | Self::Token(name, _) => Some(name),
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

//! One request to a token endpoint, and what its answer says.

use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use tokio::time::Instant;

use super::credential_error;
use super::oauth2::OAuth2;
use super::session::Session;
use super::state::Token;
use crate::egress::body::{self, BodyError};
use crate::egress::classify;
use crate::egress::client;
use crate::egress::exchange::SendError;

const MAX_TOKEN_ANSWER_BYTES: u64 = 64 * 1024;
/// For servers that do not say.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);
/// A server that says "never expires" may still forget the token.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// A token is renewed this long before its end, or a tenth of its life if that is shorter: it
/// must not expire on the way.
const MARGIN: Duration = Duration::from_secs(30);

pub(in crate::egress) struct Fetcher {
    pub(in crate::egress) client: reqwest::Client,
    pub(in crate::egress) login: Login,
    pub(in crate::egress) timeout: Duration,
}

/// What a token is asked for with.
pub(in crate::egress) enum Login {
    OAuth2(OAuth2),
    Session(Session),
}

/// What an answer grants: a header's value, and for how long.
pub(super) struct Granted {
    pub(super) header: HeaderValue,
    pub(super) lifetime: Option<Duration>,
}

/// Some servers write the number as a string.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Seconds {
    Number(f64),
    Text(String),
}

impl Fetcher {
    pub(super) async fn fetch(&self) -> Result<Token, SendError> {
        let deadline = Instant::now() + self.timeout;
        tokio::time::timeout_at(deadline, self.ask(deadline))
            .await
            .map_err(|_| credential_error("the token endpoint did not answer in time"))?
    }

    async fn ask(&self, deadline: Instant) -> Result<Token, SendError> {
        let asked = Instant::now();
        let request = match &self.login {
            Login::OAuth2(oauth) => oauth.request(&self.client),
            Login::Session(session) => session.request(&self.client),
        };
        let request =
            request.map_err(|_| credential_error("the token request cannot be written as HTTP"))?;
        let mut response = client::execute(&self.client, request, deadline)
            .await
            .map_err(|error| because(&classify::sending(&error)))?;
        if !response.status().is_success() {
            let status = response.status().as_u16();
            let mut error = credential_error(&format!("the token endpoint answered {status}"));
            error.retry_after_ms = retry_after_ms(response.headers().get(RETRY_AFTER));
            return Err(error);
        }
        let body = body::read(&mut response, MAX_TOKEN_ANSWER_BYTES)
            .await
            .map_err(|error| match error {
                BodyError::TooLarge => credential_error("the token endpoint answers too much"),
                BodyError::Broken(error) => because(&classify::reading(&error)),
            })?;
        let granted = self
            .granted(response.headers(), &body)
            .ok_or_else(|| credential_error("the token endpoint's answer holds no access token"))?;
        Ok(Token {
            header: granted.header,
            asked,
            received: Instant::now(),
            // Counted from before the request: the server's clock started at some point after.
            usable_until: asked + usable_for(granted.lifetime),
        })
    }

    fn granted(&self, headers: &HeaderMap, body: &Bytes) -> Option<Granted> {
        match &self.login {
            Login::OAuth2(_) => OAuth2::granted(body),
            Login::Session(session) => session.granted(headers, body),
        }
    }
}

impl Seconds {
    pub(super) fn read(&self) -> Option<Duration> {
        let seconds = match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        // Of negative, infinite and non-numbers nothing is left to use.
        Some(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }
}

/// How long a token is used.
pub(in crate::egress) fn usable_for(lifetime: Option<Duration>) -> Duration {
    let lifetime = lifetime.unwrap_or(DEFAULT_LIFETIME).min(MAX_LIFETIME);
    lifetime - MARGIN.min(lifetime / 10)
}

fn retry_after_ms(value: Option<&HeaderValue>) -> Option<u32> {
    let seconds: u32 = value?.to_str().ok()?.trim().parse().ok()?;
    seconds.checked_mul(1000)
}

fn because(cause: &SendError) -> SendError {
    credential_error(&format!("the token endpoint: {}", cause.message))
}

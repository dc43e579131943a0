//! Access tokens by client credentials (RFC 6749, section 4.4): kept until shortly before they
//! expire, and fetched once however many callers wait.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::RETRY_AFTER;
use secrecy::ExposeSecret;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::body::{self, BodyError};
use super::classify;
use super::client;
use super::credential::bearer;
use super::exchange::{ProblemKind, SendError};
use crate::config::endpoint::{OAuth2Client, TokenForm};

const MAX_TOKEN_ANSWER_BYTES: u64 = 64 * 1024;
/// For servers that do not say.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);
/// A server that says "never expires" may still forget the token.
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// A token is renewed this long before its end, or a tenth of its life if that is shorter: it
/// must not expire on the way.
const MARGIN: Duration = Duration::from_secs(30);
/// All who waited for a fetch that failed fail with it, instead of each asking again.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// The longest `Retry-After` that is obeyed: an operator who repairs the server should not wait.
const MAX_REST: Duration = Duration::from_secs(60);
/// A refused token younger than this is kept: what is refused is not the token's age, and an
/// adapter that loops over refusals must not flood the token endpoint.
const FORGET_AFTER: Duration = Duration::from_secs(10);

/// The tokens of one endpoint.
pub(super) struct TokenSource {
    fetcher: Arc<Fetcher>,
    state: Arc<Mutex<State>>,
}

/// An `Authorization` value, and when it was obtained.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    obtained: Instant,
    usable_until: Instant,
}

pub(super) struct Fetcher {
    pub(super) client: reqwest::Client,
    pub(super) url: Url,
    pub(super) oauth: OAuth2Client,
    pub(super) timeout: Duration,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    failure: Option<(Instant, SendError)>,
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    #[serde(default)]
    expires_in: Option<Seconds>,
}

/// Some servers write the number as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

impl TokenSource {
    pub(super) fn new(fetcher: Fetcher) -> Self {
        Self {
            fetcher: Arc::new(fetcher),
            state: Arc::default(),
        }
    }

    /// A usable token. Any failure is [`ProblemKind::Credential`], and nothing was sent.
    pub(super) async fn get(&self, deadline: Instant) -> Result<Token, SendError> {
        let late = |_| credential_error("the token endpoint did not answer in time");
        let lock = Arc::clone(&self.state).lock_owned();
        let mut state = tokio::time::timeout_at(deadline, lock)
            .await
            .map_err(late)?;
        if let Some(known) = state.current(Instant::now()) {
            return known;
        }
        let fetcher = Arc::clone(&self.fetcher);
        // On its own task, with the lock: if this caller runs out of time or is dropped, the
        // fetch still serves the others, and no second one starts beside it.
        let fetch = tokio::spawn(async move {
            let result = fetcher.fetch().await;
            state.remember(&result);
            result
        });
        match tokio::time::timeout_at(deadline, fetch).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(credential_error("the token request was given up")),
            Err(elapsed) => Err(late(elapsed)),
        }
    }

    /// The registry refused this token: the next call asks for a new one.
    pub(super) async fn refused(&self, token: &Token) {
        let mut state = self.state.lock().await;
        let same = |known: &Token| known.obtained == token.obtained;
        if token.obtained.elapsed() >= FORGET_AFTER && state.token.as_ref().is_some_and(same) {
            state.token = None;
        }
    }
}

impl State {
    fn current(&self, now: Instant) -> Option<Result<Token, SendError>> {
        if let Some(token) = self.token.as_ref().filter(|t| now < t.usable_until) {
            return Some(Ok(token.clone()));
        }
        let resting = |failure: &&(Instant, SendError)| now < failure.0;
        let (until, failure) = self.failure.as_ref().filter(resting)?;
        let mut failure = failure.clone();
        failure.retry_after_ms = u32::try_from((*until - now).as_millis()).ok();
        Some(Err(failure))
    }

    fn remember(&mut self, result: &Result<Token, SendError>) {
        match result {
            Ok(token) => {
                self.token = Some(token.clone());
                self.failure = None;
            }
            Err(failure) => {
                let asked = failure
                    .retry_after_ms
                    .map(u64::from)
                    .map(Duration::from_millis);
                let rest = asked
                    .unwrap_or_default()
                    .clamp(REST_AFTER_FAILURE, MAX_REST);
                self.failure = Some((Instant::now() + rest, failure.clone()));
            }
        }
    }
}

impl Fetcher {
    async fn fetch(&self) -> Result<Token, SendError> {
        let deadline = Instant::now() + self.timeout;
        tokio::time::timeout_at(deadline, self.ask(deadline))
            .await
            .map_err(|_| credential_error("the token endpoint did not answer in time"))?
    }

    async fn ask(&self, deadline: Instant) -> Result<Token, SendError> {
        let asked = Instant::now();
        let request = self
            .request()
            .map_err(|_| credential_error("the token request cannot be written as HTTP"))?;
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
        let unreadable = || credential_error("the token endpoint's answer holds no access token");
        let grant: Grant = serde_json::from_slice(&body).map_err(|_| unreadable())?;
        let header = bearer(&grant.access_token).map_err(|_| unreadable())?;
        let usable = usable_for(grant.expires_in.as_ref().and_then(Seconds::read));
        Ok(Token {
            header,
            obtained: asked,
            // Counted from before the request: the server's clock started at some point after.
            usable_until: asked + usable,
        })
    }

    fn request(&self) -> Result<reqwest::Request, reqwest::Error> {
        let oauth = &self.oauth;
        let mut parameters = vec![("grant_type", "client_credentials")];
        if oauth.form != TokenForm::Basic {
            parameters.push(("client_id", &oauth.client_id));
            parameters.push(("client_secret", oauth.client_secret.expose_secret()));
        }
        parameters.extend(oauth.scope.iter().map(|scope| ("scope", scope.as_str())));
        parameters.extend(
            oauth
                .audience
                .iter()
                .map(|audience| ("audience", audience.as_str())),
        );
        let post = self
            .client
            .post(self.url.clone())
            .header(http::header::ACCEPT, "application/json");
        match oauth.form {
            TokenForm::Form => post.form(&parameters),
            TokenForm::Query => post.query(&parameters),
            TokenForm::Json => {
                let object: std::collections::BTreeMap<_, _> = parameters.into_iter().collect();
                post.json(&object)
            }
            TokenForm::Basic => {
                // RFC 6749 section 2.3.1: both are form-encoded before they are joined.
                let encode = |text: &str| -> String {
                    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
                };
                let secret = encode(oauth.client_secret.expose_secret());
                post.basic_auth(encode(&oauth.client_id), Some(secret))
                    .form(&parameters)
            }
        }
        .build()
    }
}

impl Seconds {
    fn read(&self) -> Option<Duration> {
        let seconds = match self {
            Self::Number(number) => *number,
            Self::Text(text) => text.trim().parse().ok()?,
        };
        // Of negative, infinite and non-numbers nothing is left to use.
        Some(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }
}

/// How long a token is used.
pub(super) fn usable_for(lifetime: Option<Duration>) -> Duration {
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

fn credential_error(message: &str) -> SendError {
    SendError::not_sent(ProblemKind::Credential, message)
}

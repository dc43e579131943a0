//! Who may ask: a fixed bearer token, or tokens given out for client credentials.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::shuffle::mix;

/// A client that may get tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OauthClient {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: String,
}

/// Gives out tokens, and knows them again until they expire.
#[derive(Debug)]
pub struct Tokens {
    fixed: Option<String>,
    client: Option<OauthClient>,
    lifetime: Duration,
    issued: Mutex<Issued>,
}

#[derive(Debug, Default)]
struct Issued {
    count: u64,
    open: HashMap<String, Instant>,
}

impl Tokens {
    /// With neither a fixed token nor a client, everybody may ask.
    pub fn new(fixed: Option<String>, client: Option<OauthClient>, lifetime: Duration) -> Self {
        Self {
            fixed,
            client,
            lifetime,
            issued: Mutex::default(),
        }
    }

    /// How many were given out.
    pub fn issued(&self) -> u64 {
        self.lock().count
    }

    /// Withdraws all that were given out.
    pub fn revoke(&self) {
        self.lock().open.clear();
    }

    /// Whether the credential in the headers is good, where one is needed.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        if self.fixed.is_none() && self.client.is_none() {
            return true;
        }
        let said = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some((scheme, token)) = said.and_then(|said| said.split_once(' ')) else {
            return false;
        };
        let open = || {
            self.lock()
                .open
                .get(token)
                .is_some_and(|until| Instant::now() < *until)
        };
        scheme.eq_ignore_ascii_case("bearer") && (self.fixed.as_deref() == Some(token) || open())
    }

    /// Answers a request for a token. The parameters may be in the query, a form, a JSON body, or
    /// for the client in `Authorization: Basic`: the registries of the field differ in this.
    pub fn issue(
        &self,
        query: Option<&str>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> (StatusCode, Value) {
        let mut given = parameters(query.unwrap_or_default().as_bytes());
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        match kind.unwrap_or_default() {
            kind if kind.starts_with("application/json") => {
                let body: HashMap<String, String> =
                    serde_json::from_slice(body).unwrap_or_default();
                given.extend(body);
            }
            kind if kind.starts_with("application/x-www-form-urlencoded") => {
                given.extend(parameters(body));
            }
            _ => {}
        }
        if let Some((id, secret)) = basic(headers) {
            given.extend([("client_id".into(), id), ("client_secret".into(), secret)]);
        }
        let said = |name: &str| given.get(name).cloned().unwrap_or_default();
        if said("grant_type") != "client_credentials" {
            return (
                StatusCode::BAD_REQUEST,
                json!({ "error": "unsupported_grant_type" }),
            );
        }
        let client = OauthClient {
            id: said("client_id"),
            secret: said("client_secret"),
        };
        if self.client.as_ref() != Some(&client) {
            return (
                StatusCode::UNAUTHORIZED,
                json!({ "error": "invalid_client" }),
            );
        }
        let token = {
            let mut issued = self.lock();
            issued.count += 1;
            let token = format!(
                "stand-in-token-{}-{:016x}",
                issued.count,
                mix(&[issued.count])
            );
            let now = Instant::now();
            issued.open.retain(|_, until| now < *until);
            issued.open.insert(token.clone(), now + self.lifetime);
            token
        };
        let answer = json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.lifetime.as_secs(),
        });
        (StatusCode::OK, answer)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parameters(text: &[u8]) -> HashMap<String, String> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let said = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(said).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(lifetime: Duration) -> Tokens {
        let client = OauthClient {
            id: "gateway".into(),
            secret: "s&cret".into(),
        };
        Tokens::new(None, Some(client), lifetime)
    }

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().expect("a header"))])
    }

    #[test]
    fn parameters_are_taken_from_all_four_places() {
        let tokens = tokens(Duration::from_mins(10));
        let form = "grant_type=client_credentials&client_id=gateway&client_secret=s%26cret";
        let json =
            r#"{"grant_type":"client_credentials","client_id":"gateway","client_secret":"s&cret"}"#;
        let kind = |kind| headers(header::CONTENT_TYPE, kind);
        let basic = headers(header::AUTHORIZATION, "Basic Z2F0ZXdheTpzJmNyZXQ=");
        for (query, headers, body) in [
            (Some(form), HeaderMap::new(), ""),
            (None, kind("application/x-www-form-urlencoded"), form),
            (None, kind("application/json"), json),
            (Some("grant_type=client_credentials"), basic, ""),
        ] {
            let (status, answer) = tokens.issue(query, &headers, body.as_bytes());
            assert_eq!(
                (status, &answer["token_type"]),
                (StatusCode::OK, &json!("Bearer"))
            );
            let token = answer["access_token"].as_str().expect("a token");
            assert!(tokens.admits(&super::tests::headers(
                header::AUTHORIZATION,
                &format!("bearer {token}")
            )));
        }
        assert_eq!(tokens.issued(), 4);
    }

    #[test]
    fn a_wrong_secret_an_expired_and_a_revoked_token_are_refused() {
        let short = tokens(Duration::ZERO);
        let form = "grant_type=client_credentials&client_id=gateway&client_secret=";
        let (status, _) = short.issue(Some(form), &HeaderMap::new(), b"");
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        for (tokens, revoke) in [(short, false), (tokens(Duration::from_mins(1)), true)] {
            let (_, answer) =
                tokens.issue(Some(&format!("{form}s%26cret")), &HeaderMap::new(), b"");
            let token = answer["access_token"].as_str().expect("a token");
            if revoke {
                tokens.revoke();
            }
            let said = headers(header::AUTHORIZATION, &format!("Bearer {token}"));
            assert!(!tokens.admits(&said));
        }
    }

    #[test]
    fn without_credentials_configured_everybody_may_ask() {
        assert!(Tokens::new(None, None, Duration::ZERO).admits(&HeaderMap::new()));
        let fixed = Tokens::new(Some("letmein".into()), None, Duration::ZERO);
        assert!(!fixed.admits(&HeaderMap::new()));
        assert!(fixed.admits(&headers(header::AUTHORIZATION, "Bearer letmein")));
        assert!(!fixed.admits(&headers(header::AUTHORIZATION, "Bearer letmeout")));
    }
}

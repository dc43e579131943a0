//! Request bodies: JSON whose every mistake is named by its field, without repeating a value.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use futures_util::StreamExt;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::check;
use super::problem::Problem;
use crate::config::api::ApiConfig;
use crate::gateway::Asking;
use crate::model::{Consent, Person, Proof};

/// How long a body may take to arrive, from the first byte to the last. The router puts it into
/// every request.
#[derive(Clone, Copy)]
pub(super) struct ReadTimeout(pub(super) Duration);

impl Default for ReadTimeout {
    fn default() -> Self {
        Self(Duration::from_millis(ApiConfig::READ_TIMEOUT_MS))
    }
}

/// The largest body, in bytes. The router puts it into every request.
#[derive(Clone, Copy)]
pub(super) struct MaxBody(pub(super) usize);

impl Default for MaxBody {
    fn default() -> Self {
        Self(ApiConfig::MAX_BODY_BYTES)
    }
}

/// The largest body with a configuration, in bytes. The router puts it into every request.
#[derive(Clone, Copy)]
pub(super) struct MaxConfiguration(pub(super) usize);

impl Default for MaxConfiguration {
    fn default() -> Self {
        Self(ApiConfig::MAX_CONFIGURATION_BYTES)
    }
}

/// How many times `api.max_body_bytes` is read before the connection is cut.
const DRAINED: usize = 64;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

/// A JSON body that holds a configuration: a thousand registries are larger than any question.
pub(super) struct Configuration<T>(pub(super) T);

/// What every question may carry besides itself.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Wishes {
    /// Top-level fields of a person that are wanted; left out: all that the policy shows.
    pub(super) fields: Vec<String>,
    /// BCP 47, best first.
    pub(super) languages: Vec<String>,
    /// The person's agreement.
    pub(super) consent: Option<Consent>,
    /// What the person handed over.
    pub(super) proof: Option<Proof>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let MaxBody(most) = request.extensions().get().copied().unwrap_or_default();
        json(request, most, "api.max_body_bytes").await.map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Configuration<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let most = request.extensions().get().copied();
        let MaxConfiguration(most) = most.unwrap_or_default();
        json(request, most, "api.max_configuration_bytes")
            .await
            .map(Self)
    }
}

/// The body of at most so many bytes, by the limit of that name.
async fn json<T: DeserializeOwned>(
    request: Request,
    most: usize,
    limit: &'static str,
) -> Result<T, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not-json",
            "send the body as `Content-Type: application/json`",
        )
        .field("Content-Type"));
    }
    let whole = request.extensions().get().copied();
    let ReadTimeout(whole) = whole.unwrap_or_default();
    let arriving = read(request.into_body(), most, limit);
    let Ok(read) = tokio::time::timeout(whole, arriving).await else {
        return Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body-too-slow",
            "the body took longer to arrive than api.read_timeout_ms allows",
        ));
    };
    parse(&read?)
}

/// Reads to the end. What is over the limit is read too, and thrown away, up to a bound: a client
/// that is still sending when the connection closes never sees the answer.
pub(super) async fn read(
    body: axum::body::Body,
    most: usize,
    limit: &str,
) -> Result<Vec<u8>, Problem> {
    let mut frames = body.into_data_stream();
    let (mut bytes, mut seen) = (Vec::new(), 0usize);
    while let Some(frame) = frames.next().await {
        let Ok(frame) = frame else {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "body-incomplete",
                "the body ended early",
            ));
        };
        seen = seen.saturating_add(frame.len());
        if seen <= most {
            bytes.extend_from_slice(&frame);
        } else if seen > most.saturating_mul(DRAINED) {
            break;
        }
    }
    if seen > most {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            format!("the body is larger than {limit} allows"),
        ));
    }
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        // `identifiers[0].value` there; `identifiers.0.value` in all that we say ourselves.
        let path = error.path().to_string().replace('[', ".").replace(']', "");
        explain(&path, error.inner())
    })?;
    json.end()
        .map_err(|_| invalid_json("something follows the JSON value".into()))?;
    Ok(parsed)
}

fn invalid_json(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid-json", detail)
}

/// serde quotes the offending value in its message: a person's name or number. What it expected
/// says as much, and is ours.
fn explain(path: &str, error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        return invalid_json(format!(
            "the body is not JSON at line {}, column {}",
            error.line(),
            error.column()
        ));
    }
    let message = error.to_string();
    let quoted = message.split('`').nth(1).unwrap_or_default();
    let below = |key: &str| match path {
        "." | "" => key.to_owned(),
        path if path.ends_with(key) => path.to_owned(),
        path => format!("{path}.{key}"),
    };
    let refused = |detail: String, code| Problem::new(StatusCode::BAD_REQUEST, code, detail);
    if message.starts_with("missing field") {
        return refused("the field is required".into(), "missing-field").field(below(quoted));
    }
    if message.starts_with("unknown field") {
        let key: String = quoted.chars().take(64).collect();
        let known = message
            .split_once(", ")
            .map(|(_, known)| cut_position(known))
            .unwrap_or_default();
        return refused(format!("no such field: {known}"), "unknown-field").field(below(&key));
    }
    let expected = match message.rsplit_once("expected ") {
        Some((_, expected)) => format!("expected {}", cut_position(expected)),
        // Our own words: `PartialDate` and its like never quote.
        None if message.starts_with("a date") || message.starts_with("the calendar") => {
            cut_position(&message).to_owned()
        }
        None => "the value is not what the field takes".into(),
    };
    let field = if path == "." { "body" } else { path };
    refused(expected, "invalid-request").field(field)
}

fn cut_position(message: &str) -> &str {
    message
        .split_once(" at line ")
        .map_or(message, |(before, _)| before)
}

impl Wishes {
    /// Puts the wishes into the call.
    pub(super) fn apply(self, asking: &mut Asking) -> Result<(), Problem> {
        for (at, field) in self.fields.iter().enumerate() {
            if !Person::FIELDS.contains(&field.as_str()) {
                let problem = "a person has no such field: see `Person` in /openapi.json";
                return Err(check::invalid(format!("fields.{at}"), problem));
            }
        }
        check::languages(&self.languages)?;
        if let Some(consent) = &self.consent {
            check::consent(consent, Timestamp::now())?;
        }
        if let Some(proof) = &self.proof {
            check::proof(proof)?;
        }
        asking.call.wanted_fields = self.fields;
        asking.call.languages = self.languages;
        asking.call.consent = self.consent;
        asking.call.proof = self.proof;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body as Stream;
    use futures_util::{StreamExt as _, stream};

    use super::*;

    /// It never ends, and is never late for the next byte.
    #[tokio::test]
    async fn a_body_that_trickles_is_ended() {
        let step = Duration::from_millis(20);
        let bytes = stream::repeat("[").then(move |byte| async move {
            tokio::time::sleep(step).await;
            Ok::<_, std::io::Error>(byte)
        });
        let mut request = Request::new(Stream::from_stream(bytes));
        let json = axum::http::HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        request.extensions_mut().insert(ReadTimeout(step * 10));
        let refused = Body::<serde_json::Value>::from_request(request, &());
        let refused = tokio::time::timeout(step * 1_000, refused).await;
        let problem = refused.expect("it is ended").err().unwrap();
        let problem = serde_json::to_value(problem).unwrap();
        assert_eq!(problem["code"], "body-too-slow");
        assert_eq!(problem["status"], 408);
    }
}

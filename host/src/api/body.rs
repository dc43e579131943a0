//! Request bodies: JSON whose every mistake is named by its field, without repeating a value.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::problem::Problem;
use crate::gateway::{Asking, GatewayError};
use crate::model::{Consent, Identifier, Person, Proof};

/// The most identifiers, criteria, sort keys or languages in one request.
pub(super) const MAX_ITEMS: usize = 32;
/// The longest identifier, name or code, in bytes.
pub(super) const MAX_TEXT: usize = 512;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

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

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
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
        let bytes = match Bytes::from_request(request, state).await {
            Ok(bytes) => bytes,
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "body-too-large",
                    "the body is larger than api.max_body_bytes allows",
                ));
            }
            Err(_) => {
                return Err(Problem::new(
                    StatusCode::BAD_REQUEST,
                    "body-incomplete",
                    "the body ended early or took too long to arrive",
                ));
            }
        };
        parse(&bytes).map(Self)
    }
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

/// A mistake that the types cannot see.
pub(super) fn invalid(field: impl Into<String>, problem: &'static str) -> Problem {
    GatewayError::Invalid {
        field: field.into(),
        problem,
    }
    .into()
}

impl Wishes {
    /// Puts the wishes into the call.
    pub(super) fn apply(self, asking: &mut Asking) -> Result<(), Problem> {
        for (at, field) in self.fields.iter().enumerate() {
            if !Person::FIELDS.contains(&field.as_str()) {
                let problem = "a person has no such field: see `Person` in /openapi.json";
                return Err(invalid(format!("fields.{at}"), problem));
            }
        }
        if self.languages.len() > MAX_ITEMS {
            return Err(invalid("languages", "too many: at most 32"));
        }
        asking.call.wanted_fields = self.fields;
        asking.call.languages = self.languages;
        asking.call.consent = self.consent;
        asking.call.proof = self.proof;
        Ok(())
    }
}

/// At least one identifier, unless the person's proof says who it is; none of them empty.
pub(super) fn check_identifiers(
    identifiers: &[Identifier],
    has_proof: bool,
) -> Result<(), Problem> {
    if identifiers.is_empty() && !has_proof {
        return Err(invalid("identifiers", "at least one is needed"));
    }
    if identifiers.len() > MAX_ITEMS {
        return Err(invalid("identifiers", "too many: at most 32"));
    }
    for (at, identifier) in identifiers.iter().enumerate() {
        let parts = [("scheme", &identifier.scheme), ("value", &identifier.value)];
        for (name, text) in parts {
            check_text(&format!("identifiers.{at}.{name}"), text)?;
        }
    }
    Ok(())
}

/// Neither empty nor longer than anything real, and on one line.
pub(super) fn check_text(field: &str, text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(invalid(field, "must not be empty"));
    }
    if text.len() > MAX_TEXT {
        return Err(invalid(field, "too long: at most 512 bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(field, "must not hold control characters"));
    }
    Ok(())
}

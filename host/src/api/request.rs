//! Who asks and why: the key and the `Registry-*` headers of every call.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use utoipa::IntoParams;

use super::peer;
use super::prefer::Preferences;
use super::problem::Problem;
use super::trace::{RequestId, Trace};
use crate::gateway::{Asking, Caller, Gateway, GatewayError, Proof};
use crate::model::{Asker, Call};

/// The longest statement in a header, in bytes.
const MAX_STATEMENT: usize = 256;

/// A caller with a known key.
pub(super) struct Known(pub(super) Arc<Caller>);

impl FromRequestParts<Gateway> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Problem> {
        let Proof { key, from } = proof(parts)?;
        Ok(Self(gateway.caller(key, from).await?))
    }
}

/// By what the caller is to be known.
pub(super) fn proof(parts: &Parts) -> Result<Proof<'_>, GatewayError> {
    let value = parts.headers.get(header::AUTHORIZATION);
    let key = value
        .and_then(|value| value.to_str().ok())
        .and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
        });
    Ok(Proof {
        key: key.ok_or(GatewayError::UnknownCaller)?,
        from: peer::address(parts),
    })
}

/// The headers that [`Asked`] reads, for the API's document alone.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "described here, read by `statement`")]
pub(super) struct Statements {
    /// Why the person is looked up. Required where the registry's policy says so, as most do.
    #[param(rename = "Registry-Purpose", max_length = 256, required = false, value_type = String)]
    purpose: Option<String>,
    /// By which legal basis. Required where the registry's policy says so.
    #[param(rename = "Registry-Legal-Basis", max_length = 256, required = false, value_type = String)]
    legal_basis: Option<String>,
    /// For which user of the caller: an opaque name. Required where the registry's policy says so.
    #[param(rename = "Registry-User", max_length = 256, required = false, value_type = String)]
    user: Option<String>,
    /// For which organisation. Required where the registry's policy says so.
    #[param(rename = "Registry-Entity", max_length = 256, required = false, value_type = String)]
    entity: Option<String>,
    /// The caller's own number of the request, a UUID; anything else is replaced. The answer has
    /// it too.
    #[param(rename = "X-Request-Id", required = false, value_type = String)]
    request_id: Option<String>,
    /// The caller's place in a trace (W3C Trace Context); anything else begins a new trace. Told to
    /// the registry only where its endpoint's configuration lets it know.
    #[param(rename = "traceparent", required = false, value_type = String)]
    traceparent: Option<String>,
}

/// A caller, a registry of the path, and the call's statements.
pub(super) struct Asked(pub(super) Asking);

impl FromRequestParts<Gateway> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Problem> {
        let Known(caller) = Known::from_request_parts(parts, gateway).await?;
        let Ok(Path(registry)) = Path::<String>::from_request_parts(parts, gateway).await else {
            return Err(GatewayError::UnknownRegistry.into());
        };
        Ok(Self(Asking {
            caller,
            registry,
            call: call(parts)?,
            way: Preferences::of(&parts.headers).way(),
        }))
    }
}

/// A caller and the call's statements, where the body names the registry.
pub(super) struct Stated(pub(super) Arc<Caller>, pub(super) Call);

impl FromRequestParts<Gateway> for Stated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, Problem> {
        let (caller, call) = stated(parts, gateway).await?;
        Ok(Self(caller, call))
    }
}

/// A caller and the call's statements, where no registry is named.
pub(super) async fn stated(
    parts: &mut Parts,
    gateway: &Gateway,
) -> Result<(Arc<Caller>, Call), Problem> {
    let Known(caller) = Known::from_request_parts(parts, gateway).await?;
    Ok((caller, call(parts)?))
}

fn call(parts: &Parts) -> Result<Call, Problem> {
    let headers = &parts.headers;
    let asker = Asker {
        user: statement(headers, "Registry-User")?,
        entity: statement(headers, "Registry-Entity")?,
        purpose: statement(headers, "Registry-Purpose")?,
        legal_basis: statement(headers, "Registry-Legal-Basis")?,
    };
    let request_id = parts.extensions.get::<RequestId>();
    let trace = parts.extensions.get::<Trace>();
    Ok(Call {
        request_id: request_id.map(|id| id.0.clone()).unwrap_or_default(),
        asker,
        trace: trace.and_then(|trace| trace.0),
        ..Call::default()
    })
}

fn statement(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes())
        .ok()
        .map(str::trim)
        .filter(|text| text.len() <= MAX_STATEMENT && !text.chars().any(char::is_control));
    match text {
        Some("") => Ok(None),
        Some(text) => Ok(Some(text.to_owned())),
        None => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid-request",
            format!("one line of UTF-8, at most {MAX_STATEMENT} bytes"),
        )
        .field(name)),
    }
}

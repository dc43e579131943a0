//! Sessions of the admin page, in a cookie. The threats: another site's page makes the browser act
//! (so a second word that only ours can read, and where a request says it comes from), a script reads
//! the cookie (`HttpOnly`), the network does (`Secure`), or a neighbour under the same domain sets one
//! (`__Host-`).

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::body::Body;
use crate::api::peer;
use crate::api::problem::Problem;
use crate::api::trace::RequestId;
use crate::config::api::ApiConfig;
use crate::gateway::{Acting, Gateway, GatewayError, Held, Opened, SessionLimits};
use crate::model::Role;

/// No other host, path or scheme can set a cookie of that name.
const SECURE: &str = "__Host-registry-gateway-session";
/// On the machine itself, without TLS, where browsers refuse the other.
const LOOPBACK: &str = "registry-gateway-session";
const CSRF: &str = "x-csrf-token";

/// How long a session lasts. The router puts it into every request.
#[derive(Clone, Copy)]
pub(in crate::api) struct Limits(SessionLimits);

/// Who opens a session.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct SessionRequest {
    /// A key of the staff, as `caller add` gave it.
    key: String,
}

/// An open session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct SessionResponse {
    /// The caller's name in the audit.
    name: String,
    /// What it is there for.
    roles: Vec<Role>,
    /// This gateway's version.
    version: &'static str,
    /// To be sent as `X-CSRF-Token` with whatever is no `GET` or `HEAD`.
    csrf_token: String,
    /// It ends so long after the last `GET` of it, in milliseconds.
    idle_ms: u64,
    /// When it ends, whatever happens.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
}

impl Limits {
    pub(in crate::api) fn of(config: &ApiConfig) -> Self {
        Self(SessionLimits {
            idle: Duration::from_millis(config.session_idle_ms),
            whole: Duration::from_millis(config.session_max_ms),
        })
    }
}

/// Opens a session: the answer sets its cookie.
#[utoipa::path(
    post,
    operation_id = "open_session",
    path = "/admin/v1/session",
    tag = "administration",
    request_body = SessionRequest,
    responses(
        (status = 201, description = "The session, and its cookie", body = SessionResponse),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(in crate::api) async fn open(
    State(gateway): State<Gateway>,
    Extension(Limits(limits)): Extension<Limits>,
    request: Request,
) -> Result<Response, Problem> {
    same_origin(request.headers())?;
    let insecure = is_loopback(request.headers());
    let id = request.extensions().get::<RequestId>();
    let id = id.map(|id| id.0.clone()).unwrap_or_default();
    let (parts, body) = request.into_parts();
    let from = peer::address(&parts);
    let request = Request::from_parts(parts, body);
    let Body(SessionRequest { key }) = Body::from_request(request, &()).await?;
    let opened = gateway.open_session(&key, from, id, limits).await;
    let opened = opened.map_err(|error| Problem::from(error).rename_field(of_body))?;
    Ok((StatusCode::CREATED, answer(opened, limits, insecure)).into_response())
}

/// The session of this browser, which goes on: ask when its user has acted.
#[utoipa::path(
    get,
    operation_id = "current_session",
    path = "/admin/v1/session",
    tag = "administration",
    responses(
        (status = 200, description = "The session, and its cookie anew", body = SessionResponse),
        (status = "4XX", description = "There is none, or it is over", body = Problem, content_type = "application/problem+json"),
    ),
    security(("session" = []))
)]
pub(in crate::api) async fn current(
    State(gateway): State<Gateway>,
    Extension(Limits(limits)): Extension<Limits>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let held = held(&parts, &gateway)?.ok_or_else(none)?;
    let opened = gateway.renew_session(held, limits)?;
    Ok(answer(opened, limits, is_loopback(&parts.headers)).into_response())
}

/// Leaves the session: the browser forgets its cookie.
#[utoipa::path(
    delete,
    operation_id = "close_session",
    path = "/admin/v1/session",
    tag = "administration",
    responses(
        (status = 204, description = "The cookie is gone"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not done", body = Problem, content_type = "application/problem+json"),
    ),
    security(("session" = []))
)]
pub(in crate::api) async fn close(
    State(gateway): State<Gateway>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let held = held(&parts, &gateway)?.ok_or_else(none)?;
    let id = parts.extensions.get::<RequestId>();
    let by = Acting {
        caller: held.caller,
        request_id: id.map(|id| id.0.clone()).unwrap_or_default(),
    };
    gateway.close_session(&by).await?;
    let gone = [
        (header::SET_COOKIE, cookie(SECURE, "", 0)),
        (header::SET_COOKIE, cookie(LOOPBACK, "", 0)),
    ];
    let mut response = StatusCode::NO_CONTENT.into_response();
    for (name, value) in gone {
        if let Ok(value) = value.parse() {
            response.headers_mut().append(name, value);
        }
    }
    Ok(response)
}

/// The session of a request that has a cookie and no key. A key speaks for itself: no browser sends
/// one along.
pub(super) fn held(parts: &Parts, gateway: &Gateway) -> Result<Option<Held>, Problem> {
    let headers = &parts.headers;
    if headers.contains_key(header::AUTHORIZATION) {
        return Ok(None);
    }
    let Some(token) = token(headers) else {
        return Ok(None);
    };
    same_origin(headers)?;
    let limits = parts.extensions.get::<Limits>().copied();
    let Limits(limits) = limits.unwrap_or_else(|| Limits::of(&ApiConfig::default()));
    let held = gateway.session(token, limits)?;
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        let given = headers.get(CSRF).and_then(|value| value.to_str().ok());
        if !given.is_some_and(|given| gateway.is_csrf(&held, given)) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "no-csrf-token",
                "a session sends the csrfToken of GET /admin/v1/session with whatever it changes",
            )
            .field("X-CSRF-Token"));
        }
    }
    Ok(Some(held))
}

/// A whole request's: for what is told without end, and must end with the session.
pub(super) async fn still(parts: &Parts, gateway: &Gateway) -> bool {
    let mut parts = parts.clone();
    super::By::<super::Staff>::from_request_parts(&mut parts, gateway)
        .await
        .is_ok()
}

fn answer(opened: Opened, limits: SessionLimits, insecure: bool) -> impl IntoResponse {
    let name = if insecure { LOOPBACK } else { SECURE };
    // The browser forgets it at its end; whether it is over by then, the gateway decides.
    let cookie = cookie(name, &opened.token, limits.whole.as_secs());
    let body = SessionResponse {
        name: opened.held.caller.name.clone(),
        roles: opened.held.caller.roles().to_vec(),
        version: env!("CARGO_PKG_VERSION"),
        csrf_token: opened.csrf,
        idle_ms: u64::try_from(limits.idle.as_millis()).unwrap_or(u64::MAX),
        ends_at: opened.held.ends,
    };
    ([(header::SET_COOKIE, cookie)], Json(body))
}

fn cookie(name: &str, value: &str, seconds: u64) -> String {
    let secure = if name == SECURE { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let named = |name: &str| {
        let lines = headers.get_all(header::COOKIE).iter();
        let pairs = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'));
        let mut values = pairs.filter_map(|pair| {
            let (given, value) = pair.trim().split_once('=')?;
            (given == name).then_some(value)
        });
        values.next()
    };
    // The other name is protected from neighbours of the domain by nothing but this.
    named(SECURE).or_else(|| named(LOOPBACK).filter(|_| asks_this_machine(headers)))
}

/// Whether the browser says that another site's page asks. A browser that says nothing of where it
/// comes from still needs the second word to change something.
fn same_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let other = match (said("sec-fetch-site"), said("origin")) {
        // It has looked itself, whatever a proxy has made of `Host`.
        (Some(site), _) => site != "same-origin",
        (None, Some(origin)) => {
            let host = said("host").unwrap_or_default();
            let origin = origin.split_once("://").map(|(_, host)| host);
            !origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host))
        }
        (None, None) => false,
    };
    if other {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "other-origin",
            "the request comes from another site's page; behind a reverse proxy, let it pass `Host` on",
        )
        .field("Origin"));
    }
    Ok(())
}

/// Whether the browser is on this machine and came without TLS: nobody else can read the cookie
/// then. What it does not say is not so.
fn is_loopback(headers: &HeaderMap) -> bool {
    let from = headers
        .get(header::ORIGIN)
        .and_then(|value| value.to_str().ok());
    let host = match from {
        Some(origin) => origin.strip_prefix("http://"),
        // A `GET` has no origin: then the cookie that it came with decides.
        None => return token_of(headers, LOOPBACK) && !token_of(headers, SECURE),
    };
    host.is_some_and(is_this_machine)
}

/// Whether the request was meant for this machine, by the name that it was sent to.
fn asks_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST);
    host.and_then(|host| host.to_str().ok())
        .is_some_and(is_this_machine)
}

fn is_this_machine(authority: &str) -> bool {
    let uri = authority.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn token_of(headers: &HeaderMap, name: &str) -> bool {
    let mut lines = headers.get_all(header::COOKIE).iter();
    lines.any(|line| {
        let line = line.to_str().unwrap_or_default();
        line.split(';')
            .any(|pair| pair.trim().split_once('=').is_some_and(|(n, _)| n == name))
    })
}

fn none() -> Problem {
    Problem::from(GatewayError::UnknownCaller).rename_field(of_cookie)
}

fn of_body(field: &str) -> Option<String> {
    (field == "Authorization").then(|| "key".into())
}

fn of_cookie(field: &str) -> Option<String> {
    (field == "Authorization").then(|| "Cookie".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let lines = lines.iter();
        lines
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn another_sites_page_is_known() {
        for (lines, fine) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "https://a"),
                    ("host", "b"),
                ],
                true,
            ),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "none")], false),
            (
                &[("origin", "https://a.example"), ("host", "a.example")],
                true,
            ),
            (
                &[("origin", "http://a.example:81"), ("host", "a.example:81")],
                true,
            ),
            (
                &[("origin", "https://b.example"), ("host", "a.example")],
                false,
            ),
            (
                &[("origin", "https://a.example:81"), ("host", "a.example")],
                false,
            ),
            (&[("origin", "null"), ("host", "a.example")], false),
            (&[("origin", "https://a.example")], false),
        ] {
            assert_eq!(same_origin(&headers(lines)).is_ok(), fine, "{lines:?}");
        }
    }

    #[test]
    fn only_on_the_machine_itself_a_cookie_goes_without_tls() {
        for (origin, loopback) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080", true),
            ("http://[::1]:8080", true),
            ("https://127.0.0.1:8080", false),
            ("http://192.168.0.1", false),
            ("http://localhost.example.org", false),
            ("http://127.0.0.1.example.org", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(
                is_loopback(&headers(&[("origin", origin)])),
                loopback,
                "{origin}"
            );
        }
        assert!(!is_loopback(&HeaderMap::new()));
    }

    #[test]
    fn the_cookie_that_nobody_else_can_set_comes_first() {
        let both = format!("a=b; {LOOPBACK}=one;{SECURE}=two");
        let here = ("host", "127.0.0.1:8080");
        assert_eq!(token(&headers(&[("cookie", &both), here])), Some("two"));
        let one = format!("{LOOPBACK}=one");
        assert_eq!(token(&headers(&[("cookie", &one), here])), Some("one"));
        assert_eq!(token(&headers(&[("cookie", "session=x"), here])), None);
        // A neighbour of the domain can set this one.
        let there = ("host", "gateway.example");
        assert_eq!(token(&headers(&[("cookie", &one), there])), None);
    }
}

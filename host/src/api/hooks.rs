//! `/hooks/{registry}/…`: registries call back. No key of ours: the adapter verifies the sender.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::body::{ReadTimeout, read};
use super::problem::Problem;
use super::trace::RequestId;
use crate::gateway::{Gateway, GatewayError};
use crate::model::{Callback, CallbackResponse};

/// Of one connection, or the gateway's own: neither is the sender's word, in or out.
const NOT_THEIRS: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-request-id",
];
/// What the gateway says to browsers is not the adapter's to change.
const OURS: [&str; 6] = [
    "cache-control",
    "content-security-policy",
    "date",
    "referrer-policy",
    "set-cookie",
    "x-content-type-options",
];

/// A registry calls back, by any method. Who it is shows the adapter, by the registry's own means. The
/// callback is stored before it is answered; the answer is in the registry's own form.
#[utoipa::path(
    post,
    path = "/hooks/{registry}/{path}",
    tag = "events",
    params(
        ("registry" = String, Path, description = "The registry's name"),
        ("path" = String, Path, description = "Whatever the registry calls; may be left out"),
    ),
    responses(
        (status = 200, description = "As the registry's adapter answers"),
        (status = "4XX", description = "Refused", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", description = "Not taken", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn below(
    State(gateway): State<Gateway>,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Ok(Path((registry, path))) = path else {
        return Err(GatewayError::UnknownRegistry.into());
    };
    heard(&gateway, &registry, path, request).await
}

/// The same at the address itself.
pub(super) async fn top(
    State(gateway): State<Gateway>,
    registry: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Ok(Path(registry)) = registry else {
        return Err(GatewayError::UnknownRegistry.into());
    };
    heard(&gateway, &registry, String::new(), request).await
}

async fn heard(
    gateway: &Gateway,
    registry: &str,
    path: String,
    request: Request,
) -> Result<Response, Problem> {
    // Before anything is read: who sends is not known.
    let admitted = gateway.admit_callback(registry)?;
    let (parts, body) = request.into_parts();
    let ReadTimeout(whole) = parts.extensions.get().copied().unwrap_or_default();
    let request_id = parts.extensions.get::<RequestId>();
    let request_id = request_id.map(|id| id.0.clone()).unwrap_or_default();
    let callback = Callback {
        method: parts.method.as_str().to_owned(),
        path,
        query: query(&parts.uri),
        headers: headers(&parts.headers),
        body: arrive(body, gateway.max_callback_bytes(), whole).await?,
        extra: Vec::new(),
    };
    let answer = gateway.hook(registry, callback, request_id, admitted);
    let answer = answer.await?;
    Ok(answered(answer))
}

async fn arrive(body: Body, most: usize, whole: std::time::Duration) -> Result<Vec<u8>, Problem> {
    let arriving = read(body, most, "events.max_callback_bytes");
    tokio::time::timeout(whole, arriving)
        .await
        .unwrap_or_else(|_| {
            Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "body-too-slow",
                "the body took longer to arrive than api.read_timeout_ms allows",
            ))
        })
}

/// In order, repeats kept.
fn query(uri: &Uri) -> Vec<(String, String)> {
    url::form_urlencoded::parse(uri.query().unwrap_or("").as_bytes())
        .into_owned()
        .collect()
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let theirs = headers
        .iter()
        .filter(|(name, _)| !NOT_THEIRS.contains(&name.as_str()));
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    theirs
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

/// The adapter's answer, as far as it is one of HTTP.
fn answered(answer: CallbackResponse) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    let own = response.headers_mut();
    own.clear();
    for (name, value) in answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) else {
            continue;
        };
        let is_kept = |list: &[&str]| list.contains(&name.as_str());
        if !is_kept(&NOT_THEIRS) && !is_kept(&OURS) {
            own.append(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_hears_the_sender_and_answers_for_itself_alone() {
        let uri: Uri = "/hooks/civil/x?b=2&a=%C3%A9&b=1".parse().unwrap();
        let pairs = [("b", "2"), ("a", "é"), ("b", "1")];
        assert_eq!(query(&uri), pairs.map(|(a, b)| (a.into(), b.into())));
        let mut given = HeaderMap::new();
        for (name, value) in [
            ("X-Signature", "s"),
            ("Connection", "close"),
            ("X-Forwarded-For", "1.2.3.4"),
        ] {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            given.insert(name, HeaderValue::from_static(value));
        }
        assert_eq!(
            headers(&given),
            [("x-signature".to_owned(), "s".to_owned())]
        );
        let names = [
            "content-type",
            "set-cookie",
            "transfer-encoding",
            "bad name",
        ];
        let response = answered(CallbackResponse {
            status: 202,
            headers: names.map(|name| (name.to_owned(), "x".to_owned())).into(),
            body: b"ok".to_vec(),
        });
        assert_eq!(response.status(), 202);
        let told: Vec<&str> = response.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(told, ["content-type"]);
    }
}

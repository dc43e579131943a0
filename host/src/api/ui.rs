//! The admin page: files built into the program, and the headers that keep a browser to them.
//! Nothing of it comes from anywhere else, and nothing of it needs a key: what it shows comes from
//! the admin API, which does.

mod files;

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::problem::Problem;
use crate::gateway::Gateway;
use files::{FILES, File};

/// The threat: a value of a registry, a log or a caller that is markup. It is put in as text; and
/// were it not, nothing that is not this program's own file would run, load or be sent anywhere.
const PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
/// Answers of the API are no pages.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

/// `/ui/` and its files.
pub(super) fn pages() -> Router<Gateway> {
    Router::new()
        .route("/ui", get(async || Redirect::permanent("/ui/")))
        .route(
            "/ui/",
            get(async |headers: HeaderMap| file("index.html", &headers)),
        )
        .route(
            "/ui/{*file}",
            get(async |Path(name): Path<String>, headers: HeaderMap| file(&name, &headers)),
        )
}

/// What every answer says to browsers.
pub(super) async fn guarded(request: Request, next: Next) -> Response {
    let page = request.uri().path().starts_with("/ui");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let (policy, cache) = match page {
        true => (PAGE, "no-cache"),
        false => (NO_PAGE, "no-store"),
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, cache),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn file(name: &str, headers: &HeaderMap) -> Response {
    let Some(File { kind, bytes, .. }) = FILES.iter().find(|file| file.name == name) else {
        let status = StatusCode::NOT_FOUND;
        return Problem::new(status, "no-such-route", "the admin page is at /ui/").into_response();
    };
    // Another build has other files: browsers ask each time, and get them only where they differ.
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(bytes)));
    let known = headers.get(header::IF_NONE_MATCH);
    if known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, (*kind).to_owned()),
        (header::ETAG, tag),
    ];
    (headers, *bytes).into_response()
}

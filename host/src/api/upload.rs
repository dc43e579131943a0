//! A module as a request's body: read into memory once there is a place for it, up to a limit of its
//! own.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::problem::Problem;
use crate::config::api::ApiConfig;
use crate::gateway::{AdmissionPlace, Gateway};

/// How long a module may take to arrive, the wait for a place included. The router puts it into
/// every request.
#[derive(Clone, Copy)]
pub(super) struct UploadTimeout(pub(super) Duration);

impl Default for UploadTimeout {
    fn default() -> Self {
        Self(Duration::from_millis(ApiConfig::UPLOAD_TIMEOUT_MS))
    }
}

/// A module's bytes, and the place where it may be looked at.
pub(super) struct Upload {
    pub(super) bytes: Bytes,
    pub(super) place: AdmissionPlace,
}

impl FromRequest<Gateway> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, gateway: &Gateway) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/wasm") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-wasm",
                "send the module as `Content-Type: application/wasm`",
            )
            .field("Content-Type"));
        }
        let UploadTimeout(whole) = request.extensions().get().copied().unwrap_or_default();
        let most = usize::try_from(gateway.max_module_bytes()).unwrap_or(usize::MAX);
        let arriving = async {
            let place = gateway.admission_place().await?;
            let bytes = read(request.into_body(), most).await?;
            Ok(Self { bytes, place })
        };
        tokio::time::timeout(whole, arriving)
            .await
            .unwrap_or_else(|_| {
                Err(Problem::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "body-too-slow",
                    "the module took longer to arrive than api.upload_timeout_ms allows",
                ))
            })
    }
}

/// What is over the limit is read too, as much again, and thrown away: a client that is still
/// sending when the connection closes never sees the answer.
async fn read(body: axum::body::Body, most: usize) -> Result<Bytes, Problem> {
    let mut frames = body.into_data_stream();
    let (mut bytes, mut seen) = (BytesMut::new(), 0usize);
    while let Some(frame) = frames.next().await {
        let Ok(frame) = frame else {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "body-incomplete",
                "the module ended early",
            ));
        };
        seen = seen.saturating_add(frame.len());
        if seen <= most {
            bytes.extend_from_slice(&frame);
        } else if seen > most.saturating_mul(2) {
            break;
        } else {
            bytes = BytesMut::new();
        }
    }
    if seen > most {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "module-too-large",
            format!("the module is larger than sandbox.max_module_bytes ({most}) allows"),
        ));
    }
    Ok(bytes.freeze())
}

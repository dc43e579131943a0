//! The HTTP client of one endpoint. Not shared: a pooled connection carries the checks of the
//! endpoint that opened it.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;
use tower::{Layer, Service};
use url::Url;

use super::address::AddressPolicy;
use super::header::{MAX_RESPONSE_HEADER_BYTES, MAX_RESPONSE_HEADERS};
use super::resolver::{Lookup, PolicyResolver};
use super::trust;

/// Shorter than the keep-alive of most servers: a connection that the server just closed costs a
/// write its certainty.
const IDLE: Duration = Duration::from_secs(15);

tokio::task_local! {
    /// When the request at hand ends.
    static CONNECT_BY: Instant;
}

/// The request's time ended before there was a connection.
#[derive(Debug, thiserror::Error)]
#[error("no connection before the deadline")]
pub(super) struct NoConnectionInTime;

/// What a client is built for.
pub(super) struct ClientParts<'a> {
    pub(super) target: &'a Url,
    pub(super) policy: AddressPolicy,
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) connect_timeout: Duration,
}

/// Builds a client that reaches what the policy allows and nothing by itself: no system proxy, no
/// redirect, no retry, no cookie.
pub(super) fn build(parts: ClientParts<'_>) -> Result<reqwest::Client, reqwest::Error> {
    let resolver = PolicyResolver {
        lookup: parts.lookup,
        policy: parts.policy,
    };
    let builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .dns_resolver(resolver)
        .connect_timeout(parts.connect_timeout)
        .connector_layer(ConnectDeadlineLayer)
        .pool_idle_timeout(IDLE)
        // Above our own cap, so that the answer to one header too many is ours.
        .http1_max_headers(MAX_RESPONSE_HEADERS * 2)
        .http2_max_header_list_size(MAX_RESPONSE_HEADER_BYTES as u32 * 2)
        .user_agent(concat!("registry-gateway/", env!("CARGO_PKG_VERSION")));
    let builder = if parts.target.scheme() == "https" {
        let builder = builder.https_only(true);
        match trust::of_the_system() {
            Some(tls) => builder.tls_backend_preconfigured(tls),
            // The client says itself what it lacks.
            None => builder,
        }
    } else {
        // A client that never speaks TLS needs no certificates, and works where none are installed.
        builder.tls_certs_only([])
    };
    builder.build()
}

/// Sends one request; connecting, if it comes to that, ends at `deadline`.
pub(super) async fn execute(
    client: &reqwest::Client,
    request: reqwest::Request,
    deadline: Instant,
) -> Result<reqwest::Response, reqwest::Error> {
    CONNECT_BY.scope(deadline, client.execute(request)).await
}

/// Ends connecting at the request's own deadline, inside the connector. A time limit around the
/// whole request could not tell connecting from waiting for the answer; an error of the connector
/// can only mean that this request was still without a connection.
#[derive(Clone, Copy)]
struct ConnectDeadlineLayer;

#[derive(Clone)]
struct ConnectDeadline<S>(S);

impl<S> Layer<S> for ConnectDeadlineLayer {
    type Service = ConnectDeadline<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ConnectDeadline(inner)
    }
}

impl<S, R> Service<R> for ConnectDeadline<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let connecting = self.0.call(target);
        let deadline = CONNECT_BY.try_with(|deadline| *deadline).ok();
        Box::pin(async move {
            let Some(deadline) = deadline else {
                return connecting.await;
            };
            tokio::time::timeout_at(deadline, connecting)
                .await
                .unwrap_or_else(|_| Err(Box::new(NoConnectionInTime)))
        })
    }
}

type BoxError = Box<dyn Error + Send + Sync>;

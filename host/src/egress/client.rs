//! The HTTP client of one endpoint. Not shared: a pooled connection carries the checks of the
//! endpoint that opened it, its client certificate, its authorities and its proxy.

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
use super::proxy::Proxy;
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
    pub(super) connection: &'a Connection,
}

/// Who the gateway is in TLS, whom it trusts, and through whom it connects. Default: nobody in
/// particular, the system's authorities, directly.
#[derive(Default)]
pub(super) struct Connection {
    pub(super) identity: Option<reqwest::Identity>,
    pub(super) authorities: Option<Vec<reqwest::Certificate>>,
    pub(super) proxy: Option<Proxy>,
}

/// Builds a client that reaches what the policy allows and nothing by itself: no system proxy, no
/// redirect, no retry, no cookie.
pub(super) fn build(parts: ClientParts<'_>) -> Result<reqwest::Client, reqwest::Error> {
    let connection = parts.connection;
    let resolver = PolicyResolver {
        lookup: parts.lookup,
        policy: match &connection.proxy {
            Some(proxy) => proxy.policy().clone(),
            None => parts.policy,
        },
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
    if parts.target.scheme() != "https" {
        // A client that never speaks TLS needs no certificates, and works where none are installed.
        return builder.tls_certs_only([]).build();
    }
    let mut builder = builder.https_only(true);
    if let Some(authorities) = &connection.authorities {
        builder = builder.tls_certs_only(authorities.iter().cloned());
    } else if let Some(tls) = trust::of_the_system() {
        // Looked at with an identity too: endpoints are kept only while the list is what it was.
        // Without authorities the client says itself what it lacks.
        if connection.identity.is_none() {
            builder = builder.tls_backend_preconfigured(tls);
        }
    }
    if let Some(identity) = &connection.identity {
        builder = builder.identity(identity.clone());
    }
    if let Some(proxy) = &connection.proxy {
        builder = proxy.apply(builder)?;
    }
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

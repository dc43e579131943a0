//! Exports to a collector of telemetry, which the gateway's own administrator names.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use opentelemetry_http::{HttpClient, HttpError};
use secrecy::{ExposeSecret, SecretString};
use tokio::runtime::Handle;
use tokio::time::Instant;
use url::Url;

use super::address::AddressPolicy;
use super::build::EndpointProblem;
use super::client::{self, ClientParts, Connection};
use super::credential::secret_value;
use super::resolver::SystemLookup;

/// Sends what an exporter hands over to one URL, whatever the exporter believes that it is: the
/// exporter reads the environment, which is not for it to decide.
#[derive(Clone)]
pub struct Collector {
    client: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    timeout: Duration,
    runtime: Handle,
    /// Whether the last export was taken: what changes is logged, not each failure.
    taken: Arc<AtomicBool>,
}

impl Collector {
    /// For that URL. Must be called within the runtime that will send.
    ///
    /// # Errors
    /// A header's name or value is none, or no client could be made.
    pub fn new(
        url: Url,
        headers: &[(String, SecretString)],
        timeout: Duration,
    ) -> Result<Self, EndpointProblem> {
        super::Egress::new();
        let mut named = HeaderMap::new();
        for (name, value) in headers {
            let parsed = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| EndpointProblem::HeaderName(name.clone()))?;
            let value = secret_value(value.expose_secret());
            named.insert(parsed, value.map_err(|_| EndpointProblem::HeaderValue)?);
        }
        // Often a neighbour in a private network. It is the gateway's own configuration that names
        // it, not a registry's; metadata servers are refused all the same.
        let anywhere = [
            IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0)),
            IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0)),
        ];
        let policy = AddressPolicy::new(&anywhere);
        // The resolver never sees a literal.
        policy
            .check_literal(&url)
            .map_err(EndpointProblem::Address)?;
        let client = client::build(ClientParts {
            target: &url,
            policy,
            lookup: Arc::new(SystemLookup),
            connect_timeout: timeout,
            connection: &Connection::default(),
        })
        .map_err(EndpointProblem::Client)?;
        Ok(Self {
            client,
            url,
            headers: named,
            timeout,
            runtime: Handle::current(),
            taken: Arc::new(AtomicBool::new(true)),
        })
    }

    async fn send(self, body: Bytes) -> Result<u16, HttpError> {
        let deadline = Instant::now() + self.timeout;
        let mut request = reqwest::Request::new(Method::POST, self.url.clone());
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/x-protobuf"),
        );
        *request.body_mut() = Some(body.into());
        let sent = client::execute(&self.client, request, deadline);
        let sent = tokio::time::timeout_at(deadline, sent).await;
        let status = match sent {
            Err(_) => Err("no answer in time"),
            // Its text holds the URL.
            Ok(Err(_)) => Err("no connection, or it broke"),
            Ok(Ok(response)) => Ok(response.status().as_u16()),
        };
        self.tell(status);
        Ok(status?)
    }

    fn tell(&self, status: Result<u16, &'static str>) {
        let taken = matches!(status, Ok(200..=299));
        if taken == self.taken.swap(taken, Relaxed) {
            return;
        }
        match status {
            Ok(200..=299) => tracing::info!("the collector takes spans again"),
            Ok(status) => tracing::warn!(
                http.status = status,
                "the collector refuses spans: check telemetry.otlp_endpoint and headers"
            ),
            Err(why) => tracing::warn!(
                why,
                "the collector takes no spans: check telemetry.otlp_endpoint"
            ),
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        // The exporter polls on a thread of its own, where there is no runtime.
        let sending = self.clone().send(request.into_body());
        let status = self.runtime.spawn(sending).await??;
        Ok(http::Response::builder()
            .status(status)
            .body(Bytes::new())?)
    }
}

/// Without URL and headers.
impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

//! Documents by URL: an issuer's keys, an OCI registry's tokens and blobs.
//!
//! The threat: a server may name another one (discovery, a redirect and a challenge do), so that its
//! author chooses where the gateway looks next. So every address is held to the same policy, a redirect
//! is no answer, size and time are bounded, and nobody is shown a credential or a certificate but whom
//! the caller names.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use url::Url;

use super::address::AddressPolicy;
use super::client::{self, ClientParts, Connection};
use super::{Egress, EndpointProblem, body, build, credential};
use crate::config::endpoint::{EndpointConfig, EndpointSecrets};

/// Reads documents below one policy.
#[derive(Clone)]
pub struct Documents {
    egress: Egress,
    allow: Arc<[IpNet]>,
    connection: Arc<Connection>,
    timeout: Duration,
    max_bytes: u64,
}

/// Why there is no document. Never with its URL or what it said.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DocumentProblem {
    /// Plain `http` goes to networks that were named, and to no other, and not through a proxy.
    #[error("its URL is neither https nor within allow_networks, or a proxy cannot reach it")]
    Url,
    /// The policy refuses the address.
    #[error("its address is not one that may be asked: allow_networks can name it")]
    Address,
    /// No connection, or it broke.
    #[error("no connection, or it broke")]
    Connection,
    /// Not what a header can carry.
    #[error("the user's name or password has letters that no header can carry")]
    Login,
    /// Not there in time.
    #[error("no answer in time")]
    Time,
    /// Another status than 200.
    #[error("the answer's status is {0}, not 200")]
    Status(u16),
    /// Over the cap.
    #[error("the answer is too large")]
    Size,
}

impl Documents {
    /// Connecting as the endpoint does, by its addresses, authorities and proxy, and without its
    /// credential and certificate; with so much time and so many bytes for each.
    ///
    /// # Errors
    /// The field that is wrong.
    pub fn new(
        egress: &Egress,
        config: &EndpointConfig,
        secured: &EndpointSecrets,
        timeout: Duration,
        max_bytes: u64,
    ) -> Result<Self, (String, EndpointProblem)> {
        let config = EndpointConfig {
            client_certificate: None,
            ..config.clone()
        };
        let parts = build::Parts {
            config: &config,
            secured: Some(secured),
            secrets: &BTreeMap::new(),
            lookup: &egress.lookup,
            keep_refused: egress.keep_refused,
        };
        Ok(Self {
            egress: egress.clone(),
            allow: config.allow_networks.as_slice().into(),
            connection: Arc::new(parts.connection_to(&config.base_url)?),
            timeout,
            max_bytes,
        })
    }

    /// Reads a public one. It is asked for rarely: no connection is kept.
    ///
    /// # Errors
    /// [`DocumentProblem`].
    pub async fn get(&self, url: &Url) -> Result<Bytes, DocumentProblem> {
        self.get_as(url, None).await
    }

    /// Reads one with a user's name and password (RFC 7617), where there are any.
    ///
    /// # Errors
    /// [`DocumentProblem`].
    pub async fn get_as(
        &self,
        url: &Url,
        login: Option<(&str, &SecretString)>,
    ) -> Result<Bytes, DocumentProblem> {
        let policy = match url.scheme() {
            "https" => AddressPolicy::new(&self.allow),
            "http" if !self.allow.is_empty() => AddressPolicy::listed_only(&self.allow),
            _ => return Err(DocumentProblem::Url),
        };
        let v6 = matches!(url.host(), Some(url::Host::Ipv6(_)));
        if self.connection.proxy.is_some() && (url.scheme() != "https" || v6) {
            return Err(DocumentProblem::Url);
        }
        // The resolver never sees a literal.
        policy
            .check_literal(url)
            .map_err(|_| DocumentProblem::Address)?;
        let client = client::build(ClientParts {
            target: url,
            policy,
            lookup: self.egress.lookup.clone(),
            connect_timeout: self.timeout,
            connection: &self.connection,
        })
        .map_err(|_| DocumentProblem::Connection)?;
        let deadline = Instant::now() + self.timeout;
        let mut request = reqwest::Request::new(Method::GET, url.clone());
        request.headers_mut().insert(
            header::ACCEPT,
            http::HeaderValue::from_static("application/json, application/octet-stream"),
        );
        if let Some((user, password)) = login {
            let login = credential::basic(user, password.expose_secret());
            let login = login.map_err(|_| DocumentProblem::Login)?;
            request.headers_mut().insert(header::AUTHORIZATION, login);
        }
        let reading = async {
            let sent = client::execute(&client, request, deadline).await;
            let mut answer = sent.map_err(|_| DocumentProblem::Connection)?;
            if answer.status() != StatusCode::OK {
                return Err(DocumentProblem::Status(answer.status().as_u16()));
            }
            body::read(&mut answer, self.max_bytes)
                .await
                .map_err(|error| match error {
                    body::BodyError::TooLarge => DocumentProblem::Size,
                    body::BodyError::Broken(_) => DocumentProblem::Connection,
                })
        };
        let read = tokio::time::timeout_at(deadline, reading).await;
        read.unwrap_or(Err(DocumentProblem::Time))
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}

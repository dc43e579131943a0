//! Public documents of a server that the gateway's own configuration names: an issuer's keys.
//!
//! The threat: such a document may name another one (discovery does), so that its author chooses
//! where the gateway looks next. So every address is held to the same policy, a redirect is no
//! answer, and size and time are bounded.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use ipnet::IpNet;
use tokio::time::Instant;
use url::Url;

use super::address::AddressPolicy;
use super::client::{self, ClientParts, Connection};
use super::{Egress, body};

/// Reads public documents below one policy.
#[derive(Clone)]
pub struct Documents {
    egress: Egress,
    allow: Arc<[IpNet]>,
    timeout: Duration,
    max_bytes: u64,
}

/// Why there is no document. Never with its URL or what it said.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DocumentProblem {
    /// Plain `http` goes to networks that were named, and to no other.
    #[error("its URL is neither https nor within allow_networks")]
    Url,
    /// The policy refuses the address.
    #[error("its address is not one that may be asked: allow_networks can name it")]
    Address,
    /// No connection, or it broke.
    #[error("no connection, or it broke")]
    Connection,
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
    /// With so much time and so many bytes for each.
    pub fn new(egress: &Egress, allow: &[IpNet], timeout: Duration, max_bytes: u64) -> Self {
        Self {
            egress: egress.clone(),
            allow: allow.into(),
            timeout,
            max_bytes,
        }
    }

    /// Reads one. It is asked for rarely: no connection is kept.
    ///
    /// # Errors
    /// [`DocumentProblem`].
    pub async fn get(&self, url: &Url) -> Result<Bytes, DocumentProblem> {
        let policy = match url.scheme() {
            "https" => AddressPolicy::new(&self.allow),
            "http" if !self.allow.is_empty() => AddressPolicy::listed_only(&self.allow),
            _ => return Err(DocumentProblem::Url),
        };
        // The resolver never sees a literal.
        policy
            .check_literal(url)
            .map_err(|_| DocumentProblem::Address)?;
        let client = client::build(ClientParts {
            target: url,
            policy,
            lookup: self.egress.lookup.clone(),
            connect_timeout: self.timeout,
            connection: &Connection::default(),
        })
        .map_err(|_| DocumentProblem::Connection)?;
        let deadline = Instant::now() + self.timeout;
        let mut request = reqwest::Request::new(Method::GET, url.clone());
        request.headers_mut().insert(
            header::ACCEPT,
            http::HeaderValue::from_static("application/json"),
        );
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

//! One request and what came of it: the mirror of `http` in the contract.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;

use crate::model::TraceContext;

/// What an adapter asks for, below an endpoint's base URL.
#[derive(Clone)]
pub struct Request {
    /// A word in capitals other than CONNECT and TRACE.
    pub method: Method,
    /// Begins with `/`, percent-encoded, without query and fragment.
    pub path: String,
    /// Names and values as they are.
    pub query: Vec<(String, String)>,
    /// Names and values as they are.
    pub headers: Vec<(String, String)>,
    /// None: no body.
    pub body: Option<Bytes>,
    /// Shortens the endpoint's time limit, never lengthens it.
    pub timeout: Option<Duration>,
    /// The call it is part of changes nothing at the registry, whatever the method: where the
    /// registry refuses an old token (401), it is sent once more with a new one.
    pub only_reads: bool,
    /// An answer that sends elsewhere, by a redirect out of the grant or a challenge, is given with its
    /// `location` and `www-authenticate` as they came. Never for an adapter: it is told no URL.
    pub tells_elsewhere: bool,
    /// Told to the registry where the endpoint's configuration lets it know.
    pub trace: Option<TraceContext>,
}

/// What is left of the call's own limits.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Counted after decompression.
    pub max_response_bytes: u64,
    /// Requests that may follow the first: redirects, and a read sent again with another token.
    pub max_further_requests: u32,
    /// When the call ends.
    pub deadline: Instant,
}

/// An answer of whatever status.
#[derive(Clone)]
pub struct Response {
    /// RFC 9110, section 15.
    pub status: u16,
    /// Names in lower case. Cookies, hop-by-hop headers and what egress consumed are left out;
    /// a `location` is relative to the base URL, or left out.
    pub headers: Vec<(String, String)>,
    /// Decompressed.
    pub body: Bytes,
    /// What it took.
    pub spent: Spent,
}

/// What an exchange took of the call's limits, whatever came of it, beyond its first request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Requests beyond the first: redirects that were followed, reads sent again with another token.
    pub further_requests: u32,
    /// Bytes read of the answer's body, decompressed.
    pub body_bytes: u64,
}

/// No answer. Its text holds no URL and no value of the request, since it reaches logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// Decides whether a write may be sent again.
    pub sent: Sent,
    /// What went wrong.
    pub kind: ProblemKind,
    /// For a developer.
    pub message: String,
    /// When it may work again, where known.
    pub retry_after_ms: Option<u32>,
    /// What it took all the same.
    pub spent: Spent,
}

/// Whether the registry may have seen the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing reached the registry.
    NotSent,
    /// The request may have reached the registry: its effect is unknown.
    SentNoAnswer,
}

/// `problem-kind` of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The endpoint is not granted to this registry.
    EndpointNotGranted,
    /// The request breaks a rule: path, header, method, size.
    RequestRefused,
    /// A limit of this call is used up.
    LimitReached,
    /// The endpoint's name resolves to no address that the grant allows.
    AddressRefused,
    /// The endpoint's name does not resolve.
    Dns,
    /// No connection.
    Connect,
    /// No TLS: a wrong certificate, or no TLS on the other side.
    Tls,
    /// The endpoint's credential could not be obtained.
    Credential,
    /// Out of time.
    TimedOut,
    /// The connection ended in the middle.
    Interrupted,
    /// The answer is over the endpoint's limit.
    TooLarge,
    /// The answer is not HTTP, or its compression is broken.
    Unreadable,
    /// A redirect leaves the grant.
    RedirectRefused,
    /// The endpoint is resting.
    Resting,
    /// Anything else.
    Other(String),
}

impl Request {
    /// A request with a method and a path alone.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            timeout: None,
            only_reads: false,
            tells_elsewhere: false,
            trace: None,
        }
    }
}

impl Response {
    /// The first header of that name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl SendError {
    /// Nothing reached the registry.
    pub fn not_sent(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            sent: Sent::NotSent,
            kind,
            message: message.into(),
            retry_after_ms: None,
            spent: Spent::default(),
        }
    }

    /// The request may have reached the registry.
    pub fn sent(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            sent: Sent::SentNoAnswer,
            ..Self::not_sent(kind, message)
        }
    }

    /// Once one hop of a redirected request went out, nothing after it is "not sent".
    pub(super) fn after_hop(mut self, hops: u8) -> Self {
        if hops > 0 {
            self.sent = Sent::SentNoAnswer;
        }
        self
    }
}

impl ProblemKind {
    /// The word of the contract.
    pub fn word(&self) -> &str {
        match self {
            Self::EndpointNotGranted => "endpoint-not-granted",
            Self::RequestRefused => "request-refused",
            Self::LimitReached => "limit-reached",
            Self::AddressRefused => "address-refused",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Credential => "credential",
            Self::TimedOut => "timed-out",
            Self::Interrupted => "interrupted",
            Self::TooLarge => "too-large",
            Self::Unreadable => "unreadable",
            Self::RedirectRefused => "redirect-refused",
            Self::Resting => "resting",
            Self::Other(word) => word,
        }
    }
}

/// Sizes, not values: a request holds personal data.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("body_bytes", &self.body.as_ref().map_or(0, Bytes::len))
            .finish_non_exhaustive()
    }
}

/// Sizes, not values: an answer holds personal data.
impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

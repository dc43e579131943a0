//! Which headers pass, in both directions.
//!
//! The threat: a header of the adapter that is read before ours, or instead of ours: another
//! host, another identity, another length (smuggling), another path. Names are compared as CGI
//! and WSGI servers see them, where `_` and `-` are the same.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::model::TraceContext;

/// More than any registry asks for.
const MAX_REQUEST_HEADERS: usize = 64;
const MAX_REQUEST_HEADER_BYTES: usize = 16 * 1024;
/// Over these limits an answer is refused as a whole.
pub(super) const MAX_RESPONSE_HEADERS: usize = 128;
pub(super) const MAX_RESPONSE_HEADER_BYTES: usize = 64 * 1024;

/// Refused from adapters, by the reason.
const REFUSED: &[&str] = &[
    // Set by the gateway.
    "host",
    "content-length",
    "accept-encoding",
    "expect",
    // Identity.
    "authorization",
    "cookie",
    "cookie2",
    "set-cookie",
    // Hop by hop, RFC 9110 section 7.6.1, and its older kin.
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    // Who asked, and through whom, as proxies tell the servers behind them; RFC 9440.
    "forwarded",
    "x-forwarded",
    "via",
    "client-cert",
    "client-cert-chain",
    "client-ip",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "x-originating-ip",
    "x-remote-ip",
    "x-remote-addr",
    "remote-user",
    "x-remote-user",
    // Whose trace it is: the gateway's to say, where the endpoint's configuration lets it.
    "traceparent",
    "tracestate",
    "baggage",
    // Another path or host, read by IIS, Symfony and proxies.
    "x-original-url",
    "x-original-uri",
    "x-original-host",
    "x-rewrite-url",
    "x-host",
    "x-http-host-override",
];
const REFUSED_PREFIXES: &[&str] = &[
    "proxy-",
    "x-forwarded-",
    "x-original-forwarded-",
    "x-envoy-",
    "ssl-client-",
    "x-ssl-client-",
    "x-client-cert",
];

/// Left out of answers: hop by hop, cookies, and what egress consumed.
const DROPPED: &[&str] = &[
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-encoding",
    "set-cookie",
    "set-cookie2",
    // Rewritten by the caller where they are within the grant.
    "location",
    "content-location",
];

/// Which rule a header breaks. Holds no value; a name only where the adapter wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeaderRefused {
    #[error("a header's name is not a token")]
    Name,
    #[error("the value of header {0} holds a character outside visible ASCII")]
    Value(HeaderName),
    #[error("header {0} is the gateway's to set")]
    Reserved(HeaderName),
    #[error("too many headers")]
    TooMany,
    #[error("the headers are too long")]
    TooLong,
}

/// The names that an endpoint's configuration sets, and so takes from the adapter.
#[derive(Clone, Debug, Default)]
pub(super) struct ReservedNames(Vec<String>);

impl ReservedNames {
    pub(super) fn insert(&mut self, name: &HeaderName) {
        self.0.push(as_servers_see(name.as_str()));
    }

    /// The headers of an adapter's request, or why not.
    pub(super) fn admit(&self, headers: &[(String, String)]) -> Result<HeaderMap, HeaderRefused> {
        if headers.len() > MAX_REQUEST_HEADERS {
            return Err(HeaderRefused::TooMany);
        }
        let bytes: usize = headers.iter().map(|(n, v)| n.len() + v.len()).sum();
        if bytes > MAX_REQUEST_HEADER_BYTES {
            return Err(HeaderRefused::TooLong);
        }
        let mut admitted = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderRefused::Name)?;
            let seen = as_servers_see(name.as_str());
            if is_refused(&seen) || self.0.contains(&seen) {
                return Err(HeaderRefused::Reserved(name));
            }
            let value = Some(value)
                .filter(|value| value.is_ascii())
                .and_then(|value| HeaderValue::from_str(value).ok())
                .ok_or_else(|| HeaderRefused::Value(name.clone()))?;
            admitted.append(name, value);
        }
        Ok(admitted)
    }

    /// What of an answer's headers an adapter sees. Not those that it may not set: a server that
    /// hands out its next token does so in the header in which it takes it.
    pub(super) fn visible(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        headers
            .iter()
            .filter(|(name, _)| {
                let name = name.as_str();
                !DROPPED.contains(&name)
                    && !name.starts_with("proxy-")
                    && !self.0.contains(&as_servers_see(name))
            })
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect()
    }
}

/// Tells a registry of which trace its work is part. Never `tracestate` or `baggage`, which hold
/// what somebody upstream put in.
pub(super) fn insert_trace(headers: &mut HeaderMap, trace: Option<TraceContext>) {
    let value = trace.and_then(|trace| HeaderValue::from_str(&trace.to_string()).ok());
    if let Some(value) = value {
        headers.insert("traceparent", value);
    }
}

/// Whether a configuration may set this header: what frames a message or names the host would
/// break it.
pub(super) fn is_configurable(name: &HeaderName) -> bool {
    let seen = as_servers_see(name.as_str());
    let framing = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "te",
        "trailer",
        "upgrade",
        "keep-alive",
        "expect",
        "accept-encoding",
        "http2-settings",
    ];
    !framing.contains(&seen.as_str()) && !seen.starts_with("proxy-")
}

/// Whether an answer's headers are within the caps.
pub(super) fn within_caps(headers: &HeaderMap) -> bool {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    headers.len() <= MAX_RESPONSE_HEADERS && bytes <= MAX_RESPONSE_HEADER_BYTES
}

/// UTF-8 where it is, else Latin-1, which HTTP once was.
fn text(value: &HeaderValue) -> String {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value
            .as_bytes()
            .iter()
            .map(|byte| char::from(*byte))
            .collect(),
    }
}

fn is_refused(seen: &str) -> bool {
    let prefixed = |prefix: &&str| seen.starts_with(prefix);
    REFUSED.contains(&seen) || REFUSED_PREFIXES.iter().any(prefixed)
}

fn as_servers_see(name: &str) -> String {
    name.replace('_', "-")
}

//! What can be wrong with an endpoint's configuration.

use ipnet::IpNet;

use super::super::address::AddressRefused;
use super::super::proxy::ProxyProblem;
use super::super::tls::PemProblem;

/// What is wrong with an endpoint's configuration. Never holds a value that may be secret.
#[derive(Debug, thiserror::Error)]
pub enum EndpointProblem {
    /// Not a URL, or one of another scheme.
    #[error("write an absolute https:// URL")]
    NotAUrl,
    /// User, query or fragment in a base URL.
    #[error("a URL here has no user, no fragment, and a base URL no query")]
    ExtraParts,
    /// The path breaks the rules for paths.
    #[error("{0}")]
    Path(String),
    /// `${secret:name}` of a name that is not configured.
    #[error("no secret is configured under the name {0}")]
    UnknownSecret(String),
    /// `${` that is not `${secret:name}`, or outside the path.
    #[error("write ${{secret:<name>}}, and in a URL only in its path")]
    Placeholder,
    /// Plain `http` without a word that this is wanted.
    #[error(
        "plain http needs allow_networks; for a base URL, allow_plain_http = true opens it to all addresses"
    )]
    PlainHttp,
    /// The host is an address that the policy refuses.
    #[error("{0}; where this is the registry, list its network in allow_networks")]
    Address(AddressRefused),
    /// An IPv4 network written as IPv6.
    #[error("write an IPv4 network in its own form, not as ::ffff:0:0/96")]
    MappedNetwork,
    /// A network with bits set behind its length: likely a host was meant.
    #[error("{0} is not the beginning of its network: write {1}, or {2} for the host alone")]
    HostBits(IpNet, IpNet, IpNet),
    /// A header that cannot be configured.
    #[error("header {0} cannot be set")]
    HeaderName(String),
    /// A header set twice.
    #[error("header {0} is also set by the credential")]
    HeaderTwice(String),
    /// A header's value with control characters or beyond ASCII.
    #[error("the value holds a character that a header cannot hold")]
    HeaderValue,
    /// The configuration names the place of a secret or a file that was not read.
    #[error("the place that it names was not read")]
    Unresolved,
    /// A user name with a colon.
    #[error("a user name has no colon")]
    Colon,
    /// A proxy that cannot be used.
    #[error("{0}")]
    Proxy(ProxyProblem),
    /// A certificate or key that cannot be used.
    #[error("{0}")]
    Pem(PemProblem),
    /// TLS or a tunnel for what is not `https`.
    #[error("this needs an https:// URL")]
    NeedsHttps,
    /// A JSON pointer that is none.
    #[error("write a JSON pointer: empty, or like /data/token")]
    Pointer,
    /// A cookie's name that is none.
    #[error("a cookie's name is a token: letters, digits, - and _")]
    CookieName,
    /// Two bodies.
    #[error("a request has one body: form or json")]
    TwoBodies,
    /// A time limit of nothing.
    #[error("must be more than 0")]
    Zero,
    /// A value of `traffic` without sense.
    #[error("{0}")]
    Traffic(&'static str),
    /// The HTTP client could not be made: most often no CA certificates.
    #[error("no HTTP client could be made; are CA certificates installed?")]
    Client(#[source] reqwest::Error),
}

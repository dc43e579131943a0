//! An outbound proxy, by HTTP `CONNECT`.
//!
//! The threat: behind a proxy it is the proxy that resolves names and connects, so the policy of
//! [`super::address`] does not see the address that is connected to. Whoever controls the name of
//! the registry in the DNS can make the proxy connect to something inside its own network.
//!
//! What is done about it. The gateway could resolve the name itself and ask the proxy for the
//! checked address; but then TLS has no name to ask for and to hold the other side to, proxies that
//! allow by name refuse it, and where a proxy is prescribed the gateway's own DNS often knows no
//! outside names. So the name goes to the proxy, and what the policy held is held otherwise:
//!
//! - Only `https` goes through a proxy, and TLS is spoken with the other end of the tunnel: a name
//!   that leads elsewhere leads to someone without the registry's certificate. What reaches him is
//!   the beginning of a TLS handshake; no request, no credential, no answer.
//! - A target that is written as an address is checked here all the same, redirects included.
//! - The proxy's own address is under the endpoint's grant: it must be listed in `allow_networks`,
//!   at the moment of connecting. Its password would otherwise travel over the internet in clear.
//! - What the proxy itself may connect to is for its own rules. Let them name the registry.
//!
//! The proxy's credential goes to the proxy alone, the registry's inside TLS alone. A proxy that is
//! spoken to over TLS (`https://`) is not offered: the client below would show it the registry's
//! client certificate and hold it to the registry's authorities.

use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::address::{AddressPolicy, AddressRefused};
use crate::config::endpoint::ProxyConfig;

/// A proxy that may be used.
#[derive(Clone)]
pub(super) struct Proxy {
    url: Url,
    login: Option<(String, SecretString)>,
    policy: AddressPolicy,
}

/// What is wrong with a proxy's configuration, and what to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyProblem {
    /// Of another scheme, or with more than a host and a port.
    #[error("write http://, a host and a port; user and password have keys of their own")]
    Url,
    /// Its address is granted to nobody.
    #[error("list the proxy's own address in allow_networks")]
    NotListed,
    /// It is an address that the policy refuses.
    #[error("{0}; list the proxy's own address in allow_networks")]
    Address(AddressRefused),
    /// One without the other.
    #[error("user and password go together")]
    Half,
    /// A user name with a colon.
    #[error("a user name has no colon")]
    Colon,
    /// The client below cannot hold the other end of a tunnel to such an address.
    #[error("through a proxy a URL has a name or an IPv4 address, no IPv6 address")]
    TargetV6,
}

impl Proxy {
    /// A proxy as configured, or the field that is wrong.
    pub(super) fn new(
        config: &ProxyConfig,
        password: Option<&SecretString>,
        allow: &[IpNet],
    ) -> Result<Self, (&'static str, ProxyProblem)> {
        let url = proxy_url(&config.url).ok_or(("url", ProxyProblem::Url))?;
        if allow.is_empty() {
            return Err(("url", ProxyProblem::NotListed));
        }
        let policy = AddressPolicy::listed_only(allow);
        policy
            .check_literal(&url)
            .map_err(|refused| ("url", ProxyProblem::Address(refused)))?;
        let login = match (&config.user, password) {
            (None, None) => None,
            (Some(user), _) if user.contains(':') => return Err(("user", ProxyProblem::Colon)),
            (Some(user), Some(password)) => Some((user.clone(), password.clone())),
            _ => return Err(("user", ProxyProblem::Half)),
        };
        Ok(Self { url, login, policy })
    }

    /// Which addresses a client behind the proxy connects to: the proxy's.
    pub(super) fn policy(&self) -> &AddressPolicy {
        &self.policy
    }

    pub(super) fn apply(
        &self,
        builder: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, reqwest::Error> {
        let proxy = reqwest::Proxy::all(self.url.as_str())?;
        Ok(builder.proxy(match &self.login {
            Some((user, password)) => proxy.basic_auth(user, password.expose_secret()),
            None => proxy,
        }))
    }
}

fn proxy_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.path() == "/";
    (url.scheme() == "http" && url.has_host() && bare).then_some(url)
}

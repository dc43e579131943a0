//! How an endpoint is connected to: whom it trusts, who it is, through whom.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use url::Url;

use super::{EndpointProblem, Fault, Parts};
use crate::egress::address::AddressPolicy;
use crate::egress::client::{self, ClientParts, Connection};
use crate::egress::proxy::{Proxy, ProxyProblem};
use crate::egress::tls::{self, PemProblem};

impl Parts<'_> {
    /// What it says of connecting to a URL as it is written.
    pub(in crate::egress) fn connection_to(&self, url: &str) -> Result<Connection, Fault> {
        let url = Url::parse(url).map_err(|_| ("base_url".to_owned(), EndpointProblem::NotAUrl))?;
        self.connection(&url)
    }

    /// What the endpoint's configuration says of connecting.
    pub(super) fn connection(&self, base: &Url) -> Result<Connection, Fault> {
        let config = self.config;
        let secure = [
            ("client_certificate", config.client_certificate.is_some()),
            ("ca_file", config.ca_file.is_some()),
            ("proxy", config.proxy.is_some()),
        ];
        let needless = secure.iter().find(|(_, configured)| *configured);
        if let (Some((field, _)), "http") = (needless, base.scheme()) {
            return Err(((*field).to_owned(), EndpointProblem::NeedsHttps));
        }
        Ok(Connection {
            identity: self.identity()?,
            authorities: self.authorities()?,
            proxy: self.proxy()?,
        })
    }

    fn authorities(&self) -> Result<Option<Vec<reqwest::Certificate>>, Fault> {
        if self.config.ca_file.is_none() {
            return Ok(None);
        }
        let bundle = self.secured.and_then(|it| it.ca.as_ref());
        let bundle = bundle.ok_or_else(|| unresolved("ca_file"))?;
        let trusted = tls::authorities(bundle.expose_secret()).map_err(pem("ca_file"))?;
        Ok(Some(trusted))
    }

    fn identity(&self) -> Result<Option<reqwest::Identity>, Fault> {
        if self.config.client_certificate.is_none() {
            return Ok(None);
        }
        let certificate = self.secured.and_then(|it| it.client_certificate.as_ref());
        let certificate = certificate.ok_or_else(|| unresolved("client_certificate"))?;
        let chain = tls::chain(certificate.chain.expose_secret())
            .map_err(pem("client_certificate.chain"))?;
        let identity = tls::identity(&chain, certificate.key.expose_secret());
        Ok(Some(identity.map_err(pem("client_certificate.key"))?))
    }

    fn proxy(&self) -> Result<Option<Proxy>, Fault> {
        let Some(proxy) = &self.config.proxy else {
            return Ok(None);
        };
        let password = self.secured.and_then(|it| it.proxy_password.as_ref());
        if proxy.password.is_some() && password.is_none() {
            return Err(unresolved("proxy.password"));
        }
        let proxy = Proxy::new(proxy, password, &self.config.allow_networks);
        proxy
            .map(Some)
            .map_err(|(field, problem)| (format!("proxy.{field}"), EndpointProblem::Proxy(problem)))
    }

    pub(super) fn client(
        &self,
        target: &Url,
        policy: &AddressPolicy,
        connect_timeout: Duration,
        connection: &Connection,
    ) -> Result<reqwest::Client, EndpointProblem> {
        if connection.proxy.is_some() {
            if target.scheme() != "https" {
                return Err(EndpointProblem::NeedsHttps);
            }
            if let Some(url::Host::Ipv6(_)) = target.host() {
                return Err(EndpointProblem::Proxy(ProxyProblem::TargetV6));
            }
        }
        client::build(ClientParts {
            target,
            policy: policy.clone(),
            lookup: Arc::clone(self.lookup),
            connect_timeout,
            connection,
        })
        .map_err(EndpointProblem::Client)
    }
}

/// Configured, but not read: connecting without would look like a refusal of the registry.
fn unresolved(field: &str) -> Fault {
    (field.to_owned(), EndpointProblem::Unresolved)
}

fn pem(field: &'static str) -> impl Fn(PemProblem) -> Fault {
    move |problem| (field.to_owned(), EndpointProblem::Pem(problem))
}

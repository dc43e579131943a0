//! How an endpoint is connected to: whom it trusts, who it is, through whom.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use url::Url;

use super::{EndpointProblem, Fault, Parts};
use crate::egress::address::AddressPolicy;
use crate::egress::client::{self, ClientParts, Connection};
use crate::egress::proxy::Proxy;
use crate::egress::tls;

impl Parts<'_> {
    /// What the endpoint's configuration says of connecting.
    pub(super) fn connection(&self, base: &Url) -> Result<Connection, Fault> {
        let config = self.config;
        let at = |field: &str, problem| (field.to_owned(), problem);
        let pem = |field: &'static str| move |problem| at(field, EndpointProblem::Pem(problem));
        let secure = [
            ("client_certificate", config.client_certificate.is_some()),
            ("ca_file", config.ca_file.is_some()),
            ("proxy", config.proxy.is_some()),
        ];
        let needless = secure.iter().find(|(_, configured)| *configured);
        if let (Some((field, _)), "http") = (needless, base.scheme()) {
            return Err(at(field, EndpointProblem::NeedsHttps));
        }
        let read = |field: &'static str, is_there| match is_there {
            true => Ok(()),
            false => Err(at(field, EndpointProblem::Unresolved)),
        };
        let mut connection = Connection::default();
        if config.ca_file.is_some() {
            let ca = self.secured.and_then(|it| it.ca.as_ref());
            read("ca_file", ca.is_some())?;
            let list = ca
                .map(|ca| tls::authorities(ca.expose_secret()))
                .transpose();
            connection.authorities = list.map_err(pem("ca_file"))?;
        }
        if config.client_certificate.is_some() {
            let certificate = self.secured.and_then(|it| it.client_certificate.as_ref());
            read("client_certificate", certificate.is_some())?;
            if let Some(certificate) = certificate {
                let chain = tls::chain(certificate.chain.expose_secret())
                    .map_err(pem("client_certificate.chain"))?;
                let identity = tls::identity(&chain, certificate.key.expose_secret())
                    .map_err(pem("client_certificate.key"))?;
                connection.identity = Some(identity);
            }
        }
        if let Some(proxy) = &config.proxy {
            let password = self.secured.and_then(|it| it.proxy_password.as_ref());
            read(
                "proxy.password",
                proxy.password.is_none() || password.is_some(),
            )?;
            let proxy = Proxy::new(proxy, password, &config.allow_networks).map_err(
                |(field, problem)| at(&format!("proxy.{field}"), EndpointProblem::Proxy(problem)),
            )?;
            connection.proxy = Some(proxy);
        }
        Ok(connection)
    }

    pub(super) fn client(
        &self,
        target: &Url,
        policy: &AddressPolicy,
        connect_timeout: Duration,
        connection: &Connection,
    ) -> Result<reqwest::Client, EndpointProblem> {
        if connection.proxy.is_some() && target.scheme() != "https" {
            return Err(EndpointProblem::NeedsHttps);
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

//! From configuration to endpoints: what is wrong is said here, at load, by field.

mod connection;
mod credential;
mod problem;
mod session;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use problem::EndpointProblem;

use self::credential::Around;
use super::address::AddressPolicy;
use super::credential::{Authenticator, secret_value};
use super::endpoint::{Endpoint, Limits};
use super::header::{self, ReservedNames};
use super::path::{self, Base};
use super::resolver::Lookup;
use crate::config::endpoint::{CredentialConfig, EndpointConfig, EndpointSecrets, TokenPlace};

pub(super) type Fault = (String, EndpointProblem);

/// What an endpoint is built from.
pub(super) struct Parts<'a> {
    pub(super) config: &'a EndpointConfig,
    /// What the configuration names the places of, read.
    pub(super) secured: Option<&'a EndpointSecrets>,
    /// What `${secret:name}` stands for.
    pub(super) secrets: &'a BTreeMap<String, SecretString>,
    pub(super) lookup: &'a Arc<dyn Lookup>,
    /// How long a token is kept at least, refused or not.
    pub(super) keep_refused: Duration,
}

impl Parts<'_> {
    /// The endpoint, or the field that is wrong.
    pub(super) fn build(&self) -> Result<Endpoint, Fault> {
        let config = self.config;
        let at = |field: &'static str| move |problem| (field.to_owned(), problem);
        let mapped = |net: &IpNet| match net {
            IpNet::V4(_) => false,
            IpNet::V6(net) => net.addr().to_ipv4_mapped().is_some(),
        };
        if config.allow_networks.iter().any(mapped) {
            return Err(at("allow_networks")(EndpointProblem::MappedNetwork));
        }
        if let Some(problem) = config.allow_networks.iter().find_map(host_bits) {
            return Err(at("allow_networks")(problem));
        }
        let connect_timeout =
            positive(config.connect_timeout_ms).map_err(at("connect_timeout_ms"))?;
        let timeout = positive(config.timeout_ms).map_err(at("timeout_ms"))?;
        let base = self.base().map_err(at("base_url"))?;
        let policy = self
            .policy(base.url(), config.allow_plain_http)
            .map_err(at("base_url"))?;
        let connection = self.connection(base.url())?;
        let authenticator = self.authenticator(&Around {
            base: &base,
            connection: &connection,
            connect_timeout,
            timeout,
        })?;
        let (headers, mut reserved) = self.headers(&authenticator)?;
        if let Some(name) = authenticator.header_name() {
            reserved.insert(name);
        }
        // Ordinary answers may bring the next token there.
        if let CredentialConfig::Session(session) = &config.credential
            && let TokenPlace::Header(name) = &session.token
            && let Ok(name) = HeaderName::from_bytes(name.as_bytes())
        {
            reserved.insert(&name);
        }
        let client = self
            .client(base.url(), &policy, connect_timeout, &connection)
            .map_err(at("base_url"))?;
        Ok(Endpoint {
            base,
            policy,
            client,
            authenticator,
            headers,
            reserved,
            limits: Limits {
                timeout,
                max_request_bytes: config.max_request_bytes,
                max_response_bytes: config.max_response_bytes,
                max_redirects: config.max_redirects,
            },
            trace_context: config.trace_context,
        })
    }

    fn base(&self) -> Result<Base, EndpointProblem> {
        let text = &self.config.base_url;
        let path_begins = text
            .find("://")
            .and_then(|scheme| {
                text.get(scheme + 3..)?
                    .find('/')
                    .map(|path| scheme + 3 + path)
            })
            .unwrap_or(text.len());
        let (origin, path) = text.split_at(path_begins);
        if origin.contains("${") {
            return Err(EndpointProblem::Placeholder);
        }
        let path = self.expand(path, path::encode_segment)?;
        // Before the URL library resolves dots: what is configured is what is meant.
        let clean = path.split(['?', '#']).next().unwrap_or_default();
        let clean = clean.trim_end_matches('/');
        if !clean.is_empty() {
            path::check_path(clean).map_err(|e| EndpointProblem::Path(e.to_string()))?;
        }
        let url = http_url(&format!("{origin}{path}"))?;
        if url.query().is_some() {
            return Err(EndpointProblem::ExtraParts);
        }
        Base::new(url).map_err(|error| EndpointProblem::Path(error.to_string()))
    }

    fn policy(&self, url: &Url, plain: bool) -> Result<AddressPolicy, EndpointProblem> {
        let allow = &self.config.allow_networks;
        let policy = match url.scheme() {
            "http" if !plain && allow.is_empty() => return Err(EndpointProblem::PlainHttp),
            "http" if !plain => AddressPolicy::listed_only(allow),
            _ => AddressPolicy::new(allow),
        };
        policy
            .check_literal(url)
            .map_err(EndpointProblem::Address)?;
        Ok(policy)
    }

    fn headers(&self, authenticator: &Authenticator) -> Result<(HeaderMap, ReservedNames), Fault> {
        let mut headers = HeaderMap::new();
        let mut reserved = ReservedNames::default();
        for (name, template) in &self.config.headers {
            let at = |problem| (format!("headers.{name}"), problem);
            let parsed = configurable(name).map_err(at)?;
            if authenticator.header_name() == Some(&parsed) {
                return Err(at(EndpointProblem::HeaderTwice(name.clone())));
            }
            let text = self.expand(template, str::to_owned).map_err(at)?;
            let value = secret_value(&text).map_err(|_| at(EndpointProblem::HeaderValue))?;
            reserved.insert(&parsed);
            headers.insert(parsed, value);
        }
        Ok((headers, reserved))
    }

    /// Puts named secrets in.
    fn expand(
        &self,
        template: &str,
        encode: fn(&str) -> String,
    ) -> Result<String, EndpointProblem> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after
                .strip_prefix("secret:")
                .and_then(|after| after.split_once('}'))
                .ok_or(EndpointProblem::Placeholder)?;
            let secret = self
                .secrets
                .get(name)
                .ok_or_else(|| EndpointProblem::UnknownSecret(name.to_owned()))?;
            text.push_str(before);
            text.push_str(&encode(secret.expose_secret()));
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }
}

fn http_url(text: &str) -> Result<Url, EndpointProblem> {
    let url = Url::parse(text).map_err(|_| EndpointProblem::NotAUrl)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(EndpointProblem::NotAUrl);
    }
    let user = !url.username().is_empty() || url.password().is_some();
    if user || url.fragment().is_some() {
        return Err(EndpointProblem::ExtraParts);
    }
    Ok(url)
}

/// `10.1.2.3/8` would open all of 10.0.0.0/8 to somebody who meant one host.
fn host_bits(net: &IpNet) -> Option<EndpointProblem> {
    let whole = net.trunc();
    (whole != *net).then(|| EndpointProblem::HostBits(*net, whole, IpNet::from(net.addr())))
}

fn configurable(name: &str) -> Result<HeaderName, EndpointProblem> {
    HeaderName::from_bytes(name.as_bytes())
        .ok()
        .filter(header::is_configurable)
        .ok_or_else(|| EndpointProblem::HeaderName(name.to_owned()))
}

fn positive(milliseconds: u64) -> Result<Duration, EndpointProblem> {
    if milliseconds == 0 {
        return Err(EndpointProblem::Zero);
    }
    Ok(Duration::from_millis(milliseconds))
}

//! From configuration to endpoints: what is wrong is said here, at load, by field.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::address::{AddressPolicy, AddressRefused};
use super::client::{self, ClientParts};
use super::credential::{Authenticator, basic, bearer, secret_value};
use super::endpoint::{Endpoint, Limits};
use super::header::{self, ReservedNames};
use super::path::{self, Base};
use super::resolver::Lookup;
use super::token::{Fetcher, TokenSource};
use crate::config::endpoint::{Credential, CredentialConfig, EndpointConfig, OAuth2Client};

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
    /// A header that cannot be configured.
    #[error("header {0} cannot be set")]
    HeaderName(String),
    /// A header set twice.
    #[error("header {0} is also set by the credential")]
    HeaderTwice(String),
    /// A header's value with control characters or beyond ASCII.
    #[error("the value holds a character that a header cannot hold")]
    HeaderValue,
    /// The configuration names a credential whose secrets were not read.
    #[error("the credential was not resolved")]
    Unresolved,
    /// A user name with a colon.
    #[error("a user name has no colon")]
    Colon,
    /// A time limit of nothing.
    #[error("must be more than 0")]
    Zero,
    /// The HTTP client could not be made: most often no CA certificates.
    #[error("no HTTP client could be made; are CA certificates installed?")]
    Client(#[source] reqwest::Error),
}

pub(super) type Fault = (String, EndpointProblem);

/// What an endpoint is built from.
pub(super) struct Parts<'a> {
    pub(super) config: &'a EndpointConfig,
    pub(super) credential: Option<&'a Credential>,
    pub(super) secrets: &'a BTreeMap<String, SecretString>,
    pub(super) lookup: &'a Arc<dyn Lookup>,
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
        let connect_timeout =
            positive(config.connect_timeout_ms).map_err(at("connect_timeout_ms"))?;
        let timeout = positive(config.timeout_ms).map_err(at("timeout_ms"))?;
        let base = self.base().map_err(at("base_url"))?;
        let policy = self
            .policy(base.url(), config.allow_plain_http)
            .map_err(at("base_url"))?;
        let authenticator = self.authenticator(connect_timeout, timeout)?;
        let (headers, mut reserved) = self.headers(&authenticator)?;
        if let Some(name) = authenticator.header_name() {
            reserved.insert(name);
        }
        let client = self
            .client(base.url(), &policy, connect_timeout)
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
        let address = match url.host() {
            Some(url::Host::Ipv4(address)) => Some(address.into()),
            Some(url::Host::Ipv6(address)) => Some(address.into()),
            Some(url::Host::Domain(_)) | None => None,
        };
        if let Some(address) = address {
            policy.check(address).map_err(EndpointProblem::Address)?;
        }
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

    fn authenticator(
        &self,
        connect_timeout: Duration,
        timeout: Duration,
    ) -> Result<Authenticator, Fault> {
        let at = |field: &'static str| move |problem| (format!("credential.{field}"), problem);
        let header = |_| EndpointProblem::HeaderValue;
        let configured = self.config.credential != CredentialConfig::None {};
        let credential = match self.credential {
            // Sending without a configured credential would look like a refusal of the registry.
            None | Some(Credential::None) if configured => {
                return Err(("credential".to_owned(), EndpointProblem::Unresolved));
            }
            None => &Credential::None,
            Some(credential) => credential,
        };
        Ok(match credential {
            Credential::None => Authenticator::None,
            Credential::Basic { user, password } => {
                if user.contains(':') {
                    return Err(at("user")(EndpointProblem::Colon));
                }
                let value = basic(user, password.expose_secret()).map_err(header);
                Authenticator::Fixed(AUTHORIZATION, value.map_err(at("password"))?)
            }
            Credential::Bearer { token } => {
                let value = bearer(token.expose_secret()).map_err(header);
                Authenticator::Fixed(AUTHORIZATION, value.map_err(at("token"))?)
            }
            Credential::ApiKey {
                header: name,
                value,
            } => {
                let name = configurable(name).map_err(at("header"))?;
                let value = secret_value(value.expose_secret()).map_err(header);
                Authenticator::Fixed(name, value.map_err(at("value"))?)
            }
            Credential::OAuth2(oauth) => self
                .token_source(oauth, connect_timeout, timeout)
                .map(Authenticator::Token)
                .map_err(at("token_url"))?,
        })
    }

    fn token_source(
        &self,
        oauth: &OAuth2Client,
        connect_timeout: Duration,
        timeout: Duration,
    ) -> Result<TokenSource, EndpointProblem> {
        let url = http_url(&oauth.token_url)?;
        // `allow_plain_http` is about the registry's data; a client's secret needs more.
        let policy = self.policy(&url, false)?;
        let client = self.client(&url, &policy, connect_timeout)?;
        Ok(TokenSource::new(Fetcher {
            client,
            url,
            oauth: oauth.clone(),
            timeout,
        }))
    }

    fn client(
        &self,
        target: &Url,
        policy: &AddressPolicy,
        connect_timeout: Duration,
    ) -> Result<reqwest::Client, EndpointProblem> {
        client::build(ClientParts {
            target,
            policy: policy.clone(),
            lookup: Arc::clone(self.lookup),
            connect_timeout,
        })
        .map_err(EndpointProblem::Client)
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

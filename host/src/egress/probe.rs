//! How far the way to an endpoint leads, step by step, for whoever has to mend it.
//!
//! It sends two requests to the base URL, which ask for nobody: one without the credential, so that
//! TLS is told from a login, and one with it. They pass the guard by: an endpoint that rests is just
//! what is looked at. What is told holds names and addresses of the configuration, and nothing that
//! the other side says but its status.

mod tls;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::Method;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use url::{Host, Url};

use super::classify;
use super::client;
use super::credential::Authenticator;
use super::endpoint::Endpoint;
use super::exchange::Sent;
use super::{Egress, Endpoints};
use crate::config::endpoint::EndpointConfig;

/// One step and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeStep {
    /// `name`, `address`, `connection`, `tls`, `credential`, `answer`.
    pub step: &'static str,
    /// How it ended.
    pub end: ProbeEnd,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeEnd {
    /// It works; what was found.
    Works(String),
    /// It does not.
    Fails {
        /// What is wrong.
        problem: String,
        /// What to do.
        remedy: String,
    },
    /// A step before it failed.
    NotReached,
}

/// All steps, in their order.
const STEPS: [&str; 6] = [
    "name",
    "address",
    "connection",
    "tls",
    "credential",
    "answer",
];

type Outcome<T> = Result<(T, String), (String, String)>;

impl Endpoints {
    /// Goes the way to an endpoint until something fails. None: there is no endpoint of that name.
    pub async fn probe(
        &self,
        egress: &Egress,
        name: &str,
        config: &EndpointConfig,
    ) -> Option<Vec<ProbeStep>> {
        let endpoint = &self.endpoints.get(name)?.endpoint;
        let probe = Probe {
            egress,
            endpoint,
            config,
            steps: Vec::new(),
        };
        Some(probe.run().await)
    }
}

struct Probe<'a> {
    egress: &'a Egress,
    endpoint: &'a Endpoint,
    config: &'a EndpointConfig,
    steps: Vec<ProbeStep>,
}

impl Probe<'_> {
    async fn run(mut self) -> Vec<ProbeStep> {
        // What fails ends the way; what was not reached is told as such.
        let _ = self.way().await;
        for step in STEPS.into_iter().skip(self.steps.len()) {
            self.steps.push(ProbeStep {
                step,
                end: ProbeEnd::NotReached,
            });
        }
        self.steps
    }

    async fn way(&mut self) -> Option<()> {
        let target = self.target();
        let found = self.names(&target).await;
        let found = self.tell(found)?;
        let allowed = self.allowed(&found);
        let allowed = self.tell(allowed)?;
        let connected = self.connected(&allowed, &target).await;
        self.tell(connected)?;
        let secured = self.secured().await;
        self.tell(secured)?;
        let credential = self.credential().await;
        self.tell(credential)?;
        let answer = self.answer().await;
        self.tell(answer)
    }

    fn tell<T>(&mut self, outcome: Outcome<T>) -> Option<T> {
        let step = STEPS.get(self.steps.len()).copied().unwrap_or_default();
        let (end, value) = match outcome {
            Ok((value, told)) => (ProbeEnd::Works(told), Some(value)),
            Err((problem, remedy)) => (ProbeEnd::Fails { problem, remedy }, None),
        };
        self.steps.push(ProbeStep { step, end });
        value
    }

    /// Who is connected to: the proxy, where there is one.
    fn target(&self) -> Url {
        let proxy = self.config.proxy.as_ref();
        let proxy = proxy.and_then(|proxy| Url::parse(&proxy.url).ok());
        proxy.unwrap_or_else(|| self.endpoint.base.url().clone())
    }

    async fn names(&self, target: &Url) -> Outcome<Vec<IpAddr>> {
        let name = match target.host() {
            Some(Host::Ipv4(address)) => return Ok((vec![address.into()], "an address".into())),
            Some(Host::Ipv6(address)) => return Ok((vec![address.into()], "an address".into())),
            Some(Host::Domain(name)) => name,
            None => return Err(("there is no host".into(), "correct base_url".into())),
        };
        match timeout(self.connect_timeout(), self.egress.lookup.lookup(name)).await {
            Ok(Ok(found)) if !found.is_empty() => {
                let told = format!("{name} is {}", list(&found));
                Ok((found, told))
            }
            _ => Err((
                format!("{name} does not resolve"),
                "correct the name, or give this machine a DNS that knows it".into(),
            )),
        }
    }

    fn allowed(&self, found: &[IpAddr]) -> Outcome<Vec<IpAddr>> {
        let policy = match &self.config.proxy {
            // As the client behind a proxy has it.
            Some(_) => super::AddressPolicy::listed_only(&self.config.allow_networks),
            None => self.endpoint.policy.clone(),
        };
        let (mut allowed, mut refused) = (Vec::new(), Vec::new());
        for address in found {
            match policy.check(*address) {
                Ok(()) => allowed.push(address.to_canonical()),
                Err(why) => refused.push((address.to_canonical(), why.class)),
            }
        }
        if !allowed.is_empty() {
            let told = list(&allowed);
            return Ok((allowed, told));
        }
        let Some((address, class)) = refused.first() else {
            return Err(("there is no address".into(), "correct the name".into()));
        };
        let problem = format!("{address} is {}, which is not granted", class.word());
        let remedy = if class.is_never_allowed() {
            "no grant opens it: correct the name".to_owned()
        } else {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            format!("if this is the registry, add \"{address}/{bits}\" to allow_networks")
        };
        Err((problem, remedy))
    }

    async fn connected(&self, allowed: &[IpAddr], target: &Url) -> Outcome<()> {
        let port = target.port_or_known_default().unwrap_or(443);
        let mut why = "nobody answers in time";
        for address in allowed {
            let to = SocketAddr::new(*address, port);
            match timeout(self.connect_timeout(), TcpStream::connect(to)).await {
                Ok(Ok(_)) => return Ok(((), format!("port {port} is open"))),
                Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                    why = "the connection is refused";
                }
                Ok(Err(_)) => why = "there is no way to it",
                Err(_) => {}
            }
        }
        let remedy = "is it running, is the port right, and does every firewall in between let \
             this machine through?";
        Err((format!("port {port}: {why}"), remedy.into()))
    }

    /// The first request, without a credential.
    async fn secured(&self) -> Outcome<()> {
        if self.endpoint.base.url().scheme() != "https" {
            return Ok(((), "plain http: there is none".into()));
        }
        let works = Ok(((), "the certificate is trusted and of that name".into()));
        let Err(error) = self.get(None).await else {
            return works;
        };
        if let Some(problem) = tls::explain(&error) {
            return Err(problem);
        }
        let error = classify::sending(&error);
        match error.sent {
            // That there is no HTTP behind it is for the last step to say.
            Sent::SentNoAnswer => works,
            Sent::NotSent => Err(tls::unfinished(&error.message)),
        }
    }

    async fn credential(&self) -> Outcome<()> {
        let told = match &self.endpoint.authenticator {
            Authenticator::None => "none is configured",
            Authenticator::Fixed(..) => "it can be read; the next step says whether it is taken",
            Authenticator::Token(..) => "a token was obtained",
        };
        let deadline = Instant::now() + self.endpoint.limits.timeout;
        match self.endpoint.authenticator.token(deadline).await {
            Ok(_) => Ok(((), told.into())),
            Err(error) => {
                let remedy = "correct the credential: its URL, its user or client, and what its \
                     secret's place holds";
                Err((error.message, remedy.into()))
            }
        }
    }

    /// The second request, as an adapter's would be.
    async fn answer(&self) -> Outcome<()> {
        let deadline = Instant::now() + self.endpoint.limits.timeout;
        let token = self.endpoint.authenticator.token(deadline).await;
        let token = token.map_err(|error| (error.message, "try again".to_owned()))?;
        match self.get(Some(token)).await {
            Ok(status @ (401 | 403)) => Err((
                format!("status {status}: the registry refuses the gateway"),
                "correct the credential, or ask the registry's owner for the right".into(),
            )),
            Ok(status) if status >= 500 => Err((
                format!("status {status}: the registry is in trouble"),
                "ask the registry's owner, or try again later".into(),
            )),
            Ok(status) => Ok(((), format!("status {status}"))),
            Err(error) => match tls::explain(&error) {
                Some(problem) => Err(problem),
                None => Err((
                    classify::sending(&error).message,
                    "is base_url that of the registry's HTTP API, and its scheme right?".into(),
                )),
            },
        }
    }

    /// The status of the base URL. Without the credential where there is none to send.
    async fn get(&self, with: Option<Option<super::token::Token>>) -> Result<u16, reqwest::Error> {
        let url = self.endpoint.base.url().clone();
        let mut request = reqwest::Request::new(Method::GET, url);
        if let Some(token) = with {
            *request.headers_mut() = self.endpoint.headers.clone();
            let headers = request.headers_mut();
            self.endpoint.authenticator.apply(token.as_ref(), headers);
        }
        *request.timeout_mut() = Some(self.endpoint.limits.timeout);
        let deadline = Instant::now() + self.endpoint.limits.timeout;
        let response = client::execute(&self.endpoint.client, request, deadline).await?;
        Ok(response.status().as_u16())
    }

    fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.config.connect_timeout_ms)
    }
}

fn list(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

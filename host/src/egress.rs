//! Outbound HTTP: the only place with reqwest.
//!
//! An adapter names an endpoint and a path below it. Whatever it names, the request goes to an
//! origin, a path and an address that the registry's configuration grants, with a credential that
//! the adapter never sees, within limits of time and size, and its end is told as "not sent" or
//! "perhaps sent".
//!
//! Error texts and logs of this module hold no URL, query, header value or body. The libraries
//! below it do log URLs at their debug and trace levels: keep `reqwest`, `hyper` and `h2` at warn.

pub mod address;
mod body;
mod build;
mod classify;
mod client;
mod cluster;
mod collector;
mod credential;
mod document;
mod endpoint;
mod exchange;
mod guard;
mod header;
mod outlet;
mod path;
mod probe;
mod proxy;
mod remote;
mod replay;
mod resolver;
mod tape;
mod tls;
mod token;
mod trust;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::SecretString;

pub use address::{AddressClass, AddressPolicy, AddressRefused};
pub use build::EndpointProblem;
pub use cluster::{Granted as DayGrant, Ledger, Share};
pub use collector::Collector;
pub use document::{DocumentProblem, Documents};
pub use exchange::{Bounds, ProblemKind, Request, Response, SendError, Sent, Spent};
pub use guard::{Day, NoneLeft, Rate, Refusal};
pub use outlet::{Answered, NoOutlet, Outlet};
pub use probe::{ProbeEnd, ProbeStep};
pub use proxy::ProxyProblem;
pub use remote::{Remote, RemoteError};
pub use replay::Replay;
pub use resolver::{Lookup, SystemLookup};
pub use tape::{Exchanged, Mark, Tape};
pub use tls::{Authorities, PemProblem};

use crate::config::endpoint::{EndpointConfig, EndpointSecrets};

/// What all endpoints share: the way names are looked up, how long a token is kept, and what is known
/// of how they were.
#[derive(Clone)]
pub struct Egress {
    lookup: Arc<dyn Lookup>,
    keep_refused: Duration,
    guards: Arc<guard::Guards>,
}

/// The endpoints granted to one registry. Cheap to clone.
#[derive(Clone)]
pub struct Endpoints {
    registry: Arc<str>,
    endpoints: Arc<BTreeMap<String, Granted>>,
    trust: u64,
    /// Answers in place of all endpoints.
    replay: Option<Arc<Replay>>,
    /// Keeps each answer, or why there was none.
    tape: Option<Arc<Tape>>,
}

/// An endpoint and who stands before it.
struct Granted {
    endpoint: endpoint::Endpoint,
    guard: Arc<guard::Guard>,
}

/// An endpoint cannot be built as configured.
#[derive(Debug, thiserror::Error)]
#[error("registry {registry}, endpoint {endpoint}, {field}: {problem}")]
pub struct EgressError {
    /// The registry's name.
    pub registry: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// Below the endpoint, like `credential.token_url`.
    pub field: String,
    /// What is wrong with it, and what to write.
    pub problem: EndpointProblem,
}

impl Egress {
    /// With the operating system's resolver.
    pub fn new() -> Self {
        Self::with_lookup(Arc::new(SystemLookup))
    }

    /// With another resolver.
    pub fn with_lookup(lookup: Arc<dyn Lookup>) -> Self {
        // The first to come installs it for the process; it is the same one whoever does.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        Self {
            lookup,
            keep_refused: token::KEEP_REFUSED,
            guards: Arc::default(),
        }
    }

    /// With somebody who counts what all gateways use of a day together, and the share of each rate
    /// that is this one's. Without, what is counted by the day is not sent.
    #[must_use]
    pub fn in_cluster(mut self, ledger: Arc<dyn Ledger>, share: Arc<Share>) -> Self {
        self.guards = Arc::new(guard::Guards::in_cluster(ledger, share));
        self
    }

    /// Gives back what was taken of a day and not used for so long.
    pub async fn give_back(&self, unused: Duration) {
        self.guards.give_back(unused).await;
    }
}

impl Default for Egress {
    fn default() -> Self {
        Self::new()
    }
}

impl Endpoints {
    /// Builds all endpoints of a registry, or says which field of which one is wrong.
    /// `secrets` are those that `${secret:name}` names. `secured` is by endpoint and already read;
    /// an endpoint without one there sends no credential.
    pub fn build(
        egress: &Egress,
        registry: &str,
        configs: &BTreeMap<String, EndpointConfig>,
        secrets: &BTreeMap<String, SecretString>,
        secured: &BTreeMap<String, EndpointSecrets>,
    ) -> Result<Self, EgressError> {
        let mut endpoints = BTreeMap::new();
        for (name, config) in configs {
            let parts = build::Parts {
                config,
                secured: secured.get(name),
                secrets,
                lookup: &egress.lookup,
                keep_refused: egress.keep_refused,
            };
            let traffic = config.traffic.check().map_err(|(field, problem)| {
                let field = format!("traffic.{field}");
                (field, EndpointProblem::Traffic(problem))
            });
            let built = traffic.and_then(|()| parts.build());
            let endpoint = built.map_err(|(field, problem)| EgressError {
                registry: registry.to_owned(),
                endpoint: name.clone(),
                field,
                problem,
            })?;
            let guard = egress.guards.before(registry, name, config);
            endpoints.insert(name.clone(), Granted { endpoint, guard });
        }
        Ok(Self {
            registry: registry.into(),
            endpoints: Arc::new(endpoints),
            replay: None,
            tape: None,
            trust: trust::version(),
        })
    }

    /// Whether both were built while the system trusted the same certificate authorities.
    pub fn trust_as(&self, other: &Self) -> bool {
        self.trust == other.trust
    }

    /// The names that an adapter may use.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.endpoints.keys().map(String::as_str)
    }

    /// Whether one of them rests, by its failures or by the registry's word: a call that needs it
    /// would end as the last one did.
    pub fn resting(&self) -> bool {
        self.endpoints.values().any(|it| it.guard.resting())
    }

    /// How many requests were refused before they were sent, by endpoint and reason, since the
    /// guard stands there.
    pub fn refusals(&self) -> impl Iterator<Item = (&str, Refusal, u64)> {
        self.endpoints.iter().flat_map(|(name, it)| {
            let refusals = it.guard.refusals();
            refusals.map(move |(why, count)| (name.as_str(), why, count))
        })
    }

    /// Sends one request. It is sent a second time to follow a redirect, or where it only reads
    /// and the registry refused its token, and never otherwise. Any status is an answer.
    pub async fn send(
        &self,
        endpoint: &str,
        request: Request,
        bounds: Bounds,
    ) -> Result<Response, SendError> {
        let kept = self
            .tape
            .as_ref()
            .map(|tape| (tape, tape.ask(endpoint, request.clone())));
        let result = match &self.replay {
            Some(replay) => replay(endpoint, &request),
            None => self.send_there(endpoint, request, bounds).await,
        };
        if let Some((tape, asked)) = kept {
            tape.answer(asked, &result);
        }
        result
    }

    async fn send_there(
        &self,
        endpoint: &str,
        request: Request,
        bounds: Bounds,
    ) -> Result<Response, SendError> {
        let Some(granted) = self.endpoints.get(endpoint) else {
            let message = "the endpoint is not granted to this registry";
            return Err(SendError::not_sent(
                ProblemKind::EndpointNotGranted,
                message,
            ));
        };
        let begun = Instant::now();
        let Granted {
            endpoint: to,
            guard,
        } = granted;
        let result = to.send(guard, request, bounds).await;
        tracing::debug!(
            registry = %self.registry,
            endpoint,
            http.status = result.as_ref().map(|response| response.status).ok(),
            problem.kind = result.as_ref().err().map(|error| error.kind.word()),
            elapsed_ms = begun.elapsed().as_millis() as u64,
            "sent"
        );
        result
    }
}

/// Names alone.
impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoints")
            .field("registry", &self.registry)
            .field("names", &self.endpoints.keys())
            .finish()
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

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
mod credential;
mod endpoint;
mod exchange;
mod header;
mod path;
mod resolver;
mod token;
mod trust;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use secrecy::SecretString;

pub use address::{AddressClass, AddressPolicy, AddressRefused};
pub use build::EndpointProblem;
pub use exchange::{Bounds, ProblemKind, Request, Response, SendError, Sent};
pub use resolver::{Lookup, SystemLookup};

use crate::config::endpoint::{Credential, EndpointConfig};

/// What all endpoints share: the way names are looked up.
#[derive(Clone)]
pub struct Egress {
    lookup: Arc<dyn Lookup>,
}

/// The endpoints granted to one registry. Cheap to clone.
#[derive(Clone)]
pub struct Endpoints {
    registry: Arc<str>,
    endpoints: Arc<BTreeMap<String, endpoint::Endpoint>>,
    trust: u64,
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
        Self { lookup }
    }
}

impl Default for Egress {
    fn default() -> Self {
        Self::new()
    }
}

impl Endpoints {
    /// Builds all endpoints of a registry, or says which field of which one is wrong.
    /// `secrets` are those that `${secret:name}` names. `credentials` are by endpoint and already
    /// read; an endpoint without one there sends none.
    pub fn build(
        egress: &Egress,
        registry: &str,
        configs: &BTreeMap<String, EndpointConfig>,
        secrets: &BTreeMap<String, SecretString>,
        credentials: &BTreeMap<String, Credential>,
    ) -> Result<Self, EgressError> {
        let mut endpoints = BTreeMap::new();
        for (name, config) in configs {
            let parts = build::Parts {
                config,
                credential: credentials.get(name),
                secrets,
                lookup: &egress.lookup,
            };
            let built = parts.build().map_err(|(field, problem)| EgressError {
                registry: registry.to_owned(),
                endpoint: name.clone(),
                field,
                problem,
            })?;
            endpoints.insert(name.clone(), built);
        }
        Ok(Self {
            registry: registry.into(),
            endpoints: Arc::new(endpoints),
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

    /// Sends one request. It is never sent a second time, other than to follow a redirect.
    /// Any status is an answer.
    pub async fn send(
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
        let result = granted.send(request, bounds).await;
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

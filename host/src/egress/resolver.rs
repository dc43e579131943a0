//! Names to addresses. The list that the policy filtered is the list that is connected to, so a
//! name that answers differently the second time (rebinding) gains nothing.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{AddressPolicy, AddressRefused};

/// Looks a name up. Tests bring their own.
#[async_trait]
pub trait Lookup: Send + Sync {
    /// All addresses of a name.
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// A lookup behind an endpoint's policy.
pub(super) struct PolicyResolver {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) policy: AddressPolicy,
}

impl Resolve for PolicyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = Arc::clone(&self.lookup);
        let policy = self.policy.clone();
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await?;
            let addresses = filter(&policy, found)?;
            // Port 0: the connector puts the URL's own port in.
            let list = addresses.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(list) as Addrs)
        })
    }
}

/// What the policy leaves of a list. Nothing left of something: the refusal of the first.
fn filter(policy: &AddressPolicy, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, BoxError> {
    let mut refused: Option<AddressRefused> = None;
    let mut allowed = Vec::with_capacity(found.len());
    for address in found {
        match policy.check(address) {
            Ok(()) => allowed.push(address.to_canonical()),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    match (allowed.is_empty(), refused) {
        (false, _) => Ok(allowed),
        (true, Some(refusal)) => Err(Box::new(refusal)),
        (true, None) => Err("the name has no address".into()),
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

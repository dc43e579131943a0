//! Webhooks: callers are told of events at an address of theirs, by the Standard Webhooks
//! specification. A subscription reads the feed as its caller would, one event after the other, and
//! goes on once the receiver has taken it.

mod acts;
mod add;
mod message;
mod secret;
mod send;

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use tokio::sync::{Notify, Semaphore};
use url::Url;

pub use acts::{Pinged, Rotated};
pub use add::{AddedWebhook, NewWebhook};
pub(super) use secret::place_of_secret;

use crate::config::secret::Secrets;
use crate::config::webhooks::WebhooksConfig;
use crate::egress::{Authorities, Egress, Outlet};
use crate::gateway::StartError;
use crate::store::Webhook;

/// A subscription as administrators see it.
#[derive(Clone, Debug)]
pub struct WebhookView {
    /// As it is kept.
    pub known: Webhook,
    /// How many positions of the feed, of whichever registry, are behind what is over for it.
    pub lag: u64,
    /// Until when the secret before is signed with, too.
    pub previous_until: Option<Timestamp>,
}

/// How this gateway sends.
pub(super) struct Sending {
    config: WebhooksConfig,
    egress: Egress,
    authorities: Option<Authorities>,
    /// Something may be due.
    wake: Arc<Notify>,
    places: Arc<Semaphore>,
}

impl Sending {
    pub(super) fn new(
        config: &WebhooksConfig,
        egress: &Egress,
        secrets: &Secrets,
    ) -> Result<Self, StartError> {
        let places = usize::try_from(config.at_once.get()).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self {
            config: config.clone(),
            egress: egress.clone(),
            authorities: authorities(config, secrets).map_err(StartError::WebhookAuthorities)?,
            wake: Arc::default(),
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
        })
    }

    /// The way to a subscription's URL, or what is wrong with it and the remedy. The configuration may
    /// have changed since it was added.
    fn outlet(&self, url: &str) -> Result<Outlet, String> {
        let url =
            Url::parse(url).map_err(|_| "it is no URL: write https://host/path".to_owned())?;
        let Some(host) = url.host_str() else {
            return Err("it has no host".into());
        };
        if !self.config.allows(host) {
            return Err(
                "its host is not in [webhooks] allow_hosts of the gateway's configuration".into(),
            );
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(
                "a user, a password or a fragment has no place in it: messages are signed".into(),
            );
        }
        let networks = &self.config.allow_networks;
        let trusted = self.authorities.as_ref();
        let outlet = self.egress.outlet(&url, networks, self.timeout(), trusted);
        outlet.map_err(|error| error.to_string())
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(self.config.timeout_ms.get().into())
    }

    fn first_wait(&self) -> Duration {
        Duration::from_millis(self.config.first_wait_ms.get())
    }

    fn pause_after(&self) -> Duration {
        Duration::from_millis(self.config.pause_after_ms.get())
    }

    /// After so many failures before this one: twice as long as before the last, and a part more by
    /// chance, lest all that failed together come again together.
    fn wait(&self, failures: u32) -> Duration {
        let longest = Duration::from_millis(self.config.max_wait_ms.get()).max(self.first_wait());
        let waits = ExponentialBuilder::new()
            .with_min_delay(self.first_wait())
            .with_max_delay(longest)
            .without_max_times()
            .with_jitter();
        let failures = usize::try_from(failures).unwrap_or(usize::MAX);
        let wait = waits.build().nth(failures.min(64));
        wait.unwrap_or(longest).min(longest)
    }
}

/// Those that the configuration names, or what is wrong with it.
fn authorities(config: &WebhooksConfig, secrets: &Secrets) -> Result<Option<Authorities>, String> {
    let Some(source) = &config.ca_file else {
        return Ok(None);
    };
    let field = "webhooks.ca_file";
    let pem = secrets.resolve(field, source);
    let pem = pem.map_err(|error| error.to_string())?;
    let read = Authorities::read(pem.expose_secret());
    read.map(Some).map_err(|why| format!("{field}: {why}"))
}

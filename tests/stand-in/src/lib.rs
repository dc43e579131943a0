//! A stand-in registry: it speaks SPDCI v1.0.0, strictly, for up to a million invented people.
//!
//! In a test:
//!
//! ```no_run
//! # async fn example() {
//! use stand_in::{Fault, Options, StandIn};
//! let registry = StandIn::start(Options { people: 500, ..Options::default() }).await;
//! let person = registry.population().person(7);
//! let search = format!("{}/registry/sync/search", registry.url());
//! registry.set_fault(Fault::Unavailable);
//! # }
//! ```
//!
//! By hand:
//!
//! ```text
//! cargo run -p stand-in --example stand-in -- --listen 127.0.0.1:4010 --people 1000000
//! curl -s http://127.0.0.1:4010/registry/sync/search -H 'content-type: application/json' -d '{
//!   "header": {"message_id": "1", "message_ts": "2026-01-01T00:00:00Z", "action": "search",
//!              "sender_id": "me", "total_count": 1},
//!   "message": {"transaction_id": "1", "search_request": [{
//!     "reference_id": "1", "timestamp": "2026-01-01T00:00:00Z",
//!     "search_criteria": {"reg_type": "ns:org:RegistryType:Civil", "reg_record_type": "Person",
//!       "query_type": "idtype-value", "query": {"type": "UIN", "value": "9900000003"}}}]}}'
//! ```
//!
//! That UIN asks for a fault, as the table in [`fault`] says. What identifiers look like is in
//! [`identifier`]. A population depends on nothing but its seed; a larger one holds the people of a
//! smaller one, apart from the members whom the end of the smaller one cut off.
//!
//! Paths: `POST {prefix}/registry/sync/search`, `POST {prefix}/registry/sync/txn/status` (rejected
//! for what was answered at once), `POST /oauth2/client/token`, `GET /healthz`; the asynchronous
//! calls are in [`later`], those of a beneficiary registry in [`beneficiaries`]. Not spoken:
//! signatures, encryption, GraphQL.
//!
//! Beside them is an API of records that can be written to, with callbacks, see [`records`].

#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "test support: what it indexes it made itself, and a failed start is a failed test"
)]

pub mod beneficiaries;
pub mod fault;
pub mod identifier;
pub mod later;
pub mod names;
pub mod people;
pub mod records;

pub mod token;

mod answer;
mod attribute;
mod criteria;
mod envelope;
mod filter;
mod homes;
mod misbehave;
mod outgoing;
mod person;
mod record;
mod search;
mod server;
mod shuffle;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use beneficiaries::Beneficiaries;
pub use criteria::Register;
pub use fault::Fault;
pub use later::Later;
pub use people::{Person, Population};
pub use records::{Records, RecordsOptions};
pub use token::OauthClient;

use server::Shared;

/// A running registry; dropping it closes the listener and all connections.
#[derive(Debug)]
pub struct StandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
    callbacks: JoinHandle<()>,
}

/// How a registry is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How many people: 20 to 1,000,000.
    pub people: u64,
    /// What the people depend on.
    pub seed: u64,
    /// Before every SPDCI path, such as `/sr`; empty for none.
    pub prefix: String,
    /// The register that is asked where a search names none.
    pub register: Register,
    /// The `sender_id` of its answers.
    pub registry_id: String,
    /// A bearer token that is good for ever.
    pub bearer: Option<String>,
    /// The client that may get tokens. With neither this nor `bearer`, everybody may ask.
    pub oauth: Option<OauthClient>,
    /// How long a token is good for.
    pub token_lifetime: Duration,
    /// The fault to begin with.
    pub fault: Fault,
    /// 3 for the fault in every third request only.
    pub fault_every: u64,
    /// A search that matches more is rejected.
    pub max_records: usize,
    /// Whether a `message_id` that came before is rejected. Off, since load tests repeat a body.
    pub refuse_repeats: bool,
    /// Of the API of records.
    pub records: RecordsOptions,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The bytes of the body.
    pub body: Bytes,
}

impl StandIn {
    /// Starts a registry.
    ///
    /// # Panics
    /// If it can't listen: a test can't go on then.
    pub async fn start(options: Options) -> Self {
        Self::try_start(options)
            .await
            .expect("the stand-in registry listens")
    }

    /// Starts a registry, or says why it can't listen.
    pub async fn try_start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let (records, to_send) = Records::new(options.records.clone())?;
        let shared = Arc::new(Shared::new(options, records));
        let task = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        let callbacks = tokio::spawn(records::deliver(to_send, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            task,
            callbacks,
        })
    }

    /// `http://127.0.0.1:PORT`, without the prefix.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its people.
    pub fn population(&self) -> &Population {
        &self.shared.people
    }

    /// Its records.
    pub fn records(&self) -> &Records {
        &self.shared.records
    }

    /// What it answers later.
    pub fn later(&self) -> &Later {
        &self.shared.later
    }

    /// Sends the callbacks that were kept back in this order, each so many times.
    pub fn release_callbacks(&self, order: records::Order, copies: usize) {
        later::release(&self.shared, order, copies);
    }

    /// Tells who subscribed to this `reg_event_type` that something happened, under a transaction's
    /// and a reference's number. False: nobody did.
    pub fn notify(&self, word: &str, numbers: [&str; 2], records: Value) -> bool {
        later::notify(&self.shared, word, numbers, records)
    }

    /// Who is in which programme.
    pub fn beneficiaries(&self) -> &Beneficiaries {
        &self.shared.beneficiaries
    }

    /// How many requests came, apart from those for tokens and health.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// The last of them.
    pub fn last_request(&self) -> Option<Received> {
        server::lock(&self.shared.last).clone()
    }

    /// From now on every request meets this fault; [`Fault::None`] ends it.
    pub fn set_fault(&self, fault: Fault) {
        *server::lock(&self.shared.fault) = fault;
    }

    /// How many tokens were given out.
    pub fn tokens_issued(&self) -> u64 {
        self.shared.tokens.issued()
    }

    /// Withdraws all tokens that were given out.
    pub fn revoke_tokens(&self) {
        self.shared.tokens.revoke();
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
        self.callbacks.abort();
    }
}

impl Received {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            people: 1_000,
            seed: 1,
            prefix: String::new(),
            register: Register::default(),
            registry_id: "stand-in".into(),
            bearer: None,
            oauth: None,
            token_lifetime: Duration::from_mins(10),
            fault: Fault::None,
            fault_every: 1,
            max_records: 1_000,
            refuse_repeats: false,
            records: RecordsOptions::default(),
        }
    }
}

#[cfg(test)]
mod tests;

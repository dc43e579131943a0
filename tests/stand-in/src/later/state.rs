//! What is kept of what is answered later.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use url::Url;

/// All of it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) after: Duration,
    pub(super) token: String,
    pub(super) to_lose: u32,
    pub(super) keeps_quiet: bool,
    pub(super) held: Option<Vec<Called>>,
    pub(super) order: Vec<String>,
    pub(super) transactions: BTreeMap<String, Transaction>,
    /// By `reg_event_type`.
    pub(super) subscriptions: BTreeMap<String, Subscribed>,
    pub(super) answered: Vec<(u16, Value)>,
    /// `reg_event_type`s that nobody may subscribe to.
    pub(super) refused: BTreeSet<String>,
}

/// A callback to send.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) url: Url,
    pub(super) body: String,
}

/// What became of a request.
#[derive(Debug, Clone)]
pub(super) enum Transaction {
    /// A search that is worked on: its `reference_id`.
    Underway(String),
    /// The message that answers it.
    Done(Value),
}

/// Who wants a kind of event.
#[derive(Debug)]
pub(super) struct Subscribed {
    pub(super) code: String,
    pub(super) sender_uri: Url,
}

impl Default for State {
    fn default() -> Self {
        Self {
            after: Duration::from_millis(20),
            token: "stand-in-token".to_owned(),
            to_lose: 0,
            keeps_quiet: false,
            held: None,
            order: Vec::new(),
            transactions: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            answered: Vec::new(),
            refused: BTreeSet::new(),
        }
    }
}

//! What this registry answers later, as SPDCI has it: searches that are acknowledged and answered by
//! a callback to `header.sender_uri`, what became of them, and subscriptions to life events.
//!
//! | request | answer |
//! |---|---|
//! | `POST {prefix}/registry/search` | an acknowledgement; later `on-search` |
//! | `POST {prefix}/registry/sync/txn/status` | the answer to a search, or `pdng`; a subscription's code |
//! | `POST {prefix}/registry/subscribe`, `unsubscribe` | an acknowledgement; `on-subscribe` |

mod routes;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use crate::outgoing;
use crate::records::Order;
use crate::server::{Shared, lock};

pub(crate) use routes::{routes, status_of};
use state::{Called, State, Transaction};

/// Attempts at a callback that is not taken.
const ATTEMPTS: u32 = 40;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(100);

/// What is answered later, and what a test may do with it.
#[derive(Debug)]
pub struct Later {
    state: Mutex<State>,
}

impl Later {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::default(),
        }
    }

    /// So long after its request a callback is sent.
    pub fn set_after(&self, after: Duration) {
        self.state().after = after;
    }

    /// The bearer token of callbacks.
    pub fn set_token(&self, token: &str) {
        token.clone_into(&mut self.state().token);
    }

    /// The next callbacks, so many, are never sent.
    pub fn lose(&self, callbacks: u32) {
        self.state().to_lose = callbacks;
    }

    /// Whether it tells what became of a transaction. It does, unless it is told not to.
    pub fn tell_status(&self, tells: bool) {
        self.state().keeps_quiet = !tells;
    }

    /// Keeps callbacks back until [`Later::release`].
    pub fn hold(&self) {
        self.state().held.get_or_insert_default();
    }

    /// How many callbacks are kept back.
    pub fn held(&self) -> usize {
        self.state().held.as_ref().map_or(0, Vec::len)
    }

    /// The searches and subscriptions that came, in order.
    pub fn transactions(&self) -> Vec<String> {
        self.state().order.clone()
    }

    /// Whether nobody may subscribe to this kind of event.
    pub fn refuse_subscription(&self, word: &str, refuses: bool) {
        let refused = &mut self.state().refused;
        if refuses {
            refused.insert(word.to_owned());
        } else {
            refused.remove(word);
        }
    }

    /// What is subscribed to, with the code.
    pub fn subscriptions(&self) -> BTreeMap<String, String> {
        let state = self.state();
        let live = state.subscriptions.iter();
        live.map(|(word, one)| (word.clone(), one.code.clone()))
            .collect()
    }

    /// The statuses and bodies with which callbacks were answered.
    pub fn answered(&self) -> Vec<(u16, Value)> {
        self.state().answered.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Ends what is underway: from now on its status is the answer.
    fn finish(&self, transaction_id: &str, message: Value) {
        let done = Transaction::Done(message);
        self.state()
            .transactions
            .insert(transaction_id.to_owned(), done);
    }
}

/// Sends what was kept back in this order, each so many times, and keeps nothing back any more.
pub(crate) fn release(shared: &Arc<Shared>, order: Order, copies: usize) {
    let mut held = shared.later.state().held.take().unwrap_or_default();
    if order == Order::Reversed {
        held.reverse();
    }
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        for called in held {
            for _ in 0..copies {
                send(&shared, &called).await;
            }
        }
    });
}

/// Tells who subscribed that something happened. False: nobody did.
pub(crate) fn notify(shared: &Arc<Shared>, word: &str, numbers: [&str; 2], records: Value) -> bool {
    let Some(base) = shared
        .later
        .state()
        .subscriptions
        .get(word)
        .map(|it| it.sender_uri.clone())
    else {
        return false;
    };
    let [transaction_id, reference_id] = numbers;
    let message = json!({
        "transaction_id": transaction_id,
        "notify_event": [{
            "reference_id": reference_id,
            "timestamp": "2026-01-02T03:04:05Z",
            "data": { "reg_event_type": word, "reg_records": records },
        }],
    });
    call_back(shared, &base, "notify", "registry/notify", message);
    true
}

/// Calls back, now or as the test has it.
fn call_back(shared: &Arc<Shared>, base: &Url, action: &str, path: &str, message: Value) {
    let body = json!({
        "header": {
            "version": "1.0.0",
            "message_id": format!("stand-in-callback-{action}"),
            "message_ts": "2026-01-02T03:04:05Z",
            "action": action,
            "status": "succ",
            "sender_id": shared.options.registry_id,
        },
        "message": message,
    });
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    let called = Called {
        url,
        body: body.to_string(),
    };
    let after = {
        let mut state = shared.later.state();
        if state.to_lose > 0 {
            state.to_lose -= 1;
            return;
        }
        if let Some(held) = &mut state.held {
            held.push(called);
            return;
        }
        state.after
    };
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        send(&shared, &called).await;
    });
}

async fn send(shared: &Arc<Shared>, called: &Called) {
    for _ in 0..ATTEMPTS {
        let token = format!("Bearer {}", shared.later.state().token);
        let header = ("authorization", token.as_str());
        if let Ok((status, body)) = outgoing::post(&called.url, header, &called.body).await {
            let body = serde_json::from_slice(&body).unwrap_or_default();
            shared.later.state().answered.push((status, body));
            if status < 500 && status != 429 {
                return;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

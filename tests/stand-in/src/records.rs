//! The records API: a registry that can be written to, for the gateway's writes and life events.
//!
//! **No standard and no product speaks this protocol.** It is invented for tests and the demo, plain
//! JSON over HTTP, with what a careful registry would offer: versions, keys of idempotency, a way to
//! ask what became of a key, callbacks, and changes by number. It begins empty, beside the people of
//! the SPDCI endpoints and without them.
//!
//! | request | what it does |
//! |---|---|
//! | `POST /records` | makes a record of `names`, `sex` (`F`, `M`, `U`), `born`, `died` |
//! | `PUT /records/{id}/addresses` | a list: the addresses of a new record come after it |
//! | `GET /records/{id}` | the record with its version, addresses and links |
//! | `PATCH /records/{id}` | changes the fields that the body names; null clears one |
//! | `PUT`, `DELETE /records/{id}/links/{scheme}/{value}` | ties or unties an identifier |
//! | `POST /enrolments` | `programme`, `record`, `status`, `reason`, `from`, `until` |
//! | `GET /operations/{key}` | what became of a key: `done`, `refused` or `underway`; 404 unknown |
//! | `POST /events` | the counter: a registrar enters a birth, death, marriage or correction |
//! | `GET /events/{id}` | a callback as it was sent: who gets one may ask whether it is ours |
//! | `GET /changes?after=N&limit=` | events by number, `next` to go on from, `more` |
//! | `PUT /hook` | where callbacks go: `url`, `secret` |
//!
//! A write carries `Idempotency-Key`: the same key with the same request gets the same answer and is
//! done once; with another request it gets 409 `key.reused`. A refusal changes nothing, so its key is
//! looked at anew. `If-Match: "version"` gets 412 `version.moved` where the record has moved on. A
//! refusal's body is `{"code", "field"}`, a receipt `{"outcome", "id", "version", "reference"}`.
//!
//! Callbacks are `POST`s of JSON with `X-Signature: hex(HMAC-SHA256(secret, body))`. A `type` of
//! `event` tells what happened, an echo of a write with its key in `causedBy`; a `type` of `answer`
//! brings what became of a key that was answered 202. Each has an `id`, the same over repeats.
//!
//! All that is done stands in the [`Ledger`], in order. What may go wrong is in [`Mishap`].

mod book;
mod content;
mod event;
mod hook;
mod ledger;
mod mishap;
mod routes;

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::server::lock;

pub use event::{Happening, What};
pub use hook::{Hook, Order};
pub use ledger::{Effect, Ledger};
pub use mishap::{Mishap, Schedule};

pub(crate) use hook::deliver;
pub(crate) use routes::routes;

use book::{Action, Answered, Book};

/// How the records API is set up.
#[derive(Debug, Clone, Default)]
pub struct RecordsOptions {
    /// A registry that knows no keys: what is sent twice is done twice, and nobody can ask.
    pub forgets_keys: bool,
    /// Where each effect is appended as a line of JSON, for a checker in another process.
    pub ledger: Option<PathBuf>,
    /// Where callbacks go from the start.
    pub hook: Option<Hook>,
    /// What goes wrong by itself.
    pub schedule: Option<Schedule>,
}

/// The records, and what a test may do with them.
#[derive(Debug)]
pub struct Records {
    forgets_keys: bool,
    book: Mutex<Book>,
    mishaps: Mutex<mishap::Mishaps>,
    hooks: Mutex<hook::Hooks>,
    out: UnboundedSender<hook::Callback>,
}

impl Records {
    pub(crate) fn new(
        options: RecordsOptions,
    ) -> io::Result<(Self, UnboundedReceiver<hook::Callback>)> {
        let (out, to_send) = unbounded_channel();
        let records = Self {
            forgets_keys: options.forgets_keys,
            book: Mutex::new(Book::new(Ledger::open(options.ledger.as_deref())?)),
            mishaps: Mutex::new(mishap::Mishaps::new(options.schedule.clone())),
            hooks: Mutex::new(hook::Hooks::new(options.hook, options.schedule)),
            out,
        };
        Ok((records, to_send))
    }

    /// A record that is there before anybody asks; the same fields as in `POST /records`. Nobody is
    /// called back, and it is not in the ledger.
    ///
    /// # Panics
    /// Where `POST /records` would refuse it.
    pub fn put(&self, content: &Value) -> String {
        self.book()
            .put(content)
            .expect("what POST /records and its addresses would take")
    }

    /// A record as `GET /records/{id}` tells it.
    pub fn record(&self, id: &str) -> Option<Value> {
        self.book().record(id)
    }

    /// All that was done, so far.
    pub fn ledger(&self) -> Ledger {
        self.book().ledger.clone()
    }

    /// How often a write with this key came, whatever became of it.
    pub fn arrivals(&self, key: &str) -> u64 {
        self.book().arrivals(key)
    }

    /// All keys with which a write came.
    pub fn keys(&self) -> Vec<String> {
        self.book().keys()
    }

    /// The next write meets this; those that are injected after it, the writes after that.
    pub fn inject(&self, mishap: Mishap) {
        lock(&self.mishaps).inject(mishap);
    }

    /// From now on mishaps come by this schedule, or none.
    pub fn set_schedule(&self, schedule: Option<Schedule>) {
        lock(&self.mishaps).set_schedule(schedule.clone());
        lock(&self.hooks).set_schedule(schedule);
    }

    /// Where callbacks go from now on. Those that wait go there too.
    pub fn set_hook(&self, hook: Option<Hook>) {
        lock(&self.hooks).set(hook);
    }

    /// Keeps callbacks back until [`Records::release`].
    pub fn hold(&self) {
        lock(&self.hooks).hold();
    }

    /// Sends what was kept back in this order, each so many times, and keeps nothing back any more.
    pub fn release(&self, order: Order, copies: usize) {
        for callback in lock(&self.hooks).release(order, copies) {
            let _ = self.out.send(callback);
        }
    }

    /// How many callbacks the hook took (2xx), and how many it refused or never answered.
    pub fn called_back(&self) -> (u64, u64) {
        lock(&self.hooks).counts()
    }

    /// A registrar enters what happened in life: it is written, told by the hook and in the changes.
    ///
    /// # Errors
    /// The status and body with which `POST /events` refuses it.
    pub fn register(&self, happening: &Happening) -> Result<String, (u16, Value)> {
        let told = {
            let mut book = self.book();
            event::register(&mut book, happening)
        };
        let event = told.map_err(content::Problem::told)?;
        let id = event["id"].as_str().unwrap_or_default().to_owned();
        self.tell(event);
        Ok(id)
    }

    /// The body of a callback or of an event, by its id.
    pub fn told(&self, id: &str) -> Option<Value> {
        self.book().told(id)
    }

    /// All that was told so far, events and answers, in order.
    pub fn all_told(&self) -> Vec<Value> {
        self.book().all_told()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }

    /// Does a write, once for its key.
    fn apply(&self, key: &str, print: &str, action: &Action) -> Answered {
        let (answered, echo) = self.book().apply(key, print, action, self.forgets_keys);
        if let Some(echo) = echo {
            self.tell(echo);
        }
        answered
    }

    /// Takes a write that is done later. None: the key is known, and this is its answer.
    fn accept(&self, key: &str, print: &str) -> Option<Answered> {
        self.book().accept(key, print)
    }

    /// Does what was accepted, and calls back if told to.
    async fn finish(&self, key: &str, print: &str, action: Action, after: Duration, calls: bool) {
        tokio::time::sleep(after).await;
        self.book().begin(key);
        let (status, body) = self.apply(key, print, &action);
        if calls {
            let answer = json!({
                "type": "answer", "reference": key, "status": status.as_u16(), "body": body,
            });
            let answer = self.book().remember(answer);
            self.tell(answer);
        }
    }

    fn tell(&self, callback: Value) {
        let mut hooks = lock(&self.hooks);
        if let Some(callback) = hooks.keep_or_pass(callback) {
            let _ = self.out.send(callback);
        }
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn created() -> StatusCode {
    StatusCode::CREATED
}

//! What one test thread has on its stage.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::call::{ConsentStatement, PresentedProof};
use crate::http::{Error, Method, Request, Response};
use crate::log::Level;

pub(super) type Answer = Rc<dyn Fn(&Request) -> Result<Response, Error>>;

pub(super) type Make = Rc<dyn Fn(&[u8]) -> Vec<u8>>;

#[derive(Clone)]
pub(super) struct Route {
    pub(super) endpoint: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) answer: Answer,
}

#[derive(Clone)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) make: Make,
}

pub(super) struct Call {
    pub(super) request_id: String,
    pub(super) registry: String,
    pub(super) purpose: Option<String>,
    pub(super) legal_basis: Option<String>,
    pub(super) user: Option<String>,
    pub(super) entity: Option<String>,
    pub(super) consent: Option<ConsentStatement>,
    pub(super) proof: Option<PresentedProof>,
    pub(super) wanted_fields: Vec<String>,
    pub(super) languages: Vec<String>,
    pub(super) operation_key: Option<String>,
    pub(super) attempt: u32,
    pub(super) remaining_ms: u32,
    pub(super) more: Value,
}

pub(super) struct State {
    pub(super) settings: Value,
    pub(super) endpoints: Vec<String>,
    pub(super) routes: Vec<Route>,
    pub(super) keys: Vec<Key>,
    pub(super) call: Call,
    pub(super) requests: Vec<Request>,
    pub(super) logs: Vec<(Level, String)>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            settings: json!({}),
            endpoints: Vec::new(),
            routes: Vec::new(),
            keys: Vec::new(),
            call: Call {
                request_id: "test-request".to_owned(),
                registry: "test-registry".to_owned(),
                purpose: None,
                legal_basis: None,
                user: None,
                entity: None,
                consent: None,
                proof: None,
                wanted_fields: Vec::new(),
                languages: Vec::new(),
                operation_key: None,
                attempt: 1,
                remaining_ms: 10_000,
                more: json!({}),
            },
            requests: Vec::new(),
            logs: Vec::new(),
        }
    }
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State::default());
}

/// Do not call what a test gave (an answer, a key) in here: it may look at the stage itself.
pub(super) fn with<T>(use_it: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(use_it)
}

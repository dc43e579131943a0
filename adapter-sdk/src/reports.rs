//! What nobody asks for a person: the fate of a write, and what a registry tells by itself
//! (`wit/writes.wit`, `wit/events.wit`).

use crate::bindings;
use crate::model::{
    Callback, CallbackResponse, ChangesPage, Event, EventKind, Failure, Fate, Opaque, Reception,
    TraceQuery,
};

/// What became of a write whose end is not known.
pub trait Trace {
    /// # Errors
    /// The registry cannot be asked now.
    fn trace(query: TraceQuery) -> Result<Fate, Failure>;
}

/// Life events: what a registry calls back with, and what changed since.
pub trait Events {
    /// Verifies who sent it, first of all. Who does not prove who they are gets a status from 400 and
    /// brings no events and no answers.
    ///
    /// # Errors
    /// `denied` is answered with 403, `rejected` with 400, `unavailable` with 503.
    fn receive(callback: Callback) -> Result<Reception, Failure>;

    /// What changed since the cursor; without one, from now or as far back as settings say.
    ///
    /// # Errors
    /// `unsupported` where the registry only calls back: leave it as it is then.
    fn changes(_cursor: Option<Opaque>, _limit: u32) -> Result<ChangesPage, Failure> {
        Err(Failure::unsupported("changes").message("this registry only calls back"))
    }
}

impl Reception {
    /// Answers with a status and no body, and brings nothing yet.
    pub fn status(status: u16) -> Self {
        Self {
            response: CallbackResponse {
                status,
                headers: Vec::new(),
                body: Vec::new(),
            },
            events: Vec::new(),
            answers: Vec::new(),
            extra: Vec::new(),
        }
    }
}

impl Event {
    /// An event of which nothing more is told. The id is the registry's own, or made from what never
    /// changes: it is the same when the registry repeats itself.
    pub fn new(id: impl Into<String>, kind: EventKind) -> Self {
        Self {
            id: id.into(),
            kind,
            occurred: None,
            place: None,
            recorded_at: None,
            identifiers: Vec::new(),
            participants: Vec::new(),
            household: None,
            amends: None,
            changed_fields: Vec::new(),
            caused_by: None,
            version: None,
            extra: Vec::new(),
            unmapped: Vec::new(),
        }
    }
}

impl<A: Trace> bindings::trace::exports::openimis::registry::trace::Guest for A {
    fn trace(query: TraceQuery) -> Result<Fate, Failure> {
        A::trace(query)
    }
}

impl<A: Events> bindings::events::exports::openimis::registry::events::Guest for A {
    fn receive(callback: Callback) -> Result<Reception, Failure> {
        A::receive(callback)
    }

    fn changes(cursor: Option<Opaque>, limit: u32) -> Result<ChangesPage, Failure> {
        A::changes(cursor, limit)
    }
}

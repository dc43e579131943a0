//! What an adapter can change in a registry: one trait per write of the contract
//! (`wit/writes.wit`). `call::operation_key` is the same for every attempt at one write: send it along
//! where the registry takes such a key.
//!
//! A failure says that the registry did not do it. Where the answer was lost, or is one that a proxy may
//! have given (502, 504), the write is [`WriteAnswer::Unclear`]: it is never sent again before
//! [`Trace`](crate::Trace) or a person has settled it. [`unclear`] makes one of a lost answer.

use crate::ability::never_pending;
use crate::bindings;
use crate::http;
use crate::model::{
    CreateRequest, EnrolmentRequest, Failure, LinkRequest, Opaque, Outcome, PendingAnswer, Receipt,
    Unavailability, UpdateRequest, WriteAnswer,
};

/// Tell the registry of somebody or something that it does not know.
pub trait Create {
    /// # Errors
    /// The registry did not do it, and why.
    fn create(request: CreateRequest) -> Result<WriteAnswer, Failure>;

    /// Goes on after [`WriteAnswer::Pending`]. Without an answer it was the time that came.
    ///
    /// # Errors
    /// As [`Create::create`]. An adapter that never answers `Pending` leaves it as it is.
    fn resume(_state: Opaque, _answer: Option<PendingAnswer>) -> Result<WriteAnswer, Failure> {
        Err(never_pending())
    }
}

/// Change fields of a person that the registry knows.
pub trait Update {
    /// # Errors
    /// The registry did not do it, and why: `conflict` where the record has moved on.
    fn update(request: UpdateRequest) -> Result<WriteAnswer, Failure>;

    /// Goes on after [`WriteAnswer::Pending`].
    ///
    /// # Errors
    /// As [`Update::update`].
    fn resume(_state: Opaque, _answer: Option<PendingAnswer>) -> Result<WriteAnswer, Failure> {
        Err(never_pending())
    }
}

/// Tell the registry by which identifier somebody else knows its person, or take that back.
pub trait Link {
    /// # Errors
    /// The registry did not do it, and why.
    fn link(request: LinkRequest) -> Result<WriteAnswer, Failure>;

    /// Goes on after [`WriteAnswer::Pending`].
    ///
    /// # Errors
    /// As [`Link::link`].
    fn resume(_state: Opaque, _answer: Option<PendingAnswer>) -> Result<WriteAnswer, Failure> {
        Err(never_pending())
    }
}

/// Tell a beneficiary registry who is in a programme.
pub trait Enrol {
    /// # Errors
    /// The registry did not do it, and why.
    fn enrol(request: EnrolmentRequest) -> Result<WriteAnswer, Failure>;

    /// Goes on after [`WriteAnswer::Pending`].
    ///
    /// # Errors
    /// As [`Enrol::enrol`].
    fn resume(_state: Opaque, _answer: Option<PendingAnswer>) -> Result<WriteAnswer, Failure> {
        Err(never_pending())
    }
}

impl Receipt {
    /// The registry holds what was sent.
    pub fn applied() -> Self {
        Self {
            outcome: Outcome::Applied,
            identifiers: Vec::new(),
            reference: None,
            version: None,
            unwritten: Vec::new(),
            extra: Vec::new(),
        }
    }
}

impl From<Receipt> for WriteAnswer {
    fn from(receipt: Receipt) -> Self {
        Self::Done(receipt)
    }
}

/// What a write answers where sending failed: a failure where nothing reached the registry, else that
/// nobody knows.
///
/// # Errors
/// `unavailable`: it was not sent, and may be sent again.
pub fn unclear(error: http::Error) -> Result<WriteAnswer, Failure> {
    match error {
        http::Error::NotSent(_) => Err(error.into()),
        http::Error::SentNoAnswer(problem) => Ok(WriteAnswer::Unclear(Unavailability {
            code: None,
            message: Some(problem.message),
            retry_after_ms: problem.retry_after_ms,
            extra: Vec::new(),
        })),
    }
}

macro_rules! guest {
    ($module:ident $ability:ident, $call:ident($request:ty)) => {
        impl<A: $ability> bindings::$module::exports::openimis::registry::$module::Guest for A {
            fn $call(request: $request) -> Result<WriteAnswer, Failure> {
                <A as $ability>::$call(request)
            }

            fn resume(
                state: Opaque,
                answer: Option<PendingAnswer>,
            ) -> Result<WriteAnswer, Failure> {
                <A as $ability>::resume(state, answer)
            }
        }
    };
}

guest! { create Create, create(CreateRequest) }
guest! { update Update, update(UpdateRequest) }
guest! { link Link, link(LinkRequest) }
guest! { enrolment Enrol, enrol(EnrolmentRequest) }

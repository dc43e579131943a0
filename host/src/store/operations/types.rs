//! What an operation is, and what becomes of it, as plain data.

use jiff::Timestamp;
use uuid::Uuid;

use crate::model::Ability;
use crate::store::audit::KeyedHash;
use crate::store::links::NewLinks;

/// Where an operation stands.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum OperationState {
    /// It was taken, and nothing was sent yet.
    Accepted,
    /// An attempt is under way, or the gateway died in one.
    Delivering,
    /// An attempt did not reach the registry, or the registry asks to wait: there is a next one.
    Waiting,
    /// The registry took it and will tell, or a further step is to come.
    Pending,
    /// The registry did it.
    Applied,
    /// The registry refused it.
    Rejected,
    /// The record has moved on since the caller read it.
    Conflict,
    /// It was sent, and nobody knows what became of it: a person must settle it.
    OutcomeUnknown,
    /// It was tried for as long as it may be.
    GivenUp,
    /// Somebody took it back before it was sent.
    Cancelled,
}

/// What was asked, sealed.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// A UUID of version 7.
    pub id: Uuid,
    /// When it was accepted; kept to the microsecond.
    pub at: Timestamp,
    /// Whose it is.
    pub caller: String,
    /// Which registry is to be told.
    pub registry: String,
    /// `create`, `update`, `link` or `enrolment`.
    pub ability: String,
    /// The caller's own, unique for each registry.
    pub idempotency_key: String,
    /// Keyed hash of all that was asked.
    pub request_hash: KeyedHash,
    /// Keyed hash of the caller's name for the person: writes about one keep their order.
    pub subject: KeyedHash,
    /// One of many, for which nobody waits.
    pub bulk: bool,
    /// After it nothing is tried any more.
    pub give_up_at: Timestamp,
    /// The module that serves the registry at this time.
    pub module_digest: String,
    /// What was asked, sealed.
    pub request: Vec<u8>,
}

/// What became of what was to be accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Accepted {
    /// It is there now, durably.
    New,
    /// It was there before, the same.
    Known,
    /// Under its key there is another.
    Other,
}

/// An operation, as it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Operation {
    /// In the order of acceptance.
    pub position: i64,
    /// Its name.
    pub id: Uuid,
    /// Whose it is.
    pub caller: String,
    /// Which registry is to be told.
    pub registry: String,
    /// The ability's word.
    pub ability: String,
    /// One of many, for which nobody waits.
    pub bulk: bool,
    /// Where it stands.
    pub state: OperationState,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Since when it stands there.
    pub changed_at: Timestamp,
    /// When it is looked at next; none: not by itself, or another of its subject stands before it.
    pub due_at: Option<Timestamp>,
    /// After it nothing is tried any more.
    pub give_up_at: Timestamp,
    /// Attempts that began.
    pub attempts: u32,
    /// When the last of them began.
    pub attempted_at: Option<Timestamp>,
    /// Rises with everybody who takes it up.
    pub fence: i64,
    /// Why it stands there.
    pub reason: Option<String>,
    /// The registry's own code.
    pub code: Option<String>,
    /// The field that it is about.
    pub field: Option<String>,
    /// The module that was asked last.
    pub module_digest: Option<String>,
    /// What was asked, sealed. None: purged; or it was read with many others, as what follows.
    pub request: Option<Vec<u8>>,
    /// What the registry did, sealed.
    pub receipt: Option<Vec<u8>>,
    /// The form of the adapter's own state, and the state, sealed.
    pub adapter_state: Option<(u32, Vec<u8>)>,
    /// Keyed hash of what a callback will name it by.
    pub reference: Option<KeyedHash>,
}

/// One step of an operation's history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OperationStep {
    /// From 1.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// Where it stood from then on.
    pub state: OperationState,
    /// How many attempts had begun.
    pub attempt: u32,
    /// Why.
    pub reason: Option<String>,
    /// The registry's own code.
    pub code: Option<String>,
    /// The module.
    pub module_digest: Option<String>,
    /// Whose doing it was, of a step that somebody took.
    pub by: Option<String>,
}

/// Where an operation goes from where it stood.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Where to.
    pub state: OperationState,
    /// When.
    pub at: Timestamp,
    /// When it is to be looked at next.
    pub due_at: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
    /// The registry's own code.
    pub code: Option<String>,
    /// The field that it is about.
    pub field: Option<String>,
    /// What the registry did, sealed.
    pub receipt: Option<Vec<u8>>,
    /// The form of the adapter's own state, and the state, sealed. None: there is none any more.
    pub adapter_state: Option<(u32, Vec<u8>)>,
    /// What a callback will name it by.
    pub reference: Awaited,
    /// Of one that is applied: whom it ties to whom. Where that cannot be, its history says so.
    pub links: Option<NewLinks>,
    /// The answer of a callback that the attempt was given.
    pub answered: Option<Answered>,
}

/// By which keyed hash of a reference an operation waits for a callback.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Awaited {
    /// By the same as before.
    #[default]
    AsBefore,
    /// By this one from now on. None: no callback will come, and what comes late for the step before
    /// is no answer to this one.
    Now(Option<KeyedHash>),
}

impl Awaited {
    /// The reference that it waits for, where it was that one before.
    pub(super) fn after(self, before: Option<KeyedHash>) -> Option<KeyedHash> {
        match self {
            Self::AsBefore => before,
            Self::Now(reference) => reference,
        }
    }
}

/// An answer that an attempt was given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Answered {
    /// When it came: it tells it from one that came since.
    pub at: Timestamp,
    /// Whether it is used up. Else it is given to the next attempt too.
    pub used: bool,
}

/// Which operations somebody wants to see.
#[derive(Clone, Debug, Default)]
pub struct OperationFilter {
    /// Of this registry.
    pub registry: Option<String>,
    /// In this state.
    pub state: Option<OperationState>,
    /// Of this kind.
    pub ability: Option<Ability>,
    /// Of this caller.
    pub caller: Option<String>,
    /// Of this subject.
    pub subject: Option<KeyedHash>,
    /// Before this one, in the order of acceptance: the newest come first.
    pub before: Option<i64>,
    /// At most so many; at most 1,000.
    pub limit: u32,
}

/// What somebody decides about an operation.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Not to be sent: only what has not been sent, or has ended without being done.
    Cancel,
    /// Once more from the beginning: what was given up, or is known not to have been done.
    Replay {
        /// After it nothing is tried any more.
        give_up_at: Timestamp,
    },
    /// The registry has it: only what nobody knew.
    Applied {
        /// A word for how somebody knows.
        reason: String,
    },
    /// The registry does not have it, and never will: only what nobody knew.
    Rejected {
        /// A word for how somebody knows.
        reason: String,
    },
}

impl OperationState {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Delivering,
        Self::Waiting,
        Self::Pending,
        Self::Applied,
        Self::Rejected,
        Self::Conflict,
        Self::OutcomeUnknown,
        Self::GivenUp,
        Self::Cancelled,
    ];

    /// The word in the database, the API and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Delivering => "delivering",
            Self::Waiting => "waiting",
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Conflict => "conflict",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::GivenUp => "given-up",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether those behind it, of the same subject, may go on.
    pub fn lets_pass(self) -> bool {
        matches!(
            self,
            Self::Applied | Self::Rejected | Self::Conflict | Self::Cancelled
        )
    }
}

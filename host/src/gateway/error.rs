use super::lookups::later::KeptLookup;
use crate::config::registry::Requirement;
use crate::model::{Ability, Failure};
use crate::sandbox::Fault;

/// Why a verb gives no answer. Holds no value of the request and nothing of a person.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The gateway does not know its callers and registries yet.
    #[error("the gateway is starting")]
    Starting,
    /// No key, or one that nobody has.
    #[error("the key is not known")]
    UnknownCaller,
    /// From where the key came, too many came that nobody has.
    #[error("too many keys from there that nobody has")]
    TooManyFailedKeys {
        /// Then one is looked at again, in milliseconds.
        retry_after_ms: u32,
    },
    /// A token cannot be looked at: its issuer's keys are not known.
    #[error("the issuer's keys are not known, and it does not answer")]
    IssuerAway {
        /// Then it is asked again, in milliseconds.
        retry_after_ms: u32,
    },
    /// The caller asks more quickly than it may.
    #[error("the caller asks more quickly than it may")]
    RateLimited {
        /// Then it may again, in milliseconds.
        retry_after_ms: u32,
    },
    /// The caller has asked what it may ask in a day.
    #[error("the caller has asked what it may ask in a day")]
    QuotaSpent {
        /// Then the next day begins, in milliseconds.
        retry_after_ms: u32,
    },
    /// What the caller has asked today cannot be counted.
    #[error("what the caller has asked today cannot be counted now")]
    QuotaUnknown {
        /// Then it is tried again, in milliseconds.
        retry_after_ms: u32,
    },
    /// The caller may not ask this registry, or not this.
    #[error("the caller is not granted this registry and ability")]
    NotGranted,
    /// No such registry, or one that the caller may not know of.
    #[error("there is no such registry")]
    UnknownRegistry,
    /// The registry is switched off.
    #[error("the registry is disabled")]
    Disabled,
    /// Its module or configuration does not load.
    #[error("the registry is not ready")]
    NotReady,
    /// Its module does not export the ability.
    #[error("the registry's adapter cannot {0}")]
    NoAbility(Ability),
    /// The registry's policy asks for something that the call does not state.
    #[error("the registry's policy requires a statement that is missing")]
    Missing(Requirement),
    /// What the call states is not on the policy's list.
    #[error("the registry's policy does not accept what was stated")]
    NotAccepted(Requirement),
    /// The registry may not be asked at this hour.
    #[error("the registry may not be asked at this hour")]
    Closed {
        /// Until it may, in milliseconds.
        retry_after_ms: u32,
    },
    /// A value of the request is not valid.
    #[error("{field}: {problem}")]
    Invalid {
        /// Path in the body, `criteria.0.field`.
        field: String,
        /// What is wrong, without the value.
        problem: &'static str,
    },
    /// The caller asks for, or about, a field that the registry's policy or its own grant hides. Names the place in
    /// the request.
    #[error("the policy or the caller's grant hides a field that was asked for")]
    HiddenField(String),
    /// All of the registry's instances are taken, for longer than a call waits.
    #[error("too many calls to the registry at the same time")]
    Busy,
    /// The registry answers later than the call's time allows.
    #[error("the registry has not answered yet")]
    StillPending {
        /// What the adapter suggests, in milliseconds.
        retry_after_ms: Option<u32>,
    },
    /// The registry says no.
    #[error("the registry says no")]
    Failure(Failure),
    /// The adapter broke.
    #[error("the adapter broke")]
    Fault(Fault),
    /// Under the same key the caller has asked for something else.
    #[error("another write was accepted under the same idempotency key")]
    IdempotencyConflict,
    /// There is no such operation, or it is another caller's.
    #[error("there is no such operation")]
    UnknownOperation,
    /// There is no such link, or it is another caller's.
    #[error("there is no such link")]
    UnknownLink,
    /// It is kept, and its caller comes back for it.
    #[error("the registry has not answered yet, and the lookup is kept")]
    Kept(Box<KeptLookup>),
    /// There is no such lookup, or it is another caller's.
    #[error("there is no such lookup")]
    UnknownLookup,
    /// Its time is over, or the module that serves now cannot go on with it.
    #[error("the lookup is over")]
    LookupOver,
    /// The caller, or all callers of the registry, have as many as are kept.
    #[error("too many lookups are kept")]
    TooManyLookups,
    /// Where the operation stands, that cannot be done with it.
    #[error("the operation is {0}")]
    OperationState(&'static str),
    /// There is no such place in the feed: a reading goes on from where nothing is yet.
    #[error("the cursor is ahead of the newest event")]
    CursorAhead,
    /// Without a durable audit row nothing is asked and nothing is answered.
    #[error("the audit row could not be written")]
    Audit(#[source] crate::store::StoreError),
    /// The gateway's own mistake.
    #[error("the call ended unexpectedly")]
    Internal,
}

impl GatewayError {
    /// The word for it in audit rows and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::UnknownCaller => "unknown-caller",
            Self::TooManyFailedKeys { .. } => "too-many-failed-keys",
            Self::IssuerAway { .. } => "issuer-unavailable",
            Self::RateLimited { .. } => "rate-limited",
            Self::QuotaSpent { .. } => "quota-spent",
            Self::QuotaUnknown { .. } => "quota-unknown",
            Self::NotGranted => "not-granted",
            Self::UnknownRegistry => "unknown-registry",
            Self::Disabled => "disabled",
            Self::NotReady => "not-ready",
            Self::NoAbility(_) => "no-ability",
            Self::Missing(_) => "missing-statement",
            Self::NotAccepted(_) => "not-accepted",
            Self::Closed { .. } => "closed",
            Self::Invalid { .. } => "invalid",
            Self::HiddenField(_) => "hidden-field",
            Self::Busy => "busy",
            Self::StillPending { .. } | Self::Kept(_) => "pending",
            Self::UnknownLookup => "unknown-lookup",
            Self::LookupOver => "lookup-over",
            Self::TooManyLookups => "too-many-lookups",
            Self::Failure(failure) => failure.word(),
            Self::Fault(fault) => fault.word(),
            Self::IdempotencyConflict => "idempotency-conflict",
            Self::UnknownOperation => "unknown-operation",
            Self::UnknownLink => "unknown-link",
            Self::OperationState(_) => "operation-state",
            Self::CursorAhead => "cursor-ahead",
            Self::Audit(_) => "audit-unavailable",
            Self::Internal => "internal",
        }
    }

    /// The registry's own code, if it gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Failure(
                Failure::Ambiguous(why)
                | Failure::Rejected(why)
                | Failure::Denied(why)
                | Failure::Conflict(why)
                | Failure::Unsupported(why)
                | Failure::Unreadable(why)
                | Failure::Misconfigured(why)
                | Failure::Other(why),
            ) => why.code.as_deref(),
            Self::Failure(Failure::Unavailable(why)) => why.code.as_deref(),
            _ => None,
        }
    }
}

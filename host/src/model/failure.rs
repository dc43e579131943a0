use serde::{Deserialize, Serialize};

/// The registry says no, and the adapter did its work. An adapter that breaks is a fault instead.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Failure {
    /// Nobody or nothing by that identifier.
    NotFound,
    /// More than one where one was asked for.
    Ambiguous(Refusal),
    /// The registry refuses the request: what was asked must change.
    Rejected(Refusal),
    /// The registry refuses us: credential, consent or right.
    Denied(Refusal),
    /// The record's version moved since the caller read it.
    Conflict(Refusal),
    /// This registry or adapter cannot do what was asked, whatever the values.
    Unsupported(Refusal),
    /// The registry cannot answer now.
    Unavailable(Unavailability),
    /// The registry answered something that is not its protocol.
    Unreadable(Refusal),
    /// The registry's configuration here does not fit what the adapter needs.
    Misconfigured(Refusal),
    /// Anything else.
    Other(Refusal),
}

/// What the registry said when it said no. Its free text is not here: registries put names and
/// numbers in it, and a failure reaches problems and logs.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Refusal {
    /// The registry's own code: letters, digits and `. _ : -`, at most 128.
    pub code: Option<String>,
    /// The field of the request that it is about, in the same alphabet.
    pub field: Option<String>,
}

/// For how long a registry cannot answer.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Unavailability {
    /// The registry's own code.
    pub code: Option<String>,
    /// How long the registry asks us to wait, in milliseconds.
    pub retry_after_ms: Option<u32>,
}

impl Failure {
    /// The word for it in problems, audit rows and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Ambiguous(_) => "ambiguous",
            Self::Rejected(_) => "rejected",
            Self::Denied(_) => "denied",
            Self::Conflict(_) => "conflict",
            Self::Unsupported(_) => "unsupported",
            Self::Unavailable(_) => "unavailable",
            Self::Unreadable(_) => "unreadable",
            Self::Misconfigured(_) => "misconfigured",
            Self::Other(_) => "other",
        }
    }
}

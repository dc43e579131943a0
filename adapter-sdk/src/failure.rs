//! Why there is no answer. A [`Failure`] is the registry saying no; a bug of the adapter is a
//! panic, which the gateway sees for itself.
//!
//! ```
//! use adapter_sdk::Failure;
//! let failure = Failure::rejected("birth-date.future").field("birth-date");
//! assert_eq!(failure.summary(), "rejected: birth-date.future (birth-date)");
//! ```

use crate::http::{Error, Problem, ProblemKind};
use crate::model::{Extra, Failure, Refusal, Unavailability};

/// The variants that carry a refusal have a constructor each, from the registry's own code. Text that
/// is no code (another character than letters, digits and `. _ : -`, or more than 128) is left out.
macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident $variant:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name(code: impl AsRef<str>) -> Self {
            Self::$variant(Refusal { code: clean_code(code.as_ref()), ..Refusal::default() })
        }
    )*};
}

impl Failure {
    constructors! {
        /// More than one where one was asked for.
        ambiguous Ambiguous;
        /// The registry refuses the request: what was asked must change.
        rejected Rejected;
        /// The registry refuses us: credential, consent or right.
        denied Denied;
        /// The record's version moved since the caller read it.
        conflict Conflict;
        /// This registry or adapter cannot do what was asked, whatever the values.
        unsupported Unsupported;
        /// The registry answered something that is not its protocol.
        unreadable Unreadable;
        /// The registry's settings do not fit: `field` names the one. An administrator must mend
        /// them.
        misconfigured Misconfigured;
        /// None of the others.
        other Other;
    }

    /// Nobody or nothing by that identifier.
    pub fn not_found() -> Self {
        Self::NotFound
    }

    /// The registry cannot answer now; the same call may succeed later.
    pub fn unavailable(code: impl AsRef<str>) -> Self {
        Self::Unavailable(Unavailability {
            code: clean_code(code.as_ref()),
            ..Unavailability::default()
        })
    }

    /// How long the registry asks us to wait. Only an `unavailable` keeps it.
    #[must_use]
    pub fn retry_after_ms(mut self, milliseconds: Option<u32>) -> Self {
        if let Self::Unavailable(unavailability) = &mut self {
            unavailability.retry_after_ms = milliseconds;
        }
        self
    }

    /// The field of the request that it is about: a path in the model.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        if let Some(refusal) = self.refusal_mut() {
            refusal.field = Some(field.into());
        }
        self
    }

    /// What the registry says in words. The gateway keeps it out of logs; still, put no name or
    /// number of a person in it.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        if let Some(refusal) = self.refusal_mut() {
            refusal.message = Some(message.into());
        }
        self
    }

    /// A value of the registry's refusal that has no field of its own.
    #[must_use]
    pub fn extra(mut self, extra: Extra) -> Self {
        if let Some(refusal) = self.refusal_mut() {
            refusal.extra.push(extra);
        }
        self
    }

    /// The variant's name in the contract.
    pub fn kind(&self) -> &'static str {
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

    /// The registry's own code, where there is one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Unavailable(unavailability) => unavailability.code.as_deref(),
            _ => self.refusal()?.code.as_deref(),
        }
    }

    /// What the registry said; none in `not-found` and `unavailable`.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Ambiguous(refusal)
            | Self::Rejected(refusal)
            | Self::Denied(refusal)
            | Self::Conflict(refusal)
            | Self::Unsupported(refusal)
            | Self::Unreadable(refusal)
            | Self::Misconfigured(refusal)
            | Self::Other(refusal) => Some(refusal),
            Self::NotFound | Self::Unavailable(_) => None,
        }
    }

    /// Kind, code and field, for a log. Use it instead of `Display`, which is generated and prints
    /// the message too: that may hold personal data.
    pub fn summary(&self) -> String {
        let mut summary = self.kind().to_owned();
        if let Some(code) = self.code() {
            summary.push_str(": ");
            summary.push_str(code);
        }
        if let Some(field) = self.refusal().and_then(|refusal| refusal.field.as_deref()) {
            summary.push_str(&format!(" ({field})"));
        }
        summary
    }

    fn refusal_mut(&mut self) -> Option<&mut Refusal> {
        match self {
            Self::Ambiguous(refusal)
            | Self::Rejected(refusal)
            | Self::Denied(refusal)
            | Self::Conflict(refusal)
            | Self::Unsupported(refusal)
            | Self::Unreadable(refusal)
            | Self::Misconfigured(refusal)
            | Self::Other(refusal) => Some(refusal),
            Self::NotFound | Self::Unavailable(_) => None,
        }
    }
}

impl From<Error> for Failure {
    /// The code is `http.not-sent.<kind>` or `http.sent-no-answer.<kind>`, since a write may be
    /// repeated only after the first.
    fn from(error: Error) -> Self {
        let (sent, problem) = match &error {
            Error::NotSent(problem) => ("not-sent", problem),
            Error::SentNoAnswer(problem) => ("sent-no-answer", problem),
        };
        let Problem {
            kind,
            message,
            retry_after_ms,
        } = problem;
        let name = clean_code(kind_name(kind)).unwrap_or_else(|| "other".to_owned());
        let code = format!("http.{sent}.{name}");
        match kind {
            ProblemKind::EndpointNotGranted | ProblemKind::AddressRefused => {
                Self::misconfigured(code).message(message)
            }
            ProblemKind::RequestRefused => Self::rejected(code).message(message),
            ProblemKind::Credential => Self::denied(code).message(message),
            ProblemKind::TooLarge | ProblemKind::Unreadable | ProblemKind::RedirectRefused => {
                Self::unreadable(code).message(message)
            }
            ProblemKind::LimitReached
            | ProblemKind::Dns
            | ProblemKind::Connect
            | ProblemKind::Tls
            | ProblemKind::TimedOut
            | ProblemKind::Interrupted
            | ProblemKind::Resting
            | ProblemKind::Other(_) => Self::unavailable(code).retry_after_ms(*retry_after_ms),
        }
    }
}

impl From<serde_json::Error> for Failure {
    /// `unreadable`, with the place and no word of serde's own text: that quotes the values.
    fn from(error: serde_json::Error) -> Self {
        use serde_json::error::Category;
        let code = match error.classify() {
            Category::Io => "json.io",
            Category::Syntax => "json.syntax",
            Category::Data => "json.shape",
            Category::Eof => "json.cut-short",
        };
        let place = format!("line {}, column {}", error.line(), error.column());
        Self::unreadable(code).message(place)
    }
}

fn kind_name(kind: &ProblemKind) -> &str {
    match kind {
        ProblemKind::EndpointNotGranted => "endpoint-not-granted",
        ProblemKind::RequestRefused => "request-refused",
        ProblemKind::LimitReached => "limit-reached",
        ProblemKind::AddressRefused => "address-refused",
        ProblemKind::Dns => "dns",
        ProblemKind::Connect => "connect",
        ProblemKind::Tls => "tls",
        ProblemKind::Credential => "credential",
        ProblemKind::TimedOut => "timed-out",
        ProblemKind::Interrupted => "interrupted",
        ProblemKind::TooLarge => "too-large",
        ProblemKind::Unreadable => "unreadable",
        ProblemKind::RedirectRefused => "redirect-refused",
        ProblemKind::Resting => "resting",
        ProblemKind::Other(name) => name,
    }
}

/// The contract allows letters, digits and `. _ : -`, at most 128. A code reaches callers and the
/// audit, and what a registry writes in its place may be a sentence with a name in it: text with any
/// other character is dropped whole, since a cleaned sentence would still tell the name.
fn clean_code(code: &str) -> Option<String> {
    let code = code.trim();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    let is_code = (1..=128).contains(&code.len()) && code.bytes().all(allowed);
    is_code.then(|| code.to_owned())
}

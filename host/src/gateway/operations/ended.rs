//! What came of an attempt, or of a question about one.

use std::time::Duration;

use crate::model::{Failure, Fate, Receipt, Refusal, Unavailability, Written};
use crate::sandbox::{Answer, Fault, Pending, Trail};
use crate::store::OperationState;

/// Where it leaves the operation.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ended {
    /// The registry did it.
    Applied(Receipt),
    /// It will not be done: `rejected` or `conflict`.
    Refused(OperationState, Why),
    /// It was not done, and may be sent again, not before so long.
    Later(Why, Option<Duration>),
    /// The registry never had it, and what was sent can no longer arrive.
    Absent,
    /// The registry took it, and tells later.
    Pending(Pending),
    /// It may have been done: the registry is to be asked, not before so long.
    Unclear(Why, Option<Duration>),
    /// Nobody can tell whether it was done.
    Unknown(Why),
}

/// Words and codes, never the registry's text.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Why {
    pub(super) reason: String,
    pub(super) code: Option<String>,
    pub(super) field: Option<String>,
}

/// What a module gives for a call.
pub(super) type Told<T> = Result<Result<Answer<T>, Failure>, Fault>;

impl Ended {
    /// Of a write. A failure says that the registry did not do it; where the gateway itself saw a
    /// request leave without an answer it does not rely on that for sending again.
    pub(super) fn of_write(result: Told<Written>, trail: Trail) -> Self {
        let failure = match result {
            Ok(Ok(Answer::Done(Written::Done(receipt)))) => return Self::Applied(receipt),
            Ok(Ok(Answer::Done(Written::Unclear(why)))) => {
                let after = wait(&why);
                return Self::Unclear(Why::of_unavailable("unclear", why), after);
            }
            Ok(Ok(Answer::Pending(pending))) => return Self::Pending(pending),
            Ok(Err(failure)) => failure,
            Err(fault) if trail.reached => return Self::Unclear(Why::word(fault.word()), None),
            Err(fault) => return Self::Later(Why::word(fault.word()), None),
        };
        let after = wait_of(&failure);
        match &failure {
            Failure::Unavailable(_) | Failure::Misconfigured(_) if trail.unanswered => {
                Self::Unclear(Why::of(failure), after)
            }
            Failure::Unreadable(_) if trail.reached => Self::Unclear(Why::of(failure), None),
            Failure::Unavailable(_) | Failure::Misconfigured(_) | Failure::Unreadable(_) => {
                Self::Later(Why::of(failure), after)
            }
            _ => Self::refused(failure),
        }
    }

    /// Of a question for its fate.
    pub(super) fn of_trace(result: Told<Fate>) -> Self {
        match result {
            Ok(Ok(Answer::Pending(pending))) => Self::Pending(pending),
            Ok(Ok(Answer::Done(fate))) => match fate {
                Fate::Applied(receipt) => Self::Applied(receipt),
                Fate::Absent => Self::Absent,
                Fate::Refused(failure) => Self::refused(failure),
                Fate::Unknown => Self::Unknown(Why::word("unknown")),
            },
            // It says that it cannot tell, of none.
            Ok(Err(failure @ Failure::Unsupported(_))) => Self::Unknown(Why::of(failure)),
            Ok(Err(failure)) => {
                let after = wait_of(&failure);
                Self::Unclear(Why::of(failure), after)
            }
            Err(fault) => Self::Unclear(Why::word(fault.word()), None),
        }
    }

    fn refused(failure: Failure) -> Self {
        let state = match failure {
            Failure::Conflict(_) => OperationState::Conflict,
            _ => OperationState::Rejected,
        };
        Self::Refused(state, Why::of(failure))
    }

    /// The word for it in metrics and audit rows.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Applied(_) => "applied",
            Self::Refused(state, _) => state.as_str(),
            Self::Later(..) => "not-done",
            Self::Absent => "absent",
            Self::Pending(_) => "pending",
            Self::Unclear(..) => "unclear",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl Why {
    pub(super) fn word(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            ..Self::default()
        }
    }

    fn of(failure: Failure) -> Self {
        let word = failure.word();
        match failure {
            Failure::NotFound => Self::word(word),
            Failure::Unavailable(why) => Self::of_unavailable(word, why),
            Failure::Ambiguous(why)
            | Failure::Rejected(why)
            | Failure::Denied(why)
            | Failure::Conflict(why)
            | Failure::Unsupported(why)
            | Failure::Unreadable(why)
            | Failure::Misconfigured(why)
            | Failure::Other(why) => {
                let Refusal { code, field } = why;
                Self {
                    code,
                    field,
                    ..Self::word(word)
                }
            }
        }
    }

    fn of_unavailable(word: &str, why: Unavailability) -> Self {
        Self {
            code: why.code,
            ..Self::word(word)
        }
    }
}

fn wait(why: &Unavailability) -> Option<Duration> {
    why.retry_after_ms
        .map(|ms| Duration::from_millis(ms.into()))
}

fn wait_of(failure: &Failure) -> Option<Duration> {
    match failure {
        Failure::Unavailable(why) => wait(why),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Trail = Trail {
        not_sent: false,
        unclear: false,
        refused: false,
        reached: false,
        unanswered: false,
    };
    const ANSWERED: Trail = Trail {
        reached: true,
        ..NOTHING
    };
    const LOST: Trail = Trail {
        unanswered: true,
        ..ANSWERED
    };

    fn words(result: &Told<Written>) -> [&'static str; 3] {
        [NOTHING, ANSWERED, LOST].map(|trail| Ended::of_write(result.clone(), trail).word())
    }

    fn unavailable() -> Failure {
        Failure::Unavailable(Unavailability {
            code: Some("E1".into()),
            retry_after_ms: Some(7_000),
        })
    }

    #[test]
    fn only_what_did_not_happen_is_sent_again() {
        let why = Refusal::default;
        for (failure, expected) in [
            (unavailable(), ["not-done", "not-done", "unclear"]),
            (
                Failure::Misconfigured(why()),
                ["not-done", "not-done", "unclear"],
            ),
            (
                Failure::Unreadable(why()),
                ["not-done", "unclear", "unclear"],
            ),
            (Failure::NotFound, ["rejected"; 3]),
            (Failure::Ambiguous(why()), ["rejected"; 3]),
            (Failure::Rejected(why()), ["rejected"; 3]),
            (Failure::Denied(why()), ["rejected"; 3]),
            (Failure::Unsupported(why()), ["rejected"; 3]),
            (Failure::Other(why()), ["rejected"; 3]),
            (Failure::Conflict(why()), ["conflict"; 3]),
        ] {
            let told = format!("{failure:?}");
            assert_eq!(words(&Ok(Err(failure))), expected, "{told}");
        }
        for fault in [Fault::Trapped, Fault::OutOfTime, Fault::NoInstance] {
            let expected = ["not-done", "unclear", "unclear"];
            assert_eq!(words(&Err(fault)), expected);
        }
        let unclear = Written::Unclear(Unavailability::default());
        assert_eq!(words(&Ok(Ok(Answer::Done(unclear)))), ["unclear"; 3]);
    }

    #[test]
    fn what_the_registry_asks_for_is_kept() {
        let Ended::Later(why, Some(after)) = Ended::of_write(Ok(Err(unavailable())), NOTHING)
        else {
            panic!("it waits");
        };
        assert_eq!(why.code.as_deref(), Some("E1"));
        assert_eq!((why.reason.as_str(), after.as_secs()), ("unavailable", 7));
    }

    #[test]
    fn a_fate_settles_and_a_failure_to_tell_does_not() {
        let fate = |fate| Ended::of_trace(Ok(Ok(Answer::Done(fate)))).word();
        let why = Refusal::default;
        assert_eq!(fate(Fate::Absent), "absent");
        assert_eq!(fate(Fate::Unknown), "unknown");
        assert_eq!(fate(Fate::Refused(Failure::Rejected(why()))), "rejected");
        assert_eq!(fate(Fate::Refused(Failure::Conflict(why()))), "conflict");
        for failure in [unavailable(), Failure::NotFound, Failure::Denied(why())] {
            assert_eq!(Ended::of_trace(Ok(Err(failure))).word(), "unclear");
        }
        assert_eq!(Ended::of_trace(Err(Fault::Trapped)).word(), "unclear");
        let unsupported = Failure::Unsupported(why());
        assert_eq!(Ended::of_trace(Ok(Err(unsupported))).word(), "unknown");
    }
}

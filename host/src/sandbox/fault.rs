use std::fmt;

/// The adapter broke: not the registry's doing, and not the caller's.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// It stopped in the middle: a panic, an unreachable instruction, a bad memory access.
    #[error("the adapter trapped")]
    Trapped,
    /// It used up its stack.
    #[error("the adapter ran out of stack")]
    OutOfStack,
    /// It used up its processor time.
    #[error("the adapter used up its processor time")]
    OutOfCpu,
    /// No answer within the call's wall-clock time.
    #[error("the adapter gave no answer in time")]
    OutOfTime,
    /// It went over another limit.
    #[error("the adapter went over its limit of {0}")]
    OverLimit(Limit),
    /// Its answer is not what the contract says. Names the place in the model.
    #[error("the adapter's answer is not valid at {0}")]
    Garbage(String),
    /// It called a lent function where none is lent.
    #[error("the adapter called the gateway while describing itself")]
    CalledOut,
    /// The gateway's own trouble: no room for an instance, also after a moment's wait.
    #[error("the sandbox could not start an instance")]
    NoInstance,
}

/// A limit of `CallLimits` that ends a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// `memory_bytes`.
    Memory,
    /// `table_elements`.
    Table,
    /// `instances`.
    Instances,
    /// `answer_bytes`, or a list of the answer or of requests that is longer than anybody needs.
    Answer,
    /// `handles`.
    Handles,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Table => "table elements",
            Self::Instances => "instances",
            Self::Answer => "answer size",
            Self::Handles => "handles",
        })
    }
}

impl Fault {
    /// The word for it in problems, audit rows and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Trapped => "trapped",
            Self::OutOfStack => "out-of-stack",
            Self::OutOfCpu => "out-of-cpu",
            Self::OutOfTime => "out-of-time",
            Self::OverLimit(Limit::Memory) => "out-of-memory",
            Self::OverLimit(Limit::Answer) => "answer-too-large",
            Self::OverLimit(_) => "over-limit",
            Self::Garbage(_) => "garbage",
            Self::CalledOut => "called-out",
            Self::NoInstance => "no-instance",
        }
    }
}

/// Ends a guest from inside a host function or limiter: found again in wasmtime's error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Stop(pub(super) Fault);

impl Fault {
    /// Tells from wasmtime's error who or what ended the call.
    pub(super) fn from_error(error: &wasmtime::Error) -> Self {
        if let Some(Stop(fault)) = error.downcast_ref::<Stop>() {
            return fault.clone();
        }
        match error.downcast_ref::<wasmtime::Trap>() {
            Some(wasmtime::Trap::StackOverflow) => Self::OutOfStack,
            Some(wasmtime::Trap::Interrupt) => Self::OutOfCpu,
            Some(_) => Self::Trapped,
            None => Self::from_text(&format!("{error:#}")),
        }
    }

    /// wasmtime has no type for these; the words are checked by the tests of hostile guests.
    fn from_text(text: &str) -> Self {
        if text.contains("fuel allocated for hostcalls has been exhausted") {
            Self::OverLimit(Limit::Answer)
        } else if text.contains("resource table has no free keys") || text.contains("handle") {
            Self::OverLimit(Limit::Handles)
        } else if text.contains("concurrent limit") {
            Self::NoInstance
        } else if text.contains("resource limit exceeded") || text.contains("count too high") {
            Self::OverLimit(Limit::Instances)
        } else if text.contains("invalid utf-8")
            || text.contains("out of bounds")
            || text.contains("invalid")
        {
            Self::Garbage("its encoding".into())
        } else {
            Self::Trapped
        }
    }
}

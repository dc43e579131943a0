//! What an adapter can do: one trait per ability of the contract (`wit/reads.wit`). Implement
//! [`About`] and those that the registry can answer, then name them in [`export!`](crate::export).

use crate::bindings;
use crate::model::{
    Description, Failure, FindQuery, Household, HouseholdQuery, Opaque, Page, Pending,
    PendingAnswer, Person, SearchQuery, Verification, VerifyQuery,
};

/// An answer, now or later.
///
/// Most registries answer at once, and `Ok(person.into())` is all there is to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<T> {
    /// The registry answered.
    Done(T),
    /// The registry will call back, or the call goes on in a further step: `resume` is called.
    Pending(Pending),
}

impl<T> Answer<T> {
    /// What was answered, if it was.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(value) => Some(value),
            Self::Pending(_) => None,
        }
    }

    /// Changes what was answered and leaves what waits as it is.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        match self {
            Self::Done(value) => Answer::Done(change(value)),
            Self::Pending(pending) => Answer::Pending(pending),
        }
    }
}

impl<T> From<T> for Answer<T> {
    fn from(value: T) -> Self {
        Self::Done(value)
    }
}

/// What the module is. Every adapter implements it.
pub trait About {
    /// Name, version, endpoints and settings. Called once when the module is admitted, with every
    /// lent function refused: it answers from the module alone.
    fn describe() -> Description;
}

/// Look up one person by identifier, or by the proof that the call carries.
pub trait Find {
    /// # Errors
    /// `not-found` where the registry has nobody by these identifiers, `ambiguous` where it has
    /// several; otherwise why it did not answer.
    fn find(query: FindQuery) -> Result<Answer<Person>, Failure>;

    /// Goes on after [`Answer::Pending`]. Without an answer it was the time that came.
    ///
    /// # Errors
    /// As [`Find::find`]. An adapter that never answers `Pending` leaves it as it is.
    fn resume(_state: Opaque, _answer: Option<PendingAnswer>) -> Result<Answer<Person>, Failure> {
        Err(never_pending())
    }
}

/// The people who live with somebody, or whom a registry records as their family.
pub trait FindHousehold {
    /// # Errors
    /// `not-found` where the registry knows neither the household nor the person.
    fn find_household(query: HouseholdQuery) -> Result<Answer<Household>, Failure>;

    /// Goes on after [`Answer::Pending`].
    ///
    /// # Errors
    /// As [`FindHousehold::find_household`].
    fn resume(
        _state: Opaque,
        _answer: Option<PendingAnswer>,
    ) -> Result<Answer<Household>, Failure> {
        Err(never_pending())
    }
}

/// Look up people by what is known of them.
pub trait Search {
    /// # Errors
    /// `unsupported` or `rejected` with the field that the registry cannot test. Nobody found is
    /// an empty page, not a failure.
    fn search(query: SearchQuery) -> Result<Answer<Page>, Failure>;

    /// Goes on after [`Answer::Pending`].
    ///
    /// # Errors
    /// As [`Search::search`].
    fn resume(_state: Opaque, _answer: Option<PendingAnswer>) -> Result<Answer<Page>, Failure> {
        Err(never_pending())
    }
}

/// Say whether claims about a person agree with the registry, and disclose nothing else.
pub trait Verify {
    /// A registry that cannot compare for itself is served by
    /// [`compare::person`](crate::compare::person) after a find.
    ///
    /// # Errors
    /// As [`Find::find`].
    fn verify(query: VerifyQuery) -> Result<Answer<Verification>, Failure>;

    /// Goes on after [`Answer::Pending`].
    ///
    /// # Errors
    /// As [`Verify::verify`].
    fn resume(
        _state: Opaque,
        _answer: Option<PendingAnswer>,
    ) -> Result<Answer<Verification>, Failure> {
        Err(never_pending())
    }
}

pub(crate) fn never_pending() -> Failure {
    Failure::unsupported("resume").message("this adapter never answers later")
}

impl<A: About> bindings::about::exports::openimis::registry::about::Guest for A {
    fn describe() -> Description {
        A::describe()
    }
}

/// The generated side of an ability: its answer type and its `Guest`, which `export!` looks for.
macro_rules! guest {
    ($module:ident $ability:ident $answer:ident $value:ty, $call:ident($query:ty)) => {
        const _: () = {
            use bindings::$module::exports::openimis::registry::$module::{Guest, $answer};

            impl From<Answer<$value>> for $answer {
                fn from(answer: Answer<$value>) -> Self {
                    match answer {
                        Answer::Done(value) => $answer::Done(value),
                        Answer::Pending(pending) => $answer::Pending(pending),
                    }
                }
            }

            impl<A: $ability> Guest for A {
                fn $call(query: $query) -> Result<$answer, Failure> {
                    <A as $ability>::$call(query).map(Into::into)
                }

                fn resume(
                    state: Opaque,
                    answer: Option<PendingAnswer>,
                ) -> Result<$answer, Failure> {
                    <A as $ability>::resume(state, answer).map(Into::into)
                }
            }
        };
    };
}

guest! { find Find FindAnswer Person, find(FindQuery) }
guest! { household FindHousehold HouseholdAnswer Household, find_household(HouseholdQuery) }
guest! { search Search SearchAnswer Page, search(SearchQuery) }
guest! { verify Verify VerifyAnswer Verification, verify(VerifyQuery) }

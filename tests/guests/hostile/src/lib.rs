//! An adapter that misbehaves. What it does is the value of the query's first identifier, so that
//! one module serves every test; further identifiers are the behaviour's arguments.
//!
//! `for_each_behaviour!` is the one list. The guest dispatches by it, and the suite expands it to
//! the paths of its tests: a behaviour without a test, or a test without one, does not compile.

pub mod answers;
pub mod burden;
pub mod prying;
pub mod reach;

use adapter_sdk::model::{
    Criterion, Description, EndpointNeed, FindQuery, Household, HouseholdQuery, HumanName,
    Identifier, Page, Person, SearchQuery, Test, Unmapped,
};
use adapter_sdk::{About, Answer, Failure, Find, FindHousehold, Opaque, PendingAnswer, Search};

/// Calls a macro with the name of every behaviour.
#[macro_export]
macro_rules! for_each_behaviour {
    ($callback:ident) => {
        $callback! {
            burden: flood_http spin sleep compute_then_sleep grow_memory recurse recurse_with_frames panic unreachable exit
                flood_log flood_stdout flood_timers much_random;
            answers: return_100_mb return_aliased bad_date bad_json bad_text sentence_as_code
                pend_forever huge_state;
            reach: files sockets environment good_http unknown_endpoint set_headers
                leave_base_path any_request;
            prying: remember leave_secret look_for_secret log_name print_name panic_with_name
                log_callers_words log_answer;
        }
    };
}

macro_rules! dispatch {
    ($($module:ident: $($name:ident)*;)*) => {
        /// All that `find` can be asked to do, `good` apart.
        pub const BEHAVIOURS: &[&str] = &[$($(stringify!($name),)*)*];

        fn misbehave(name: &str, arguments: &[Identifier]) -> Found {
            match name {
                "good" => good(),
                $($(stringify!($name) => $module::$name(arguments),)*)*
                _ => Err(Failure::not_found()),
            }
        }
    };
}

for_each_behaviour!(dispatch);

/// What a behaviour comes to, where it comes back at all.
pub type Found = Result<Answer<Person>, Failure>;

/// The adapter.
pub struct Hostile;

impl About for Hostile {
    fn describe() -> Description {
        Description {
            name: "hostile".into(),
            version: "1.0.0".into(),
            summary: "Misbehaves on request".into(),
            endpoints: vec![EndpointNeed {
                name: "registry".into(),
                summary: "Whatever it can get".into(),
                required: false,
            }],
            ..Default::default()
        }
    }
}

impl Find for Hostile {
    fn find(query: FindQuery) -> Found {
        match query.identifiers.split_first() {
            Some((first, arguments)) => misbehave(&first.value, arguments),
            None => Err(Failure::not_found()),
        }
    }

    fn resume(state: Opaque, answer: Option<PendingAnswer>) -> Found {
        answers::resume(state, answer)
    }
}

impl FindHousehold for Hostile {
    /// Always garbage: the value names the index that is out of range.
    fn find_household(query: HouseholdQuery) -> Result<Answer<Household>, Failure> {
        let first = query.identifiers.first();
        answers::household(first.map_or("", |identifier| identifier.value.as_str()))
    }
}

impl Search for Hostile {
    /// Always garbage: the score is the value of the first criterion.
    fn search(query: SearchQuery) -> Result<Answer<Page>, Failure> {
        let Some(Criterion {
            test: Test::Equals(score),
            ..
        }) = query.criteria.first()
        else {
            return Err(Failure::unsupported("criteria"));
        };
        answers::search(score.parse().unwrap_or(f64::NAN))
    }
}

/// The answer to `good`, and to what turns out to be harmless.
pub fn good() -> Found {
    Ok(somebody().into())
}

fn somebody() -> Person {
    Person {
        names: vec![HumanName {
            text: Some("Somebody".into()),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A person whose `unmapped` tells what each attempt came to.
fn report(attempts: Vec<(String, String)>) -> Found {
    let unmapped = attempts
        .into_iter()
        .map(|(field, value)| Unmapped { field, value })
        .collect();
    Ok(Person {
        unmapped,
        ..somebody()
    }
    .into())
}

adapter_sdk::export!(Hostile: find, household, search);

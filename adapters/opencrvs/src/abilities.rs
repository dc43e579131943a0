//! The calls: settings, a question, the records of its answer, their mapping.

mod create;
mod events;
mod find;
mod household;
mod search;
mod verify;

use adapter_sdk::Failure;
use adapter_sdk::model::{Identifier, Person};

use crate::exchange::{Found, Slice};
use crate::mapping::same_value;
use crate::query::Asked;
use crate::settings::Settings;

/// As many as one look-up reads.
fn all(settings: &Settings) -> Slice {
    Slice {
        count: settings.max_records.max(1),
        skip: 0,
        whole: true,
    }
}

/// Whether somebody carries the number that was asked for.
fn carries(person: &Person, asked: &Asked) -> bool {
    let is = |it: &Identifier| it.scheme == asked.scheme && same_value(&it.value, &asked.value);
    person.identifiers.iter().any(is)
}

/// That all was found that there is.
fn whole(found: &Found) -> Result<(), Failure> {
    match found.more {
        true => Err(Failure::ambiguous("answer.too-many").field("identifiers")),
        false => Ok(()),
    }
}

/// The events API compares whole numbers: a record without the one that was asked for is no answer. Up to
/// 1.8 numbers are compared word by word, and others come along.
fn check(answered: usize, fitting: usize, settings: &Settings) -> Result<(), Failure> {
    match settings.has_events_api() && fitting < answered {
        true => Err(Failure::unreadable("answer.mismatch")),
        false => Ok(()),
    }
}

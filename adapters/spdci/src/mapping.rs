//! Their records as ours: pure functions. What has no place in the model goes to `extra`, under the
//! contract's key where it reserves one and else under `x-spdci-<field>`; what the model has no word
//! for goes to `unmapped`.

mod address;
mod beneficiary;
pub mod codes;
mod enrolment;
pub mod event;
mod group;
mod head;
mod identifiers;
mod kinship;
mod names;
mod person;
mod related;
mod reserved;
mod shape;

pub use beneficiary::{Written, beneficiary};
pub use enrolment::{Enrolled, enrolled};
pub use group::{all_identifiers, household, is_group, members};
pub use identifiers::{Carried, carried, check_asked};
pub use kinship::{kinship, parents};
pub use person::person;

use adapter_sdk::model::Extra;
use serde_json::Value;

/// What is left of a part of a record.
fn extras(rest: Vec<(&str, &Value)>) -> Vec<Extra> {
    rest.into_iter()
        .map(|(name, value)| extra(name, value))
        .collect()
}

/// `poverty_score` as `x-spdci-poverty-score`.
fn extra(name: &str, value: &Value) -> Extra {
    let dashed = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    Extra::new(
        format!("x-spdci-{}", name.chars().map(dashed).collect::<String>()),
        value,
    )
}

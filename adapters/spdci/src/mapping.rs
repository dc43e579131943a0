//! Their records as ours: pure functions. What has no place in the model goes to `extra` under
//! `x-spdci-<field>`, what the model has no word for to `unmapped`.

mod address;
pub mod codes;
mod group;
mod identifiers;
mod kinship;
mod names;
mod person;

pub use group::{all_identifiers, household};
pub use identifiers::{Carried, carried, check_asked};
pub use kinship::{kinship, parents};
pub use person::{is_group, members, person};

use adapter_sdk::model::Extra;
use serde_json::Value;

/// What is left of a record.
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

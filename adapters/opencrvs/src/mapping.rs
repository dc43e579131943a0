//! Their records as ours, and ours as theirs: pure functions. What has no place in the model goes to
//! `extra`, under the contract's key where it reserves one and else under `x-opencrvs-<field>`; what
//! the model has no word for goes to `unmapped`.

pub mod address;
pub mod bundle;
pub mod codes;
pub mod declaration;
pub mod declared;
pub mod document;
pub mod event;
pub mod graphql;
mod informant;
mod kinship;
pub mod notice;
mod patient;
mod person;
pub mod record;
mod same_person;
pub mod shape;

pub use kinship::kinship;
pub use person::{subject, together};
pub use same_person::same_value;

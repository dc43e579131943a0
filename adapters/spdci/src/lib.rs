//! Adapter for registries that speak SPDCI v1.0.0, dialect of the specification: social registry,
//! CRVS and IBR. See `README.md` for what it sends and how it reads.

mod abilities;
mod exchange;
pub mod mapping;
pub mod query;
pub mod reasons;
pub mod settings;
pub mod wire;

use adapter_sdk::model::{Description, EndpointNeed};
use adapter_sdk::{About, export};

/// The adapter: its abilities are in `abilities/`.
#[derive(Debug)]
pub struct Spdci;

export!(Spdci: find, household, search, verify, enrolment, trace, events);

/// The number of the form of this adapter's page tokens.
pub(crate) const PAGE_TOKEN: u32 = 1;

/// Of the state of a lookup that waits for its callback.
pub(crate) const WAITING: u32 = 2;
/// Of the cursor: what is subscribed to.
pub(crate) const SUBSCRIPTIONS: u32 = 3;
/// Of the state of an enrolment that the registry works on.
pub(crate) const ENROLLING: u32 = 4;

/// The endpoint's name in the registry's configuration.
pub(crate) const ENDPOINT: &str = "registry";

impl About for Spdci {
    fn describe() -> Description {
        Description {
            name: "spdci".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Registries that speak SPDCI v1.0.0: social registry, CRVS and IBR".to_owned(),
            licence: Some("Apache-2.0".to_owned()),
            source: Some(
                concat!(env!("CARGO_PKG_REPOSITORY"), "/tree/main/adapters/spdci").to_owned(),
            ),
            endpoints: vec![EndpointNeed::required(ENDPOINT, "Where `/registry/…` is")],
            settings_schema: Some(include_str!("settings.schema.json").to_owned()),
            readable_states: vec![PAGE_TOKEN, WAITING, SUBSCRIPTIONS, ENROLLING],
            searchable_fields: settings::default_attributes().into_keys().collect(),
            ..Description::default()
        }
    }
}

//! Adapter for OpenCRVS, the civil registration system: 1.3 to 1.8 (GraphQL), 1.9 and 2.x (events).
//! See `README.md` for what it sends and how it reads.

mod abilities;
pub mod exchange;
pub mod mapping;
pub mod query;
pub mod settings;
pub mod wire;

use adapter_sdk::model::{Description, EndpointNeed};
use adapter_sdk::{About, export};

/// The adapter: its abilities are in `abilities/`.
#[derive(Debug)]
pub struct OpenCrvs;

export!(OpenCrvs: find, household, search, verify, create, trace, events);

/// The number of the form of this adapter's page tokens.
pub(crate) const PAGE_TOKEN: u32 = 1;

/// Of the state of a notification whose event is made and not yet notified.
pub(crate) const NOTIFYING: u32 = 2;

/// The endpoint's name in the registry's configuration.
pub(crate) const ENDPOINT: &str = "registry";

impl About for OpenCrvs {
    fn describe() -> Description {
        Description {
            name: "opencrvs".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "OpenCRVS 1.3 to 2.x: births, deaths, families, and notifications".to_owned(),
            licence: Some("Apache-2.0".to_owned()),
            source: Some(
                concat!(env!("CARGO_PKG_REPOSITORY"), "/tree/main/adapters/opencrvs").to_owned(),
            ),
            endpoints: vec![EndpointNeed::required(
                ENDPOINT,
                "OpenCRVS's gateway: below it are `/graphql`, `/notification`, `/events`",
            )],
            settings_schema: Some(include_str!("settings.schema.json").to_owned()),
            readable_states: vec![PAGE_TOKEN, NOTIFYING],
            searchable_fields: query::SEARCHABLE
                .iter()
                .map(|it| (*it).to_owned())
                .collect(),
            ..Description::default()
        }
    }
}

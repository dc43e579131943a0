//! Adapter for Nepal's formal sector: the published FHIR R4 flow through OpenHIM, with dates of Bikram
//! Sambat, names in two scripts, and the standing of a member's coverage. See `README.md`: the wire
//! contract of SOSYS itself is not public, and this was never run against it. What FHIR's resources
//! mean is in the library `fhir-r4`.

mod abilities;
pub mod bikram_sambat;
pub mod mapping;
mod registry;
pub mod settings;

use adapter_sdk::model::{Description, EndpointNeed};
use adapter_sdk::{About, export};

/// The adapter: its abilities are in `abilities/`.
#[derive(Debug)]
pub struct SosysNepal;

export!(SosysNepal: find, household, search, verify);

/// The number of the form of this adapter's page tokens.
pub(crate) const PAGE_TOKEN: u32 = 1;

/// The endpoint's name in the registry's configuration.
pub(crate) const ENDPOINT: &str = "registry";

/// What this adapter's own keys of `extra` begin with.
pub(crate) const PREFIX: &str = "x-sosys-nepal";

impl About for SosysNepal {
    fn describe() -> Description {
        Description {
            name: "sosys-nepal".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Nepal's formal sector: FHIR R4 through OpenHIM, Bikram Sambat dates"
                .to_owned(),
            licence: Some("Apache-2.0".to_owned()),
            source: Some(
                concat!(
                    env!("CARGO_PKG_REPOSITORY"),
                    "/tree/main/adapters/sosys-nepal"
                )
                .to_owned(),
            ),
            endpoints: vec![EndpointNeed::required(
                ENDPOINT,
                "OpenHIM's channel to the FHIR base, where `/Patient` is",
            )],
            settings_schema: Some(include_str!("settings.schema.json").to_owned()),
            readable_states: vec![PAGE_TOKEN],
            searchable_fields: fhir_r4::query::searchable(),
            ..Description::default()
        }
    }
}

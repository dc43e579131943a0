//! Adapter for client registries that speak HL7 FHIR R4: PDQm, PIXm and PMIR of IHE, and OpenCR. See
//! `README.md` for what it sends and how it reads. What FHIR's resources mean is in the library
//! `fhir-r4`.

mod abilities;
mod exchange;
pub mod mapping;
pub mod query;
pub mod settings;
pub mod wire;

use adapter_sdk::model::{Description, EndpointNeed};
use adapter_sdk::{About, export};

/// The adapter: its abilities are in `abilities/`.
#[derive(Debug)]
pub struct FhirClientRegistry;

export!(FhirClientRegistry: find, household, search, verify, create, update, link, trace, events);

/// The number of the form of this adapter's page tokens.
pub(crate) const PAGE_TOKEN: u32 = 1;

/// Of its cursors: until when changes were told.
pub(crate) const CURSOR: u32 = 2;

/// The endpoint's name in the registry's configuration.
pub(crate) const ENDPOINT: &str = "registry";

/// What this adapter's own keys of `extra` begin with.
pub(crate) const PREFIX: &str = "x-fhir-client-registry";

impl About for FhirClientRegistry {
    fn describe() -> Description {
        Description {
            name: "fhir-client-registry".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "Client registries that speak FHIR R4: PDQm, PIXm, PMIR, OpenCR".to_owned(),
            licence: Some("Apache-2.0".to_owned()),
            source: Some(
                concat!(
                    env!("CARGO_PKG_REPOSITORY"),
                    "/tree/main/adapters/fhir-client-registry"
                )
                .to_owned(),
            ),
            endpoints: vec![EndpointNeed::required(
                ENDPOINT,
                "The FHIR base, where `/Patient` is",
            )],
            settings_schema: Some(include_str!("settings.schema.json").to_owned()),
            readable_states: vec![PAGE_TOKEN, CURSOR],
            searchable_fields: fhir_r4::query::searchable(),
            ..Description::default()
        }
    }
}

//! What an administrator sets for one registry. `settings.schema.json` says the same to the gateway,
//! and a test holds them together.

use std::collections::BTreeMap;

use adapter_sdk::dates;
use fhir_r4::rules::{AddressLevels, Adds, HeadMarkers, OneOrMany, Schemes};
use fhir_r4::server::{SearchMethod, Server};
use fhir_r4::{Rules, dates as fhir_dates};
use serde::{Deserialize, Serialize};

use crate::mapping::dates::NepaliDates;
use crate::mapping::names::NepaliName;
use crate::{ENDPOINT, PREFIX};

/// The settings of one registry.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Our identifier scheme and the registry's `Identifier.system`, one or several.
    #[serde(default)]
    pub identifier_systems: BTreeMap<String, OneOrMany>,
    /// Our scheme and the registry's `Identifier.type` (`system|code` or `code`), for servers that
    /// leave the system out.
    #[serde(default)]
    pub identifier_types: BTreeMap<String, OneOrMany>,
    /// Schemes that number households, not people.
    #[serde(default)]
    pub household_schemes: Vec<String>,
    /// How a search is sent.
    #[serde(default)]
    pub search_method: SearchMethod,
    /// What the links of the server's answers begin with: behind OpenHIM they name the server inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_base: Option<OneOrMany>,
    /// The most records of one page.
    #[serde(default = "max_page_size")]
    pub max_page_size: u32,
    /// Whether RelatedPersons are asked for.
    #[serde(default)]
    pub with_related: bool,
    /// Whether Coverage is asked for.
    #[serde(default = "yes")]
    pub with_coverage: bool,
    /// In which calendar the dates of birth and death are written.
    #[serde(default)]
    pub calendar: Calendar,
    /// The extension of a date that has it in Bikram Sambat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bikram_sambat_extension: Option<String>,
    /// The extension of a Patient that has its name in Nepali.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nepali_name_extension: Option<String>,
    /// The extension of a Patient that refers to its Group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_reference_extension: Option<String>,
    /// The extension of a Group that has its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_address_extension: Option<String>,
    /// What says who is the head of a Group.
    #[serde(default)]
    pub head: HeadMarkers,
    /// At which level of administrative areas `state` (province) and `district` stand.
    #[serde(default)]
    pub address_levels: AddressLevels,
}

/// In which calendar dates are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Calendar {
    /// As FHIR has it.
    #[default]
    Gregorian,
    /// The calendar of Nepal, in the place of FHIR's own.
    BikramSambat,
}

impl Settings {
    /// Identifier systems and schemes.
    pub fn schemes(&self) -> Schemes {
        Schemes {
            systems: self.identifier_systems.clone(),
            types: self.identifier_types.clone(),
        }
    }

    /// How resources are read today.
    pub fn rules(&self) -> Rules {
        Rules {
            address_levels: self.address_levels.clone(),
            head: self.head.clone(),
            group_address: self.group_address_extension.clone(),
            today: fhir_dates::parse(&dates::now()),
            dates: Box::new(NepaliDates {
                calendar: self.calendar,
                extension: self.bikram_sambat_extension.clone(),
                today: fhir_dates::parse(&dates::now()),
            }),
            adds: self
                .nepali_name_extension
                .clone()
                .map(|url| Box::new(NepaliName(url)) as Box<dyn Adds>),
            ..Rules::new(PREFIX, self.schemes())
        }
    }

    /// How the server is asked.
    pub fn server(&self) -> Server {
        Server {
            endpoint: ENDPOINT,
            method: self.search_method,
            headers: Vec::new(),
            link_base: self.link_base.clone(),
        }
    }

    /// Whether the registry knows a person by identifiers of this scheme.
    pub fn knows(&self, scheme: &str) -> bool {
        let known = self.identifier_systems.contains_key(scheme)
            || self.identifier_types.contains_key(scheme);
        known && !self.household_schemes.iter().any(|it| it == scheme)
    }
}

fn max_page_size() -> u32 {
    50
}

fn yes() -> bool {
    true
}

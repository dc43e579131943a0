//! What an administrator sets for one registry. `settings.schema.json` says the same to the gateway,
//! and a test holds them together.

mod defaults;

use std::collections::BTreeMap;

use adapter_sdk::dates;
use adapter_sdk::model::Identifier;
use adapter_sdk::{Failure, settings};
use fhir_r4::rules::{AddressLevels, HeadMarkers, OneOrMany, Schemes};
use fhir_r4::server::{SearchMethod, Server};
use fhir_r4::{Rules, dates as fhir_dates};
use serde::{Deserialize, Serialize};

use crate::{ENDPOINT, PREFIX};

/// The settings of one registry.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Our identifier scheme and the registry's `Identifier.system`, one or several. The first is
    /// written, all are read.
    #[serde(default)]
    pub identifier_systems: BTreeMap<String, OneOrMany>,
    /// Our scheme and the registry's `Identifier.type` (`system|code` or `code`), for servers that
    /// leave the system out.
    #[serde(default)]
    pub identifier_types: BTreeMap<String, OneOrMany>,
    /// The scheme under which the server's own id of a Patient is told and asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id_scheme: Option<String>,
    /// Schemes that number households, not people.
    #[serde(default)]
    pub household_schemes: Vec<String>,
    /// Whose habits the server has.
    #[serde(default)]
    pub server: Habits,
    /// `X-OpenHIM-ClientID`, by which OpenCR knows who sends, where no client certificate tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The code in `meta.tag` that marks a golden record of OpenCR.
    #[serde(default = "defaults::golden_tag")]
    pub golden_tag: String,
    /// The scheme under which OpenCR's number of the golden record (CRUID) is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub golden_scheme: Option<String>,
    /// How a search is sent. OpenCR knows GET alone.
    #[serde(default)]
    pub search_method: SearchMethod,
    /// What the links of the server's answers begin with, where that is not what its own link tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_base: Option<OneOrMany>,
    /// How a find asks.
    #[serde(default)]
    pub lookup: Lookup,
    /// How `$ihe-pix` is asked.
    #[serde(default)]
    pub pixm_request: PixmRequest,
    /// Whether wanted identifiers limit the domains of an answer, as PDQm and PIXm have it.
    #[serde(default)]
    pub limit_domains: bool,
    /// How a search asks.
    #[serde(default)]
    pub search: SearchBy,
    /// The most records of one page.
    #[serde(default = "defaults::max_page_size")]
    pub max_page_size: u32,
    /// Whether RelatedPersons are asked for.
    #[serde(default = "defaults::yes")]
    pub with_related: bool,
    /// What a household is in this registry.
    #[serde(default)]
    pub household: HouseholdFrom,
    /// The extension of a Patient that refers to its Group, as openIMIS has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_reference_extension: Option<String>,
    /// The extension of a Group that has its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_address_extension: Option<String>,
    /// What says who is the head of a Group.
    #[serde(default)]
    pub head: HeadMarkers,
    /// At which level of administrative areas `state` and `district` stand.
    #[serde(default)]
    pub address_levels: AddressLevels,
    /// How many replaced records in a row are followed.
    #[serde(default = "defaults::max_merge_hops")]
    pub max_merge_hops: u32,
    /// How is written.
    #[serde(default)]
    pub writes: Writes,
    /// Where messages are posted to.
    #[serde(default = "defaults::message_path")]
    pub message_path: String,
    /// `MessageHeader.source.endpoint`: who we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_source: Option<String>,
    /// `MessageHeader.destination.endpoint`: who the registry is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_destination: Option<String>,
    /// The system of the tag that carries the operation's key. Empty: none is written.
    #[serde(default = "defaults::operation_tag")]
    pub operation_tag: String,
    /// How long a write whose answer was lost may still arrive, in milliseconds.
    #[serde(default = "defaults::settle_ms")]
    pub settle_ms: u32,
    /// SHA-256 of the token that messages to us carry, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_token_sha256: Option<String>,
    /// Whether the registry is asked for the Patients that changed, where it has no feed.
    #[serde(default)]
    pub poll: bool,
    /// A Patient that is created at most so many days after its birth date is told as a birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newborn_days: Option<u16>,
}

/// What servers do besides the specification.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Habits {
    /// Nothing.
    #[default]
    Fhir,
    /// OpenCR: searched by GET, each system's record beside a golden one, no conditional requests.
    Opencr,
}

/// How a find asks.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lookup {
    /// ITI-78: the Patient with the identifier.
    #[default]
    Pdqm,
    /// ITI-83: the person's other identifiers, and nothing else.
    Pixm,
}

/// How `$ihe-pix` is asked (ITI-83; the operation may be called either way, R4, section 3.2.0.3).
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PixmRequest {
    /// `GET …?sourceIdentifier=system|value`, as the profile has it.
    #[default]
    Get,
    /// `POST` of Parameters with `valueString`, which keeps the number out of addresses.
    PostString,
    /// `POST` of Parameters with `valueIdentifier` and `valueUri`.
    PostIdentifier,
}

/// How a search asks.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchBy {
    /// ITI-78: parameters.
    #[default]
    Search,
    /// ITI-119: `$match`.
    Match,
}

/// What a household is.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HouseholdFrom {
    /// A Group of Patients.
    #[default]
    Group,
    /// The kinship that RelatedPersons tell.
    RelatedPerson,
}

/// How is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Writes {
    /// `POST /Patient` with If-None-Exist, `PUT /Patient/{id}` with If-Match.
    #[default]
    Rest,
    /// ITI-104: `PUT /Patient?identifier=…`.
    Feed,
    /// ITI-93: a message.
    Message,
}

impl Settings {
    /// As the gateway has them.
    ///
    /// # Errors
    /// `misconfigured`, see [`settings::load`]; and where something is missing that another setting
    /// asks for.
    pub fn load() -> Result<Self, Failure> {
        let settings: Self = settings::load()?;
        if settings.writes == Writes::Message && settings.message_source.is_none() {
            return Err(Failure::misconfigured("settings.invalid")
                .field("settings.message_source")
                .message("is required where writes is message"));
        }
        Ok(settings)
    }

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
            resource_id_scheme: self.resource_id_scheme.clone(),
            address_levels: self.address_levels.clone(),
            head: self.head.clone(),
            group_address: self.group_address_extension.clone(),
            today: fhir_dates::parse(&dates::now()),
            ..Rules::new(PREFIX, self.schemes())
        }
    }

    /// How the server is asked.
    pub fn server(&self) -> Server {
        let client_id = self.client_id.clone().into_iter();
        Server {
            endpoint: ENDPOINT,
            method: match self.server {
                Habits::Opencr => SearchMethod::Get,
                Habits::Fhir => self.search_method,
            },
            headers: client_id.map(|id| ("x-openhim-clientid", id)).collect(),
            link_base: self.link_base.clone(),
        }
    }

    /// Whether the registry knows a person by identifiers of this scheme.
    pub fn knows(&self, scheme: &str) -> bool {
        let known = self.identifier_systems.contains_key(scheme)
            || self.identifier_types.contains_key(scheme)
            || self.resource_id_scheme.as_deref() == Some(scheme);
        known && !self.household_schemes.iter().any(|it| it == scheme)
    }

    /// The identifier to ask by: the first whose scheme the registry knows.
    ///
    /// # Errors
    /// `rejected` with code `identifier.scheme`.
    pub fn asked<'a>(&self, identifiers: &'a [Identifier]) -> Result<&'a Identifier, Failure> {
        let filled = |it: &&Identifier| self.knows(&it.scheme) && !it.value.trim().is_empty();
        identifiers
            .iter()
            .find(filled)
            .ok_or_else(|| Failure::rejected("identifier.scheme").field("identifiers"))
    }
}

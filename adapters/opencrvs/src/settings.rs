//! What an administrator sets for one registry. `settings.schema.json` says the same to the
//! gateway, and a test holds them together.

mod fields;
mod reference;

use std::collections::BTreeMap;

use adapter_sdk::Failure;
use serde::{Deserialize, Serialize};

pub use fields::{Kind, Role, field_ids, identifier_fields, is_field_key};
pub use reference::FIELDS;

/// The settings of one registry.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// OpenCRVS's version: it decides between GraphQL and the events API.
    pub version: Version,
    /// GraphQL below the endpoint, up to 1.8.
    #[serde(default = "default_graphql_path")]
    pub graphql_path: String,
    /// The FHIR notification below the endpoint, up to 1.8.
    #[serde(default = "default_notification_path")]
    pub notification_path: String,
    /// What stands before the events API's own paths below the endpoint, from 1.9.
    #[serde(default = "default_events_path")]
    pub events_path: String,
    /// What this OpenCRVS calls its events.
    #[serde(default)]
    pub event_types: EventTypes,
    /// Our schemes of what numbers a record.
    #[serde(default)]
    pub schemes: Schemes,
    /// Our identifier scheme and the type, one or several, that GraphQL and FHIR have for it. The
    /// first is sent, all are read.
    #[serde(default = "default_identifier_types")]
    pub identifier_types: BTreeMap<String, OneOrMany>,
    /// Where this country's declaration differs from the reference country's.
    #[serde(default)]
    pub fields: BTreeMap<String, OneOrMany>,
    /// Codes that this country has beside the usual ones.
    #[serde(default)]
    pub codes: Codes,
    /// The statuses of a record that are answered; none: those of a registered one.
    #[serde(default)]
    pub statuses: Vec<String>,
    /// Whether each record is read as a whole after it was found (2.x): the index lacks what the
    /// country secures.
    #[serde(default = "default_true")]
    pub read_records: bool,
    /// The most records of one page of a search.
    #[serde(default = "default_max_page_size")]
    pub max_page_size: u32,
    /// The most records that one look-up reads.
    #[serde(default = "default_max_records")]
    pub max_records: u32,
    /// The name of the key that signs webhooks: the client's SHA secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_key: Option<String>,
    /// SHA-256 of the token that country configuration's forwards carry, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_token_sha256: Option<String>,
    /// The id of the office in whose name is notified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<String>,
}

/// OpenCRVS's versions, as far as they differ here.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Version {
    #[serde(rename = "1.3")]
    V1_3,
    #[serde(rename = "1.4")]
    V1_4,
    #[serde(rename = "1.5")]
    V1_5,
    #[serde(rename = "1.6")]
    V1_6,
    #[serde(rename = "1.7")]
    V1_7,
    #[serde(rename = "1.8")]
    V1_8,
    #[serde(rename = "1.9")]
    V1_9,
    #[serde(rename = "2")]
    V2,
}

/// What this OpenCRVS calls its events.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventTypes {
    /// A birth's `type`.
    pub birth: String,
    /// A death's `type`.
    pub death: String,
}

/// Our schemes of what numbers a record.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schemes {
    /// A birth's registration number.
    pub birth_registration: String,
    /// A death's registration number.
    pub death_registration: String,
    /// The tracking id of a declaration, which is no registration number.
    pub tracking: String,
    /// The id of the record itself.
    pub record: String,
}

/// A country's own codes, each with our word.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Codes {
    /// `female`, `male`, `other`, `unknown`.
    pub sex: BTreeMap<String, String>,
    /// Our marital statuses.
    pub marital_status: BTreeMap<String, String>,
    /// Our relation roles: what an informant is to the event's subject.
    pub relation: BTreeMap<String, String>,
}

/// One word or a list of words.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// `"child.dob"`
    One(String),
    /// `["child.birthLocation", "child.birthLocation.other"]`
    Many(Vec<String>),
}

impl OneOrMany {
    /// All words; a blank one stands for none.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let words = match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Many(words) => words.as_slice(),
        };
        words
            .iter()
            .map(String::as_str)
            .filter(|word| !word.is_empty())
    }
}

impl Settings {
    /// The settings of this call.
    ///
    /// # Errors
    /// `misconfigured` with the key.
    pub fn load() -> Result<Self, Failure> {
        adapter_sdk::settings::load::<Self>()?.checked()
    }

    /// These settings, if each key of `fields` and each word of `codes` is one.
    ///
    /// # Errors
    /// `misconfigured` with code `settings.invalid` and the key.
    pub fn checked(self) -> Result<Self, Failure> {
        let wrong = |field: String| Err(Failure::misconfigured("settings.invalid").field(field));
        if let Some(key) = self.fields.keys().find(|key| !is_field_key(key)) {
            return wrong(format!("settings.fields.{key}"));
        }
        if let Some(key) = crate::mapping::codes::unknown_word(&self.codes) {
            return wrong(format!("settings.codes.{key}"));
        }
        Ok(self)
    }

    /// Whether this OpenCRVS has the events API.
    pub fn has_events_api(&self) -> bool {
        self.version >= Version::V1_9
    }

    /// The statuses that are answered. A registered record goes on: its certificate is printed and
    /// issued, its correction is asked for.
    pub fn statuses(&self) -> Vec<&str> {
        match (self.statuses.as_slice(), self.has_events_api()) {
            ([], true) => vec!["REGISTERED"],
            ([], false) => REGISTERED.to_vec(),
            (set, _) => set.iter().map(String::as_str).collect(),
        }
    }

    /// The type that GraphQL and FHIR have for a scheme.
    pub fn identifier_type(&self, scheme: &str) -> Option<&str> {
        self.identifier_types.get(scheme)?.words().next()
    }

    /// The scheme of a type that GraphQL and FHIR have, whatever its case.
    pub fn scheme(&self, identifier_type: &str) -> Option<&str> {
        let has = |types: &OneOrMany| {
            types
                .words()
                .any(|word| word.eq_ignore_ascii_case(identifier_type))
        };
        let found = self.identifier_types.iter().find(|(_, types)| has(types));
        found.map(|(scheme, _)| scheme.as_str())
    }

    /// The kind of an event's `type`, whatever its case: FHIR has `BIRTH`.
    pub fn kind(&self, event_type: &str) -> Option<Kind> {
        [Kind::Birth, Kind::Death]
            .into_iter()
            .find(|kind| self.event_type(*kind).eq_ignore_ascii_case(event_type))
    }

    /// The `type` of an event of this kind.
    pub fn event_type(&self, kind: Kind) -> &str {
        match kind {
            Kind::Birth => &self.event_types.birth,
            Kind::Death => &self.event_types.death,
        }
    }

    /// The scheme of the registration number of this kind of event.
    pub fn registration_scheme(&self, kind: Kind) -> &str {
        match kind {
            Kind::Birth => &self.schemes.birth_registration,
            Kind::Death => &self.schemes.death_registration,
        }
    }
}

/// The statuses of a registered record up to 1.8 (`RegStatus` of its GraphQL schema).
pub const REGISTERED: [&str; 4] = ["REGISTERED", "CERTIFIED", "ISSUED", "CORRECTION_REQUESTED"];

impl Default for EventTypes {
    fn default() -> Self {
        Self {
            birth: "birth".to_owned(),
            death: "death".to_owned(),
        }
    }
}

impl Default for Schemes {
    fn default() -> Self {
        Self {
            birth_registration: "birth-registration-number".to_owned(),
            death_registration: "death-registration-number".to_owned(),
            tracking: "opencrvs-tracking-id".to_owned(),
            record: "opencrvs-record-id".to_owned(),
        }
    }
}

/// Of `SUPPORTED_PATIENT_IDENTIFIER_CODES` (opencrvs-core 1.8, commons/fhir/patient) those that are
/// numbers of people.
fn default_identifier_types() -> BTreeMap<String, OneOrMany> {
    let rows = [
        ("national-id", "NATIONAL_ID"),
        ("passport", "PASSPORT"),
        ("birth-registration-number", "BIRTH_REGISTRATION_NUMBER"),
        ("death-registration-number", "DEATH_REGISTRATION_NUMBER"),
        ("driving-licence", "DRIVING_LICENSE"),
        ("refugee-number", "REFUGEE_NUMBER"),
        ("alien-number", "ALIEN_NUMBER"),
        ("social-security-number", "SOCIAL_SECURITY_NO"),
    ];
    rows.into_iter()
        .map(|(scheme, word)| (scheme.to_owned(), OneOrMany::One(word.to_owned())))
        .collect()
}

fn default_graphql_path() -> String {
    "/graphql".to_owned()
}

fn default_notification_path() -> String {
    "/notification".to_owned()
}

fn default_events_path() -> String {
    "/events".to_owned()
}

fn default_true() -> bool {
    true
}

fn default_max_page_size() -> u32 {
    20
}

fn default_max_records() -> u32 {
    10
}

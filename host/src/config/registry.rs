//! Registries, as `registry apply -f` reads them and the store keeps them.

mod evidence;
mod source;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::endpoint::EndpointConfig;
use super::events::RegistryEvents;
use super::limits::CallLimits;
use super::read::{self, ConfigError};
use super::retry::RetryConfig;
use super::secret::SecretSource;
use super::traffic::OpeningHours;

pub use evidence::Evidence;
pub use source::{BadModuleSource, ModuleSource};

/// What `registry apply -f` reads.
///
/// ```toml
/// [registries.social]
/// summary = "National social registry"
/// module = "adapter_spdci.wasm"
///
/// [registries.social.endpoints.registry]
/// base_url = "https://sr.example.org/"
/// credential = { kind = "bearer", token = "env:REGISTRY_SECRET_SOCIAL" }
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryFile {
    /// By name.
    pub registries: BTreeMap<String, RegistryConfig>,
    /// Of an export, to be read: keys cannot be exported, so that callers are not applied.
    #[serde(default)]
    pub callers: Vec<Value>,
    /// Of an export, to be read: the gateway's own settings are in its configuration file.
    #[serde(default)]
    pub gateway: Map<String, Value>,
}

impl RegistryFile {
    /// Reads a file: what it says, and how it says it.
    ///
    /// # Errors
    /// [`ConfigError`] with the line, or of JSON the field, and the remedy.
    pub fn read(file: &Path) -> Result<(Self, Value), ConfigError> {
        let written = read::written(file)?;
        let wrong = |(field, problem): (String, String)| ConfigError::Content {
            file: file.to_owned(),
            message: format!("`{field}`: {problem}"),
        };
        let parsed = match file.extension().is_some_and(|kind| kind == "json") {
            true => read::json_value(written.clone()).map_err(wrong)?,
            false => read::toml_file(file)?,
        };
        Ok((parsed, written))
    }
}

/// A registry as configured here. The store keeps all of it but `module`, in whose place it keeps
/// the module's digest.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryConfig {
    /// The adapter's module.
    #[serde(skip_serializing)]
    pub module: Option<ModuleSource>,
    /// Whether it takes calls.
    pub enabled: bool,
    /// For people.
    pub summary: String,
    /// For the adapter.
    pub settings: Map<String, Value>,
    /// What the adapter may reach, by the name it uses.
    pub endpoints: BTreeMap<String, EndpointConfig>,
    /// What `${secret:name}` stands for in endpoints.
    pub secrets: BTreeMap<String, SecretSource>,
    /// What callers must say and may see.
    pub policy: PolicyConfig,
    /// What one call may use.
    pub limits: CallLimits,
    /// How many calls at the same time.
    pub concurrency: ConcurrencyConfig,
    /// When a lookup that failed is made again.
    pub retry: RetryConfig,
    /// The tokens by which a search goes on.
    pub pages: PagesConfig,
    /// What it tells by itself.
    #[serde(skip_serializing_if = "RegistryEvents::is_default")]
    pub events: RegistryEvents,
}

/// What callers must say and may see.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// What every call must state.
    pub required: Vec<Requirement>,
    /// Top-level fields of a person that callers may see, search by and have verified. Default:
    /// all but `extra`.
    pub fields: Vec<String>,
    /// The purposes that a call may state. Default: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purposes: Option<Vec<String>>,
    /// The legal bases that a call may state. Default: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_bases: Option<Vec<String>>,
    /// When callers may ask. Default: always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<OpeningHours>,
    /// What must agree beside the number before somebody is linked: all of one of these lists. Default:
    /// the birth date, or the family name. An empty list among them: the number alone is enough.
    #[serde(skip_serializing_if = "Evidence::are_default")]
    pub link_evidence: Vec<Vec<Evidence>>,
    /// Whether one of a caller's people may be linked to several of the registry's at a time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub link_many_records: bool,
}

/// Something that a call states about itself.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requirement {
    /// `Registry-Purpose`.
    Purpose,
    /// `Registry-Legal-Basis`.
    LegalBasis,
    /// `Registry-User`.
    User,
    /// `Registry-Entity`.
    Entity,
    /// `consent` in the body.
    Consent,
}

impl Requirement {
    /// The word in configuration and API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purpose => "purpose",
            Self::LegalBasis => "legal-basis",
            Self::User => "user",
            Self::Entity => "entity",
            Self::Consent => "consent",
        }
    }
}

/// The tokens by which a search goes on.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PagesConfig {
    /// How long one is good for, in milliseconds. So long, too, it may stand in the way of a module
    /// that does not read it.
    pub lifetime_ms: u64,
}

impl PagesConfig {
    /// 15 minutes: somebody reads a page, is called away, and comes back.
    pub const LIFETIME_MS: u64 = 15 * 60 * 1_000;
    /// A day: nobody pages through a search for longer.
    pub const MOST_LIFETIME_MS: u64 = 24 * 60 * 60 * 1_000;
}

impl Default for PagesConfig {
    fn default() -> Self {
        Self {
            lifetime_ms: Self::LIFETIME_MS,
        }
    }
}

/// How many calls at the same time.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConcurrencyConfig {
    /// Instances of this registry's adapter.
    pub max_calls: u32,
    /// How long the one too many waits for its turn, in milliseconds.
    pub max_wait_ms: u64,
}

impl ConcurrencyConfig {
    /// What a national registry bears.
    pub const MAX_CALLS: u32 = 32;
    /// Longer than a lookup, shorter than a person's patience.
    pub const MAX_WAIT_MS: u64 = 2_000;
}

impl Default for ConcurrencyConfig {
    fn default() -> Self {
        Self {
            max_calls: Self::MAX_CALLS,
            max_wait_ms: Self::MAX_WAIT_MS,
        }
    }
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            required: vec![Requirement::Purpose],
            fields: crate::model::Person::FIELDS
                .into_iter()
                .filter(|field| *field != "extra")
                .map(str::to_owned)
                .collect(),
            purposes: None,
            legal_bases: None,
            hours: None,
            link_evidence: Evidence::default_lists(),
            link_many_records: false,
        }
    }
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            module: None,
            enabled: true,
            summary: String::new(),
            settings: Map::new(),
            endpoints: BTreeMap::new(),
            secrets: BTreeMap::new(),
            policy: PolicyConfig::default(),
            limits: CallLimits::default(),
            concurrency: ConcurrencyConfig::default(),
            retry: RetryConfig::default(),
            pages: PagesConfig::default(),
            events: RegistryEvents::default(),
        }
    }
}

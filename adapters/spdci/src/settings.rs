//! What an administrator sets for one registry. `settings.schema.json` says the same to the
//! gateway, and a test holds them together.

mod later;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use later::{Mode, Paths};
use later::{
    default_enrolment_statuses, default_settle_ms, default_status_after_ms,
    default_subscribe_again_ms,
};

/// The settings of one registry.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Which SPDCI standard the registry follows.
    pub registry_type: RegistryType,
    /// Who we are to the registry: `header.sender_id`.
    pub sender_id: String,
    /// Where we are called back: `header.sender_uri`. The mode `async` needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_uri: Option<String>,
    /// Who the registry is: `header.receiver_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver_id: Option<String>,
    /// `header.version`.
    #[serde(default = "default_version")]
    pub version: String,
    /// The path of the synchronous search below the endpoint.
    #[serde(default = "default_path")]
    pub path: String,
    /// `reg_type` on the wire, where it is not `ns:org:RegistryType:<registry_type>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reg_type: Option<String>,
    /// `reg_event_type`, for registries that want one: `birth`, `LiveBirth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reg_event_type: Option<String>,
    /// `reg_record_type` per ability.
    #[serde(default)]
    pub record_types: RecordTypes,
    /// Three lower-case letters (ISO 639-3): the language of the answer.
    #[serde(default = "default_locale")]
    pub locale: String,
    /// Our identifier scheme and the registry's `identifier_type`, one or several. The first is
    /// sent, all are read.
    #[serde(default = "default_identifier_types")]
    pub identifier_types: BTreeMap<String, OneOrMany>,
    /// How a person or household is looked up by identifier.
    #[serde(default)]
    pub find_query: FindQueryType,
    /// How people are looked up by what is known of them.
    #[serde(default)]
    pub search_query: SearchQueryType,
    /// `query.type` where the query is an expression.
    #[serde(default = "default_expression_type")]
    pub expression_type: String,
    /// The model's field and the registry's `attribute_name`.
    #[serde(default = "default_attributes")]
    pub attributes: BTreeMap<String, String>,
    /// Whose role a member's `related_person.relationship_type` names. The specification does not
    /// say; without this setting the type is reported as unmapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relationship_type_describes: Option<Described>,
    /// Whether a record without any identifier of the asked type is taken for the asked one's.
    #[serde(default)]
    pub trust_unnamed_records: bool,
    /// The most records of one page.
    #[serde(default = "default_max_page_size")]
    pub max_page_size: u32,
    /// Whether purpose and legal basis go along as `authorize`.
    #[serde(default = "default_true")]
    pub send_authorize: bool,
    /// Whether a lookup is answered at once or by a callback.
    #[serde(default)]
    pub mode: Mode,
    /// The paths of all but the synchronous search.
    #[serde(default)]
    pub paths: Paths,
    /// How long a callback is waited for before `txn/status` is asked, in milliseconds.
    #[serde(default = "default_status_after_ms")]
    pub status_after_ms: u32,
    /// SHA-256 of the token that callbacks carry, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_token_sha256: Option<String>,
    /// Whether, without a token, an answer is taken by the `transaction_id` that it names. Events never
    /// are.
    #[serde(default)]
    pub trust_transaction_ids: bool,
    /// The `reg_event_type`s that are subscribed to.
    #[serde(default)]
    pub subscribe: Vec<String>,
    /// How long after a refusal the registry is asked for the same subscription again, in milliseconds.
    /// It doubles with each further refusal, up to a day.
    #[serde(default = "default_subscribe_again_ms")]
    pub subscribe_again_ms: u32,
    /// Our enrolment statuses and the registry's.
    #[serde(default = "default_enrolment_statuses")]
    pub enrolment_statuses: BTreeMap<String, String>,
    /// How long an enrolment whose answer was lost may still arrive, in milliseconds.
    #[serde(default = "default_settle_ms")]
    pub settle_ms: u32,
}

/// SPDCI RegistryType, as far as this adapter serves it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub enum RegistryType {
    /// People and groups in need.
    Social,
    /// Civil registration and vital statistics.
    Civil,
    /// Integrated beneficiary registry: who is in which programme.
    #[serde(rename = "IBR")]
    Ibr,
}

/// `reg_record_type` per ability; what is not set follows the registry type.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RecordTypes {
    /// Of a find, a verification, and the parents of a kinship.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub find: Option<String>,
    /// Of a search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Of a social registry's household.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<String>,
}

/// One word or a list of words.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// `"UIN"`
    One(String),
    /// `["UIN", "NID"]`
    Many(Vec<String>),
}

/// SPDCI `query_type` of a look-up by identifier.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindQueryType {
    /// `{type, value}`
    #[default]
    IdtypeValue,
    /// `[{expression1}]`, the attribute being the identifier type.
    Predicate,
    /// `{type, value: {expression}}`
    Expression,
}

/// SPDCI `query_type` of a search.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchQueryType {
    /// `[{expression1, condition, expression2}]`
    #[default]
    Predicate,
    /// `{type, value: {expression}}`
    Expression,
}

/// Whose role a `relationship_type` names.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Described {
    /// `mother`: the related member is the mother of the one whose record it is.
    RelatedMember,
    /// `mother`: the one whose record it is is the mother of the related member.
    RecordHolder,
}

impl Settings {
    /// `reg_type` on the wire.
    pub fn reg_type(&self) -> String {
        match (&self.reg_type, self.registry_type) {
            (Some(reg_type), _) => reg_type.clone(),
            (None, RegistryType::Social) => "ns:org:RegistryType:Social".to_owned(),
            (None, RegistryType::Civil) => "ns:org:RegistryType:Civil".to_owned(),
            (None, RegistryType::Ibr) => "ns:org:RegistryType:IBR".to_owned(),
        }
    }

    /// `reg_record_type` of one person.
    pub fn find_record_type(&self) -> String {
        self.record_types
            .find
            .clone()
            .unwrap_or_else(|| self.person_record_type())
    }

    /// `reg_record_type` of a search.
    pub fn search_record_type(&self) -> String {
        self.record_types
            .search
            .clone()
            .unwrap_or_else(|| self.person_record_type())
    }

    /// `reg_record_type` of a social registry's household.
    pub fn household_record_type(&self) -> String {
        self.record_types
            .household
            .clone()
            .unwrap_or_else(|| "Group".to_owned())
    }

    /// The `identifier_type` that is sent for a scheme.
    pub fn identifier_type(&self, scheme: &str) -> Option<&str> {
        match self.identifier_types.get(scheme)? {
            OneOrMany::One(word) => Some(word),
            OneOrMany::Many(words) => words.first().map(String::as_str),
        }
    }

    /// The scheme of an `identifier_type`, whatever its case.
    pub fn scheme(&self, identifier_type: &str) -> Option<&str> {
        let same = |word: &String| word.eq_ignore_ascii_case(identifier_type);
        let found = self.identifier_types.iter().find(|(_, types)| match types {
            OneOrMany::One(word) => same(word),
            OneOrMany::Many(words) => words.iter().any(same),
        });
        found.map(|(scheme, _)| scheme.as_str())
    }

    /// The examples of `reg_record_type` in the specification: `social_api_v1.0.0.yaml`,
    /// `crvs_api_v1.0.0.yaml` and `ibr_api_v1.0.0.yaml`, `SearchResponse`.
    fn person_record_type(&self) -> String {
        match self.registry_type {
            RegistryType::Social => "SRPerson".to_owned(),
            RegistryType::Civil => "spdci-extensions-dci:Person".to_owned(),
            RegistryType::Ibr => "Member".to_owned(),
        }
    }
}

/// The model's fields beside the names that the specification gives the same things in a record
/// (`attribute_name` itself is left to each implementation).
pub fn default_attributes() -> BTreeMap<String, String> {
    table(&[
        ("name.family", "surname"),
        ("name.given", "given_name"),
        ("birth-date", "birth_date"),
        ("death-date", "death_date"),
        ("sex", "sex"),
        ("marital-status", "marital_status"),
        ("contact.phone", "phone_number"),
        ("contact.email", "email"),
        ("address.area", "region_code"),
    ])
}

fn default_identifier_types() -> BTreeMap<String, OneOrMany> {
    let types = table(&[
        ("national-id", "UIN"),
        ("birth-registration-number", "BRN"),
        ("marriage-registration-number", "MRN"),
        ("death-registration-number", "DRN"),
    ]);
    types
        .into_iter()
        .map(|(scheme, word)| (scheme, OneOrMany::One(word)))
        .collect()
}

fn table(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
    rows.iter()
        .map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned()))
        .collect()
}

fn default_version() -> String {
    "1.0.0".to_owned()
}

fn default_path() -> String {
    "/registry/sync/search".to_owned()
}

fn default_locale() -> String {
    "eng".to_owned()
}

fn default_expression_type() -> String {
    "ns:org:QueryType:NoSql".to_owned()
}

fn default_max_page_size() -> u32 {
    50
}

fn default_true() -> bool {
    true
}

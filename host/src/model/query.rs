use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Extra, Grade, Identifier, Person, Unmapped};

/// Look up one person.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct FindQuery {
    /// Of one person. Empty only where the call carries a proof.
    pub identifiers: Vec<Identifier>,
}

/// Look up the household or family of somebody.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct HouseholdQuery {
    /// Of the household itself, or of one of its people.
    pub identifiers: Vec<Identifier>,
}

/// Look up people by what is known of them.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SearchQuery {
    /// All of them hold.
    pub criteria: Vec<Criterion>,
    /// First key first.
    pub sort: Vec<SortKey>,
    /// At least 1.
    pub page_size: u32,
    /// From an earlier answer.
    pub page: Option<Opaque>,
}

/// Say whether claims agree with the registry.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct VerifyQuery {
    /// Whose record to compare with.
    pub identifiers: Vec<Identifier>,
    /// Only filled fields are checked.
    pub claimed: Person,
}

/// One thing that must hold of the people looked for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Criterion {
    /// A path in the model: `name.family`, `name.given`, `birth-date`, `sex`, `contact.phone`,
    /// `identifier.<scheme>`.
    #[schema(example = "name.family")]
    pub field: String,
    /// What must hold of it.
    #[serde(flatten)]
    pub test: Test,
}

/// A test of one field. In JSON one key: `equals`, `anyOf`, `startsWith`, `fuzzy` or `range`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Test {
    /// The same value.
    Equals(String),
    /// One of these values.
    AnyOf(Vec<String>),
    /// Begins so.
    StartsWith(String),
    /// As the registry understands likeness.
    Fuzzy(String),
    /// Between two values.
    Range(ValueRange),
}

/// Both ends belong to the range; at least one is given.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueRange {
    /// Lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// By what to order the people found.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SortKey {
    /// A path in the model.
    pub field: String,
    /// Highest first.
    #[serde(default)]
    pub descending: bool,
}

/// Bytes that only the adapter reads.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Opaque {
    /// The adapter's number for the form of `data`.
    pub schema: u32,
    /// Its own.
    pub data: Vec<u8>,
}

/// One page of a search's answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Page {
    /// Best first, where the registry ranks.
    pub candidates: Vec<Candidate>,
    /// How many there are in all, where the registry tells.
    pub total: Option<u64>,
    /// Where the next page begins.
    pub next: Option<Opaque>,
    /// What has no field of its own.
    pub extra: Vec<Extra>,
    /// What of the answer as a whole the adapter did not map.
    pub unmapped: Vec<Unmapped>,
}

/// Somebody who may be the person looked for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// As the registry knows them.
    pub person: Person,
    /// The registry's own, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The registry's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
}

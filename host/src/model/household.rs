use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Address, Extra, HouseholdKind, Identifier, Person, RelationRole, Unmapped};

/// SPDCI `Group`, FHIR `Group`: people, who of them is a member, and who is what to whom.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Household {
    /// Of the household itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Household or kinship.
    pub kind: HouseholdKind,
    /// Members, and people that only relations speak of.
    pub people: Vec<Person>,
    /// Indexes into `people`, without repeats.
    pub members: Vec<u32>,
    /// Who is what to whom.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Relation>,
    /// Index into `people`. Never guessed: a civil registry's family has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<u32>,
    /// Where the household lives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// The registry's version of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
    /// What the adapter did not map.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmapped: Vec<Unmapped>,
}

/// `object` is the `role` of `subject`: subject the child, object the woman, role `mother`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Relation {
    /// Index into `people`.
    pub subject: u32,
    /// Index into `people`.
    pub object: u32,
    /// What `object` is to `subject`.
    pub role: RelationRole,
}

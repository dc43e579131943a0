use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Extra, NameUse};

/// One of a person's names (FHIR `HumanName`). A person with a single name has only `text`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HumanName {
    /// What it is for.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub use_: Option<NameUse>,
    /// The whole name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Family name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// In order: first name, then middle names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<String>,
    /// Titles before the name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefix: Vec<String>,
    /// After the name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suffix: Vec<String>,
    /// BCP 47, with the script where it tells names apart: `ne-Deva`, `ne-Latn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What has no field of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Agreement, Extra};

/// Whether claims agree with the registry. Discloses nothing else.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Of all claims together.
    pub overall: Agreement,
    /// Empty where the registry tells only the overall result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AttributeResult>,
    /// The registry's own token for this person and us, if it gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// Of one claim.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttributeResult {
    /// A path in the model.
    pub field: String,
    /// How the claim compares.
    pub agreement: Agreement,
}

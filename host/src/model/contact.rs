use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AddressUse, ContactSystem, Extra};

/// FHIR `Address`, with areas as a list since countries differ in how many levels they have.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Address {
    /// What it is for.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub use_: Option<AddressUse>,
    /// The whole address as one text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Street lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// City, town or village, where the registry does not treat it as an administrative area.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2 or alpha-3, upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Largest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<AdministrativeArea>,
    /// Where on earth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<GeoPoint>,
    /// What has no field of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// One level of a country's administrative division.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdministrativeArea {
    /// 0 is the country, 1 the first division below it, and so on. Left out: its place in the
    /// order is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// What the country calls this level: `district`, `ward`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The area's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The list that `code` is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_system: Option<String>,
    /// The area's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// WGS 84, degrees.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GeoPoint {
    /// -90 to 90.
    pub latitude: f64,
    /// -180 to 180.
    pub longitude: f64,
}

/// FHIR `ContactPoint`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Telephone or e-mail.
    pub system: ContactSystem,
    /// The number or address.
    pub value: String,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// A photo by reference, or its bytes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Photo {
    /// An opaque name in the registry, not fetched.
    Reference(String),
    /// The picture itself.
    Content {
        /// `image/jpeg`.
        media_type: String,
        /// Base64 (RFC 4648, section 4).
        data: String,
    },
}

use serde::{Deserialize, Serialize};

/// Something of a person that tells whether a number is theirs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Evidence {
    /// Equal as a whole.
    #[serde(rename = "birth-date")]
    BirthDate,
    /// Equal, or taken for the same.
    #[serde(rename = "name.family")]
    FamilyName,
    /// Equal, or taken for the same.
    #[serde(rename = "name.given")]
    GivenName,
    /// Equal.
    #[serde(rename = "sex")]
    Sex,
}

impl Evidence {
    /// The path in the model, as verifications name it.
    pub fn path(self) -> &'static str {
        match self {
            Self::BirthDate => "birth-date",
            Self::FamilyName => "name.family",
            Self::GivenName => "name.given",
            Self::Sex => "sex",
        }
    }

    /// A number alone may be misread, and belongs to somebody nevertheless.
    pub(super) fn default_lists() -> Vec<Vec<Self>> {
        vec![vec![Self::BirthDate], vec![Self::FamilyName]]
    }

    pub(super) fn are_default(lists: &impl AsRef<[Vec<Self>]>) -> bool {
        lists.as_ref() == Self::default_lists()
    }
}

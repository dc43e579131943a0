use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a module can do: one exported interface of the contract each.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Ability {
    /// One person by identifier.
    Find,
    /// The household or family of a person.
    Household,
    /// People by what is known of them.
    Search,
    /// Whether claims agree with the registry.
    Verify,
}

impl Ability {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Find, Self::Household, Self::Search, Self::Verify];

    /// The word in the contract, the API, the configuration and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Household => "household",
            Self::Search => "search",
            Self::Verify => "verify",
        }
    }

    /// The ability of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|ability| ability.as_str() == name)
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a caller is there for. A caller may have several; an administrator may what an
/// implementer may.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Asks registries, within its grants.
    Client,
    /// Brings modules and stages them.
    Implementer,
    /// Decides what serves, and who may call.
    Administrator,
    /// Reads who looked at whom.
    Auditor,
}

impl Role {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [
        Self::Client,
        Self::Implementer,
        Self::Administrator,
        Self::Auditor,
    ];

    /// The word in the API, the configuration and the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Implementer => "implementer",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

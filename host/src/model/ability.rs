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
    /// Tell the registry of somebody or something that it does not know.
    Create,
    /// Change fields of a person that the registry knows.
    Update,
    /// Tell the registry by which identifier somebody else knows its person.
    Link,
    /// Tell a beneficiary registry who is in a programme.
    Enrolment,
    /// Ask what became of a write whose end is not known.
    Trace,
    /// Receive what the registry calls back with, and list what changed.
    Events,
}

impl Ability {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Find,
        Self::Household,
        Self::Search,
        Self::Verify,
        Self::Create,
        Self::Update,
        Self::Link,
        Self::Enrolment,
        Self::Trace,
        Self::Events,
    ];

    /// Those that look something up: what a caller is granted where no ability is named. Whoever
    /// may write is said.
    pub const READS: [Self; 4] = [Self::Find, Self::Household, Self::Search, Self::Verify];

    /// Those that change something in the registry.
    pub const WRITES: [Self; 4] = [Self::Create, Self::Update, Self::Link, Self::Enrolment];

    /// The word in the contract, the API, the configuration and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Find => "find",
            Self::Household => "household",
            Self::Search => "search",
            Self::Verify => "verify",
            Self::Create => "create",
            Self::Update => "update",
            Self::Link => "link",
            Self::Enrolment => "enrolment",
            Self::Trace => "trace",
            Self::Events => "events",
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

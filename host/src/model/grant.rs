use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Ability;

/// What a client may ask of which registries, and see of the answers. What several grants of one
/// client give adds up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grant {
    /// By name. Left out: all of them, those of tomorrow too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registries: Option<Vec<String>>,
    /// Left out: those that look something up. Whoever may write is said so.
    #[serde(default = "lookups")]
    pub abilities: Vec<Ability>,
    /// The top-level fields of a person that it may see, search by and have verified, as far as the
    /// registry's policy shows them. Left out: all of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<String>>,
    /// Whose life events it reads where it has the ability `events`. Left out: those of people whom it
    /// has linked.
    #[serde(default, skip_serializing_if = "EventsOf::is_linked")]
    pub events: EventsOf,
}

/// Whose life events are read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventsOf {
    /// Of people whom the caller has linked.
    #[default]
    Linked,
    /// Of all people of the registry.
    All,
}

/// How much a caller may ask of each registry. What is left out is as the gateway is configured.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallerLimits {
    /// Calls per second, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<u32>,
    /// Of them at once, after a pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
    /// Calls per day, from midnight to midnight UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_day: Option<u32>,
}

impl EventsOf {
    /// The word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::All => "all",
        }
    }

    /// One of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Linked, Self::All]
            .into_iter()
            .find(|one| one.as_str() == word)
    }

    fn is_linked(&self) -> bool {
        *self == Self::Linked
    }
}

impl Grant {
    /// Every lookup that the policies allow.
    pub fn everything() -> Self {
        Self {
            registries: None,
            abilities: lookups(),
            fields: None,
            events: EventsOf::Linked,
        }
    }

    /// These abilities of these registries.
    pub fn of(registries: &[&str], abilities: &[Ability]) -> Self {
        Self {
            registries: Some(registries.iter().map(|name| (*name).to_owned()).collect()),
            abilities: abilities.to_vec(),
            fields: None,
            events: EventsOf::Linked,
        }
    }

    /// Whether it is about the registry.
    pub fn covers(&self, registry: &str) -> bool {
        let named = |names: &Vec<String>| names.iter().any(|name| name == registry);
        self.registries.as_ref().is_none_or(named)
    }

    /// Whether it gives the ability of the registry.
    pub fn gives(&self, registry: &str, ability: Ability) -> bool {
        self.covers(registry) && self.abilities.contains(&ability)
    }

    /// Whether it lets the field be seen.
    pub fn shows(&self, field: &str) -> bool {
        let named = |fields: &Vec<String>| fields.iter().any(|shown| shown == field);
        self.fields.as_ref().is_none_or(named)
    }
}

fn lookups() -> Vec<Ability> {
    Ability::READS.to_vec()
}

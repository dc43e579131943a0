//! Which declaration field holds what. The ids are country configuration: the setting `fields` names
//! those that differ from the reference country's ([`FIELDS`](super::FIELDS)).

use super::{FIELDS, Settings};

/// The vital events that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A birth.
    Birth,
    /// A death.
    Death,
}

/// Who somebody is in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Role {
    Child,
    Mother,
    Father,
    Deceased,
    Spouse,
    Informant,
}

impl Kind {
    /// The first word of a key of `fields`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Birth => "birth",
            Self::Death => "death",
        }
    }

    /// Those that a record of this kind tells of, its subject first.
    pub fn roles(self) -> &'static [Role] {
        match self {
            Self::Birth => &[Role::Child, Role::Mother, Role::Father, Role::Informant],
            Self::Death => &[
                Role::Deceased,
                Role::Spouse,
                Role::Mother,
                Role::Father,
                Role::Informant,
            ],
        }
    }

    /// Whom the record is about.
    pub fn subject(self) -> Role {
        match self {
            Self::Birth => Role::Child,
            Self::Death => Role::Deceased,
        }
    }
}

impl Role {
    /// The second word of a key of `fields`, and the field's name in GraphQL.
    pub fn word(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Mother => "mother",
            Self::Father => "father",
            Self::Deceased => "deceased",
            Self::Spouse => "spouse",
            Self::Informant => "informant",
        }
    }
}

/// The third words of a key of `fields`; `identifier.<scheme>` beside them.
const PARTS: &[&str] = &[
    "name",
    "name.family",
    "name.given",
    "sex",
    "birth-date",
    "death-date",
    "age",
    "marital-status",
    "nationality",
    "education-level",
    "occupation",
    "address",
    "phone",
    "email",
    "relation",
    "relation-text",
    "absent",
];

/// The declaration fields that hold this: what `fields` sets, else the reference country's. The first
/// that is filled counts.
pub fn field_ids<'a>(settings: &'a Settings, key: &str) -> Vec<&'a str> {
    if let Some(set) = settings.fields.get(key) {
        return set.words().collect();
    }
    let found = FIELDS.iter().find(|(known, _)| *known == key);
    found.map(|(_, ids)| ids.to_vec()).unwrap_or_default()
}

/// Each scheme of an identifier that somebody of this role has in a declaration, with its fields.
pub fn identifier_fields(settings: &Settings, kind: Kind, role: Role) -> Vec<(&str, Vec<&str>)> {
    let prefix = format!("{}.{}.identifier.", kind.word(), role.word());
    let set = settings.fields.keys().map(String::as_str);
    let known = FIELDS.iter().map(|(key, _)| *key);
    let known = known.filter(|key| !settings.fields.contains_key(*key));
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for key in known.chain(set) {
        if let Some(scheme) = key.strip_prefix(&prefix) {
            let ids = field_ids(settings, key);
            if !ids.is_empty() {
                found.push((scheme, ids));
            }
        }
    }
    found
}

/// Whether this is a key that `fields` may have.
pub fn is_field_key(key: &str) -> bool {
    let Some((event, rest)) = key.split_once('.') else {
        return false;
    };
    let Some(kind) = [Kind::Birth, Kind::Death]
        .into_iter()
        .find(|kind| kind.word() == event)
    else {
        return false;
    };
    if matches!(rest, "place" | "place-kind") || key == "birth.type" {
        return true;
    }
    let Some((role, part)) = rest.split_once('.') else {
        return false;
    };
    let is_role = kind.roles().iter().any(|known| known.word() == role);
    let is_identifier = part
        .strip_prefix("identifier.")
        .is_some_and(|scheme| !scheme.is_empty());
    is_role && (is_identifier || PARTS.contains(&part))
}

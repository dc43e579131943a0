//! Identifiers: `identifier_type` and `identifier_value`, ours and theirs.

use adapter_sdk::Failure;
use adapter_sdk::model::{Extra, Identifier, Unmapped};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::extra;
use crate::settings::Settings;
use crate::wire::record::{Record, text};

/// An identifier as a record carries it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Carried {
    /// `identifier_type`
    pub identifier_type: String,
    /// `identifier_value`
    #[serde(rename = "identifier_value")]
    pub value: String,
}

impl Carried {
    /// Equal but for case, spaces and hyphens: registries write the same number in more than one
    /// way.
    pub fn is(&self, identifier_type: &str, value: &str) -> bool {
        self.identifier_type.eq_ignore_ascii_case(identifier_type)
            && core(&self.value) == core(value)
    }

    /// Whether this is the asked number: a registry may answer with another of the types that the
    /// settings give a scheme.
    pub fn answers(&self, asked: &Self, settings: &Settings) -> bool {
        let of_scheme = |scheme| settings.scheme(&asked.identifier_type) == Some(scheme);
        self.same(asked)
            || (core(&self.value) == core(&asked.value)
                && settings
                    .scheme(&self.identifier_type)
                    .is_some_and(of_scheme))
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        self.is(&other.identifier_type, &other.value)
    }

    pub(super) fn read(value: &Value) -> Option<Self> {
        let record = Record::new(value)?;
        Some(Self {
            identifier_type: record.text(&["identifier_type", "type", "id_type"])?,
            value: record.text(&["identifier_value", "identifier", "value", "id_value"])?,
        })
    }
}

/// Every identifier under one of these names.
pub fn carried(record: &Record<'_>, names: &[&str]) -> Vec<Carried> {
    let listed = record.list(names).into_iter().filter_map(Carried::read);
    let flat = flat(record).filter(|_| names.contains(&"identifier"));
    listed.chain(flat).collect()
}

/// What the person of an IBR has in place of a list.
pub(super) const FLAT: &[&str] = &["identifier_type", "identifier_value"];

/// The number of a person who has no list of them.
pub(super) fn flat(record: &Record<'_>) -> Option<Carried> {
    if record.get(&["identifier"]).is_some() {
        return None;
    }
    Some(Carried {
        identifier_type: record.text(&["identifier_type"])?,
        value: record.text(&["identifier_value"])?,
    })
}

/// Whether this is whom we asked for: the number is among those of the record, under the type that
/// was asked or another of the same scheme. A record that carries the asked type with other values
/// only is somebody else's; one that does not carry the type is believed only where the settings say
/// so (`trust_unnamed_records`).
///
/// # Errors
/// `unreadable` with code `answer.mismatch`.
pub fn check_asked(
    asked: &Carried,
    carried: &[Carried],
    settings: &Settings,
) -> Result<(), Failure> {
    let same_type = |one: &Carried| {
        one.identifier_type
            .eq_ignore_ascii_case(&asked.identifier_type)
    };
    let trusted = settings.trust_unnamed_records && !carried.iter().any(same_type);
    if trusted || carried.iter().any(|one| one.answers(asked, settings)) {
        return Ok(());
    }
    Err(Failure::unreadable("answer.mismatch"))
}

/// The identifiers of a record in the model. A type without a scheme is reported, and kept whole in
/// `extra`.
pub(super) fn identifiers(
    record: &Record<'_>,
    names: &[&str],
    settings: &Settings,
    unmapped: &mut Vec<Unmapped>,
    extras: &mut Vec<Extra>,
) -> Vec<Identifier> {
    let mut identifiers = Vec::new();
    let mut kept = Vec::new();
    if let Some(one) = flat(record).filter(|_| names.contains(&"identifier")) {
        match settings.scheme(&one.identifier_type) {
            Some(scheme) => identifiers.push(Identifier::new(scheme, one.value)),
            None => {
                let raw = serde_json::to_value(&one).unwrap_or_default();
                unmapped.push(Unmapped::new("identifiers.scheme", one.identifier_type));
                kept.push(raw);
            }
        }
    }
    for value in record.list(names) {
        match Carried::read(value) {
            Some(one) => match settings.scheme(&one.identifier_type) {
                Some(scheme) => {
                    let identifier = Identifier::new(scheme, one.value);
                    if !identifiers.contains(&identifier) {
                        identifiers.push(identifier);
                    }
                }
                None => {
                    unmapped.push(Unmapped::new("identifiers.scheme", one.identifier_type));
                    kept.push(value.clone());
                }
            },
            // A value without a type names nobody.
            None => {
                unmapped.push(Unmapped::new("identifiers.scheme", ""));
                kept.push(value.clone());
            }
        }
    }
    if !kept.is_empty() {
        extras.push(extra("identifier", &Value::Array(kept)));
    }
    identifiers
}

/// One identifier that stands for itself: `parent1_identifier`, `related_member`.
pub(super) fn one(value: &Value) -> Option<Carried> {
    match value {
        Value::Array(values) => values.iter().find_map(one),
        value => Carried::read(value),
    }
}

/// What an unreadable one looks like, for `unmapped`.
pub(super) fn as_text(value: &Value) -> String {
    text(value).unwrap_or_else(|| value.to_string())
}

fn core(value: &str) -> String {
    let kept = |c: &char| !(c.is_whitespace() || *c == '-');
    value
        .chars()
        .filter(kept)
        .flat_map(char::to_lowercase)
        .collect()
}

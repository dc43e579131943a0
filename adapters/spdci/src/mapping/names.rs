//! Names: SPDCI Name `{surname, given_name, second_name, maiden_name, prefix, suffix}`.

use adapter_sdk::model::{Extra, HumanName, NameUse};
use serde_json::Value;

use super::extra;
use crate::wire::record::{Record, text};

const FAMILY: &[&str] = &["surname", "sur_name", "last_name", "family_name"];
const GIVEN: &[&str] = &["given_name", "first_name"];
const SECOND: &[&str] = &["second_name", "middle_name"];
const MAIDEN: &[&str] = &["maiden_name"];
const PREFIX: &[&str] = &["prefix"];
const SUFFIX: &[&str] = &["suffix"];
const FULL: &[&str] = &["full_name", "text", "name"];

/// The names under `name`: one object, a list, or plain text.
pub(super) fn names(record: &Record<'_>, extras: &mut Vec<Extra>) -> Vec<HumanName> {
    let mut names = Vec::new();
    for value in record.list(&["name"]) {
        read(value, &mut names, extras);
    }
    names
}

fn read(value: &Value, names: &mut Vec<HumanName>, extras: &mut Vec<Extra>) {
    let Some(parts) = Record::new(value) else {
        names.extend(text(value).map(|text| HumanName::text(&text)));
        return;
    };
    let one = |field| Vec::from_iter(parts.text(field));
    let name = HumanName {
        text: parts.text(FULL),
        family: parts.text(FAMILY),
        given: [parts.text(GIVEN), parts.text(SECOND)]
            .into_iter()
            .flatten()
            .collect(),
        prefix: one(PREFIX),
        suffix: one(SUFFIX),
        ..HumanName::default()
    };
    if !name.is_empty() {
        names.push(name);
    }
    // FHIR has it so: a maiden name is a name of its own, for another use.
    if let Some(maiden) = parts.text(MAIDEN) {
        names.push(HumanName {
            use_: Some(NameUse::Maiden),
            family: Some(maiden),
            ..HumanName::default()
        });
    }
    for (field, value) in parts.rest(&[FAMILY, GIVEN, SECOND, MAIDEN, PREFIX, SUFFIX, FULL]) {
        extras.push(extra(&format!("name-{field}"), value));
    }
}

//! Names: SPDCI Name `{surname, given_name, second_name, maiden_name, prefix, suffix}`.

use adapter_sdk::model::{Extra, HumanName, NameUse, Unmapped};
use serde_json::Value;

use super::extra;
use super::shape::{self, report, scalar};
use crate::wire::record::Record;

const FAMILY: &[&str] = &["surname", "sur_name", "last_name", "family_name"];
const GIVEN: &[&str] = &["given_name", "first_name"];
const SECOND: &[&str] = &["second_name", "middle_name"];
const MAIDEN: &[&str] = &["maiden_name"];
const PREFIX: &[&str] = &["prefix"];
const SUFFIX: &[&str] = &["suffix"];
const FULL: &[&str] = &["full_name", "text", "name"];

/// The names under `name`: one object, a list, or plain text.
pub(super) fn names(
    record: &Record<'_>,
    extras: &mut Vec<Extra>,
    unmapped: &mut Vec<Unmapped>,
) -> Vec<HumanName> {
    let mut names = Vec::new();
    for value in record.list(&["name"]) {
        read(value, &mut names, extras, unmapped);
    }
    names
}

fn read(
    value: &Value,
    names: &mut Vec<HumanName>,
    extras: &mut Vec<Extra>,
    unmapped: &mut Vec<Unmapped>,
) {
    let Some(parts) = Record::new(value) else {
        match scalar(value) {
            Some(text) => names.push(HumanName::text(&text)),
            None => unmapped.push(report("names", value)),
        }
        return;
    };
    let mut one = |field| {
        let text = shape::text(&parts, field, "names", unmapped);
        Some(text).filter(|text| !text.is_empty())
    };
    let (text, family, maiden) = (one(FULL), one(FAMILY), one(MAIDEN));
    let mut all = |field| shape::texts(&parts, field, "names", unmapped);
    let name = HumanName {
        text,
        family,
        given: [all(GIVEN), all(SECOND)].concat(),
        prefix: all(PREFIX),
        suffix: all(SUFFIX),
        ..HumanName::default()
    };
    if !name.is_empty() {
        names.push(name);
    }
    // FHIR has it so: a maiden name is a name of its own, for another use.
    if let Some(maiden) = maiden {
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

//! Values that have a key of their own in the contract (`wit/README.md`, 3.3), in the form that it
//! wants. A value of another form stays under the adapter's key.

use adapter_sdk::dates;
use adapter_sdk::model::Extra;
use serde_json::{Map, Value};

use super::shape::scalar;
use super::{codes, extra};
use crate::wire::record::{Record, elements};

/// What a value is said of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// A person.
    Person,
    /// A household.
    Household,
}

/// What is left of a record.
pub(super) fn extras(rest: Vec<(&str, &Value)>, on: On) -> Vec<Extra> {
    let mut extras: Vec<Extra> = Vec::new();
    for (name, value) in rest {
        let known = reserved(name, value, on);
        // Two names may mean one key; the second keeps its own.
        let free = known.filter(|known| extras.iter().all(|before| before.key != known.key));
        extras.push(free.unwrap_or_else(|| extra(name, value)));
    }
    extras
}

fn reserved(name: &str, value: &Value, on: On) -> Option<Extra> {
    let value = match (name, on) {
        (
            "nationality" | "citizenship" | "ethnicity" | "religion" | "education_level"
            | "employment_status" | "occupation" | "income_level",
            On::Person,
        )
        | ("group_type", On::Household)
        | ("household_status" | "poverty_score" | "poverty_score_type", _) => {
            Value::String(single(value)?)
        }
        ("is_disabled", On::Person) => codes::YES_NO.value(&single(value)?)?.into(),
        ("disability_info", On::Person) => disabilities(value)?,
        ("language_code", On::Person) => languages(value)?,
        ("marriage_date" | "divorce_date", On::Person) => days(value)?,
        ("group_size", On::Household) => single(value)?.parse::<u32>().ok()?.into(),
        ("registration_date" | "last_updated" | "last_update", _) => moment(&single(value)?)?,
        _ => return None,
    };
    let key = match name {
        "language_code" => "communication-languages".to_owned(),
        "last_update" => "last-updated".to_owned(),
        name => name.replace('_', "-"),
    };
    Some(Extra::new(key, &value))
}

/// The one text of a value or of a list of one.
fn single(value: &Value) -> Option<String> {
    match elements(value).as_slice() {
        [one] => scalar(one),
        _ => None,
    }
}

/// A date, or a list where the registry has one.
fn days(value: &Value) -> Option<Value> {
    let day = |value: &Value| dates::parse(&scalar(value)?).map(|date| dates::format(&date).into());
    match value {
        Value::Array(_) => elements(value)
            .into_iter()
            .map(day)
            .collect::<Option<Vec<Value>>>()
            .map(Value::Array),
        value => day(value),
    }
}

/// RFC 3339 as it is; without a zone, the day alone.
fn moment(text: &str) -> Option<Value> {
    let date = dates::parse(text)?;
    let zone = |zone: &str| matches!(zone.as_bytes(), [b'+' | b'-', _, _, b':', _, _]);
    let zoned = text.ends_with('Z')
        || text
            .len()
            .checked_sub(6)
            .and_then(|at| text.get(at..))
            .is_some_and(zone);
    let timed = text.get(10..11) == Some("T") && text.get(4..5) == Some("-");
    Some(match timed && zoned {
        true => text.into(),
        false => dates::format(&date).into(),
    })
}

/// BCP 47 from two letters on. Which two stand for three (`eng`) is not known here.
fn languages(value: &Value) -> Option<Value> {
    let tag = |value: &Value| {
        let tag = scalar(value)?;
        let primary = tag.split('-').next()?;
        let fits = primary.len() == 2 && primary.bytes().all(|b| b.is_ascii_alphabetic());
        fits.then_some(Value::String(tag))
    };
    let tags: Option<Vec<Value>> = elements(value).into_iter().map(tag).collect();
    tags.map(Value::Array)
}

/// `disability_info`, where it says no more than the key has room for.
fn disabilities(value: &Value) -> Option<Value> {
    const PARTS: [(&str, &[&str]); 3] = [
        ("type", &["disability_type"]),
        ("limitation", &["functional_limitation_type"]),
        ("severity", &["functional_severity"]),
    ];
    let one = |value: &Value| {
        let record = Record::new(value)?;
        if !record.rest(&PARTS.map(|(_, names)| names)).is_empty() {
            return None;
        }
        let mut info = Map::new();
        for (key, names) in PARTS {
            if let Some(part) = record.get(names) {
                info.insert(key.to_owned(), single(part)?.into());
            }
        }
        Some(Value::Object(info))
    };
    let all: Option<Vec<Value>> = elements(value).into_iter().map(one).collect();
    all.map(Value::Array)
}

//! SPDCI IBR `programme_identifier`: the programmes that somebody is in.

use adapter_sdk::dates;
use serde_json::{Map, Value, json};

use super::shape::scalar;
use crate::wire::record::Record;

/// Of a Beneficiary's member.
pub(super) const PROGRAMME: &[&str] = &["programme_identifier"];

/// One enrolment, as far as it can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enrolled {
    /// `programme_identifier`, or the programme's name where it has none.
    pub programme: Option<String>,
    /// `enrolment_status`, as the registry writes it.
    pub status: Option<String>,
}

/// The enrolments of a record.
pub fn enrolled(record: &Record<'_>) -> Vec<Enrolled> {
    let objects = record.objects(PROGRAMME).into_iter();
    let each = objects.map(|one| Enrolled {
        programme: programme(&one),
        status: one.text(&["enrolment_status", "enrollment_status"]),
    });
    each.collect()
}

/// The same for the reserved key `enrolments`. None where the record speaks of no programme.
pub(super) fn enrolments(record: &Record<'_>) -> Option<Value> {
    let objects = record.objects(PROGRAMME);
    if objects.is_empty() {
        return None;
    }
    let each = objects.iter().map(|one| {
        let mut kept = Map::new();
        let status = one.text(&["enrolment_status", "enrollment_status"]);
        let day = |names: &[&str]| {
            let date = dates::parse(&one.text(names)?)?;
            Some(dates::format(&date))
        };
        let words = [
            ("programme", programme(one)),
            ("status", status),
            ("from", day(&["enrolment_date", "enrollment_date"])),
        ];
        for (key, word) in words {
            kept.extend(word.map(|word| (key.to_owned(), Value::String(word))));
        }
        let benefits: Vec<&Value> = one.list(&["benefits"]);
        if !benefits.is_empty() {
            kept.insert("benefits".to_owned(), json!(benefits));
        }
        Value::Object(kept)
    });
    Some(each.collect())
}

/// `{"programme": {"programme_identifier", "programme_name"}}`, or the number alone.
fn programme(one: &Record<'_>) -> Option<String> {
    let names = ["programme_identifier", "programme_name"];
    match one.object(&["programme", "program"]) {
        Some(programme) => names.iter().find_map(|name| {
            let value = programme.get(&[name])?;
            let number = Record::new(value).and_then(|it| it.text(&["identifier_value"]));
            number.or_else(|| scalar(value))
        }),
        None => one.text(&names),
    }
}

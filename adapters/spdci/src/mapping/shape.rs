//! Values of a shape that nobody foresaw. They are reported, since a field that is merely left empty
//! would say that the registry does not know.

use adapter_sdk::model::Unmapped;
use serde_json::Value;

use super::identifiers::as_text;
use crate::wire::record::{self, Record};

/// The one text of a field, or nothing. Another shape, or more than one value, is reported.
pub(super) fn text(
    record: &Record<'_>,
    names: &[&str],
    field: &str,
    unmapped: &mut Vec<Unmapped>,
) -> String {
    let found = match record.list(names).as_slice() {
        [] => return String::new(),
        [value] => scalar(value),
        // Which of them counts is not ours to say.
        _ => None,
    };
    found.unwrap_or_else(|| {
        unmapped.extend(record.get(names).map(|value| report(field, value)));
        String::new()
    })
}

/// Every text of a field; what is none is reported.
pub(super) fn texts(
    record: &Record<'_>,
    names: &[&str],
    field: &str,
    unmapped: &mut Vec<Unmapped>,
) -> Vec<String> {
    let mut texts = Vec::new();
    for value in record.list(names) {
        match scalar(value) {
            Some(text) => texts.push(text),
            None => unmapped.push(report(field, value)),
        }
    }
    texts
}

/// A value as it came.
pub(super) fn report(field: &str, value: &Value) -> Unmapped {
    let value = match value {
        Value::Array(_) => value.to_string(),
        value => as_text(value),
    };
    Unmapped::new(field, value)
}

/// The text of a value that is no list.
pub(super) fn scalar(value: &Value) -> Option<String> {
    (!value.is_array()).then(|| record::text(value)).flatten()
}

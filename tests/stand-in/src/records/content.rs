//! What a record may hold, and how something else is refused.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    body: Value,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &str) -> Self {
        Self {
            status,
            body: json!({ "code": code }),
        }
    }

    /// 422, about a field.
    pub(super) fn field(code: &str, field: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code).with("field", json!(field))
    }

    pub(super) fn unknown_record() -> Self {
        Self::new(StatusCode::NOT_FOUND, "record.unknown")
    }

    pub(super) fn with(mut self, key: &str, value: Value) -> Self {
        self.body[key] = value;
        self
    }

    pub(super) fn answer(self) -> (StatusCode, Value) {
        (self.status, self.body)
    }

    pub(super) fn told(self) -> (u16, Value) {
        (self.status.as_u16(), self.body)
    }
}

/// The fields of a record that `PATCH` takes.
pub(super) const CHANGEABLE: [&str; 5] = ["names", "sex", "born", "died", "addresses"];
/// Those of them that a new record takes: addresses come after it.
pub(super) const CREATABLE: [&str; 4] = ["names", "sex", "born", "died"];

/// Checks every field, and that there is no other.
pub(super) fn check(content: &Map<String, Value>, allowed: &[&str]) -> Result<(), Problem> {
    for (field, value) in content {
        if !allowed.contains(&field.as_str()) {
            return Err(Problem::field("field.unknown", field));
        }
        let fits = match field.as_str() {
            "names" => list_of(value, &["family", "given", "text"]),
            "addresses" => list_of(
                value,
                &["use", "text", "lines", "city", "postalCode", "country"],
            ),
            "sex" => value.is_null() || ["F", "M", "U"].iter().any(|code| value == code),
            _ => value.is_null() || value.as_str().is_some_and(is_date),
        };
        if !fits {
            return Err(Problem::field("value.invalid", field));
        }
    }
    Ok(())
}

/// Writes the fields of a change; null and an empty list clear one.
pub(super) fn merge(content: &mut Map<String, Value>, change: &Map<String, Value>) {
    for (field, value) in change {
        if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
            content.remove(field);
        } else {
            content.insert(field.clone(), value.clone());
        }
    }
}

fn list_of(value: &Value, parts: &[&str]) -> bool {
    let part = |(name, value): (&String, &Value)| {
        let strings = |list: &Vec<Value>| list.iter().all(Value::is_string);
        parts.contains(&name.as_str())
            && (value.is_string() || value.as_array().is_some_and(strings))
    };
    let item = |item: &Value| {
        item.as_object()
            .is_some_and(|item| !item.is_empty() && item.iter().all(part))
    };
    value.as_array().is_some_and(|list| list.iter().all(item))
}

/// A year, a month or a day.
pub(super) fn is_date(text: &str) -> bool {
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.to_owned(),
    };
    whole.len() == 10 && whole.parse::<jiff::civil::Date>().is_ok()
}

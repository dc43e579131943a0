//! Values of an expected JSON shape; another one is reported.

use adapter_sdk::Failure;
use adapter_sdk::model::{Extra, Unmapped};
use serde_json::{Map, Value};

/// A JSON object.
pub type Object = Map<String, Value>;

/// The most entries of one list in an answer or callback. Each time that a record is read, OpenCRVS
/// adds an action to it, so that lists of actions grow long.
pub const MAX_LIST: usize = 10_000;

/// Whether each list in it is of a length that is read.
///
/// # Errors
/// `unreadable` with code `answer.list-too-long`.
pub fn bounded(value: &Value) -> Result<(), Failure> {
    match value {
        Value::Array(values) if values.len() > MAX_LIST => {
            Err(Failure::unreadable("answer.list-too-long"))
        }
        Value::Array(values) => values.iter().try_for_each(bounded),
        Value::Object(object) => object.values().try_for_each(bounded),
        _ => Ok(()),
    }
}

/// A text or a whole number as text; none where there is neither or it is blank. Of a number with a
/// fraction, or of more than 19 digits, some are lost: as a person's number it would be another's.
pub fn plain(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => adapter_sdk::names::filled(text),
        Value::Number(number) => (!number.is_f64()).then(|| number.to_string()),
        _ => None,
    }
}

/// The same; what is neither text nor whole number nor null is reported under the model's `field`.
pub fn text(value: Option<&Value>, field: &str, unmapped: &mut Vec<Unmapped>) -> Option<String> {
    match value {
        None | Some(Value::Null) => None,
        Some(value @ Value::String(_)) => plain(Some(value)),
        Some(value @ Value::Number(number)) if !number.is_f64() => plain(Some(value)),
        Some(value) => {
            unmapped.push(Unmapped::new(field, value.to_string()));
            None
        }
    }
}

/// The texts of a list or of one value; what is none is reported.
pub fn texts(value: Option<&Value>, field: &str, unmapped: &mut Vec<Unmapped>) -> Vec<String> {
    let values = match value {
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    let each = values.iter();
    each.filter_map(|value| text(Some(value), field, unmapped))
        .collect()
}

/// The objects of a list, or one object that stands for itself; what is none is reported.
pub fn objects<'a>(
    value: Option<&'a Value>,
    field: &str,
    unmapped: &mut Vec<Unmapped>,
) -> Vec<&'a Object> {
    let values = match value {
        Some(Value::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    let mut found = Vec::new();
    for value in values {
        match value {
            Value::Object(object) => found.push(object),
            Value::Null => {}
            value => unmapped.push(Unmapped::new(field, value.to_string())),
        }
    }
    found
}

/// The objects of a list, where what is none says nothing.
pub fn plain_objects(value: Option<&Value>) -> Vec<&Object> {
    objects(value, "", &mut Vec::new())
}

/// An object below this one.
pub fn object<'a>(of: &'a Object, name: &str) -> Option<&'a Object> {
    of.get(name)?.as_object()
}

/// `child.weightAtBirth` as `x-opencrvs-child-weightatbirth`.
pub fn extra(name: &str, value: &Value) -> Extra {
    let dashed = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    Extra::new(
        format!(
            "x-opencrvs-{}",
            name.chars().map(dashed).collect::<String>()
        ),
        value,
    )
}

/// Sets a member of an object that is being made.
pub fn put(into: &mut Value, name: impl Into<String>, value: impl Into<Value>) {
    if let Value::Object(into) = into {
        into.insert(name.into(), value.into());
    }
}

/// Whether there is nothing in it.
pub fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.iter().all(is_blank),
        Value::Object(object) => object.values().all(is_blank),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

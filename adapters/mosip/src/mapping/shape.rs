//! Values of whatever JSON shape.

use adapter_sdk::model::{Extra, Unmapped};
use adapter_sdk::names::filled;
use serde_json::Value;

/// A text, or a whole number as text. Blank and null are absent; what is neither is reported under
/// `field`: of a number with a fraction, or of more than 19 digits, some are lost, and as a person's
/// number it would be another's.
pub(super) fn text(value: &Value, field: &str, unmapped: &mut Vec<Unmapped>) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => filled(text),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        other => {
            unmapped.push(Unmapped::new(field, other.to_string()));
            None
        }
    }
}

/// `phone_number_verified` as `x-mosip-phone-number-verified`.
pub(super) fn extra(claim: &str, value: &Value) -> Extra {
    let dashed = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let key: String = claim.chars().map(dashed).collect();
    Extra::new(format!("x-mosip-{key}"), value)
}

/// Whether there is anything in it.
pub(super) fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

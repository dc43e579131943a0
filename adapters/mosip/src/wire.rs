//! Their JSON: strict in what is sent, and in what is read no more than is needed.
//!
//! Read by hand: serde takes a list for a record, too, member by member, so that `[true]` would be an
//! agreement; and what it makes of a record is larger.

pub mod esignet;
pub mod ida;

use adapter_sdk::Failure;
use serde_json::{Map, Value};

/// A record.
///
/// # Errors
/// `unreadable`: it is none.
pub(crate) fn object(value: &Value) -> Result<&Map<String, Value>, Failure> {
    value.as_object().ok_or_else(shape)
}

/// A text, if it is there.
///
/// # Errors
/// `unreadable`: there is something else.
pub(crate) fn text(record: &Map<String, Value>, name: &str) -> Result<Option<String>, Failure> {
    match record.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(shape()),
    }
}

pub(crate) fn shape() -> Failure {
    Failure::unreadable("json.shape")
}

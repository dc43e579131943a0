//! Their resources as ours: pure functions. What has no place in the model goes to `extra`, under the
//! contract's key where it reserves one and else under the adapter's own; what the model has no word
//! for goes to `unmapped`. Nothing here fails: whether a resource may be read at all is asked before
//! ([`check`]).

mod address;
mod codes;
mod contact;
mod family;
mod group;
mod head;
mod identifiers;
mod kept;
mod link;
mod merged;
mod names;
mod patient;
mod related;

pub use codes::{MARITAL_STATUS, SEX};
pub use family::{counterparts, kinship};
pub use group::{household, members};
pub use identifiers::{carried, carries};
pub use link::{Replacement, is_golden, is_replaced, links, replacement};
pub use merged::standing;
pub use patient::patient;
pub use related::{related_person, related_persons, with_related};

use adapter_sdk::Failure;
use serde_json::Value;

use crate::json::Object;

/// Whether a resource may be read: it is of this kind, and says nothing that changes what the rest of
/// it means. R4, sections 2.5.1 and 2.26.1.1: who does not know a modifier extension or an implicit
/// rule must not use the resource.
///
/// # Errors
/// `unreadable` with code `answer.resource`, `fhir.modifier-extension` or `fhir.implicit-rules`.
pub fn check(resource: &Value, kind: &str) -> Result<(), Failure> {
    let object = Object::new(resource).filter(|it| it.text("resourceType") == Some(kind));
    let object = object.ok_or_else(|| Failure::unreadable("answer.resource"))?;
    if object.get("implicitRules").is_some() {
        return Err(Failure::unreadable("fhir.implicit-rules"));
    }
    if has_modifier(resource) {
        return Err(Failure::unreadable("fhir.modifier-extension"));
    }
    Ok(())
}

/// On the resource and on every element of it; a contained resource is not read.
fn has_modifier(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.iter().any(|(name, value)| match name.as_str() {
            "modifierExtension" => !crate::json::is_blank(value),
            "contained" | "text" => false,
            _ => has_modifier(value),
        }),
        Value::Array(values) => values.iter().any(has_modifier),
        _ => false,
    }
}

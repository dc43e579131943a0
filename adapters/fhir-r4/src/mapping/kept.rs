//! What has no field in the model: the contract's reserved keys (`wit/README.md`, 3.3), and the rest.

use adapter_sdk::model::Extra;
use serde_json::{Value, json};

use crate::Rules;
use crate::json::{Extensions, Object, extension_value};

/// Extensions of Patient that the contract has a key for (R4, section 8.1.13).
const RESERVED: [(&str, &str); 3] = [
    (
        "http://hl7.org/fhir/StructureDefinition/patient-religion",
        "religion",
    ),
    (
        "http://hl7.org/fhir/StructureDefinition/patient-genderIdentity",
        "gender-identity",
    ),
    (
        "http://hl7.org/fhir/StructureDefinition/individual-genderIdentity",
        "gender-identity",
    ),
];
/// Extensions whose code is inside, under the name `code`.
const INSIDE: [(&str, &str); 2] = [
    (
        "http://hl7.org/fhir/StructureDefinition/patient-nationality",
        "nationality",
    ),
    (
        "http://hl7.org/fhir/StructureDefinition/patient-citizenship",
        "citizenship",
    ),
];

/// The extensions of a Patient: reserved ones under the contract's keys. `read` are those that other
/// parts of the mapping read.
pub(super) fn extensions(extensions: &Extensions<'_>, read: &[&str], rules: &Rules) -> Vec<Extra> {
    let mut kept = Vec::new();
    let mut known = read.to_vec();
    for (url, key) in RESERVED {
        let found = extensions.first(url);
        if let Some(code) = found.and_then(|it| code(extension_value(&it)?)) {
            kept.push(Extra::new(key, &code));
            known.push(url);
        }
    }
    for (url, key) in INSIDE {
        let found = extensions.first(url);
        let inside = found.and_then(|it| it.extensions().first("code"));
        if let Some(code) = inside.and_then(|it| code(extension_value(&it)?)) {
            kept.push(Extra::new(key, &code));
            known.push(url);
        }
    }
    kept.extend(rest(extensions, &known, rules));
    kept
}

/// Extensions that nothing reads, as they came, under one key.
pub(super) fn rest(extensions: &Extensions<'_>, read: &[&str], rules: &Rules) -> Option<Extra> {
    named("extension", extensions, read, rules)
}

/// The same, of a part of the resource.
pub(super) fn named(
    name: &str,
    extensions: &Extensions<'_>,
    read: &[&str],
    rules: &Rules,
) -> Option<Extra> {
    let rest = extensions.rest(read);
    (!rest.is_empty()).then(|| Extra::new(rules.key(name), &Value::Array(rest)))
}

/// Fields that nothing reads, as they came.
pub(super) fn fields(object: &Object<'_>, read: &[&str], rules: &Rules) -> Vec<Extra> {
    let rest = object.rest(read).into_iter();
    rest.map(|(name, value)| Extra::new(rules.key(name), value))
        .collect()
}

/// A code as the contract has it: a string, or `{"code", "system"}`.
pub(super) fn code(value: &Value) -> Option<Value> {
    if let Some(text) = value.as_str() {
        return Some(json!(text));
    }
    let concept = Object::new(value)?;
    let codings = concept.objects("coding");
    let (coding, text) = match codings.as_slice() {
        [coding] => (coding, None),
        [] => (&concept, concept.text("text")),
        _ => return None,
    };
    let code = coding.text("code").or(text)?;
    Some(match coding.text("system") {
        Some(system) => json!({ "code": code, "system": system }),
        None => json!(code),
    })
}

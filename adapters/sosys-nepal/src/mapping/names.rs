//! The name in Nepali, where the registry has it in an extension of its own.

use adapter_sdk::model::{HumanName, Person};
use fhir_r4::json::{Notes, Object, scalar};
use fhir_r4::rules::Adds;
use serde_json::Value;

/// The extension of a Patient that has its name in Nepali.
#[derive(Clone, Debug)]
pub struct NepaliName(pub String);

impl Adds for NepaliName {
    fn extensions(&self) -> Vec<&str> {
        vec![&self.0]
    }

    fn add(&self, person: Person, patient: &Value) -> Person {
        with_nepali(person, patient, &self.0)
    }
}

/// Puts the Nepali name beside the others. It is a `HumanName` or a text; another shape is noted.
fn with_nepali(mut person: Person, patient: &Value, url: &str) -> Person {
    let extensions = Object::new(patient).map(|it| it.extensions());
    let mut notes = Notes::default();
    for told in extensions.unwrap_or_default().all(url) {
        let name = match told.object("valueHumanName") {
            Some(object) => HumanName {
                text: notes.text(&object, "text", "names.text"),
                family: notes.text(&object, "family", "names.family"),
                given: notes.texts(&object, "given", "names.given"),
                ..HumanName::default()
            },
            None => HumanName {
                text: told.get("valueString").and_then(scalar),
                ..HumanName::default()
            },
        };
        if name.is_empty() {
            notes.add("names", told.get("valueString").unwrap_or(&Value::Null));
            continue;
        }
        let language = Some(language(&name).to_owned());
        let name = HumanName { language, ..name };
        if !person.names.contains(&name) {
            person.names.push(name);
        }
    }
    person.unmapped.extend(notes.0);
    person
}

/// The setting says that it is Nepali. That it is written in Devanagari is told by its letters, and only
/// where all of them are.
fn language(name: &HumanName) -> &'static str {
    let parts = name.text.iter().chain(&name.family).chain(&name.given);
    let mut letters = parts
        .flat_map(|it| it.chars())
        .filter(|c| c.is_alphabetic());
    // The block Devanagari of Unicode.
    match letters.all(|c| ('\u{900}'..='\u{97f}').contains(&c)) {
        true => "ne-Deva",
        false => "ne",
    }
}

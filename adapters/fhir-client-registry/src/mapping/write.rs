//! A person of ours as a Patient of theirs: the fields that are written, and what has no place. A value
//! that no code of theirs means is refused before anything is sent.

mod lists;
pub mod marks;

use adapter_sdk::model::{Identifier, MaritalStatus, Person, PersonStatus};
use adapter_sdk::{Failure, dates};
use fhir_r4::bundle::reference;
use fhir_r4::mapping::{MARITAL_STATUS, SEX, is_replaced};
use fhir_r4::rules::Carried;
use serde_json::{Map, Value, json};

use crate::settings::Settings;

pub use lists::identifier;

const V3: &str = "http://terminology.hl7.org/CodeSystem/v3-";

/// A Patient in the making.
pub type Resource = Map<String, Value>;

/// The fields that a person fills.
pub fn filled(person: &Person) -> Vec<&'static str> {
    let told = [
        ("identifiers", !person.identifiers.is_empty()),
        ("names", !person.names.is_empty()),
        ("sex", person.sex.is_some()),
        ("birth-date", person.birth_date.is_some()),
        ("death-date", person.death_date.is_some()),
        ("marital-status", person.marital_status.is_some()),
        ("addresses", !person.addresses.is_empty()),
        ("contacts", !person.contacts.is_empty()),
        ("photo", person.photo.is_some()),
        ("related", !person.related.is_empty()),
        ("status", person.status.is_some()),
        ("replaced-by", !person.replaced_by.is_empty()),
        ("extra", !person.extra.is_empty()),
    ];
    let filled = told.into_iter().filter(|(_, filled)| *filled);
    filled.map(|(field, _)| field).collect()
}

/// Writes fields of a person into a Patient, which keeps all else: what is in `mask` and empty in the
/// person is cleared. `survivor` is the reference to the record of `replaced-by`. Gives the fields that
/// have no place.
///
/// # Errors
/// `unsupported` with the field; `rejected` where fields contradict one another.
pub fn write(
    patient: &mut Resource,
    person: &Person,
    mask: &[&str],
    survivor: Option<&str>,
    settings: &Settings,
) -> Result<Vec<String>, Failure> {
    let mut unwritten = Vec::new();
    let was_dead = is_dead(patient);
    for field in mask {
        match *field {
            "identifiers" => {
                let list =
                    lists::identifiers(patient, &person.identifiers, settings, &mut unwritten);
                put_list(patient, "identifier", list);
            }
            "names" => {
                let names: Result<Vec<Value>, Failure> =
                    person.names.iter().map(lists::name).collect();
                put_list(patient, "name", names?);
            }
            "sex" => put(patient, "gender", person.sex.and_then(|it| SEX.code(&it))),
            "birth-date" => {
                let date = person.birth_date.as_ref().map(dates::format);
                put(patient, "birthDate", date);
                // What stood beside the old date (a time of birth) is not of the new one.
                patient.remove("_birthDate");
            }
            "death-date" => {
                let date = person.death_date.as_ref().map(dates::format);
                patient.remove("deceasedBoolean");
                patient.remove("_deceasedDateTime");
                put(patient, "deceasedDateTime", date);
            }
            "marital-status" => {
                let status = person.marital_status.as_ref().map(marital_status);
                put(patient, "maritalStatus", status.transpose()?);
            }
            "addresses" => lists::addresses(patient, person, settings, &mut unwritten)?,
            "contacts" => {
                let contacts: Result<Vec<Value>, Failure> =
                    person.contacts.iter().map(lists::contact).collect();
                put_list(patient, "telecom", contacts?);
            }
            // With `status`: a merge is both.
            "replaced-by" if follows_status(person, mask) => {}
            "status" => status(patient, person, mask, survivor)?,
            other => unwritten.push(other.to_owned()),
        }
    }
    unwritten.extend(besides(person, mask));
    // The order of the mask must not decide whether a date of death outlives the status.
    if mask.contains(&"death-date")
        && mask.contains(&"status")
        && let Some(date) = &person.death_date
    {
        patient.remove("deceasedBoolean");
        put(patient, "deceasedDateTime", Some(dates::format(date)));
    }
    // Who does not know the day of a death does not say that nobody died.
    let stays_dead = match &person.status {
        _ if !mask.contains(&"status") => was_dead,
        None | Some(PersonStatus::Active) => false,
        Some(PersonStatus::Deceased) => true,
        Some(_) => was_dead,
    };
    if mask.contains(&"death-date") && person.death_date.is_none() && stays_dead {
        patient.insert("deceasedBoolean".to_owned(), json!(true));
    }
    Ok(unwritten)
}

/// Whether `status` writes what `replaced-by` says: a merge is both, and so is taking one back.
fn follows_status(person: &Person, mask: &[&str]) -> bool {
    let says = match &person.status {
        Some(PersonStatus::Merged) => true,
        Some(PersonStatus::Active) => person.replaced_by.is_empty(),
        _ => false,
    };
    says && mask.contains(&"status")
}

fn is_dead(patient: &Resource) -> bool {
    let has_date = ["deceasedDateTime", "_deceasedDateTime"];
    patient.get("deceasedBoolean") == Some(&json!(true))
        || has_date.iter().any(|it| patient.contains_key(*it))
}

/// Whether these fields would undo a death, or a merge.
pub fn undoes(patient: &Resource, person: &Person, mask: &[&str]) -> bool {
    if !mask.contains(&"status") {
        return false;
    }
    match &person.status {
        Some(PersonStatus::Active) => {
            is_dead(patient) || is_replaced(&Value::Object(patient.clone()))
        }
        None => is_dead(patient),
        Some(_) => false,
    }
}

/// What stands beside the values of masked fields and has no place: it is told, since a list that is
/// written as a whole loses it.
fn besides(person: &Person, mask: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut list = |field: &str, filled: Vec<bool>| {
        if mask.contains(&field) {
            let filled = filled.into_iter().enumerate().filter(|(_, filled)| *filled);
            found.extend(filled.map(|(at, _)| format!("{field}.{at}.extra")));
        }
    };
    let identifiers = person.identifiers.iter();
    list(
        "identifiers",
        identifiers.map(|it| !it.extra.is_empty()).collect(),
    );
    list(
        "names",
        person.names.iter().map(|it| !it.extra.is_empty()).collect(),
    );
    list(
        "addresses",
        person
            .addresses
            .iter()
            .map(|it| !it.extra.is_empty())
            .collect(),
    );
    list(
        "contacts",
        person
            .contacts
            .iter()
            .map(|it| !it.extra.is_empty())
            .collect(),
    );
    for (field, date) in [
        ("birth-date", &person.birth_date),
        ("death-date", &person.death_date),
    ] {
        let Some(date) = date.as_ref().filter(|_| mask.contains(&field)) else {
            continue;
        };
        for (part, filled) in [
            ("estimated", date.estimated),
            ("original", date.original.is_some()),
        ] {
            found.extend(filled.then(|| format!("{field}.{part}")));
        }
    }
    found
}

fn put(patient: &mut Resource, name: &str, value: Option<impl Into<Value>>) {
    match value {
        Some(value) => drop(patient.insert(name.to_owned(), value.into())),
        None => drop(patient.remove(name)),
    }
}

fn put_list(patient: &mut Resource, name: &str, list: Vec<Value>) {
    put(patient, name, (!list.is_empty()).then_some(list));
}

/// Whether a list of theirs has this identifier.
pub fn has(patient: &Resource, wanted: &Identifier, settings: &Settings) -> bool {
    let schemes = settings.schemes();
    let same = |it: &Carried| {
        schemes.of(it) == Some(wanted.scheme.as_str()) && it.value == wanted.value.trim()
    };
    fhir_r4::mapping::carried(&Value::Object(patient.clone()))
        .iter()
        .any(same)
}

fn marital_status(status: &MaritalStatus) -> Result<Value, Failure> {
    let code = match status {
        MaritalStatus::Other(word) if word == "I" => Some("I"),
        MaritalStatus::Other(_) => None,
        status => MARITAL_STATUS.code(status),
    };
    let code = code.ok_or_else(|| Failure::unsupported("code.unknown").field("marital-status"))?;
    let system = match code {
        "UNK" => format!("{V3}NullFlavor"),
        _ => format!("{V3}MaritalStatus"),
    };
    Ok(json!({ "coding": [{ "system": system, "code": code }] }))
}

/// `active`, `deceased[x]` and the link of a merge.
fn status(
    patient: &mut Resource,
    person: &Person,
    mask: &[&str],
    survivor: Option<&str>,
) -> Result<(), Failure> {
    let rejected = |code: &str, field: &str| Err(Failure::rejected(code).field(field));
    let has_died = mask.contains(&"death-date") && person.death_date.is_some();
    match &person.status {
        None => {
            for name in ["active", "deceasedBoolean"] {
                patient.remove(name);
            }
        }
        Some(PersonStatus::Active) if has_died => {
            return rejected("status.contradiction", "death-date");
        }
        Some(PersonStatus::Active) => {
            patient.insert("active".to_owned(), json!(true));
            for name in ["deceasedBoolean", "deceasedDateTime"] {
                patient.remove(name);
            }
            // Whoever was taken for another is themselves again.
            let links = patient.get("link").and_then(Value::as_array);
            let mut links: Vec<Value> = links.cloned().unwrap_or_default();
            links.retain(|it| it.get("type").and_then(Value::as_str) != Some("replaced-by"));
            put_list(patient, "link", links);
        }
        Some(PersonStatus::Deceased) => {
            if !patient.contains_key("deceasedDateTime") {
                patient.insert("deceasedBoolean".to_owned(), json!(true));
            }
        }
        Some(PersonStatus::Merged) => {
            // The reference is ours, made of an id of theirs.
            let Some(survivor) = survivor.filter(|it| reference(it).is_some()) else {
                return rejected("merge.survivor", "replaced-by");
            };
            patient.insert("active".to_owned(), json!(false));
            // Links of other types (`seealso`, `refer`, `replaces`) are not of the merge.
            let links = patient.get("link").and_then(Value::as_array);
            let mut links: Vec<Value> = links.cloned().unwrap_or_default();
            links.push(json!({ "other": { "reference": survivor }, "type": "replaced-by" }));
            put_list(patient, "link", links);
        }
        Some(PersonStatus::Other(word)) if word == "inactive" => {
            patient.insert("active".to_owned(), json!(false));
        }
        Some(PersonStatus::Cancelled | PersonStatus::Other(_)) => {
            return Err(Failure::unsupported("code.unknown").field("status"));
        }
    }
    Ok(())
}

/// The identifiers by which anybody could be found again: of schemes that number people, and that the
/// registry has a system for.
pub fn keys<'a>(person: &'a Person, settings: &Settings) -> Vec<&'a Identifier> {
    let has_place = |it: &&Identifier| {
        let has_system = settings.identifier_systems.contains_key(&it.scheme);
        has_system && settings.knows(&it.scheme) && !it.value.trim().is_empty()
    };
    person.identifiers.iter().filter(has_place).collect()
}

//! The lists of a Patient: identifiers, names, contacts, addresses.

use adapter_sdk::Failure;
use adapter_sdk::model::{
    Address, AddressUse, Contact, ContactSystem, HumanName, Identifier, NameUse, Person,
};
use fhir_r4::json::{Notes, Object};
use fhir_r4::rules::{AddressLevels, Carried};
use serde_json::{Map, Value, json};

use super::{Resource, put, put_list};
use crate::settings::Settings;

const LANGUAGE: &str = "http://hl7.org/fhir/StructureDefinition/language";
const BIRTH_PLACE: &str = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace";

/// One identifier as theirs; none where the registry does not know the scheme.
pub fn identifier(identifier: &Identifier, settings: &Settings) -> Option<Value> {
    let value = identifier.value.trim();
    if let Some(system) = settings.schemes().system(&identifier.scheme) {
        return Some(json!({ "system": system, "value": value }));
    }
    let types = settings.identifier_types.get(&identifier.scheme)?;
    let coding = match types.all().first()?.rsplit_once('|') {
        Some((system, code)) => json!({ "system": system, "code": code }),
        None => json!({ "code": types.all().first()? }),
    };
    Some(json!({ "type": { "coding": [coding] }, "value": value }))
}

/// The list as a whole, as far as the caller can see it: numbers without a scheme, and old ones, are
/// told in no `identifiers` and stay. One that stays the same keeps its period and assigner.
pub(super) fn identifiers(
    patient: &Resource,
    identifiers: &[Identifier],
    settings: &Settings,
    unwritten: &mut Vec<String>,
) -> Vec<Value> {
    let schemes = settings.schemes();
    let theirs = patient.get("identifier").and_then(Value::as_array);
    let theirs: Vec<&Value> = theirs.into_iter().flatten().collect();
    let told = |it: &Value| {
        let carried = Carried::read(&Object::new(it)?, &mut Notes::default(), "identifiers")?;
        let is_old = it.get("use").and_then(Value::as_str) == Some("old");
        let scheme = schemes.of(&carried).filter(|_| !is_old)?;
        Some(Identifier::new(scheme, carried.value.clone()))
    };
    let unseen = theirs.iter().filter(|it| told(it).is_none());
    let mut written: Vec<Value> = unseen.map(|it| (*it).clone()).collect();
    for (at, one) in identifiers.iter().enumerate() {
        let same = |it: &&&Value| {
            told(it).is_some_and(|it| it.scheme == one.scheme && it.value == one.value.trim())
        };
        match theirs.iter().find(same) {
            Some(same) => written.push((**same).clone()),
            None => match identifier(one, settings) {
                Some(value) => written.push(value),
                None => unwritten.push(format!("identifiers.{at}")),
            },
        }
    }
    written
}

pub(super) fn name(name: &HumanName) -> Result<Value, Failure> {
    let word = match &name.use_ {
        None => None,
        Some(NameUse::Usual) => Some("usual"),
        Some(NameUse::Official) => Some("official"),
        Some(NameUse::Maiden) => Some("maiden"),
        Some(NameUse::Nickname) => Some("nickname"),
        Some(NameUse::Old) => Some("old"),
        Some(NameUse::Other(word)) if matches!(word.as_str(), "temp" | "anonymous") => {
            Some(&**word)
        }
        Some(NameUse::Other(_)) => {
            return Err(Failure::unsupported("code.unknown").field("names.use"));
        }
    };
    let mut object = Map::new();
    put(&mut object, "use", word);
    put(&mut object, "text", name.text.clone());
    put(&mut object, "family", name.family.clone());
    for (field, parts) in [
        ("given", &name.given),
        ("prefix", &name.prefix),
        ("suffix", &name.suffix),
    ] {
        put(
            &mut object,
            field,
            (!parts.is_empty()).then(|| json!(parts)),
        );
    }
    let language = name.language.as_ref();
    let language = language.map(|it| json!([{ "url": LANGUAGE, "valueCode": it }]));
    put(&mut object, "extension", language);
    Ok(Value::Object(object))
}

pub(super) fn contact(contact: &Contact) -> Result<Value, Failure> {
    let system = match &contact.system {
        ContactSystem::Phone => "phone",
        ContactSystem::Email => "email",
        ContactSystem::Other(word)
            if matches!(word.as_str(), "fax" | "pager" | "url" | "sms" | "other") =>
        {
            word
        }
        ContactSystem::Other(_) => {
            return Err(Failure::unsupported("code.unknown").field("contacts.system"));
        }
    };
    Ok(json!({ "system": system, "value": contact.value }))
}

/// The place of birth is an extension, all others are the list.
pub(super) fn addresses(
    patient: &mut Resource,
    person: &Person,
    settings: &Settings,
    unwritten: &mut Vec<String>,
) -> Result<(), Failure> {
    let (mut list, mut birth) = (Vec::new(), None);
    for (at, one) in person.addresses.iter().enumerate() {
        let (value, whole) = address(one, &settings.address_levels)?;
        if !whole {
            unwritten.push(format!("addresses.{at}.areas"));
        }
        match one.use_ {
            Some(AddressUse::Birth) => birth = Some(value),
            _ => list.push(value),
        }
    }
    put_list(patient, "address", list);
    let kept = patient.get("extension").and_then(Value::as_array);
    let mut extensions: Vec<Value> = kept.cloned().unwrap_or_default();
    extensions.retain(|it| it.get("url").and_then(Value::as_str) != Some(BIRTH_PLACE));
    extensions.extend(birth.map(|it| json!({ "url": BIRTH_PLACE, "valueAddress": it })));
    put_list(patient, "extension", extensions);
    Ok(())
}

/// An address, and whether all of its areas have a place.
fn address(address: &Address, levels: &AddressLevels) -> Result<(Value, bool), Failure> {
    let word = match &address.use_ {
        None | Some(AddressUse::Birth) => None,
        Some(AddressUse::Home) => Some("home"),
        Some(AddressUse::Work) => Some("work"),
        Some(AddressUse::Temporary) => Some("temp"),
        Some(AddressUse::Old) => Some("old"),
        Some(AddressUse::Other(word)) if word == "billing" => Some("billing"),
        Some(AddressUse::Other(_)) => {
            return Err(Failure::unsupported("code.unknown").field("addresses.use"));
        }
    };
    let mut object = Map::new();
    put(&mut object, "use", word);
    put(&mut object, "text", address.text.clone());
    put(&mut object, "city", address.city.clone());
    put(&mut object, "postalCode", address.postal_code.clone());
    put(&mut object, "country", address.country.clone());
    let lines = &address.lines;
    put(
        &mut object,
        "line",
        (!lines.is_empty()).then(|| json!(lines)),
    );
    let mut whole = address.position.is_none();
    for area in &address.areas {
        let of = |kind: &str, level: Option<u8>| {
            area.kind.as_deref() == Some(kind) || (level.is_some() && area.level == level)
        };
        let field = if of("state", levels.state) {
            "state"
        } else if of("district", levels.district) {
            "district"
        } else if area.level == Some(0) {
            "country"
        } else {
            whole = false;
            continue;
        };
        match &area.name {
            Some(name) if !object.contains_key(field) => {
                object.insert(field.to_owned(), json!(name));
            }
            _ => whole = false,
        }
        whole &= area.code.is_none();
    }
    Ok((Value::Object(object), whole))
}

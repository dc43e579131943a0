//! GraphQL's `BirthRegistration` and `DeathRegistration` (opencrvs-core 1.3 to 1.8,
//! gateway/graphql/schema.graphql) as a record.

use adapter_sdk::Failure;
use adapter_sdk::model::{Person, Unmapped};
use serde_json::Value;

use super::person::{Plain, contacts, identifiers, name};
use super::record::{Party, Record};
use super::shape::{Object, object, objects, plain, plain_objects, text, texts};
use super::{address, informant};
use crate::settings::{Kind, Role, Settings};

/// The record of a registration; none of a marriage, which is not read.
///
/// # Errors
/// `unreadable` with code `answer.event-type` where it is none that OpenCRVS has.
pub fn record(of: &Object, settings: &Settings) -> Result<Option<Record>, Failure> {
    let kind = match plain(of.get("__typename")).as_deref() {
        Some("BirthRegistration") => Kind::Birth,
        Some("DeathRegistration") => Kind::Death,
        Some("MarriageRegistration") => return Ok(None),
        _ => return Err(Failure::unreadable("answer.event-type")),
    };
    let mut record = Record {
        id: plain(of.get("id")),
        ..Record::of(kind)
    };
    if let Some(registration) = object(of, "registration") {
        let unmapped = &mut record.unmapped;
        record.tracking_id = text(registration.get("trackingId"), "identifiers", unmapped);
        let number = registration.get("registrationNumber");
        record.registration_number = text(number, "identifiers", unmapped);
        // The newest first.
        let history = plain_objects(registration.get("status"));
        record.status = history.first().and_then(|it| plain(it.get("type")));
        let is_registered = |it: &&&Object| plain(it.get("type")).as_deref() == Some("REGISTERED");
        let registered = history.iter().find(is_registered);
        record.registered_at = registered.and_then(|it| plain(it.get("timestamp")));
    }
    for role in kind.roles() {
        if let Some(of) = object(of, role.word()) {
            record.parties.extend(party(*role, of, settings));
        }
    }
    informant::complete(&mut record);
    record.place = object(of, "eventLocation").and_then(|it| {
        let address = object(it, "address").map(|it| {
            let (address, unmapped) = address::fhir(it, &|_| None);
            record.unmapped.extend(unmapped);
            address
        });
        let [id, name, kind] = ["id", "name", "type"].map(|part| plain(it.get(part)));
        address::location(id, name, kind, address)
    });
    let birth_type = text(
        of.get("birthType"),
        "extra.multiple-birth",
        &mut record.unmapped,
    );
    informant::birth_type(birth_type, &mut record);
    let occurred = record.subject().and_then(|it| match kind {
        Kind::Birth => it.person.birth_date.clone(),
        Kind::Death => it.person.death_date.clone(),
    });
    record.occurred = occurred;
    Ok(Some(record.finished(settings)))
}

/// Somebody; none where the record says that nothing of them is known.
fn party(role: Role, of: &Object, settings: &Settings) -> Option<Party> {
    if of.get("detailsExist") == Some(&Value::Bool(false)) {
        return None;
    }
    let mut unmapped = Vec::new();
    let mut person = person(of, settings, &mut unmapped);
    let mut relation = None;
    if role == Role::Informant {
        let code = text(of.get("relationship"), "relation", &mut unmapped);
        let words = text(of.get("otherRelationship"), "relation", &mut unmapped);
        relation = informant::relation(code, words, settings, &mut unmapped);
    }
    let nothing = person == Person::default() && relation.is_none() && unmapped.is_empty();
    person.unmapped = unmapped;
    (!nothing).then_some(Party {
        role,
        person,
        relation,
    })
}

fn person(of: &Object, settings: &Settings, unmapped: &mut Vec<Unmapped>) -> Person {
    let mut person = Person::default();
    let mut typed = Vec::new();
    for identifier in objects(of.get("identifier"), "identifiers", unmapped) {
        let word = text(identifier.get("type"), "identifiers.scheme", unmapped);
        let other = text(identifier.get("otherType"), "identifiers.scheme", unmapped);
        let word = match word {
            Some(word) if word == "OTHER" => other.or(Some(word)),
            word => word,
        };
        if let Some(value) = text(identifier.get("id"), "identifiers", unmapped) {
            typed.push((word, value));
        }
    }
    identifiers(typed, settings, &mut person, unmapped);
    for of in objects(of.get("name"), "names", unmapped) {
        let [language, family, married] = ["use", "familyName", "marriedLastName"]
            .map(|part| text(of.get(part), "names", unmapped));
        let given = ["firstNames", "middleName"].map(|part| text(of.get(part), "names", unmapped));
        let given = given.into_iter().flatten().collect();
        person.names.extend(name(language, family, given, married));
    }
    let deceased = object(of, "deceased");
    let nationalities = texts(of.get("nationality"), "extra.nationality", unmapped);
    let mut reserved: Vec<(&'static str, String)> = nationalities
        .into_iter()
        .map(|it| ("nationality", it))
        .collect();
    for (key, part) in [
        ("education-level", "educationalAttainment"),
        ("occupation", "occupation"),
    ] {
        let value = text(of.get(part), key, unmapped);
        reserved.extend(value.map(|it| (key, it)));
    }
    let died = deceased.and_then(|it| it.get("deathDate"));
    let plain = Plain {
        sex: text(of.get("gender"), "sex", unmapped),
        birth_date: text(of.get("birthDate"), "birth-date", unmapped),
        // The age is told in place of a date that is not known: the one beside it was made from it
        // (opencrvs-core 1.8, commons/fhir/transformers).
        estimated: of.get("exactDateOfBirthUnknown") == Some(&Value::Bool(true))
            || of
                .get("ageOfIndividualInYears")
                .is_some_and(Value::is_number),
        age: of.get("ageOfIndividualInYears").cloned(),
        death_date: text(died, "death-date", unmapped),
        deceased: deceased.and_then(|it| it.get("deceased")) == Some(&Value::Bool(true)),
        marital_status: text(of.get("maritalStatus"), "marital-status", unmapped),
        reserved,
    };
    plain.fill(settings, &mut person, unmapped);
    for of in objects(of.get("address"), "addresses", unmapped) {
        let (address, of_address) = address::fhir(of, &|_| None);
        unmapped.extend(of_address);
        if address != adapter_sdk::model::Address::default() {
            person.addresses.push(address);
        }
    }
    person.contacts = contacts(of.get("telecom"), unmapped);
    person
}

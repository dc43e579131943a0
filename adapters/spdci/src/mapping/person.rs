//! SPDCI Person, SRPerson, CRVS_Person and Member as a person.

use adapter_sdk::dates;
use adapter_sdk::model::{
    AddressUse, Contact, Person, PersonStatus, RelatedPerson, RelationRole, Unmapped,
};
use serde_json::Value;

use super::identifiers::{as_text, carried, identifiers, one};
use super::{address, codes, extra, extras, names};
use crate::settings::Settings;
use crate::wire::record::{Record, text};

const IDENTIFIER: &[&str] = &["identifier"];
const MEMBER_IDENTIFIER: &[&str] = &["member_identifier"];
const NAME: &[&str] = &["name"];
const SEX: &[&str] = &["sex", "gender"];
const BIRTH_DATE: &[&str] = &["birth_date", "birthdate"];
const DEATH_DATE: &[&str] = &["death_date", "deathdate"];
const DECEASED: &[&str] = &["is_deceased"];
const MARITAL_STATUS: &[&str] = &["marital_status"];
const ADDRESS: &[&str] = &["address"];
const BIRTH_PLACE: &[&str] = &["birth_place", "birthplace"];
const PHONE: &[&str] = &["phone_number"];
const EMAIL: &[&str] = &["email"];
const RELATED: &[&str] = &["related_person"];
/// CRVS Person, and SRPerson of the official samples.
pub(super) const PARENTS: [&[&str]; 2] = [&["parent1_identifier"], &["parent2_identifier"]];
/// Member: what a member is to the group's head.
pub(super) const RELATIONSHIP_HEAD: &[&str] = &["relationship_head"];

/// Maps a record of one person.
pub fn person(record: &Record<'_>, settings: &Settings) -> Person {
    let mut unmapped = Vec::new();
    let mut extra_values = Vec::new();

    let own = record.get(IDENTIFIER).is_some();
    // A member's number is the group's name for the person: it stands in where there is no other.
    let names_of_ids = if own { IDENTIFIER } else { MEMBER_IDENTIFIER };
    let identifiers = identifiers(
        record,
        names_of_ids,
        settings,
        &mut unmapped,
        &mut extra_values,
    );
    if own && let Some(member) = record.get(MEMBER_IDENTIFIER) {
        extra_values.push(extra("member_identifier", member));
    }

    let names = names::names(record, &mut extra_values);
    let read = |field| record.text(field).unwrap_or_default();
    let death = read(DEATH_DATE);
    let status = status(&death, &read(DECEASED), &mut unmapped);
    let mut addresses = address::addresses(record);
    let birth_place = record.get(BIRTH_PLACE);
    addresses.extend(birth_place.and_then(|place| address::place(place, Some(AddressUse::Birth))));

    let contacts = |field, make: fn(String) -> Contact| {
        record.list(field).into_iter().filter_map(text).map(make)
    };
    let contacts = contacts(PHONE, Contact::phone)
        .chain(contacts(EMAIL, Contact::email))
        .collect();
    let related = related(record, settings, &mut unmapped);
    extra_values.extend(extras(record.rest(&[
        IDENTIFIER,
        MEMBER_IDENTIFIER,
        NAME,
        SEX,
        BIRTH_DATE,
        DEATH_DATE,
        DECEASED,
        MARITAL_STATUS,
        ADDRESS,
        BIRTH_PLACE,
        PHONE,
        EMAIL,
        RELATED,
        PARENTS[0],
        PARENTS[1],
    ])));

    Person {
        identifiers,
        names,
        sex: codes::SEX.read("sex", &read(SEX), &mut unmapped),
        birth_date: dates::read("birth-date", &read(BIRTH_DATE), &mut unmapped),
        death_date: dates::read("death-date", &death, &mut unmapped),
        marital_status: codes::MARITAL_STATUS.read(
            "marital-status",
            &read(MARITAL_STATUS),
            &mut unmapped,
        ),
        addresses,
        contacts,
        related,
        status,
        extra: extra_values,
        unmapped,
        ..Person::default()
    }
}

/// A date of death, though it cannot be read, says that the person died; `is_deceased` may be a
/// truth value, a word, or a code that the specification does not list. Silence is not "alive".
fn status(death: &str, deceased: &str, unmapped: &mut Vec<Unmapped>) -> Option<PersonStatus> {
    let known = codes::YES_NO.read("status", deceased, unmapped);
    match known {
        _ if !death.is_empty() => Some(PersonStatus::Deceased),
        Some(true) => Some(PersonStatus::Deceased),
        Some(false) => Some(PersonStatus::Active),
        None => None,
    }
}

/// Whether a record is a group of people.
pub fn is_group(record: &Record<'_>) -> bool {
    ["member_list", "group_identifier", "group_head_info"]
        .iter()
        .any(|name| record.get(&[*name]).is_some())
}

/// The people in an answer: its records, and of a group its members.
pub fn members<'a>(record: Record<'a>) -> Vec<Record<'a>> {
    if is_group(&record) {
        record.objects(&["member_list"])
    } else {
        vec![record]
    }
}

/// The parents by their numbers, and whom a member names (`related_person {relationship_type,
/// related_member}`: the related member is this to the person, as in FHIR `RelatedPerson`).
fn related(
    record: &Record<'_>,
    settings: &Settings,
    unmapped: &mut Vec<Unmapped>,
) -> Vec<RelatedPerson> {
    let own = carried(record, IDENTIFIER);
    let mut related = Vec::new();
    for field in PARENTS {
        let Some(value) = record.get(field) else {
            continue;
        };
        // Nobody is their own parent: samples and test data say so all the same.
        let parent = one(value).filter(|parent| !own.iter().any(|own| own.same(parent)));
        match parent {
            Some(_) => push(
                RelationRole::Parent,
                value,
                settings,
                &mut related,
                unmapped,
            ),
            None => unmapped.push(Unmapped::new("related", as_text(value))),
        }
    }
    for named in record.objects(RELATED) {
        let word = named.text(&["relationship_type"]).unwrap_or_default();
        let role = codes::ROLE.read("related.role", &word, unmapped);
        if let Some(value) = named.get(&["related_member"]) {
            push(
                role.unwrap_or(RelationRole::Unknown),
                value,
                settings,
                &mut related,
                unmapped,
            );
        }
    }
    related
}

fn push(
    role: RelationRole,
    value: &Value,
    settings: &Settings,
    related: &mut Vec<RelatedPerson>,
    unmapped: &mut Vec<Unmapped>,
) {
    // A whole person may stand where the specification has a number.
    let whole = Record::new(value)
        .filter(|record| record.get(NAME).is_some() || record.get(MEMBER_IDENTIFIER).is_some());
    let read = match whole {
        Some(record) => {
            let found = person(&record, settings);
            unmapped.extend(found.unmapped);
            RelatedPerson {
                role,
                identifiers: found.identifiers,
                names: found.names,
                sex: found.sex,
                birth_date: found.birth_date,
                status: found.status,
                extra: found.extra,
            }
        }
        None => {
            let holder = serde_json::json!({ "identifier": value });
            let record = Record::new(&holder).unwrap_or_default();
            let mut extra = Vec::new();
            let identifiers = identifiers(&record, IDENTIFIER, settings, unmapped, &mut extra);
            RelatedPerson {
                role,
                identifiers,
                extra,
                ..RelatedPerson::default()
            }
        }
    };
    related.push(read);
}

//! SPDCI Person, SRPerson, CRVS_Person and Member as a person.

use adapter_sdk::dates;
use adapter_sdk::model::{AddressUse, Contact, Extra, Person, PersonStatus, Unmapped};

use super::enrolment::{PROGRAMME, enrolments};
use super::identifiers::{FLAT, flat, identifiers};
use super::related::related;
use super::reserved::{self, On};
use super::{address, codes, extra, names, shape};
use crate::settings::Settings;
use crate::wire::record::Record;

pub(super) const IDENTIFIER: &[&str] = &["identifier"];
pub(super) const MEMBER_IDENTIFIER: &[&str] = &["member_identifier"];
pub(super) const NAME: &[&str] = &["name"];
const SEX: &[&str] = &["sex", "gender"];
const BIRTH_DATE: &[&str] = &["birth_date", "birthdate"];
const DEATH_DATE: &[&str] = &["death_date", "deathdate"];
const DECEASED: &[&str] = &["is_deceased"];
const MARITAL_STATUS: &[&str] = &["marital_status"];
pub(super) const ADDRESS: &[&str] = &["address"];
const BIRTH_PLACE: &[&str] = &["birth_place", "birthplace"];
const DEATH_PLACE: &[&str] = &["death_place"];
const PHONE: &[&str] = &["phone_number"];
const EMAIL: &[&str] = &["email"];
pub(super) const RELATED: &[&str] = &["related_person"];
/// CRVS Person, and SRPerson of the official samples.
pub(super) const PARENTS: [&[&str]; 2] = [&["parent1_identifier"], &["parent2_identifier"]];
/// Member: what a member is to the group's head.
pub(super) const RELATIONSHIP_HEAD: &[&str] = &["relationship_head"];

/// Maps a record of one person.
pub fn person(record: &Record<'_>, settings: &Settings) -> Person {
    let mut unmapped = Vec::new();
    let mut extra_values = Vec::new();

    let own = record.get(IDENTIFIER).is_some() || flat(record).is_some();
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

    let names = names::names(record, &mut extra_values, &mut unmapped);
    let death = shape::text(record, DEATH_DATE, "death-date", &mut unmapped);
    let deceased = shape::text(record, DECEASED, "status", &mut unmapped);
    let status = status(&death, &deceased, &mut unmapped);
    let sex = shape::text(record, SEX, "sex", &mut unmapped);
    let birth = shape::text(record, BIRTH_DATE, "birth-date", &mut unmapped);
    let marital_status = shape::text(record, MARITAL_STATUS, "marital-status", &mut unmapped);

    let mut addresses = address::addresses(record, &mut unmapped);
    let death_place = AddressUse::Other("death".to_owned());
    for (field, used) in [(BIRTH_PLACE, AddressUse::Birth), (DEATH_PLACE, death_place)] {
        addresses.extend(address::places(record, field, Some(used), &mut unmapped));
    }
    let phones = shape::texts(record, PHONE, "contacts", &mut unmapped);
    let emails = shape::texts(record, EMAIL, "contacts", &mut unmapped);
    let contacts = phones
        .into_iter()
        .map(Contact::phone)
        .chain(emails.into_iter().map(Contact::email))
        .collect();
    let related = related(record, settings, &mut unmapped);
    let rest = record.rest(&[
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
        DEATH_PLACE,
        PHONE,
        EMAIL,
        RELATED,
        PARENTS[0],
        PARENTS[1],
        FLAT,
        PROGRAMME,
    ]);
    if let Some(told) = enrolments(record) {
        extra_values.push(Extra::new("enrolments", &told));
        extra_values.extend(
            record
                .get(PROGRAMME)
                .map(|it| extra("programme_identifier", it)),
        );
    }
    extra_values.extend(reserved::extras(rest, On::Person));

    Person {
        identifiers,
        names,
        sex: codes::SEX.read("sex", &sex, &mut unmapped),
        birth_date: dates::read("birth-date", &birth, &mut unmapped),
        death_date: dates::read("death-date", &death, &mut unmapped),
        marital_status: codes::MARITAL_STATUS.read(
            "marital-status",
            &marital_status,
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

//! One person who stands in several records: known by a number that is a person's and not a record's.

use adapter_sdk::dates;
use adapter_sdk::model::{Identifier, Person, Unmapped};

use crate::settings::Settings;

/// Whether two people carry the same number of a person. A record's own id and tracking id are no such
/// number.
pub(super) fn is_same(one: &Person, other: &Person, settings: &Settings) -> bool {
    let of_record = [&settings.schemes.tracking, &settings.schemes.record];
    let shared = |it: &Identifier| {
        !of_record.contains(&&it.scheme)
            && other
                .identifiers
                .iter()
                .any(|known| known.scheme == it.scheme && same_value(&known.value, &it.value))
    };
    one.identifiers.iter().any(shared)
}

/// Whether two numbers are the same but for case and blanks around them.
pub fn same_value(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

/// Adds what another record says of the same person. What the first says stands; what the other says
/// otherwise is reported.
pub(super) fn add(person: &mut Person, other: Person) {
    for identifier in other.identifiers {
        let known = |it: &Identifier| {
            it.scheme == identifier.scheme && same_value(&it.value, &identifier.value)
        };
        if !person.identifiers.iter().any(known) {
            person.identifiers.push(identifier);
        }
    }
    let mut differs = |field: &str, value: Option<String>| {
        person
            .unmapped
            .extend(value.map(|value| Unmapped::new(field, value)));
    };
    if let (Some(one), Some(two)) = (&person.birth_date, &other.birth_date)
        && (one.year, one.month, one.day) != (two.year, two.month, two.day)
    {
        differs("birth-date", Some(dates::format(two)));
    }
    if let (Some(one), Some(two)) = (person.sex, other.sex)
        && one != two
    {
        let word = super::codes::SEX.code(&two).unwrap_or_default();
        differs("sex", Some(word.to_owned()));
    }
    person.birth_date = person.birth_date.take().or(other.birth_date);
    person.sex = person.sex.or(other.sex);
    person.death_date = person.death_date.take().or(other.death_date);
    person.marital_status = person.marital_status.take().or(other.marital_status);
    person.status = person.status.take().or(other.status);
    if person.names.is_empty() {
        person.names = other.names;
    }
    for address in other.addresses {
        if !person.addresses.contains(&address) {
            person.addresses.push(address);
        }
    }
    for contact in other.contacts {
        if !person.contacts.contains(&contact) {
            person.contacts.push(contact);
        }
    }
    for related in other.related {
        if !person.related.contains(&related) {
            person.related.push(related);
        }
    }
    for replaced_by in other.replaced_by {
        if !person.replaced_by.contains(&replaced_by) {
            person.replaced_by.push(replaced_by);
        }
    }
    for extra in other.extra {
        if !person.extra.iter().any(|it| it.key == extra.key) {
            person.extra.push(extra);
        }
    }
    person.unmapped.extend(other.unmapped);
}

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{codes, garbage};
use crate::model::{
    Address, AdministrativeArea, Contact, Extra, GeoPoint, HumanName, Identifier, OriginalDate,
    PartialDate, Person, Photo, RelatedPerson, Unmapped,
};
use crate::sandbox::bindings::types;
use crate::sandbox::fault::Fault;

/// Converts a list, telling each item its place in the model.
pub(super) fn all<T, U>(
    items: Vec<T>,
    place: &str,
    mut one: impl FnMut(T, &str) -> Result<U, Fault>,
) -> Result<Vec<U>, Fault> {
    items
        .into_iter()
        .enumerate()
        .map(|(at, item)| one(item, &format!("{place}.{at}")))
        .collect()
}

pub(super) fn person(person: types::Person, place: &str) -> Result<Person, Fault> {
    let at = |field: &str| format!("{place}.{field}");
    Ok(Person {
        identifiers: all(person.identifiers, &at("identifiers"), identifier)?,
        names: all(person.names, &at("names"), name)?,
        sex: person.sex.map(codes::sex),
        birth_date: date(person.birth_date, &at("birth-date"))?,
        death_date: date(person.death_date, &at("death-date"))?,
        marital_status: person.marital_status.map(codes::marital_status),
        addresses: all(person.addresses, &at("addresses"), address)?,
        contacts: all(person.contacts, &at("contacts"), |contact, place| {
            Ok(Contact {
                system: codes::contact_system(contact.system),
                value: contact.value,
                extra: extras(contact.extra, &format!("{place}.extra"))?,
            })
        })?,
        photo: person.photo.map(|photo| match photo {
            types::Photo::Reference(reference) => Photo::Reference(reference),
            types::Photo::Content(content) => Photo::Content {
                media_type: content.media_type,
                data: STANDARD.encode(content.data),
            },
        }),
        related: all(person.related, &at("related"), related)?,
        status: person.status.map(codes::person_status),
        replaced_by: all(person.replaced_by, &at("replaced-by"), identifier)?,
        version: person.version,
        extra: extras(person.extra, &at("extra"))?,
        unmapped: unmapped(person.unmapped),
    })
}

fn related(related: types::RelatedPerson, place: &str) -> Result<RelatedPerson, Fault> {
    Ok(RelatedPerson {
        role: codes::relation_role(related.role),
        identifiers: all(
            related.identifiers,
            &format!("{place}.identifiers"),
            identifier,
        )?,
        names: all(related.names, &format!("{place}.names"), name)?,
        sex: related.sex.map(codes::sex),
        birth_date: date(related.birth_date, &format!("{place}.birth-date"))?,
        status: related.status.map(codes::person_status),
        extra: extras(related.extra, &format!("{place}.extra"))?,
    })
}

pub(super) fn address(address: types::Address, place: &str) -> Result<Address, Fault> {
    let position = address
        .position
        .map(|point| {
            let fits = point.latitude.abs() <= 90.0 && point.longitude.abs() <= 180.0;
            fits.then_some(GeoPoint {
                latitude: point.latitude,
                longitude: point.longitude,
            })
            .ok_or_else(|| garbage(format!("{place}.position")))
        })
        .transpose()?;
    Ok(Address {
        use_: address.use_.map(codes::address_use),
        text: address.text,
        lines: address.lines,
        city: address.city,
        postal_code: address.postal_code,
        country: address.country,
        areas: address
            .areas
            .into_iter()
            .map(|area| AdministrativeArea {
                level: area.level,
                kind: area.kind,
                code: area.code,
                code_system: area.code_system,
                name: area.name,
            })
            .collect(),
        position,
        extra: extras(address.extra, &format!("{place}.extra"))?,
    })
}

pub(super) fn identifier(identifier: types::Identifier, place: &str) -> Result<Identifier, Fault> {
    Ok(Identifier {
        scheme: identifier.scheme,
        value: identifier.value,
        normalisation: identifier.normalisation,
        extra: extras(identifier.extra, &format!("{place}.extra"))?,
    })
}

pub(super) fn unmapped(unmapped: Vec<types::Unmapped>) -> Vec<Unmapped> {
    unmapped
        .into_iter()
        .map(|unmapped| Unmapped {
            field: unmapped.field,
            value: unmapped.value,
        })
        .collect()
}

pub(super) fn extras(extras: Vec<types::Extra>, place: &str) -> Result<Vec<Extra>, Fault> {
    all(extras, place, |extra, place| {
        Ok(Extra {
            value: serde_json::from_str(&extra.value).map_err(|_| garbage(place))?,
            key: extra.key,
        })
    })
}

fn name(name: types::HumanName, place: &str) -> Result<HumanName, Fault> {
    Ok(HumanName {
        use_: name.use_.map(codes::name_use),
        text: name.text,
        family: name.family,
        given: name.given,
        prefix: name.prefix,
        suffix: name.suffix,
        language: name.language,
        extra: extras(name.extra, &format!("{place}.extra"))?,
    })
}

pub(super) fn date(
    date: Option<types::PartialDate>,
    place: &str,
) -> Result<Option<PartialDate>, Fault> {
    let Some(date) = date else {
        return Ok(None);
    };
    let mut known =
        PartialDate::new(date.year, date.month, date.day).map_err(|_| garbage(place))?;
    known.estimated = date.estimated;
    known.original = date.original.map(|original| OriginalDate {
        calendar: original.calendar,
        text: original.text,
    });
    Ok(Some(known))
}

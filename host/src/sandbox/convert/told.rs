//! People, as a guest is told of them. Nothing to check: the API has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::codes;
use crate::model;
use crate::sandbox::bindings::types;

pub(super) fn person(person: &model::Person) -> types::Person {
    types::Person {
        identifiers: identifiers(&person.identifiers),
        names: person.names.iter().map(name).collect(),
        sex: person.sex.map(codes::sex_out),
        birth_date: person.birth_date.as_ref().map(date),
        death_date: person.death_date.as_ref().map(date),
        marital_status: person
            .marital_status
            .as_ref()
            .map(codes::marital_status_out),
        addresses: person.addresses.iter().map(address).collect(),
        contacts: person
            .contacts
            .iter()
            .map(|contact| types::Contact {
                system: codes::contact_system_out(&contact.system),
                value: contact.value.clone(),
                extra: extras(&contact.extra),
            })
            .collect(),
        photo: person.photo.as_ref().map(|photo| match photo {
            model::Photo::Reference(reference) => types::Photo::Reference(reference.clone()),
            model::Photo::Content { media_type, data } => {
                types::Photo::Content(types::PhotoContent {
                    media_type: media_type.clone(),
                    data: STANDARD.decode(data).unwrap_or_default(),
                })
            }
        }),
        related: person.related.iter().map(related).collect(),
        status: person.status.as_ref().map(codes::person_status_out),
        replaced_by: identifiers(&person.replaced_by),
        version: person.version.clone(),
        extra: extras(&person.extra),
        unmapped: Vec::new(),
    }
}

pub(super) fn related(related: &model::RelatedPerson) -> types::RelatedPerson {
    types::RelatedPerson {
        role: codes::relation_role_out(&related.role),
        identifiers: identifiers(&related.identifiers),
        names: related.names.iter().map(name).collect(),
        sex: related.sex.map(codes::sex_out),
        birth_date: related.birth_date.as_ref().map(date),
        status: related.status.as_ref().map(codes::person_status_out),
        extra: extras(&related.extra),
    }
}

pub(super) fn address(address: &model::Address) -> types::Address {
    types::Address {
        use_: address.use_.as_ref().map(codes::address_use_out),
        text: address.text.clone(),
        lines: address.lines.clone(),
        city: address.city.clone(),
        postal_code: address.postal_code.clone(),
        country: address.country.clone(),
        areas: address
            .areas
            .iter()
            .map(|area| types::AdministrativeArea {
                level: area.level,
                kind: area.kind.clone(),
                code: area.code.clone(),
                code_system: area.code_system.clone(),
                name: area.name.clone(),
            })
            .collect(),
        position: address.position.map(|point| types::GeoPoint {
            latitude: point.latitude,
            longitude: point.longitude,
        }),
        extra: extras(&address.extra),
    }
}

pub(super) fn identifiers(identifiers: &[model::Identifier]) -> Vec<types::Identifier> {
    identifiers.iter().map(identifier).collect()
}

pub(super) fn identifier(identifier: &model::Identifier) -> types::Identifier {
    types::Identifier {
        scheme: identifier.scheme.clone(),
        value: identifier.value.clone(),
        normalisation: identifier.normalisation.clone(),
        extra: extras(&identifier.extra),
    }
}

pub(super) fn extras(extras: &[model::Extra]) -> Vec<types::Extra> {
    extras.iter().map(extra).collect()
}

pub(super) fn extra(extra: &model::Extra) -> types::Extra {
    types::Extra {
        key: extra.key.clone(),
        value: extra.value.to_string(),
    }
}

pub(super) fn name(name: &model::HumanName) -> types::HumanName {
    types::HumanName {
        use_: name.use_.as_ref().map(codes::name_use_out),
        text: name.text.clone(),
        family: name.family.clone(),
        given: name.given.clone(),
        prefix: name.prefix.clone(),
        suffix: name.suffix.clone(),
        language: name.language.clone(),
        extra: extras(&name.extra),
    }
}

pub(super) fn date(date: &model::PartialDate) -> types::PartialDate {
    let (year, month, day) = date.parts();
    types::PartialDate {
        year,
        month,
        day,
        estimated: date.estimated,
        original: date.original.as_ref().map(|original| types::OriginalDate {
            calendar: original.calendar.clone(),
            text: original.text.clone(),
        }),
    }
}

pub(super) fn household(household: &model::Household) -> types::Household {
    types::Household {
        identifiers: identifiers(&household.identifiers),
        kind: codes::household_kind_out(&household.kind),
        people: household.people.iter().map(person).collect(),
        members: household.members.clone(),
        relations: household
            .relations
            .iter()
            .map(|relation| types::Relation {
                subject: relation.subject,
                object: relation.object,
                role: codes::relation_role_out(&relation.role),
            })
            .collect(),
        head: household.head,
        addresses: household.addresses.iter().map(address).collect(),
        version: household.version.clone(),
        extra: extras(&household.extra),
        unmapped: Vec::new(),
    }
}

//! Into the guest. Nothing to check: the API has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{codes, opaque_out};
use crate::model;
use crate::sandbox::bindings::{abilities, types};
use crate::sandbox::instance::PendingAnswer;

pub(in crate::sandbox) fn find_query(query: &model::FindQuery) -> abilities::find::FindQuery {
    abilities::find::FindQuery {
        identifiers: identifiers(&query.identifiers),
    }
}

pub(in crate::sandbox) fn household_query(
    query: &model::HouseholdQuery,
) -> abilities::household::HouseholdQuery {
    abilities::household::HouseholdQuery {
        identifiers: identifiers(&query.identifiers),
    }
}

pub(in crate::sandbox) fn search_query(
    query: &model::SearchQuery,
) -> abilities::search::SearchQuery {
    use abilities::search::{Criterion, SortKey, Test, ValueRange};
    abilities::search::SearchQuery {
        criteria: query
            .criteria
            .iter()
            .map(|criterion| Criterion {
                field: criterion.field.clone(),
                test: match criterion.test.clone() {
                    model::Test::Equals(value) => Test::Equals(value),
                    model::Test::AnyOf(values) => Test::AnyOf(values),
                    model::Test::StartsWith(value) => Test::StartsWith(value),
                    model::Test::Fuzzy(value) => Test::Fuzzy(value),
                    model::Test::Range(range) => Test::Range(ValueRange {
                        from: range.from,
                        to: range.to,
                    }),
                },
            })
            .collect(),
        sort: query
            .sort
            .iter()
            .map(|key| SortKey {
                field: key.field.clone(),
                descending: key.descending,
            })
            .collect(),
        page_size: query.page_size,
        page: query.page.as_ref().map(opaque_out),
    }
}

pub(in crate::sandbox) fn verify_query(
    query: &model::VerifyQuery,
) -> abilities::verify::VerifyQuery {
    abilities::verify::VerifyQuery {
        identifiers: identifiers(&query.identifiers),
        claimed: person(&query.claimed),
    }
}

pub(in crate::sandbox) fn pending_answer(answer: PendingAnswer) -> types::PendingAnswer {
    types::PendingAnswer {
        reference: answer.reference,
        data: answer.data,
    }
}

fn person(person: &model::Person) -> types::Person {
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

fn related(related: &model::RelatedPerson) -> types::RelatedPerson {
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

fn address(address: &model::Address) -> types::Address {
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

fn identifiers(identifiers: &[model::Identifier]) -> Vec<types::Identifier> {
    identifiers
        .iter()
        .map(|identifier| types::Identifier {
            scheme: identifier.scheme.clone(),
            value: identifier.value.clone(),
            normalisation: identifier.normalisation.clone(),
            extra: extras(&identifier.extra),
        })
        .collect()
}

fn extras(extras: &[model::Extra]) -> Vec<types::Extra> {
    extras
        .iter()
        .map(|extra| types::Extra {
            key: extra.key.clone(),
            value: extra.value.to_string(),
        })
        .collect()
}

fn name(name: &model::HumanName) -> types::HumanName {
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

fn date(date: &model::PartialDate) -> types::PartialDate {
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

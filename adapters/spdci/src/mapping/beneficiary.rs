//! An enrolment as SPDCI IBR `Beneficiary`: what has no place there is told as unwritten.

use adapter_sdk::model::{
    Address, Beneficiary, Benefit, ContactSystem, EnrolmentRequest, EnrolmentStatus, HumanName,
    Person, Sex,
};
use adapter_sdk::{Failure, dates};
use serde_json::{Map, Value, json};

use super::Carried;
use crate::settings::Settings;

/// `assistance_unit` of one person, as in the specification's example. How it writes a household is
/// not told.
const ONE_PERSON: &str = "1";

/// What is sent, and what of the request is not in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// A Beneficiary.
    pub beneficiary: Value,
    /// The number by which the registry is asked for the same person.
    pub person: Carried,
    /// The programme's number.
    pub programme: String,
    /// `enrolment_status`
    pub status: String,
    /// Fields of the request.
    pub unwritten: Vec<String>,
}

/// Writes an enrolment.
///
/// # Errors
/// `unsupported` or `rejected` with the field that the registry has no word or place for and without
/// which the rest would say something else.
pub fn beneficiary(request: &EnrolmentRequest, settings: &Settings) -> Result<Written, Failure> {
    let Beneficiary::Person(person) = &request.beneficiary else {
        return Err(Failure::unsupported("beneficiary.household").field("beneficiary"));
    };
    let numbers = identifiers(person, settings);
    let Some(first) = numbers.first().cloned() else {
        let field = "beneficiary.person.identifiers";
        return Err(Failure::rejected("identifier.scheme").field(field));
    };
    let programmes = &request.programme.identifiers;
    let programme = programmes.iter().map(|it| it.value.trim().to_owned());
    let programme = programme.into_iter().find(|value| !value.is_empty());
    let programme = programme
        .ok_or_else(|| Failure::rejected("programme.missing").field("programme.identifiers"))?;
    let ours = status(&request.status);
    let status = settings.enrolment_statuses.get(ours).cloned();
    let status = status.ok_or_else(|| Failure::unsupported("status.unknown").field("status"))?;

    let mut unwritten = Vec::new();
    let mut member = Map::new();
    let carried: Vec<Value> = numbers.iter().map(|one| json!(one)).collect();
    member.insert("member_identifier".to_owned(), json!(carried));
    let about = demographic(person, carried, &mut unwritten);
    member.insert("demographic_info".to_owned(), about);
    let mut enrolment = Map::new();
    let mut named = Map::new();
    named.insert("programme_identifier".to_owned(), json!(programme));
    let name = request.programme.name.as_ref();
    named.extend(name.map(|name| ("programme_name".to_owned(), json!(name))));
    enrolment.insert("programme".to_owned(), Value::Object(named));
    enrolment.insert("enrolment_status".to_owned(), json!(status));
    if let Some(from) = &request.from {
        enrolment.insert("enrolment_date".to_owned(), json!(dates::format(from)));
    }
    if request.previous_status.is_some() {
        let changed = request
            .extra
            .iter()
            .find(|it| it.key == "status-change-date");
        let changed = changed.and_then(|it| serde_json::from_str::<Value>(&it.value).ok());
        enrolment.extend(changed.map(|day| ("status_change_date".to_owned(), day)));
    }
    if !request.benefits.is_empty() {
        let benefits = request.benefits.iter().map(benefit);
        enrolment.insert("benefits".to_owned(), benefits.collect());
    }
    member.insert("programme_identifier".to_owned(), Value::Object(enrolment));
    let no_place = [
        ("reason", request.reason.is_some()),
        ("until", request.until.is_some()),
        ("identifiers", !request.identifiers.is_empty()),
        ("version", request.version.is_some()),
        ("programme.identifiers", programmes.len() > 1),
    ];
    let no_place = no_place.iter().filter(|(_, there)| *there);
    unwritten.extend(no_place.map(|(field, _)| (*field).to_owned()));
    Ok(Written {
        beneficiary: json!({
            "@type": "Beneficiary", "assistance_unit": ONE_PERSON, "member": member,
        }),
        person: first,
        programme,
        status,
        unwritten,
    })
}

/// The person's numbers for which the registry has a type.
fn identifiers(person: &Person, settings: &Settings) -> Vec<Carried> {
    let each = person.identifiers.iter().filter_map(|identifier| {
        let word = settings.identifier_type(&identifier.scheme)?;
        let value = identifier.value.trim();
        (!value.is_empty()).then(|| Carried {
            identifier_type: word.to_owned(),
            value: value.to_owned(),
        })
    });
    each.collect()
}

fn demographic(person: &Person, numbers: Vec<Value>, unwritten: &mut Vec<String>) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
    let mut lacks = |field: String| unwritten.push(format!("beneficiary.person.{field}"));
    if numbers.len() < person.identifiers.len() {
        lacks("identifiers".to_owned());
    }
    put("identifier", json!(numbers));
    for (at, one) in person.names.iter().enumerate() {
        match at {
            0 => drop(put("name", name(one))),
            _ => lacks(format!("names.{at}")),
        }
    }
    let sex = person.sex.map(|sex| match sex {
        Sex::Female => "female",
        Sex::Male => "male",
        Sex::Other => "other",
        Sex::Unknown => "unknown",
    });
    sex.map(|sex| put("sex", json!(sex)));
    let days = [
        ("birth_date", &person.birth_date),
        ("death_date", &person.death_date),
    ];
    for (key, day) in days {
        day.as_ref().map(|day| put(key, json!(dates::format(day))));
    }
    let addresses: Vec<Value> = person.addresses.iter().map(address).collect();
    if !addresses.is_empty() {
        put("address", json!(addresses));
    }
    for (key, system) in [
        ("phone_number", ContactSystem::Phone),
        ("email", ContactSystem::Email),
    ] {
        let of = person.contacts.iter().filter(|it| it.system == system);
        let values: Vec<&str> = of.map(|it| it.value.as_str()).collect();
        if !values.is_empty() {
            put(key, json!(values));
        }
    }
    let known = [ContactSystem::Phone, ContactSystem::Email];
    let no_place = [
        ("marital-status", person.marital_status.is_some()),
        (
            "contacts",
            person.contacts.iter().any(|it| !known.contains(&it.system)),
        ),
        ("photo", person.photo.is_some()),
        ("related", !person.related.is_empty()),
        ("status", person.status.is_some()),
        ("replaced-by", !person.replaced_by.is_empty()),
        ("extra", !person.extra.is_empty()),
    ];
    for (field, _) in no_place.iter().filter(|(_, there)| *there) {
        lacks((*field).to_owned());
    }
    Value::Object(out)
}

fn name(name: &HumanName) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: String| {
        if !value.is_empty() {
            out.insert(key.to_owned(), Value::String(value));
        }
    };
    // Who has only a full text has it as surname: the specification's Name has no other place.
    let family = name.family.clone().or_else(|| name.text.clone());
    put("surname", family.unwrap_or_default());
    let mut given = name.given.iter();
    put("given_name", given.next().cloned().unwrap_or_default());
    put("second_name", given.cloned().collect::<Vec<_>>().join(" "));
    put("prefix", name.prefix.join(" "));
    put("suffix", name.suffix.join(" "));
    Value::Object(out)
}

fn address(address: &Address) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Option<&String>| {
        let value = value.filter(|it| !it.is_empty()).cloned();
        out.extend(value.map(|value| (key.to_owned(), Value::String(value))));
    };
    put(
        "address_line1",
        address.lines.first().or(address.text.as_ref()),
    );
    put("address_line2", address.lines.get(1));
    put("locality", address.city.as_ref());
    put("postal_code", address.postal_code.as_ref());
    put("country_code", address.country.as_ref());
    Value::Object(out)
}

/// `benefit_value` is currency and number in one text, as the specification's example writes it.
fn benefit(benefit: &Benefit) -> Value {
    let value = [benefit.currency.as_deref(), benefit.amount.as_deref()];
    let value: Vec<&str> = value.into_iter().flatten().collect();
    let parts = [
        ("benefit_type", Some(benefit.type_.clone())),
        ("benefit_value", Some(value.join(" "))),
        ("benefit_frequency", benefit.frequency.clone()),
        ("benefit_date", benefit.date.as_ref().map(dates::format)),
    ];
    let filled = parts.into_iter().filter_map(|(key, value)| {
        let value = value.filter(|it| !it.is_empty())?;
        Some((key.to_owned(), Value::String(value)))
    });
    Value::Object(filled.collect())
}

fn status(status: &EnrolmentStatus) -> &str {
    match status {
        EnrolmentStatus::Potential => "potential",
        EnrolmentStatus::Enrolled => "enrolled",
        EnrolmentStatus::Active => "active",
        EnrolmentStatus::Suspended => "suspended",
        EnrolmentStatus::Graduated => "graduated",
        EnrolmentStatus::Ended => "ended",
        EnrolmentStatus::Rejected => "rejected",
        EnrolmentStatus::Other(word) => word,
    }
}

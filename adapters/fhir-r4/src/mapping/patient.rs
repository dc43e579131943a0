//! Patient (R4, section 8.1) as a person.

use adapter_sdk::model::{
    AddressUse, Extra, HumanName, NameUse, PartialDate, Person, PersonStatus, RelatedPerson,
    RelationRole,
};
use serde_json::{Value, json};

use super::{address, codes, contact, identifiers, kept, link, names, related};
use crate::Rules;
use crate::dates::parse_instant;
use crate::json::{Notes, Object, extension_value, scalar};

/// R4, `patient-birthPlace`.
const BIRTH_PLACE: &str = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace";
/// R4, `patient-birthTime`: an extension of `birthDate`.
const BIRTH_TIME: &str = "http://hl7.org/fhir/StructureDefinition/patient-birthTime";
/// R4, `patient-mothersMaidenName`, which PDQm requires suppliers to give.
const MOTHERS_MAIDEN_NAME: &str =
    "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName";

/// What is read here, or is of the exchange and not of the person.
const READ: &[&str] = &[
    "resourceType",
    "id",
    "meta",
    "language",
    "text",
    "identifier",
    "active",
    "name",
    "telecom",
    "gender",
    "birthDate",
    "_birthDate",
    "deceasedBoolean",
    "deceasedDateTime",
    "_deceasedDateTime",
    "address",
    "maritalStatus",
    "multipleBirthBoolean",
    "multipleBirthInteger",
    "photo",
    "contact",
    "communication",
    "link",
    "extension",
];

/// Maps a Patient that may be read (`check`).
pub fn patient(resource: &Value, rules: &Rules) -> Person {
    let Some(patient) = Object::new(resource) else {
        return Person::default();
    };
    let (mut notes, mut extra) = (Notes::default(), Vec::new());
    let identifiers = identifiers::identifiers(&patient, rules, &mut notes, &mut extra);
    let names = names::names(&patient, rules, &mut notes);
    let sex = notes.text(&patient, "gender", "sex");
    let sex = sex.and_then(|code| codes::SEX.read("sex", &code, &mut notes.0));
    let birth = patient.primitive("birthDate");
    let birth_date = rules.dates.read("birth-date", &birth, &mut notes);
    let death = patient.primitive("deceasedDateTime");
    let death_date = rules.dates.read("death-date", &death, &mut notes);

    let extensions = patient.extensions();
    let mut addresses = address::addresses(&patient, rules, &mut notes);
    let birth_place = extensions.first(BIRTH_PLACE);
    if let Some(place) = birth_place.and_then(|it| it.object("valueAddress")) {
        let place = address::address(&place, rules, &mut notes);
        addresses.push(adapter_sdk::model::Address {
            use_: Some(AddressUse::Birth),
            ..place
        });
    }
    let mut related: Vec<RelatedPerson> = related::contacts(&patient, rules, &mut notes);
    related.extend(mother(&patient));

    let concept = patient.object("maritalStatus");
    let marital_status = concept.and_then(|it| codes::marital_status(&it, &mut notes));
    let status = status(resource, &patient, &mut notes);

    extra.extend(times(&patient, death_date.as_ref()));
    extra.extend(births(&patient, &mut notes));
    extra.extend(languages(&patient));
    extra.extend(other_links(&patient, rules));
    let mut read = vec![BIRTH_PLACE, MOTHERS_MAIDEN_NAME];
    read.extend(rules.adds.iter().flat_map(|it| it.extensions()));
    extra.extend(kept::extensions(&extensions, &read, rules));
    let mut of_dates = rules.dates.extensions();
    extra.extend(kept::named(
        "death-date-extension",
        &death.extensions,
        &of_dates,
        rules,
    ));
    of_dates.push(BIRTH_TIME);
    extra.extend(kept::named(
        "birth-date-extension",
        &birth.extensions,
        &of_dates,
        rules,
    ));
    extra.extend(kept::fields(&patient, READ, rules));

    for to in link::elsewhere(resource, rules) {
        notes.add("replaced-by", to);
    }
    let replaced_by = link::replacement(resource, rules).into_iter();
    let replaced_by = replaced_by.filter_map(|it| it.identifier).collect();
    let person = Person {
        identifiers,
        names,
        sex,
        birth_date,
        death_date,
        marital_status,
        addresses,
        contacts: contact::contacts(&patient, rules, &mut notes),
        photo: contact::photo(&patient, &mut notes),
        related,
        status,
        replaced_by,
        version: version(&patient),
        extra,
        unmapped: notes.0,
    };
    match &rules.adds {
        Some(adds) => adds.add(person, resource),
        None => person,
    }
}

/// `meta.versionId`, which is also what an ETag holds.
fn version(patient: &Object<'_>) -> Option<String> {
    scalar(patient.object("meta")?.get("versionId")?)
}

/// Silence is not "active". A record that another one replaced says nothing more of whether the person
/// lives; a date of death, though it cannot be read, says that the person died.
fn status(resource: &Value, patient: &Object<'_>, notes: &mut Notes) -> Option<PersonStatus> {
    let active = notes.truth(patient, "active", "status");
    let deceased = notes.truth(patient, "deceasedBoolean", "status");
    if link::is_replaced(resource) {
        return Some(PersonStatus::Merged);
    }
    let died = deceased == Some(true) || patient.get("deceasedDateTime").is_some();
    match (died, active) {
        (true, _) => Some(PersonStatus::Deceased),
        (false, Some(false)) => Some(PersonStatus::Other("inactive".to_owned())),
        (false, Some(true)) => Some(PersonStatus::Active),
        (false, None) => (deceased == Some(false)).then_some(PersonStatus::Active),
    }
}

/// The time of birth and of death, and when the record was last touched: reserved keys.
fn times(patient: &Object<'_>, death_date: Option<&PartialDate>) -> Vec<Extra> {
    let birth = patient.primitive("birthDate").extensions.first(BIRTH_TIME);
    let birth = birth.and_then(|it| extension_value(&it));
    // What was converted from another calendar is no time of this one.
    let is_read = death_date.is_some_and(|it| it.original.is_none());
    let death = patient.get("deceasedDateTime").filter(|_| is_read);
    let death = death.filter(|it| it.as_str().is_some_and(|text| text.contains('T')));
    let updated = patient.object("meta").and_then(|it| it.get("lastUpdated"));
    let told = [
        ("birth-time", birth),
        ("death-time", death),
        ("last-updated", updated),
    ];
    // RFC 3339, or it is no time.
    let is_instant = |it: &&Value| it.as_str().and_then(parse_instant).is_some();
    let told = told.into_iter();
    told.filter_map(|(key, value)| Some(Extra::new(key, value.filter(is_instant)?)))
        .collect()
}

/// `multipleBirth[x]`: a twin, or which of them.
fn births(patient: &Object<'_>, notes: &mut Notes) -> Option<Extra> {
    let value = patient
        .get("multipleBirthInteger")
        .or_else(|| patient.get("multipleBirthBoolean"))?;
    if value.is_boolean() || value.is_u64() {
        return Some(Extra::new("multiple-birth", value));
    }
    notes.add("extra.multiple-birth", value);
    None
}

/// `communication.language`: BCP 47.
fn languages(patient: &Object<'_>) -> Option<Extra> {
    let told: Vec<&str> = patient
        .objects("communication")
        .iter()
        .filter_map(|it| it.object("language"))
        .flat_map(|it| it.objects("coding"))
        .filter_map(|it| it.text("code"))
        .collect();
    (!told.is_empty()).then(|| Extra::new("communication-languages", &json!(told)))
}

/// Links that are no replacement: `refer`, `seealso`, `replaces`.
fn other_links(patient: &Object<'_>, rules: &Rules) -> Option<Extra> {
    let others: Vec<Value> = patient
        .objects("link")
        .iter()
        .filter(|it| it.text("type") != Some("replaced-by"))
        .map(|it| {
            let other = it.object("other").and_then(|other| other.text("reference"));
            json!({ "type": it.text("type"), "reference": other })
        })
        .collect();
    (!others.is_empty()).then(|| Extra::new(rules.key("link"), &Value::Array(others)))
}

/// Of the mother nothing is known but the name that she was born with.
fn mother(patient: &Object<'_>) -> Option<RelatedPerson> {
    let told = patient.extensions().first(MOTHERS_MAIDEN_NAME)?;
    let family = scalar(told.get("valueString")?)?;
    Some(RelatedPerson {
        role: RelationRole::Mother,
        names: vec![HumanName {
            use_: Some(NameUse::Maiden),
            family: Some(family),
            ..HumanName::default()
        }],
        ..RelatedPerson::default()
    })
}

//! Whom a record names: `Patient.contact` and RelatedPerson (R4, sections 8.1 and 8.3). In both the
//! relationship is what the named one is to the patient.

use adapter_sdk::model::{Extra, Identifier, Person, RelatedPerson, RelationRole, Sex};
use serde_json::Value;

use super::{codes, contact, identifiers, kept, names};
use crate::Rules;
use crate::bundle::reference;
use crate::dates::{is_before, parse};
use crate::json::{Notes, Object};

/// `Patient.contact`: whoever may be asked about the patient. One about whom nothing but a
/// relationship is told is noted.
pub(super) fn contacts(
    patient: &Object<'_>,
    rules: &Rules,
    notes: &mut Notes,
) -> Vec<RelatedPerson> {
    let mut related = Vec::new();
    for object in notes.objects(patient, "contact", "related") {
        let names = names::names(&object, rules, notes);
        if names.is_empty() {
            // An organisation, or a relationship that openIMIS tells of the head of the family.
            let said = object
                .get("relationship")
                .or_else(|| object.get("organization"));
            notes.add("related", said.unwrap_or(&Value::Null));
            continue;
        }
        let mut extra = kept::fields(&object, &["id", "relationship", "name", "gender"], rules);
        related.push(RelatedPerson {
            role: role(&object, notes, &mut extra, rules),
            names,
            sex: sex(&object, notes),
            extra,
            ..RelatedPerson::default()
        });
    }
    related
}

/// One RelatedPerson as a person of their own.
pub fn related_person(resource: &Value, rules: &Rules) -> Person {
    let Some(object) = Object::new(resource) else {
        return Person::default();
    };
    let (mut notes, mut extra) = (Notes::default(), Vec::new());
    let read = [
        "resourceType",
        "id",
        "meta",
        "language",
        "text",
        "identifier",
        "patient",
        "relationship",
        "name",
        "telecom",
        "gender",
        "birthDate",
        "_birthDate",
        "active",
    ];
    extra.extend(kept::fields(&object, &read, rules));
    let birth = object.primitive("birthDate");
    Person {
        // The server's id of a RelatedPerson is no number of the person.
        identifiers: without_id(&object, rules, &mut notes, &mut extra),
        names: names::names(&object, rules, &mut notes),
        sex: sex(&object, &mut notes),
        birth_date: rules.dates.read("birth-date", &birth, &mut notes),
        contacts: contact::contacts(&object, rules, &mut notes),
        extra,
        unmapped: notes.0,
        ..Person::default()
    }
}

/// Several RelatedPersons, as a record of the patient names them.
pub fn related_persons(resources: &[&Value], rules: &Rules) -> (Vec<RelatedPerson>, Notes) {
    let mut notes = Notes::default();
    let standing = resources
        .iter()
        .filter(|it| is_standing(it, rules, "related", &mut notes));
    let standing: Vec<&Value> = standing.copied().collect();
    let related = standing.iter().map(|resource| {
        let person = related_person(resource, rules);
        let theirs = person.unmapped.into_iter();
        notes.0.extend(theirs.map(|mut it| {
            it.field = format!("related.{}", it.field);
            it
        }));
        let mut extra = person.extra;
        let role = Object::new(resource)
            .map(|object| role(&object, &mut notes, &mut extra, rules))
            .unwrap_or(RelationRole::Unknown);
        RelatedPerson {
            role,
            identifiers: person.identifiers,
            names: person.names,
            sex: person.sex,
            birth_date: person.birth_date,
            status: None,
            extra,
        }
    });
    (related.collect(), notes)
}

/// A person with whom RelatedPersons name as theirs; one of another patient is left out.
pub fn with_related(
    mut person: Person,
    patient: &Value,
    resources: &[&Value],
    rules: &Rules,
) -> Person {
    let id = crate::bundle::id(patient);
    let own: Vec<&Value> = resources
        .iter()
        .copied()
        .filter(|it| id.is_some() && patient_of(it) == id)
        .collect();
    let (related, notes) = related_persons(&own, rules);
    person.related.extend(related);
    person.unmapped.extend(notes.0);
    person
}

/// Whether a relation still is one: `active` is not false, and `period` has not ended (R4, section
/// 8.3.3). One that is over is noted.
pub(super) fn is_standing(resource: &Value, rules: &Rules, field: &str, notes: &mut Notes) -> bool {
    let Some(object) = Object::new(resource) else {
        return false;
    };
    if object.truth("active") == Some(false) {
        notes.add(&format!("{field}.active"), &Value::Bool(false));
        return false;
    }
    let end = object.object("period").and_then(|it| it.get("end"));
    let date = end.and_then(Value::as_str).and_then(parse);
    let is_over = date
        .zip(rules.today.as_ref())
        .is_some_and(|(end, today)| is_before(&end, today));
    if let Some(end) = end.filter(|_| is_over) {
        notes.add(&format!("{field}.period"), end);
    }
    !is_over
}

/// The id of the Patient to whom a RelatedPerson belongs.
pub(super) fn patient_of(resource: &Value) -> Option<&str> {
    let to = Object::new(resource)?
        .object("patient")?
        .text("reference")?;
    reference(to)
        .filter(|(kind, _)| *kind == "Patient")
        .map(|(_, id)| id)
}

/// The role that a RelatedPerson has.
pub(super) fn role_of(resource: &Value, notes: &mut Notes) -> Option<RelationRole> {
    let object = Object::new(resource)?;
    codes::role("relations.role", &object.objects("relationship"), notes)
}

/// What is no role of the contract is noted and kept.
fn role(
    object: &Object<'_>,
    notes: &mut Notes,
    extra: &mut Vec<Extra>,
    rules: &Rules,
) -> RelationRole {
    match codes::role("related.role", &object.objects("relationship"), notes) {
        Some(role) => role,
        None => {
            let told = object.get("relationship");
            extra.extend(told.map(|it| Extra::new(rules.key("relationship"), it)));
            RelationRole::Unknown
        }
    }
}

fn sex(object: &Object<'_>, notes: &mut Notes) -> Option<Sex> {
    let code = notes.text(object, "gender", "sex")?;
    codes::SEX.read("sex", &code, &mut notes.0)
}

fn without_id(
    object: &Object<'_>,
    rules: &Rules,
    notes: &mut Notes,
    extra: &mut Vec<Extra>,
) -> Vec<Identifier> {
    let mut told = identifiers::identifiers(object, rules, notes, extra);
    let id = object.text("id");
    let scheme = rules.resource_id_scheme.as_deref();
    told.retain(|it| Some(it.scheme.as_str()) != scheme || Some(it.value.as_str()) != id);
    told
}

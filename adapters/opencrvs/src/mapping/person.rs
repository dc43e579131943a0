//! What people have in common in FHIR and in GraphQL up to 1.8, and a person as a find answers it.

use adapter_sdk::model::{
    Extra, Identifier, PartialDate, Person, PersonStatus, RelatedPerson, RelationRole, Unmapped,
};
use adapter_sdk::{dates, model};
use serde_json::{Value, json};

use super::record::{Party, Record};
use super::shape::{extra, text};
use super::{codes, same_person};
use crate::settings::{Role, Settings};

/// The subject of a record, with those whom it names beside them.
pub fn subject(record: &Record) -> Option<Person> {
    let subject = record.subject()?;
    let mut person = subject.person.clone();
    for party in &record.parties {
        let Some(role) = relation(party) else {
            continue;
        };
        let of = format!("related.{}", person.related.len());
        let at = |it: &Unmapped| Unmapped::new(format!("{of}.{}", it.field), &it.value);
        person.unmapped.extend(party.person.unmapped.iter().map(at));
        person.related.push(related(role, &party.person));
    }
    person.extra.extend(record.extra.iter().cloned());
    person.unmapped.extend(record.unmapped.iter().cloned());
    Some(person)
}

/// What somebody is to the subject. An informant who is the mother is told of as the mother.
fn relation(party: &Party) -> Option<RelationRole> {
    match (party.role, &party.relation) {
        (Role::Child | Role::Deceased, _) => None,
        (Role::Mother, _) => Some(RelationRole::Mother),
        (Role::Father, _) => Some(RelationRole::Father),
        (Role::Spouse, _) => Some(RelationRole::Spouse),
        (
            Role::Informant,
            Some(RelationRole::Mother | RelationRole::Father | RelationRole::Spouse),
        ) => None,
        (Role::Informant, relation) => relation.clone(),
    }
}

fn related(role: RelationRole, person: &Person) -> RelatedPerson {
    RelatedPerson {
        role,
        identifiers: person.identifiers.clone(),
        names: person.names.clone(),
        sex: person.sex,
        birth_date: person.birth_date.clone(),
        status: person.status.clone(),
        extra: Vec::new(),
    }
}

/// A birth and a death that carry the same number, as one person: what the birth says, and of the
/// death what it adds. What they say otherwise of the same thing is reported.
#[must_use]
pub fn together(mut birth: Person, death: Person) -> Person {
    same_person::add(&mut birth, death);
    birth
}

/// Names as FHIR and GraphQL have them, a language each: `use` is `en`.
pub(super) fn name(
    language: Option<String>,
    family: Option<String>,
    given: Vec<String>,
    married: Option<String>,
) -> Option<model::HumanName> {
    let name = model::HumanName {
        family,
        given,
        language: language.filter(|it| is_language(it)),
        extra: married
            .map(|it| extra("married-last-name", &Value::String(it)))
            .into_iter()
            .collect(),
        ..model::HumanName::default()
    };
    Some(name).filter(|it| !it.is_empty())
}

fn is_language(text: &str) -> bool {
    (2..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase())
}

/// Numbers with OpenCRVS's types. One without a scheme is reported, and kept in `extra`.
pub(super) fn identifiers(
    typed: Vec<(Option<String>, String)>,
    settings: &Settings,
    person: &mut Person,
    unmapped: &mut Vec<Unmapped>,
) {
    let mut kept = Vec::new();
    for (word, value) in typed {
        match word.as_deref().and_then(|word| settings.scheme(word)) {
            Some(scheme) => {
                let identifier = Identifier::new(scheme, value);
                if !person.identifiers.contains(&identifier) {
                    person.identifiers.push(identifier);
                }
            }
            None => {
                let told = word.as_deref().unwrap_or_default();
                unmapped.push(Unmapped::new("identifiers.scheme", told));
                kept.push(json!({ "type": word, "value": value }));
            }
        }
    }
    if !kept.is_empty() {
        let kept = extra("identifier", &Value::Array(kept));
        person.extra.push(kept);
    }
}

/// The values that both forms have as text, under their own names.
pub(super) struct Plain {
    /// `gender`
    pub(super) sex: Option<String>,
    /// `birthDate`
    pub(super) birth_date: Option<String>,
    /// Whether the date was made from an age.
    pub(super) estimated: bool,
    /// `ageOfIndividualInYears`
    pub(super) age: Option<Value>,
    /// `deathDate`, `deceasedDateTime`
    pub(super) death_date: Option<String>,
    /// `deceased`, `deceasedBoolean`
    pub(super) deceased: bool,
    /// `maritalStatus`
    pub(super) marital_status: Option<String>,
    /// `nationality`, `educationalAttainment`, `occupation`, each under the contract's key.
    pub(super) reserved: Vec<(&'static str, String)>,
}

impl Plain {
    /// Fills the person.
    pub(super) fn fill(
        self,
        settings: &Settings,
        person: &mut Person,
        unmapped: &mut Vec<Unmapped>,
    ) {
        let codes = &settings.codes;
        if let Some(code) = self.sex {
            person.sex = codes::sex(codes).read("sex", &code, unmapped);
        }
        if let Some(code) = self.marital_status {
            let list = codes::marital_status(codes);
            person.marital_status = list.read("marital-status", &code, unmapped);
        }
        let mut date = |field, value: Option<String>| {
            value.and_then(|value| dates::read(field, &value, unmapped))
        };
        let birth_date = date("birth-date", self.birth_date);
        person.birth_date = birth_date.map(|date| PartialDate {
            estimated: self.estimated,
            ..date
        });
        let died = self.deceased || self.death_date.is_some();
        let time = self.death_date.clone().filter(|it| it.contains('T'));
        person.death_date = date("death-date", self.death_date);
        if died {
            person.status = Some(PersonStatus::Deceased);
        }
        let time = time.map(|it| Extra::new("death-time", &Value::String(it)));
        person.extra.extend(time);
        let age = self.age.filter(Value::is_number);
        let age = age.map(|years| Extra::new("age", &json!({ "years": years })));
        person.extra.extend(age);
        for (key, value) in self.reserved {
            person.extra.push(Extra::new(key, &Value::String(value)));
        }
    }
}

/// `telecom`, which is FHIR's `ContactPoint` in both.
pub(super) fn contacts(value: Option<&Value>, unmapped: &mut Vec<Unmapped>) -> Vec<model::Contact> {
    let mut contacts = Vec::new();
    for of in super::shape::objects(value, "contacts", unmapped) {
        let system = text(of.get("system"), "contacts", unmapped);
        let Some(value) = text(of.get("value"), "contacts", unmapped) else {
            continue;
        };
        contacts.push(match system.as_deref() {
            Some("phone") => model::Contact::phone(value),
            Some("email") => model::Contact::email(value),
            system => {
                unmapped.push(Unmapped::new("contacts.system", system.unwrap_or_default()));
                continue;
            }
        });
    }
    contacts
}

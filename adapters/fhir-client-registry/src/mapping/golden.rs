//! OpenCR keeps each system's record beside a golden one, which has a number (CRUID), a tag, and links
//! and nothing else: who it is stands in the records that refer to it.

use adapter_sdk::dates;
use adapter_sdk::model::{Extra, Identifier, Person, Unmapped};
use fhir_r4::mapping::links;
use serde_json::Value;

/// The number of the golden record that all of these refer to. None where one refers to none or
/// another: then they are not known to be one person.
pub fn common(patients: &[Value]) -> Option<&str> {
    let mut numbers = patients.iter().map(|it| {
        let referred = links(it, "refer");
        match referred.as_slice() {
            [("Patient", id)] => Some(*id),
            _ => None,
        }
    });
    let first = numbers.next()??;
    numbers.all(|other| other == Some(first)).then_some(first)
}

/// One person of several records of the same one. Lists are put together, each value once. Of what a
/// person has one only, a value stands where no record says another; where they differ it is empty,
/// and each value is in `unmapped`.
pub fn combined(people: Vec<Person>) -> Person {
    let mut people = people.into_iter();
    let Some(mut one) = people.next() else {
        return Person::default();
    };
    // A value that two records differ in stays empty, though a third has it again.
    let mut differing = Vec::new();
    for other in people {
        union(&mut one.identifiers, other.identifiers);
        union(&mut one.names, other.names);
        union(&mut one.addresses, other.addresses);
        union(&mut one.contacts, other.contacts);
        union(&mut one.related, other.related);
        union(&mut one.replaced_by, other.replaced_by);
        union(&mut one.extra, distinct(other.extra));
        union(&mut one.unmapped, other.unmapped);
        let mut same = Same {
            differing: &mut differing,
            unmapped: &mut one.unmapped,
        };
        same.hold("sex", &mut one.sex, other.sex, |it| {
            let code = fhir_r4::mapping::SEX.code(it);
            code.unwrap_or_default().to_owned()
        });
        let written = |it: &adapter_sdk::model::PartialDate| dates::format(it);
        same.hold("birth-date", &mut one.birth_date, other.birth_date, written);
        same.hold("death-date", &mut one.death_date, other.death_date, written);
        let status = |it: &adapter_sdk::model::MaritalStatus| {
            let code = fhir_r4::mapping::MARITAL_STATUS.code(it);
            code.unwrap_or_default().to_owned()
        };
        same.hold(
            "marital-status",
            &mut one.marital_status,
            other.marital_status,
            status,
        );
        same.hold("status", &mut one.status, other.status, |it| {
            format!("{it:?}")
        });
        if one.photo.is_none() {
            one.photo = other.photo;
        }
    }
    // It is of one record, and none is written as a whole.
    one.version = None;
    one
}

/// The person with the number of the golden record.
pub fn numbered(mut person: Person, scheme: Option<&str>, number: &str) -> Person {
    if let Some(scheme) = scheme {
        let identifier = Identifier::new(scheme, number);
        if !person.identifiers.contains(&identifier) {
            person.identifiers.push(identifier);
        }
    }
    person
}

struct Same<'a> {
    differing: &'a mut Vec<&'static str>,
    unmapped: &'a mut Vec<Unmapped>,
}

impl Same<'_> {
    fn hold<T: PartialEq>(
        &mut self,
        field: &'static str,
        one: &mut Option<T>,
        other: Option<T>,
        written: impl Fn(&T) -> String,
    ) {
        let Some(other) = other else {
            return;
        };
        if self.differing.contains(&field) {
            self.note(field, written(&other));
            return;
        }
        match one {
            None => *one = Some(other),
            Some(same) if *same == other => {}
            Some(first) => {
                let first = written(first);
                *one = None;
                self.differing.push(field);
                self.note(field, first);
                self.note(field, written(&other));
            }
        }
    }

    fn note(&mut self, field: &str, value: String) {
        let note = Unmapped::new(field, value);
        if !self.unmapped.contains(&note) {
            self.unmapped.push(note);
        }
    }
}

fn union<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// When a record was last touched says nothing of the person.
fn distinct(extra: Vec<Extra>) -> Vec<Extra> {
    let kept = extra.into_iter().filter(|it| it.key != "last-updated");
    kept.collect()
}

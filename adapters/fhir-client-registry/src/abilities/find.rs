//! One person by identifier: ITI-78, or the person's other identifiers by ITI-83.

use adapter_sdk::model::{FindQuery, Identifier, Person, PersonStatus, Unmapped};
use adapter_sdk::{Answer, Failure, Find};
use fhir_r4::bundle::id;
use fhir_r4::lookup::{Hits, several};
use fhir_r4::mapping::{self, Replacement, carried, replacement};
use serde_json::Value;

use crate::FhirClientRegistry;
use crate::exchange::Registry;
use crate::mapping::golden;
use crate::settings::{Habits, Lookup};
use crate::wire::pixm;

impl Find for FhirClientRegistry {
    fn find(query: FindQuery) -> Result<Answer<Person>, Failure> {
        let registry = Registry::load()?;
        let asked = registry.settings.asked(&query.identifiers)?;
        let person = match registry.settings.lookup {
            Lookup::Pdqm => find(&registry, asked)?,
            Lookup::Pixm => pixm::find(&registry, asked)?,
        };
        Ok(person.into())
    }
}

/// The person with a number.
pub(super) fn find(registry: &Registry, asked: &Identifier) -> Result<Person, Failure> {
    let hits = registry.patients(asked)?;
    if registry.settings.server == Habits::Opencr {
        return of_opencr(registry, hits);
    }
    person(registry, hits.one()?, &hits)
}

fn person(registry: &Registry, patient: &Value, hits: &Hits) -> Result<Person, Failure> {
    let rules = &registry.rules;
    let related: Vec<&Value> = hits.related.iter().collect();
    let mut person =
        mapping::with_related(mapping::patient(patient, rules), patient, &related, rules);
    if person.version.is_none() {
        person.version.clone_from(&hits.etag);
    }
    if person.status == Some(PersonStatus::Merged) {
        survivor(registry, patient, &mut person)?;
    }
    Ok(person)
}

/// A replaced record is answered as what it is, with the numbers of the record that stands in the end:
/// the caller decides whether to go on with that one. Links are followed no further than the setting
/// says, and none twice.
fn survivor(registry: &Registry, patient: &Value, person: &mut Person) -> Result<(), Failure> {
    let mut seen: Vec<String> = id(patient).map(str::to_owned).into_iter().collect();
    let mut next = replacement(patient, &registry.rules);
    for _ in 0..registry.settings.max_merge_hops {
        let [Replacement { id: Some(to), .. }] = next.as_slice() else {
            // Its number alone is told, or several records took its place: no one survivor.
            return Ok(());
        };
        let to = to.clone();
        if seen.contains(&to) {
            return Err(Failure::unreadable("merge.loop"));
        }
        let Some(found) = registry.read_patient(&to)? else {
            if person.replaced_by.is_empty() {
                let note = Unmapped::new("replaced-by", format!("Patient/{to}"));
                person.unmapped.push(note);
            }
            return Ok(());
        };
        seen.push(to);
        let told = mapping::patient(&found, &registry.rules);
        if told.status != Some(PersonStatus::Merged) {
            if told.identifiers.is_empty() {
                let numbers = carried(&found).into_iter().map(|it| it.value);
                let notes = numbers.map(|it| Unmapped::new("replaced-by", it));
                person.unmapped.extend(notes);
            }
            person.replaced_by = told.identifiers;
            return Ok(());
        }
        person.replaced_by = told.replaced_by;
        let notes = told.unmapped.into_iter();
        person
            .unmapped
            .extend(notes.filter(|it| it.field == "replaced-by"));
        next = replacement(&found, &registry.rules);
    }
    match next.as_slice() {
        [Replacement { id: Some(_), .. }] => Err(Failure::unreadable("merge.hops")),
        _ => Ok(()),
    }
}

/// Several systems' records of one golden record are one person.
fn of_opencr(registry: &Registry, hits: Hits) -> Result<Person, Failure> {
    let settings = &registry.settings;
    let is_golden = |it: &Value| mapping::is_golden(it, &settings.golden_tag);
    let records: Vec<Value> = hits
        .patients
        .into_iter()
        .filter(|it| !is_golden(it))
        .collect();
    let number = golden::common(&records);
    let people: Vec<Person> = records
        .iter()
        .map(|it| mapping::patient(it, &registry.rules))
        .collect();
    let person = match (people.len(), number) {
        (0, _) => return Err(Failure::not_found()),
        (1, _) | (_, Some(_)) => golden::combined(people),
        (_, None) => return Err(several()),
    };
    Ok(match number {
        Some(number) => golden::numbered(person, settings.golden_scheme.as_deref(), number),
        None => person,
    })
}

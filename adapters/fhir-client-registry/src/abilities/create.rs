//! A Patient that the registry may not have yet.

use adapter_sdk::model::{
    CreateRequest, CreateSubject, Identifier, Outcome, Person, Receipt, WriteAnswer,
};
use adapter_sdk::{Create, Failure};
use fhir_r4::bundle::id;
use fhir_r4::lookup::several;
use fhir_r4::mapping::{is_replaced, standing};
use serde_json::Value;

use super::written::Writing;
use crate::FhirClientRegistry;
use crate::exchange::Registry;
use crate::mapping::golden;
use crate::mapping::write::{self, Resource};
use crate::settings::{Habits, Writes};

impl Create for FhirClientRegistry {
    fn create(request: CreateRequest) -> Result<WriteAnswer, Failure> {
        let registry = Registry::load()?;
        let person = person(&request)?;
        let writing = writing(&registry, person)?;
        let settings = &registry.settings;
        // The other forms, and OpenCR in each, overwrite whoever has a number.
        let is_conditional = settings.writes == Writes::Rest && settings.server == Habits::Fhir;
        if !is_conditional && let Some(known) = known(&registry, &writing.keys)? {
            return Ok(known.into());
        }
        writing.send()
    }
}

/// Who is known by one of these numbers already. Several are nobody's to choose from.
fn known(registry: &Registry, keys: &[Identifier]) -> Result<Option<Receipt>, Failure> {
    let mut known: Vec<Value> = Vec::new();
    for key in keys {
        for patient in registry.patients(key)?.patients {
            if known.iter().all(|it| id(it) != id(&patient)) {
                known.push(patient);
            }
        }
    }
    let unchanged = Receipt {
        outcome: Outcome::Unchanged,
        ..Receipt::applied()
    };
    if known.is_empty() {
        return Ok(None);
    }
    // Several systems' records of one person, of which none is the person's own.
    if registry.settings.server == Habits::Opencr && golden::common(&known).is_some() {
        return Ok(Some(unchanged));
    }
    let standing = standing(&known).ok_or_else(several)?;
    if is_replaced(standing) {
        return Err(Failure::rejected("patient.merged").field("identifiers"));
    }
    Ok(Some(Receipt {
        reference: id(standing).map(|id| format!("Patient/{id}")),
        ..unchanged
    }))
}

/// The person to create; there is no other subject.
pub(super) fn person(request: &CreateRequest) -> Result<&Person, Failure> {
    match &request.subject {
        CreateSubject::Person(person) => Ok(person),
        _ => Err(Failure::unsupported("create.subject").field("subject")),
    }
}

fn writing<'a>(registry: &'a Registry, person: &Person) -> Result<Writing<'a>, Failure> {
    let settings = &registry.settings;
    // Without a number nobody could tell a second attempt from a second person; OpenCR refuses it.
    let keys = write::keys(person, settings);
    if keys.is_empty() {
        return Err(Failure::rejected("identifier.missing").field("identifiers"));
    }
    let mut patient = Resource::new();
    let fields = write::filled(person);
    if person.replaced_by.is_empty() {
        let unwritten = write::write(&mut patient, person, &fields, None, settings)?;
        return Ok(Writing {
            registry,
            patient,
            id: None,
            version: None,
            keys: keys.into_iter().cloned().collect(),
            unwritten,
        });
    }
    // A record that another replaced is written by an update.
    Err(Failure::unsupported("create.replaced").field("replaced-by"))
}

//! A Patient that the registry may not have yet.

use adapter_sdk::model::{CreateRequest, CreateSubject, Outcome, Person, Receipt, WriteAnswer};
use adapter_sdk::{Create, Failure};

use super::written::Writing;
use crate::FhirClientRegistry;
use crate::exchange::Registry;
use crate::mapping::write::{self, Resource};
use crate::settings::Writes;

impl Create for FhirClientRegistry {
    fn create(request: CreateRequest) -> Result<WriteAnswer, Failure> {
        let registry = Registry::load()?;
        let person = person(&request)?;
        let writing = writing(&registry, person)?;
        // The other forms overwrite whoever has the number.
        if registry.settings.writes != Writes::Rest
            && let Some(key) = &writing.key
            && !registry.patients(key)?.patients.is_empty()
        {
            return Ok(Receipt {
                outcome: Outcome::Unchanged,
                ..Receipt::applied()
            }
            .into());
        }
        writing.send()
    }
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
    let key = write::key(person, settings);
    let key = key.ok_or_else(|| Failure::rejected("identifier.missing").field("identifiers"))?;
    let mut patient = Resource::new();
    let fields = write::filled(person);
    if person.replaced_by.is_empty() {
        let unwritten = write::write(&mut patient, person, &fields, None, settings)?;
        return Ok(Writing {
            registry,
            patient,
            id: None,
            version: None,
            key: Some(key.clone()),
            unwritten,
        });
    }
    // A record that another replaced is written by an update.
    Err(Failure::unsupported("create.replaced").field("replaced-by"))
}

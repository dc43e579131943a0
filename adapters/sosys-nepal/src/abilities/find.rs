//! One person by identifier, and the standing of their coverage.

use adapter_sdk::model::{FindQuery, Person, PersonStatus};
use adapter_sdk::{Answer, Failure, Find};
use fhir_r4::mapping;
use serde_json::Value;

use crate::SosysNepal;
use crate::registry::Registry;

impl Find for SosysNepal {
    fn find(query: FindQuery) -> Result<Answer<Person>, Failure> {
        let registry = Registry::load()?;
        let hits = registry.patients(&query.identifiers)?;
        let patient = hits.one()?;
        let related: Vec<&Value> = hits.related.iter().collect();
        let person = registry.person(patient);
        let person = mapping::with_related(person, patient, &related, &registry.rules);
        // Whatever a replaced record was covered by is not kept any more.
        if person.status == Some(PersonStatus::Merged) {
            return Ok(person.into());
        }
        Ok(registry.covered(person, patient)?.into())
    }
}

//! Fields of a Patient: read, changed, written whole, with the version that was read.

use adapter_sdk::model::{Identifier, PersonStatus, UpdateRequest, WriteAnswer};
use adapter_sdk::{Failure, Update};
use fhir_r4::bundle::id;
use serde_json::Value;

use super::written::Writing;
use crate::FhirClientRegistry;
use crate::exchange::Registry;
use crate::mapping::write::{self, Resource};

impl Update for FhirClientRegistry {
    fn update(request: UpdateRequest) -> Result<WriteAnswer, Failure> {
        let registry = Registry::load()?;
        let mask: Vec<&str> = request.mask.iter().map(String::as_str).collect();
        let mut standing =
            Standing::read(&registry, &request.identifiers, request.version.as_ref())?;
        let survivor = survivor(&registry, &request, &mask)?;
        let person = &request.person;
        let survivor = survivor.as_deref();
        let unwritten = write::write(
            &mut standing.patient,
            person,
            &mask,
            survivor,
            &registry.settings,
        )?;
        let is_unwritten = |field: &&str| unwritten.iter().any(|it| it == field);
        if mask.iter().all(is_unwritten) {
            return Err(Failure::unsupported("mask.unwritable").field("mask"));
        }
        standing.writing(&registry, unwritten).send()
    }
}

/// The record that took the place of another: it must be there to be referred to.
fn survivor(
    registry: &Registry,
    request: &UpdateRequest,
    mask: &[&str],
) -> Result<Option<String>, Failure> {
    if request.person.status != Some(PersonStatus::Merged) || !mask.contains(&"status") {
        return Ok(None);
    }
    let missing = || Failure::rejected("merge.survivor").field("replaced-by");
    if !mask.contains(&"replaced-by") {
        return Err(missing());
    }
    let asked = registry.settings.asked(&request.person.replaced_by);
    let asked = asked.map_err(|_| missing())?;
    match registry.patient(asked) {
        Ok((patient, _)) => Ok(id(&patient).map(|id| format!("Patient/{id}"))),
        Err(Failure::NotFound) => Err(missing()),
        Err(failure) => Err(failure),
    }
}

/// A Patient of the registry, as it is to be written back.
pub(super) struct Standing {
    pub(super) patient: Resource,
    id: String,
    version: Option<String>,
    key: Identifier,
}

impl Standing {
    /// Reads whom these identifiers mean. A search has no ETag: the version is the resource's own.
    ///
    /// # Errors
    /// `conflict` where the registry has moved on from `version`, or does not tell.
    pub(super) fn read(
        registry: &Registry,
        identifiers: &[Identifier],
        version: Option<&String>,
    ) -> Result<Self, Failure> {
        let asked = registry.settings.asked(identifiers)?;
        let (patient, hits) = registry.patient(asked)?;
        let told = patient.get("meta").and_then(|it| it.get("versionId"));
        let told = told.and_then(fhir_r4::json::scalar).or(hits.etag);
        if version.is_some() && version != told.as_ref() {
            return Err(Failure::conflict("version.moved").field("version"));
        }
        let id = id(&patient).map(str::to_owned);
        let id = id.ok_or_else(|| Failure::unreadable("answer.resource"))?;
        let Value::Object(patient) = patient else {
            return Err(Failure::unreadable("answer.resource"));
        };
        Ok(Self {
            patient,
            id,
            version: told,
            key: asked.clone(),
        })
    }

    pub(super) fn writing(self, registry: &Registry, unwritten: Vec<String>) -> Writing<'_> {
        Writing {
            registry,
            patient: self.patient,
            id: Some(self.id),
            version: self.version,
            key: Some(self.key),
            unwritten,
        }
    }

    /// What it is now, where nothing is to be written.
    pub(super) fn unchanged(self) -> adapter_sdk::model::Receipt {
        adapter_sdk::model::Receipt {
            outcome: adapter_sdk::model::Outcome::Unchanged,
            reference: Some(format!("Patient/{}", self.id)),
            version: self.version,
            ..adapter_sdk::model::Receipt::applied()
        }
    }
}

//! Fields of a Patient: read, changed, written whole, with the version that was read.

use adapter_sdk::model::{Identifier, Outcome, PersonStatus, Receipt, UpdateRequest, WriteAnswer};
use adapter_sdk::{Failure, Update};
use fhir_r4::bundle::id;
use fhir_r4::mapping::{is_replaced, links};
use serde_json::Value;

use super::written::Writing;
use crate::FhirClientRegistry;
use crate::exchange::Registry;
use crate::mapping::write::{self, Resource};
use crate::settings::Habits;

impl Update for FhirClientRegistry {
    fn update(request: UpdateRequest) -> Result<WriteAnswer, Failure> {
        let registry = Registry::load()?;
        let mask: Vec<&str> = request.mask.iter().map(String::as_str).collect();
        let version = request.version.as_ref();
        let is_opencr = registry.settings.server == Habits::Opencr;
        let is_merge = request.person.status == Some(PersonStatus::Merged);
        // It takes no links, and would tell the person to be inactive alone.
        if is_opencr && is_merge && mask.contains(&"status") {
            return Err(Failure::unsupported("opencr.merge").field("status"));
        }
        let read = Standing::read_any(&registry, &request.identifiers, version);
        let (mut standing, hits) = read?;
        let person = &request.person;
        let survivor = survivor(&registry, &request, &mask)?;
        match &survivor {
            Some(survivor) => match merge(&standing, &hits, survivor)? {
                Merge::Done(receipt) => return Ok(receipt.into()),
                Merge::ToDo => {}
            },
            // A merge may be taken back; nothing else is written where nobody reads it.
            None if mask.contains(&"status") && person.status == Some(PersonStatus::Active) => {}
            None => standing.stands()?,
        }
        // Who undoes a death or a merge must have seen it.
        if version.is_none() && write::undoes(&standing.patient, person, &mask) {
            return Err(Failure::conflict("version.missing").field("version"));
        }
        let survivor = survivor.as_ref().map(|id| format!("Patient/{id}"));
        let survivor = survivor.as_deref();
        let before = is_opencr.then(|| Value::Object(standing.patient.clone()));
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
        let is_kept = |it: &Value| overlays(it, &Value::Object(standing.patient.clone()));
        if !before.as_ref().is_none_or(is_kept) {
            return Err(Failure::unsupported("opencr.clears").field("mask"));
        }
        standing.writing(&registry, unwritten).send()
    }
}

/// Whether the new value put over the old one is the new one. OpenCR does so, place by place: what is
/// no longer there stays, in lists too.
fn overlays(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => old.iter().all(|(name, value)| {
            let now = new.get(name);
            now.is_some_and(|now| overlays(value, now))
        }),
        (Value::Array(old), Value::Array(new)) => {
            let mut pairs = old.iter().zip(new);
            old.len() <= new.len() && pairs.all(|(old, new)| overlays(old, new))
        }
        _ => true,
    }
}

enum Merge {
    Done(Receipt),
    ToDo,
}

/// Whether a record is still to be replaced by this one. A number that both carry leads to the one
/// that stands, which is never replaced by itself.
fn merge(standing: &Standing, hits: &[Value], survivor: &str) -> Result<Merge, Failure> {
    let by_it = |it: &Value| links(it, "replaced-by").contains(&("Patient", survivor));
    let done = |it: &Value| Merge::Done(unchanged(it));
    if standing.id == survivor {
        let replaced = hits.iter().find(|it| by_it(it));
        let failure = || Failure::rejected("merge.survivor").field("replaced-by");
        return replaced.map(done).ok_or_else(failure);
    }
    let patient = Value::Object(standing.patient.clone());
    if is_replaced(&patient) && by_it(&patient) {
        return Ok(done(&patient));
    }
    standing.stands()?;
    Ok(Merge::ToDo)
}

/// What a record is now, where nothing is to be written.
fn unchanged(patient: &Value) -> Receipt {
    let version = patient.get("meta").and_then(|it| it.get("versionId"));
    Receipt {
        outcome: Outcome::Unchanged,
        reference: id(patient).map(|id| format!("Patient/{id}")),
        version: version.and_then(fhir_r4::json::scalar),
        ..Receipt::applied()
    }
}

/// The id of the record that took the place of another: it must be there, and stand itself.
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
        Ok((patient, _)) if is_replaced(&patient) => Err(missing()),
        Ok((patient, _)) => Ok(id(&patient).map(str::to_owned)),
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
    /// Reads whom these identifiers mean.
    ///
    /// # Errors
    /// As [`Standing::read_any`], and `rejected` with code `patient.merged`.
    pub(super) fn read(
        registry: &Registry,
        identifiers: &[Identifier],
        version: Option<&String>,
    ) -> Result<Self, Failure> {
        let (standing, _) = Self::read_any(registry, identifiers, version)?;
        standing.stands()?;
        Ok(standing)
    }

    /// What is written into a replaced record is read by nobody: `find` tells by which number to ask.
    fn stands(&self) -> Result<(), Failure> {
        match is_replaced(&Value::Object(self.patient.clone())) {
            true => Err(Failure::rejected("patient.merged").field("identifiers")),
            false => Ok(()),
        }
    }

    /// Reads whom these identifiers mean, replaced or not, and who else has the number. A search has no
    /// ETag: the version is the resource's own.
    ///
    /// # Errors
    /// `conflict` where the registry has moved on from `version`, or does not tell.
    fn read_any(
        registry: &Registry,
        identifiers: &[Identifier],
        version: Option<&String>,
    ) -> Result<(Self, Vec<Value>), Failure> {
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
        let standing = Self {
            patient,
            id,
            version: told,
            key: asked.clone(),
        };
        Ok((standing, hits.patients))
    }

    pub(super) fn writing(self, registry: &Registry, unwritten: Vec<String>) -> Writing<'_> {
        Writing {
            registry,
            patient: self.patient,
            id: Some(self.id),
            version: self.version,
            keys: vec![self.key],
            unwritten,
        }
    }

    /// What it is now, where nothing is to be written.
    pub(super) fn unchanged(self) -> Receipt {
        Receipt {
            outcome: Outcome::Unchanged,
            reference: Some(format!("Patient/{}", self.id)),
            version: self.version,
            ..Receipt::applied()
        }
    }
}

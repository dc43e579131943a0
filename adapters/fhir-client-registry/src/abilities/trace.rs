//! What became of a write whose answer was lost. The registry keeps no keys of ours: it is asked for
//! the Patient, which carries the operation's tag, or what was to be written.

use adapter_sdk::model::{
    CreateRequest, Fate, LinkChange, LinkRequest, Outcome, Receipt, TraceQuery, UpdateRequest,
    WriteRequest,
};
use adapter_sdk::{Failure, Trace};
use fhir_r4::bundle::{Bundle, id};
use fhir_r4::dates::parse_instant;
use serde_json::Value;

use super::create;
use crate::FhirClientRegistry;
use crate::exchange::Registry;
use crate::mapping::write;
use crate::mapping::write::marks::{caused_by, is_tagged};

impl Trace for FhirClientRegistry {
    fn trace(query: TraceQuery) -> Result<Fate, Failure> {
        let registry = Registry::load()?;
        let stands = match &query.request {
            WriteRequest::Create(request) => created(&registry, request, &query)?,
            WriteRequest::Update(request) => updated(&registry, request, &query)?,
            WriteRequest::Link(request) => linked(&registry, request)?,
            WriteRequest::Enrolment(_) => return Ok(Fate::Unknown),
        };
        match stands {
            Stands::Written(receipt) => Ok(Fate::Applied(receipt)),
            Stands::Unknown => Ok(Fate::Unknown),
            // What is still on its way would be done after the registry was asked.
            Stands::Not => match rest_ms(&query.attempted_at, registry.settings.settle_ms) {
                Some(0) => Ok(Fate::Absent),
                Some(rest) => {
                    Err(Failure::unavailable("trace.too-early").retry_after_ms(Some(rest)))
                }
                None => Ok(Fate::Unknown),
            },
        }
    }
}

enum Stands {
    Written(Receipt),
    Not,
    Unknown,
}

/// By the tag; else by the number, which no second record may carry: a create under If-None-Exist that
/// comes again does nothing.
fn created(
    registry: &Registry,
    request: &CreateRequest,
    query: &TraceQuery,
) -> Result<Stands, Failure> {
    let system = &registry.settings.operation_tag;
    if !system.is_empty() {
        let tag = format!(
            "{}|{}",
            fhir_r4::rules::escaped(system),
            fhir_r4::rules::escaped(&query.operation_key)
        );
        // A server that does not know `_tag` may ignore it: only who carries the tag counts.
        let asked = vec![
            ("_tag".to_owned(), tag),
            ("_count".to_owned(), "5".to_owned()),
        ];
        if let Ok(body) = registry.search("Patient", &asked) {
            let bundle = Bundle::read(&body, "Patient")?;
            let ours = |it: &&Value| is_tagged(it, system, &query.operation_key);
            if let Some(patient) = bundle.matches("Patient").into_iter().find(ours) {
                return Ok(Stands::Written(seen(patient, system, &query.operation_key)));
            }
        }
    }
    let person = create::person(request)?;
    let keys = write::keys(person, &registry.settings);
    if keys.is_empty() {
        return Ok(Stands::Unknown);
    }
    let mut known: Vec<Value> = Vec::new();
    for key in keys {
        for patient in registry.patients(key)?.patients {
            if known.iter().all(|it| id(it) != id(&patient)) {
                known.push(patient);
            }
        }
    }
    Ok(match known.as_slice() {
        [] => Stands::Not,
        // Somebody else's, or ours on a server that keeps no tags: the record is there.
        [patient] => Stands::Written(Receipt {
            outcome: Outcome::Unchanged,
            ..receipt(patient)
        }),
        _ => Stands::Unknown,
    })
}

/// By the tag; where another write came after it, nobody can tell.
fn updated(
    registry: &Registry,
    request: &UpdateRequest,
    query: &TraceQuery,
) -> Result<Stands, Failure> {
    let system = &registry.settings.operation_tag;
    let patient = patient(registry, &request.identifiers)?;
    let Some(patient) = patient.filter(|_| !system.is_empty()) else {
        return Ok(Stands::Unknown);
    };
    if is_tagged(&patient, system, &query.operation_key) {
        return Ok(Stands::Written(seen(
            &patient,
            system,
            &query.operation_key,
        )));
    }
    let version = version(&patient);
    let unmoved = version.is_some() && version == request.version;
    Ok(match unmoved {
        true => Stands::Not,
        false => Stands::Unknown,
    })
}

/// The link stands or not, whoever made it. What is sent again goes with the version that is read then,
/// and so does no harm.
fn linked(registry: &Registry, request: &LinkRequest) -> Result<Stands, Failure> {
    let Some(patient) = patient(registry, &request.identifiers)? else {
        return Ok(Stands::Unknown);
    };
    let receipt = receipt(&patient);
    let Value::Object(resource) = patient else {
        return Ok(Stands::Unknown);
    };
    let stands = write::has(&resource, &request.linked, &registry.settings);
    Ok(match stands == (request.change == LinkChange::Add) {
        true => Stands::Written(receipt),
        false => Stands::Not,
    })
}

/// Whom these identifiers mean; none where that is not one Patient any more.
fn patient(
    registry: &Registry,
    identifiers: &[adapter_sdk::model::Identifier],
) -> Result<Option<Value>, Failure> {
    let asked = registry.settings.asked(identifiers)?;
    match registry.patient(asked) {
        Ok((patient, _)) => Ok(Some(patient)),
        Err(failure @ Failure::Unavailable(_)) => Err(failure),
        Err(_) => Ok(None),
    }
}

fn version(patient: &Value) -> Option<String> {
    fhir_r4::json::scalar(patient.get("meta")?.get("versionId")?)
}

/// Without the version: others may have written since, and whoever writes over it must have seen that.
fn receipt(patient: &Value) -> Receipt {
    Receipt {
        reference: id(patient).map(|id| format!("Patient/{id}")),
        ..Receipt::applied()
    }
}

/// With the version where it is the one that the operation made.
fn seen(patient: &Value, system: &str, key: &str) -> Receipt {
    let is_last = caused_by(patient, system) == Some(key);
    Receipt {
        version: is_last.then(|| version(patient)).flatten(),
        ..receipt(patient)
    }
}

/// How long it still is until so long after then. None where the time is none.
fn rest_ms(then: &str, settle_ms: u32) -> Option<u32> {
    let now = parse_instant(&adapter_sdk::dates::now())?;
    let passed = u64::try_from(now.checked_sub(parse_instant(then)?)?).unwrap_or_default();
    let rest = u64::from(settle_ms).saturating_sub(passed.saturating_mul(1000));
    u32::try_from(rest).ok()
}

//! The identifier by which somebody else knows a Patient: one more of its identifiers, or one less.

use adapter_sdk::model::{LinkChange, LinkRequest, WriteAnswer};
use adapter_sdk::{Failure, Link};
use serde_json::Value;

use super::update::Standing;
use crate::FhirClientRegistry;
use crate::exchange::Registry;
use crate::mapping::write;
use crate::settings::Habits;

impl Link for FhirClientRegistry {
    fn link(request: LinkRequest) -> Result<WriteAnswer, Failure> {
        let registry = Registry::load()?;
        let settings = &registry.settings;
        let linked = write::identifier(&request.linked, settings);
        let linked =
            linked.ok_or_else(|| Failure::unsupported("identifier.scheme").field("linked"))?;
        // It puts what it gets over what it has, place by place: nothing goes away.
        if settings.server == Habits::Opencr && request.change == LinkChange::Remove {
            return Err(Failure::unsupported("opencr.link").field("change"));
        }
        let version = request.version.as_ref();
        let mut standing = Standing::read(&registry, &request.identifiers, version)?;
        let stands = write::has(&standing.patient, &request.linked, settings);
        if stands == (request.change == LinkChange::Add) {
            return Ok(standing.unchanged().into());
        }
        let kept = standing.patient.get("identifier").and_then(Value::as_array);
        let mut identifiers: Vec<Value> = kept.cloned().unwrap_or_default();
        match request.change {
            LinkChange::Add => identifiers.push(linked),
            LinkChange::Remove => {
                let is_linked = |it: &Value| {
                    let one = [("identifier".to_owned(), Value::Array(vec![it.clone()]))];
                    write::has(&one.into_iter().collect(), &request.linked, settings)
                };
                identifiers.retain(|it| !is_linked(it));
            }
        }
        standing
            .patient
            .insert("identifier".to_owned(), Value::Array(identifiers));
        standing.writing(&registry, Vec::new()).send()
    }
}

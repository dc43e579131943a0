//! One registry, as its settings have it, and how its Patients are read.

use adapter_sdk::model::{Identifier, Person};
use adapter_sdk::{Failure, call, settings};
use fhir_r4::bundle::{Bundle, id};
use fhir_r4::lookup::{self, Hits, unknown_scheme};
use fhir_r4::server::Server;
use fhir_r4::{Rules, mapping, server};
use serde_json::Value;

use crate::mapping::coverage;
use crate::settings::Settings;

/// One registry.
pub(crate) struct Registry {
    pub(crate) settings: Settings,
    pub(crate) server: Server,
    pub(crate) rules: Rules,
}

impl Registry {
    pub(crate) fn load() -> Result<Self, Failure> {
        let settings: Settings = settings::load()?;
        Ok(Self {
            server: settings.server(),
            rules: settings.rules(),
            settings,
        })
    }

    /// The Patients of the first identifier whose scheme the registry knows.
    pub(crate) fn patients(&self, identifiers: &[Identifier]) -> Result<Hits, Failure> {
        let filled =
            |it: &&Identifier| self.settings.knows(&it.scheme) && !it.value.trim().is_empty();
        let asked = identifiers.iter().find(filled).ok_or_else(unknown_scheme)?;
        let mut more = Vec::new();
        if self.settings.with_related {
            more.push(("_revinclude".to_owned(), "RelatedPerson:patient".to_owned()));
        }
        lookup::patients(&self.server, &self.rules, asked, more)
    }

    /// A Patient as a person.
    pub(crate) fn person(&self, patient: &Value) -> Person {
        mapping::patient(patient, &self.rules)
    }

    /// A person with their coverage, where somebody wants to know it. It is read, never checked by a
    /// CoverageEligibilityRequest: the Social Security Fund books the balance with that.
    pub(crate) fn covered(&self, person: Person, patient: &Value) -> Result<Person, Failure> {
        let wanted = call::wanted_fields();
        let is_wanted = wanted.is_empty() || wanted.iter().any(|it| it.starts_with("extra"));
        let Some(id) = id(patient).filter(|_| self.settings.with_coverage && is_wanted) else {
            return Ok(person);
        };
        let query = vec![("beneficiary".to_owned(), format!("Patient/{id}"))];
        let response = self.server.search("Coverage", &query).send()?;
        if response.status == 404 {
            return Err(Failure::misconfigured("http.404").field("settings.with_coverage"));
        }
        let body = server::body(&self.server, &response)?;
        let bundle = Bundle::read(&body, "Coverage")?;
        let coverages = bundle.matches("Coverage");
        for one in &coverages {
            mapping::check(one, "Coverage")?;
        }
        Ok(coverage::with_coverage(
            person,
            patient,
            &coverages,
            &self.rules,
        ))
    }
}

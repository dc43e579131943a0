//! One registry, as its settings have it, and whom it knows by a number.

use adapter_sdk::Failure;
use adapter_sdk::model::Identifier;
use fhir_r4::lookup::{self, Hits, patient_of};
use fhir_r4::rules::escaped;
use fhir_r4::server::{Parameters, Server};
use fhir_r4::{Rules, bundle};
use serde_json::Value;

use crate::query::wanted_systems;
use crate::settings::{Habits, Settings};

/// One registry.
pub(crate) struct Registry {
    pub(crate) settings: Settings,
    pub(crate) server: Server,
    pub(crate) rules: Rules,
}

impl Registry {
    pub(crate) fn load() -> Result<Self, Failure> {
        let settings = Settings::load()?;
        Ok(Self {
            server: settings.server(),
            rules: settings.rules(),
            settings,
        })
    }

    /// Asks for resources of one kind.
    pub(crate) fn search(&self, kind: &str, query: &Parameters) -> Result<Value, Failure> {
        lookup::answer(&self.server, &self.server.search(kind, query).send()?)
    }

    /// The Patients who carry a number.
    pub(crate) fn patients(&self, asked: &Identifier) -> Result<Hits, Failure> {
        lookup::patients(&self.server, &self.rules, asked, self.besides())
    }

    /// What goes with the search for a number.
    fn besides(&self) -> Parameters {
        let mut query = Parameters::new();
        if self.settings.limit_domains {
            let systems = wanted_systems(&self.settings);
            let domains: Vec<String> = systems
                .iter()
                .map(|it| format!("{}|", escaped(it)))
                .collect();
            if !domains.is_empty() {
                query.push(("identifier".to_owned(), domains.join(",")));
            }
        }
        if self.settings.with_related && self.settings.server == Habits::Fhir {
            query.push(("_revinclude".to_owned(), "RelatedPerson:patient".to_owned()));
        }
        query
    }

    /// The Patient of a number: the one, or the one that took the place of the others.
    pub(crate) fn patient(&self, asked: &Identifier) -> Result<(Value, Hits), Failure> {
        let hits = self.patients(asked)?;
        let standing = hits.one()?.clone();
        Ok((standing, hits))
    }

    /// A Patient by the id that a reference has; none where there is no such.
    pub(crate) fn read_patient(&self, id: &str) -> Result<Option<Value>, Failure> {
        if !bundle::is_id(id) {
            return Ok(None);
        }
        patient_of(&self.server, &self.server.read("Patient", id).send()?)
    }
}

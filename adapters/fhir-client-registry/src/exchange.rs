//! Questions to the server and what came back, apart from what it means.

use adapter_sdk::Failure;
use adapter_sdk::http::{Builder, Response};
use adapter_sdk::model::Identifier;
use fhir_r4::bundle::{Bundle, is_id};
use fhir_r4::server::{self, Parameters};
use fhir_r4::{Rules, mapping, outcome};
use serde_json::Value;

use crate::mapping::merged;
use crate::settings::{Habits, Settings};

/// More hits for one number than any registry should have: the rest would not make it clearer.
const HITS: &str = "20";

/// One registry, as its settings have it.
pub(crate) struct Registry {
    pub(crate) settings: Settings,
    pub(crate) server: server::Server,
    pub(crate) rules: Rules,
}

/// The Patients with one number.
pub(crate) struct Hits {
    pub(crate) patients: Vec<Value>,
    /// RelatedPersons of theirs.
    pub(crate) related: Vec<Value>,
    /// The version that an ETag told, where one Patient was read.
    pub(crate) etag: Option<String>,
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
        answer(&self.server.search(kind, query).send()?)
    }

    /// The Patients who carry a number.
    pub(crate) fn patients(&self, asked: &Identifier) -> Result<Hits, Failure> {
        if self.settings.resource_id_scheme.as_ref() == Some(&asked.scheme) {
            return self.by_id(asked);
        }
        let body = self.search("Patient", &self.by_number(asked)?)?;
        let bundle = Bundle::read(&body, "Patient")?;
        let patients = bundle.matches("Patient");
        for patient in &patients {
            mapping::check(patient, "Patient")?;
            mapping::carries(patient, asked, &self.rules)?;
        }
        // What is not on this page is more than one all the same.
        if bundle.next.is_some() {
            return Err(several());
        }
        Ok(Hits {
            patients: patients.into_iter().cloned().collect(),
            related: related(&bundle)?,
            etag: None,
        })
    }

    fn by_id(&self, asked: &Identifier) -> Result<Hits, Failure> {
        let id = asked.value.trim();
        if !is_id(id) {
            return Err(Failure::not_found());
        }
        let response = self.server.read("Patient", id).send()?;
        let body = server::body(&response)?;
        mapping::check(&body, "Patient")?;
        mapping::carries(&body, asked, &self.rules)?;
        Ok(Hits {
            patients: vec![body],
            related: Vec::new(),
            etag: etag(&response),
        })
    }

    /// ITI-78, the parameter `identifier`.
    fn by_number(&self, asked: &Identifier) -> Result<Parameters, Failure> {
        let token = self.rules.schemes.token(&asked.scheme, asked.value.trim());
        let token =
            token.ok_or_else(|| Failure::rejected("identifier.scheme").field("identifiers"))?;
        let mut query = vec![("identifier".to_owned(), token)];
        if self.settings.limit_domains {
            let systems = crate::query::wanted_systems(&self.settings);
            let domains: Vec<String> = systems
                .iter()
                .map(|it| format!("{}|", fhir_r4::rules::escaped(it)))
                .collect();
            if !domains.is_empty() {
                query.push(("identifier".to_owned(), domains.join(",")));
            }
        }
        if self.settings.with_related && self.settings.server == Habits::Fhir {
            query.push(("_revinclude".to_owned(), "RelatedPerson:patient".to_owned()));
        }
        query.push(("_count".to_owned(), HITS.to_owned()));
        Ok(query)
    }

    /// The Patient of a number: the one, or the one that took the place of the others.
    pub(crate) fn patient(&self, asked: &Identifier) -> Result<(Value, Hits), Failure> {
        let hits = self.patients(asked)?;
        if hits.patients.is_empty() {
            return Err(Failure::not_found());
        }
        let standing = merged::standing(&hits.patients).ok_or_else(several)?;
        Ok((standing.clone(), hits))
    }

    /// Whether a Patient is of our own reading: for reads by reference.
    pub(crate) fn read_patient(&self, id: &str) -> Result<Option<Value>, Failure> {
        patient_of(&self.server.read("Patient", id).send()?)
    }
}

/// A Patient that was read by its id; none where there is no such.
pub(crate) fn patient_of(response: &Response) -> Result<Option<Value>, Failure> {
    if matches!(response.status, 404 | 410) {
        return Ok(None);
    }
    let body = server::body(response)?;
    mapping::check(&body, "Patient")?;
    Ok(Some(body))
}

/// The RelatedPersons of an answer.
pub(crate) fn related(bundle: &Bundle<'_>) -> Result<Vec<Value>, Failure> {
    let related = bundle.all("RelatedPerson");
    for resource in &related {
        mapping::check(resource, "RelatedPerson")?;
    }
    Ok(related.into_iter().cloned().collect())
}

/// The body of an answer to a search. 404 is no "nobody" here: the path is the same for every question,
/// and zero hits are an empty Bundle. With an OperationOutcome it is PDQm's word for a domain that the
/// server does not know (ITI-78, case 4).
pub(crate) fn answer(response: &Response) -> Result<Value, Failure> {
    if response.status == 404 {
        let body: Option<Value> = response.json().ok();
        return Err(match body.as_ref().and_then(outcome::error) {
            Some(_) => Failure::rejected("pdqm.unknown-domain").field("identifiers"),
            None => Failure::misconfigured("http.404").field("endpoints.registry"),
        });
    }
    server::body(response)
}

/// Asks, where the answer is a failure or nothing but its body.
pub(crate) fn send(request: Builder) -> Result<Value, Failure> {
    server::body(&request.send()?)
}

/// More than one record for one number.
pub(crate) fn several() -> Failure {
    Failure::ambiguous("answer.several").field("identifiers")
}

/// The version in an ETag: `W/"3"` (R4, section 3.1.0.2).
pub(crate) fn etag(response: &Response) -> Option<String> {
    let tag = response.header("etag")?.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let version = tag.strip_prefix('"')?.strip_suffix('"')?;
    (!version.is_empty()).then(|| version.to_owned())
}

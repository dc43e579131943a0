//! Patients by a number: the search for one, or a read by the server's own id, and what came back.

use adapter_sdk::Failure;
use adapter_sdk::http::Response;
use adapter_sdk::model::Identifier;
use serde_json::Value;

use crate::bundle::{Bundle, is_id};
use crate::server::{self, Parameters, Server};
use crate::{Rules, mapping, outcome};

/// More hits for one number than any registry should have: the rest would not make it clearer.
const HITS: &str = "20";

/// The Patients with one number.
#[derive(Debug)]
pub struct Hits {
    /// Each may be read, and carries the number.
    pub patients: Vec<Value>,
    /// RelatedPersons that came along.
    pub related: Vec<Value>,
    /// The version that an ETag told, where one Patient was read.
    pub etag: Option<String>,
}

impl Hits {
    /// The one of them that stands: the only one, or the one that took the place of the others.
    ///
    /// # Errors
    /// `not-found`, or `ambiguous` with code `answer.several`.
    pub fn one(&self) -> Result<&Value, Failure> {
        match mapping::standing(&self.patients) {
            Some(patient) => Ok(patient),
            None if self.patients.is_empty() => Err(Failure::not_found()),
            None => Err(several()),
        }
    }
}

/// The Patients who carry a number. `more` goes with the search.
///
/// # Errors
/// What the server says; `unreadable` where an answer does not fit the question.
pub fn patients(
    server: &Server,
    rules: &Rules,
    asked: &Identifier,
    more: Parameters,
) -> Result<Hits, Failure> {
    if rules.resource_id_scheme.as_ref() == Some(&asked.scheme) {
        return by_id(server, rules, asked);
    }
    let token = rules.schemes.token(&asked.scheme, asked.value.trim());
    let token = token.ok_or_else(unknown_scheme)?;
    let mut query = vec![("identifier".to_owned(), token)];
    query.extend(more);
    query.push(("_count".to_owned(), HITS.to_owned()));
    let body = answer(server, &server.search("Patient", &query).send()?)?;
    let bundle = Bundle::read(&body, "Patient")?;
    let patients = bundle.matches("Patient");
    for patient in &patients {
        mapping::check(patient, "Patient")?;
        mapping::carries(patient, asked, rules)?;
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

fn by_id(server: &Server, rules: &Rules, asked: &Identifier) -> Result<Hits, Failure> {
    let id = asked.value.trim();
    if !is_id(id) {
        return Err(Failure::not_found());
    }
    let response = server.read("Patient", id).send()?;
    let body = server::body(server, &response)?;
    mapping::check(&body, "Patient")?;
    mapping::carries(&body, asked, rules)?;
    Ok(Hits {
        patients: vec![body],
        related: Vec::new(),
        etag: etag(&response),
    })
}

/// A Patient that was read by its id; none where there is no such.
///
/// # Errors
/// What the server says otherwise.
pub fn patient_of(server: &Server, response: &Response) -> Result<Option<Value>, Failure> {
    if matches!(response.status, 404 | 410) {
        return Ok(None);
    }
    let body = server::body(server, response)?;
    mapping::check(&body, "Patient")?;
    Ok(Some(body))
}

/// The RelatedPersons of an answer.
///
/// # Errors
/// `unreadable` where one may not be read.
pub fn related(bundle: &Bundle<'_>) -> Result<Vec<Value>, Failure> {
    let related = bundle.all("RelatedPerson");
    for resource in &related {
        mapping::check(resource, "RelatedPerson")?;
    }
    Ok(related.into_iter().cloned().collect())
}

/// The body of an answer to a search. 404 is no "nobody" here: the path is the same for every question,
/// and zero hits are an empty Bundle. With an OperationOutcome it is PDQm's word for a domain that the
/// server does not know (ITI-78, case 4).
///
/// # Errors
/// What the server says.
pub fn answer(server: &Server, response: &Response) -> Result<Value, Failure> {
    if response.status == 404 {
        let body: Option<Value> = response.json().ok();
        return Err(match body.as_ref().and_then(outcome::error) {
            Some(_) => Failure::rejected("pdqm.unknown-domain").field("identifiers"),
            None => Failure::misconfigured("http.404").field("endpoints.registry"),
        });
    }
    server::body(server, response)
}

/// The version in an ETag: `W/"3"` (R4, section 3.1.0.2).
pub fn etag(response: &Response) -> Option<String> {
    let tag = response.header("etag")?.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let version = tag.strip_prefix('"')?.strip_suffix('"')?;
    (!version.is_empty()).then(|| version.to_owned())
}

/// More than one record for one number.
pub fn several() -> Failure {
    Failure::ambiguous("answer.several").field("identifiers")
}

/// A number that the registry has no system for.
pub fn unknown_scheme() -> Failure {
    Failure::rejected("identifier.scheme").field("identifiers")
}

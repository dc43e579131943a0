//! What the four writes share: sending, and what an answer says of what was done.

use adapter_sdk::http::{self, Builder, Response};
use adapter_sdk::model::{Identifier, Outcome, Receipt, Unavailability, WriteAnswer};
use adapter_sdk::{Failure, call, writes};
use fhir_r4::bundle::{address, is_id, reference};
use fhir_r4::json::Object;
use fhir_r4::lookup::{etag, unknown_scheme};
use fhir_r4::mapping::carries;
use fhir_r4::outcome;
use fhir_r4::server::FHIR_JSON;
use serde_json::Value;

use crate::ENDPOINT;
use crate::exchange::Registry;
use crate::mapping::message;
use crate::mapping::write::{Resource, marks::tag};
use crate::settings::{Habits, Writes};
use crate::wire::feed;

/// A Patient on its way, and what it is to become.
pub(super) struct Writing<'a> {
    pub(super) registry: &'a Registry,
    pub(super) patient: Resource,
    /// Of a Patient that the registry has.
    pub(super) id: Option<String>,
    /// The version that was read: nothing newer may be overwritten.
    pub(super) version: Option<String>,
    /// By which the registry is to find it again.
    pub(super) keys: Vec<Identifier>,
    pub(super) unwritten: Vec<String>,
}

/// The key of the operation. The gateway gives every write one.
pub(super) fn operation() -> Result<String, Failure> {
    call::operation_key().ok_or_else(|| Failure::other("operation-key.missing"))
}

impl Writing<'_> {
    /// Sends it in the form that the settings say.
    pub(super) fn send(mut self) -> Result<WriteAnswer, Failure> {
        let settings = &self.registry.settings;
        let operation = operation()?;
        let read = self
            .id
            .is_some()
            .then(|| self.version.as_deref().unwrap_or_default());
        tag(&mut self.patient, &settings.operation_tag, &operation, read);
        self.patient
            .insert("resourceType".to_owned(), "Patient".into());
        let request = match settings.writes {
            Writes::Message => return self.send_message(&operation),
            Writes::Rest => self.rest()?,
            Writes::Feed => self.feed()?,
        };
        self.settle(request)
    }

    fn rest(&self) -> Result<Builder, Failure> {
        let to = http::endpoint(ENDPOINT);
        let request = match &self.id {
            Some(id) => to.put(format!("/Patient/{}", http::segment(id))),
            None => to.post("/Patient"),
        };
        let request = self.conditional(request)?;
        Ok(self.registry.server.headed(self.body(request)))
    }

    /// ITI-104: the same PUT creates and revises.
    fn feed(&self) -> Result<Builder, Failure> {
        let request = http::endpoint(ENDPOINT).put("/Patient");
        let request = request.query("identifier", self.token()?);
        let request = match (&self.id, &self.version) {
            (Some(_), Some(version)) => request.header("if-match", format!("W/\"{version}\"")),
            _ => request,
        };
        Ok(self.registry.server.headed(self.body(request)))
    }

    /// If-None-Exist and If-Match (R4, section 3.1.0.8.1 and 3.1.0.5). OpenCR looks at neither: it
    /// matches what it gets.
    fn conditional(&self, request: Builder) -> Result<Builder, Failure> {
        if self.registry.settings.server == Habits::Opencr {
            return Ok(request);
        }
        Ok(match (&self.id, &self.version) {
            (None, _) => {
                request.header("if-none-exist", format!("identifier={}", self.any_token()?))
            }
            (Some(_), Some(version)) => request.header("if-match", format!("W/\"{version}\"")),
            (Some(_), None) => request,
        })
    }

    fn token(&self) -> Result<String, Failure> {
        let first = self.tokens().into_iter().next();
        first.ok_or_else(unknown_scheme)
    }

    /// All of them, any of which is enough (R4, section 3.1.1.4.4): a person is known by each number.
    fn any_token(&self) -> Result<String, Failure> {
        let tokens = self.tokens();
        let tokens: Vec<String> = tokens.iter().map(|it| feed::query_value(it)).collect();
        match tokens.is_empty() {
            true => Err(unknown_scheme()),
            false => Ok(tokens.join(",")),
        }
    }

    fn tokens(&self) -> Vec<String> {
        let schemes = &self.registry.rules.schemes;
        let keys = self.keys.iter();
        keys.filter_map(|it| schemes.token(&it.scheme, it.value.trim()))
            .collect()
    }

    fn body(&self, request: Builder) -> Builder {
        let body = Value::Object(self.patient.clone());
        request.body(FHIR_JSON, body.to_string())
    }

    fn settle(self, request: Builder) -> Result<WriteAnswer, Failure> {
        let response = match request.try_send() {
            Ok(response) => response,
            Err(error) => return writes::unclear(error),
        };
        if let Some(unclear) = unclear(&response) {
            return Ok(unclear);
        }
        if let Some(failure) = outcome::refusal(&response) {
            return Err(match failure {
                // 412 of a create is that several have the number already (R4, section 3.1.0.8.1).
                Failure::Conflict(_) if self.id.is_none() && response.status == 412 => {
                    Failure::ambiguous("http.412").field("identifiers")
                }
                // The Patient was there when it was read; of a create it is the path.
                Failure::NotFound if self.id.is_none() => {
                    Failure::misconfigured("http.404").field("endpoints.registry")
                }
                failure => failure,
            });
        }
        let is_create = self.id.is_none();
        Ok(self.receipt(&response, is_create)?.into())
    }

    fn receipt(self, response: &Response, is_create: bool) -> Result<Receipt, Failure> {
        let settings = &self.registry.settings;
        let told: Option<Value> = response.json().ok();
        let body = told.as_ref().and_then(Object::new);
        let body = body.filter(|it| it.text("resourceType") == Some("Patient"));
        let location = response.header("location").and_then(address);
        // OpenCR's body has a reference in the place of the id.
        let told_id = body.and_then(|it| it.text("id"));
        let told_id = told_id.and_then(|it| match is_id(it) {
            true => Some(it),
            false => reference(it).map(|(_, id)| id),
        });
        let id = location
            .map(|(_, id)| id)
            .or(told_id)
            .or(self.id.as_deref());
        let mut identifiers: Vec<Identifier> = Vec::new();
        let mut confirm = |scheme: Option<&String>, value: Option<&str>| {
            if let Some((scheme, value)) = scheme.zip(value) {
                identifiers.push(Identifier::new(scheme, value));
            }
        };
        confirm(settings.resource_id_scheme.as_ref(), id);
        // OpenCR's number of the person, beside that of the record.
        let golden = response.header("locationcruid");
        let golden = golden.map(|it| address(it).map_or(it, |(_, id)| id));
        confirm(settings.golden_scheme.as_ref(), golden);
        let version = etag(response).or_else(|| {
            let meta = body.and_then(|it| it.object("meta"));
            Some(meta?.text("versionId")?.to_owned())
        });
        // R4, section 3.1.0.8.1: 200 in place of 201 is that it was there.
        let existed = is_create
            && response.status == 200
            && settings.writes == Writes::Rest
            && settings.server == Habits::Fhir;
        // Whose record it tells must be the one that was asked for.
        if let Some(told) = told.as_ref().filter(|_| existed && body.is_some()) {
            let rules = &self.registry.rules;
            let is_theirs = |it: &Identifier| carries(told, it, rules).is_ok();
            if !self.keys.iter().any(is_theirs) {
                return Err(Failure::unreadable("answer.mismatch"));
            }
        }
        Ok(Receipt {
            outcome: match existed {
                true => Outcome::Unchanged,
                false => Outcome::Applied,
            },
            identifiers,
            reference: id.map(|id| format!("Patient/{id}")),
            version,
            unwritten: self.unwritten,
            ..Receipt::applied()
        })
    }

    fn send_message(self, operation: &str) -> Result<WriteAnswer, Failure> {
        let settings = &self.registry.settings;
        let body = message::feed(&self.patient, self.id.as_deref(), operation, settings);
        let request = http::endpoint(ENDPOINT)
            .post(settings.message_path.clone())
            .body(FHIR_JSON, body.to_string());
        let response = match self.registry.server.headed(request).try_send() {
            Ok(response) => response,
            Err(error) => return writes::unclear(error),
        };
        if let Some(unclear) = unclear(&response) {
            return Ok(unclear);
        }
        if response.status == 404 {
            return Err(Failure::misconfigured("http.404").field("settings.message_path"));
        }
        if let Some(failure) = outcome::refusal(&response) {
            return Err(failure);
        }
        let told: Option<Value> = response.json().ok();
        let taken = feed::taken(told.as_ref(), &message::id(operation))?;
        let outcome = match taken {
            feed::Taken::Done => Outcome::Applied,
            feed::Taken::Acknowledged => Outcome::Other("acknowledged".to_owned()),
        };
        Ok(Receipt {
            outcome,
            reference: Some(message::id(operation)),
            unwritten: self.unwritten,
            ..Receipt::applied()
        }
        .into())
    }
}

/// Statuses that a server or a proxy gives though the registry may have done it.
fn unclear(response: &Response) -> Option<WriteAnswer> {
    matches!(response.status, 408 | 500 | 502 | 504).then(|| {
        WriteAnswer::Unclear(Unavailability {
            code: Some(format!("http.{}", response.status)),
            retry_after_ms: response.retry_after_ms(),
            ..Unavailability::default()
        })
    })
}

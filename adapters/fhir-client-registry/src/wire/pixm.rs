//! ITI-83, `$ihe-pix`: the identifiers by which others know a person.

use adapter_sdk::http::{self, Builder};
use adapter_sdk::model::{Extra, Identifier, Person};
use adapter_sdk::{Failure, model::Unmapped};
use fhir_r4::bundle::reference;
use fhir_r4::json::{Notes, Object};
use fhir_r4::rules::Carried;
use fhir_r4::server::FHIR_JSON;
use fhir_r4::{Rules, outcome, server};
use serde_json::{Value, json};

use crate::ENDPOINT;
use crate::exchange::Registry;
use crate::query::wanted_systems;
use crate::settings::{Habits, PixmRequest};

const PATH: &str = "/Patient/$ihe-pix";

/// A person of whom only numbers are known: the one that was asked by, and its cross-references.
///
/// # Errors
/// ITI-83, cases 3 to 5, told apart: 404 `not-found`, 400 `rejected` (the domain of the number), 403
/// `denied` (a wanted domain). 404 without an OperationOutcome is a path that is not there.
pub(crate) fn find(registry: &Registry, asked: &Identifier) -> Result<Person, Failure> {
    let system = registry.rules.schemes.system(&asked.scheme);
    let system =
        system.ok_or_else(|| Failure::rejected("identifier.scheme").field("identifiers"))?;
    let value = asked.value.trim();
    let targets = if registry.settings.limit_domains {
        wanted_systems(&registry.settings)
    } else {
        Vec::new()
    };
    let request = request(registry.settings.pixm_request, system, value, &targets);
    let response = registry.server.headed(request).send()?;
    let said: Option<Value> = (response.status >= 400)
        .then(|| response.json().ok())
        .flatten();
    let said = said.as_ref().and_then(outcome::error);
    match response.status {
        404 | 410 if said.is_some() => return Err(Failure::not_found()),
        404 | 405 | 410 => {
            return Err(Failure::misconfigured(format!("http.{}", response.status))
                .field("settings.lookup"));
        }
        400 => return Err(Failure::rejected("pixm.source-domain").field("identifiers")),
        // The gateway's own right is refused by 401, or without an outcome.
        403 if said.is_some() => {
            return Err(Failure::denied("pixm.target-domain").field("fields"));
        }
        _ => {}
    }
    let body = server::body(&registry.server, &response)?;
    let person = person(&body, asked, &registry.rules)?;
    // OpenCR answers nothing at all of whom it does not know; after the profile it is somebody whom
    // nobody else knows. Of whom it knows it tells the asked number too.
    let told = Object::new(&body).map(|it| it.objects("parameter"));
    let is_target =
        |it: &Object<'_>| matches!(it.text("name"), Some("targetIdentifier" | "targetId"));
    let is_known = told.unwrap_or_default().iter().any(is_target);
    if registry.settings.server == Habits::Opencr && !is_known {
        return Err(Failure::not_found());
    }
    Ok(person)
}

fn request(form: PixmRequest, system: &str, value: &str, targets: &[String]) -> Builder {
    let source = format!("{system}|{value}");
    let to = http::endpoint(ENDPOINT);
    if form == PixmRequest::Get {
        let request = to.get(PATH).query("sourceIdentifier", source);
        return targets
            .iter()
            .fold(request, |request, it| request.query("targetSystem", it));
    }
    let mut parameters = match form {
        PixmRequest::PostIdentifier => vec![json!({ "name": "sourceIdentifier",
            "valueIdentifier": { "system": system, "value": value } })],
        _ => vec![json!({ "name": "sourceIdentifier", "valueString": source })],
    };
    let name = match form {
        PixmRequest::PostIdentifier => "valueUri",
        _ => "valueString",
    };
    parameters.extend(
        targets
            .iter()
            .map(|it| json!({ "name": "targetSystem", name: it })),
    );
    let body = json!({ "resourceType": "Parameters", "parameter": parameters });
    to.post(PATH).body(FHIR_JSON, body.to_string())
}

/// Reads Parameters: `targetIdentifier` and `targetId`, of which OpenCR writes the latter as a text.
pub(crate) fn person(body: &Value, asked: &Identifier, rules: &Rules) -> Result<Person, Failure> {
    let unreadable = || Failure::unreadable("answer.parameters");
    let answer = Object::new(body).ok_or_else(unreadable)?;
    if answer.text("resourceType") != Some("Parameters") {
        return Err(unreadable());
    }
    let mut identifiers = vec![Identifier::new(&asked.scheme, asked.value.trim())];
    let (mut unmapped, mut unknown, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for parameter in answer.list("parameter") {
        let parameter = Object::new(parameter).ok_or_else(unreadable)?;
        match parameter.text("name") {
            Some("targetIdentifier") => {
                let identifier = parameter.object("valueIdentifier");
                let mut notes = Notes::default();
                let carried =
                    identifier.and_then(|it| Carried::read(&it, &mut notes, "identifiers"));
                let carried = carried.ok_or_else(unreadable)?;
                let Some(scheme) = rules.schemes.of(&carried) else {
                    let system = carried.system.clone().unwrap_or_default();
                    unmapped.push(Unmapped::new("identifiers.scheme", system));
                    unknown.extend(parameter.get("valueIdentifier").cloned());
                    continue;
                };
                let identifier = Identifier::new(scheme, carried.value.clone());
                if !identifiers.contains(&identifier) {
                    identifiers.push(identifier);
                }
            }
            Some("targetId") => {
                let told = parameter.object("valueReference");
                let told = told.and_then(|it| it.text("reference"));
                ids.extend(told.or_else(|| parameter.text("valueReference")));
            }
            _ => {}
        }
    }
    if let Some(scheme) = &rules.resource_id_scheme {
        for (kind, id) in ids.iter().filter_map(|it| reference(it)) {
            let identifier = Identifier::new(scheme, id);
            if kind == "Patient" && !identifiers.contains(&identifier) {
                identifiers.push(identifier);
            }
        }
    }
    let mut extra = Vec::new();
    if !ids.is_empty() {
        extra.push(Extra::new(rules.key("targetId"), &json!(ids)));
    }
    if !unknown.is_empty() {
        extra.push(Extra::new(rules.key("identifier"), &Value::Array(unknown)));
    }
    Ok(Person {
        identifiers,
        extra,
        unmapped,
        ..Person::default()
    })
}

//! Criteria of ours as a Patient for `$match`, and what is asked for besides. Search parameters are made
//! by the library `fhir-r4`.

use adapter_sdk::model::{Criterion, Test};
use adapter_sdk::{Failure, call};
use fhir_r4::query::{self, Terms};
use fhir_r4::server::Parameters;
use serde_json::{Map, Value, json};

use crate::settings::Settings;

/// The parameters of a search (ITI-78).
///
/// # Errors
/// As [`query::parameters`].
pub fn parameters(criteria: &[Criterion], settings: &Settings) -> Result<Parameters, Failure> {
    let terms = Terms {
        schemes: &settings.schemes(),
        knows: &|scheme| settings.knows(scheme),
        date: &query::gregorian,
    };
    query::parameters(criteria, &terms)
}

/// The Patient that `$match` compares with (ITI-119): only what is equal can be said by it.
///
/// # Errors
/// `unsupported` with the field.
pub fn to_match(criteria: &[Criterion], settings: &Settings) -> Result<Value, Failure> {
    let mut patient = Map::new();
    patient.insert("resourceType".to_owned(), json!("Patient"));
    let (mut name, mut address) = (Map::new(), Map::new());
    let (mut identifiers, mut telecom) = (Vec::new(), Vec::new());
    for criterion in criteria {
        let field = criterion.field.as_str();
        let unsupported = |code: &str| Failure::unsupported(code).field(field);
        let value = match &criterion.test {
            Test::Equals(value) | Test::Fuzzy(value) => value,
            _ => return Err(unsupported("search.test")),
        };
        let mut put = |name: &str, value: Value| patient.insert(name.to_owned(), value);
        match field {
            "name.family" => drop(name.insert("family".to_owned(), json!(value))),
            "name.given" => drop(name.insert("given".to_owned(), json!([value]))),
            "name.text" => drop(name.insert("text".to_owned(), json!(value))),
            "birth-date" => {
                let date = query::gregorian(value);
                let date = date.ok_or_else(|| Failure::rejected("search.date").field(field))?;
                put("birthDate", json!(date));
            }
            "sex" => drop(put("gender", json!(value))),
            "contact.phone" => telecom.push(json!({ "system": "phone", "value": value })),
            "contact.email" => telecom.push(json!({ "system": "email", "value": value })),
            "address.text" => drop(address.insert("text".to_owned(), json!(value))),
            "address.postal-code" => drop(address.insert("postalCode".to_owned(), json!(value))),
            "address.country" => drop(address.insert("country".to_owned(), json!(value))),
            _ => {
                let scheme = field.strip_prefix("identifier.");
                let system =
                    scheme.and_then(|it| settings.identifier_systems.get(it)?.all().first());
                let system = system.ok_or_else(|| unsupported("search.field"))?;
                identifiers.push(json!({ "system": system, "value": value }));
            }
        }
    }
    for (field, parts) in [("name", name), ("address", address)] {
        if !parts.is_empty() {
            patient.insert(field.to_owned(), json!([parts]));
        }
    }
    for (field, parts) in [("identifier", identifiers), ("telecom", telecom)] {
        if !parts.is_empty() {
            patient.insert(field.to_owned(), Value::Array(parts));
        }
    }
    if patient.len() == 1 {
        return Err(Failure::rejected("search.criteria").field("criteria"));
    }
    Ok(Value::Object(patient))
}

/// The systems of the identifiers that the caller wants, where it wants some of them only.
pub fn wanted_systems(settings: &Settings) -> Vec<String> {
    let wanted = call::wanted_fields();
    let schemes = wanted
        .iter()
        .filter_map(|it| it.strip_prefix("identifier."));
    let systems = schemes.filter_map(|it| settings.identifier_systems.get(it)?.all().first());
    systems.cloned().collect()
}

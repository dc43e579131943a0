//! Criteria of ours as search parameters of theirs: ITI-78 (R4, section 8.1.15), and a Patient for
//! `$match`.

use adapter_sdk::model::{Criterion, SortKey, Test, ValueRange};
use adapter_sdk::{Failure, call, dates};
use fhir_r4::dates as fhir_dates;
use fhir_r4::rules::escaped;
use fhir_r4::server::Parameters;
use serde_json::{Map, Value, json};

use crate::settings::Settings;

/// A field, its search parameter, and how the parameter tests.
struct Field {
    name: &'static str,
    parameter: &'static str,
    kind: Kind,
}

/// R4, section 3.1.1.4: the type of a parameter decides what it can test.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Begins with; `:exact` is equal.
    Text,
    /// Equal.
    Token,
    /// Equal as far as given; `ge`, `le`.
    Date,
}

const FIELDS: &[Field] = &[
    field("name.family", "family", Kind::Text),
    field("name.given", "given", Kind::Text),
    field("name.text", "name", Kind::Text),
    field("birth-date", "birthdate", Kind::Date),
    field("death-date", "death-date", Kind::Date),
    field("sex", "gender", Kind::Token),
    field("contact.phone", "telecom", Kind::Token),
    field("contact.email", "telecom", Kind::Token),
    field("address.text", "address", Kind::Text),
    field("address.area", "address", Kind::Text),
    field("address.postal-code", "address-postalcode", Kind::Text),
    field("address.country", "address-country", Kind::Text),
    field("related.mother.name.maiden", "mothersMaidenName", Kind::Text),
];

const fn field(name: &'static str, parameter: &'static str, kind: Kind) -> Field {
    Field {
        name,
        parameter,
        kind,
    }
}

/// The fields that a search can test.
pub fn searchable() -> Vec<String> {
    let own = FIELDS.iter().map(|field| field.name.to_owned());
    own.chain(["status".to_owned(), "identifier.<scheme>".to_owned()])
        .collect()
}

/// The parameters of a search.
///
/// # Errors
/// `unsupported` with the field and a code that tells why; `rejected` where a value is none.
pub fn parameters(criteria: &[Criterion], settings: &Settings) -> Result<Parameters, Failure> {
    let mut query = Parameters::new();
    for criterion in criteria {
        let name = criterion.field.as_str();
        if let Some(scheme) = name.strip_prefix("identifier.") {
            query.push(("identifier".to_owned(), number(criterion, scheme, settings)?));
        } else if name == "status" {
            query.push(status(criterion)?);
        } else {
            let field = FIELDS.iter().find(|field| field.name == name);
            let field = field.ok_or_else(|| Failure::unsupported("search.field").field(name))?;
            query.extend(tested(field, &criterion.test)?);
        }
    }
    if query.is_empty() {
        return Err(Failure::rejected("search.criteria").field("criteria"));
    }
    Ok(query)
}

fn number(criterion: &Criterion, scheme: &str, settings: &Settings) -> Result<String, Failure> {
    let unsupported = |code: &str| Failure::unsupported(code).field(&criterion.field);
    if !settings.knows(scheme) {
        return Err(unsupported("identifier.scheme"));
    }
    let values: Vec<&String> = match &criterion.test {
        Test::Equals(value) => vec![value],
        Test::AnyOf(values) => values.iter().collect(),
        _ => return Err(unsupported("search.test")),
    };
    let schemes = settings.schemes();
    let tokens: Option<Vec<String>> = values
        .into_iter()
        .map(|value| schemes.token(scheme, value))
        .collect();
    Ok(tokens.ok_or_else(|| unsupported("identifier.scheme"))?.join(","))
}

/// `active` and `deceased`: the contract's status is both.
fn status(criterion: &Criterion) -> Result<(String, String), Failure> {
    let unsupported = || Failure::unsupported("search.test").field("status");
    let Test::Equals(word) = &criterion.test else {
        return Err(unsupported());
    };
    let (name, value) = match word.as_str() {
        "active" => ("active", "true"),
        "inactive" => ("active", "false"),
        "deceased" => ("deceased", "true"),
        _ => return Err(unsupported()),
    };
    Ok((name.to_owned(), value.to_owned()))
}

fn tested(field: &Field, test: &Test) -> Result<Parameters, Failure> {
    let unsupported = || Failure::unsupported("search.test").field(field.name);
    let one = |name: String, value: String| Ok(vec![(name, value)]);
    let exact = format!("{}:exact", field.parameter);
    let any = |values: &[String]| {
        let values: Vec<String> = values.iter().map(|it| escaped(it)).collect();
        values.join(",")
    };
    match (field.kind, test) {
        (Kind::Text, Test::Equals(value)) => one(exact, escaped(value)),
        (Kind::Text, Test::AnyOf(values)) => one(exact, any(values)),
        (Kind::Text, Test::StartsWith(value)) => one(field.parameter.to_owned(), escaped(value)),
        (Kind::Token, Test::Equals(value)) => one(field.parameter.to_owned(), escaped(value)),
        (Kind::Token, Test::AnyOf(values)) => one(field.parameter.to_owned(), any(values)),
        (Kind::Date, Test::Equals(value)) => one(field.parameter.to_owned(), date(field, value)?),
        (Kind::Date, Test::AnyOf(values)) => {
            let dates: Result<Vec<String>, Failure> =
                values.iter().map(|value| date(field, value)).collect();
            one(field.parameter.to_owned(), dates?.join(","))
        }
        (Kind::Date, Test::Range(range)) => between(field, range),
        _ => Err(unsupported()),
    }
}

/// Both ends belong to the range.
fn between(field: &Field, range: &ValueRange) -> Result<Parameters, Failure> {
    let mut query = Parameters::new();
    for (prefix, end) in [("ge", &range.from), ("le", &range.to)] {
        if let Some(end) = end {
            let value = format!("{prefix}{}", date(field, end)?);
            query.push((field.parameter.to_owned(), value));
        }
    }
    Ok(query)
}

fn date(field: &Field, value: &str) -> Result<String, Failure> {
    let date = fhir_dates::parse(value);
    let date = date.ok_or_else(|| Failure::rejected("search.date").field(field.name))?;
    Ok(dates::format(&date))
}

/// `_sort` (R4, section 3.1.1.5.1).
///
/// # Errors
/// `unsupported` where a field cannot be sorted by.
pub fn sort(keys: &[SortKey]) -> Result<Option<(String, String)>, Failure> {
    let mut sorted = Vec::new();
    for key in keys {
        let field = FIELDS.iter().find(|field| field.name == key.field);
        let field = field.ok_or_else(|| Failure::unsupported("search.sort").field("sort"))?;
        let sign = if key.descending { "-" } else { "" };
        sorted.push(format!("{sign}{}", field.parameter));
    }
    Ok((!sorted.is_empty()).then(|| ("_sort".to_owned(), sorted.join(","))))
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
                let date = fhir_dates::parse(value);
                let date = date.ok_or_else(|| Failure::rejected("search.date").field(field))?;
                put("birthDate", json!(dates::format(&date)));
            }
            "sex" => drop(put("gender", json!(value))),
            "contact.phone" => telecom.push(json!({ "system": "phone", "value": value })),
            "contact.email" => telecom.push(json!({ "system": "email", "value": value })),
            "address.text" => drop(address.insert("text".to_owned(), json!(value))),
            "address.postal-code" => drop(address.insert("postalCode".to_owned(), json!(value))),
            "address.country" => drop(address.insert("country".to_owned(), json!(value))),
            _ => {
                let scheme = field.strip_prefix("identifier.");
                let system = scheme.and_then(|it| settings.identifier_systems.get(it)?.all().first());
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
    let schemes = wanted.iter().filter_map(|it| it.strip_prefix("identifier."));
    let systems = schemes.filter_map(|it| settings.identifier_systems.get(it)?.all().first());
    systems.cloned().collect()
}

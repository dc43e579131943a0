//! Criteria of ours as search parameters of theirs: R4, section 8.1.15, which ITI-78 is made of.

use adapter_sdk::model::{Criterion, SortKey, Test, ValueRange};
use adapter_sdk::{Failure, dates};

use crate::dates::parse;
use crate::rules::{Schemes, escaped};
use crate::server::Parameters;

/// What differs between registries.
pub struct Terms<'a> {
    /// Identifier systems and canonical schemes.
    pub schemes: &'a Schemes,
    /// Whether people are known by numbers of a scheme.
    pub knows: &'a dyn Fn(&str) -> bool,
    /// A date of ours as the registry writes it. None: it is none, or has no counterpart there.
    pub date: &'a dyn Fn(&str) -> Option<String>,
}

/// A date as FHIR writes it.
pub fn gregorian(text: &str) -> Option<String> {
    parse(text).map(|date| dates::format(&date))
}

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
    field(
        "related.mother.name.maiden",
        "mothersMaidenName",
        Kind::Text,
    ),
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
pub fn parameters(criteria: &[Criterion], terms: &Terms<'_>) -> Result<Parameters, Failure> {
    let mut query = Parameters::new();
    for criterion in criteria {
        let name = criterion.field.as_str();
        if let Some(scheme) = name.strip_prefix("identifier.") {
            query.push(("identifier".to_owned(), number(criterion, scheme, terms)?));
        } else if name == "status" {
            query.push(status(criterion)?);
        } else {
            let field = FIELDS.iter().find(|field| field.name == name);
            let field = field.ok_or_else(|| Failure::unsupported("search.field").field(name))?;
            query.extend(tested(field, &criterion.test, terms)?);
        }
    }
    if query.is_empty() {
        return Err(Failure::rejected("search.criteria").field("criteria"));
    }
    Ok(query)
}

fn number(criterion: &Criterion, scheme: &str, terms: &Terms<'_>) -> Result<String, Failure> {
    let unsupported = |code: &str| Failure::unsupported(code).field(&criterion.field);
    if !(terms.knows)(scheme) {
        return Err(unsupported("identifier.scheme"));
    }
    let values: Vec<&String> = match &criterion.test {
        Test::Equals(value) => vec![value],
        Test::AnyOf(values) => values.iter().collect(),
        _ => return Err(unsupported("search.test")),
    };
    let tokens: Option<Vec<String>> = values
        .into_iter()
        .map(|value| terms.schemes.token(scheme, value))
        .collect();
    Ok(tokens
        .ok_or_else(|| unsupported("identifier.scheme"))?
        .join(","))
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

fn tested(field: &Field, test: &Test, terms: &Terms<'_>) -> Result<Parameters, Failure> {
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
        (Kind::Date, Test::Equals(value)) => {
            one(field.parameter.to_owned(), date(field, value, terms)?)
        }
        (Kind::Date, Test::AnyOf(values)) => {
            let dates: Result<Vec<String>, Failure> = values
                .iter()
                .map(|value| date(field, value, terms))
                .collect();
            one(field.parameter.to_owned(), dates?.join(","))
        }
        (Kind::Date, Test::Range(range)) => between(field, range, terms),
        _ => Err(unsupported()),
    }
}

/// Both ends belong to the range.
fn between(field: &Field, range: &ValueRange, terms: &Terms<'_>) -> Result<Parameters, Failure> {
    let mut query = Parameters::new();
    for (prefix, end) in [("ge", &range.from), ("le", &range.to)] {
        if let Some(end) = end {
            let value = format!("{prefix}{}", date(field, end, terms)?);
            query.push((field.parameter.to_owned(), value));
        }
    }
    Ok(query)
}

fn date(field: &Field, value: &str, terms: &Terms<'_>) -> Result<String, Failure> {
    (terms.date)(value).ok_or_else(|| Failure::rejected("search.date").field(field.name))
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

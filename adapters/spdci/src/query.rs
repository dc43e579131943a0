//! What is asked, in the registry's words.

use adapter_sdk::Failure;
use adapter_sdk::model::{Criterion, Identifier, SortKey, Test};
use serde_json::{Value, json};

use crate::mapping::Carried;
use crate::settings::{FindQueryType, SearchQueryType, Settings};
use crate::wire::request::{Expression, Predicate, Query, Sort};

/// The first identifier that the registry has a type for.
///
/// # Errors
/// `rejected` with code `identifier.scheme` or `identifier.value`; `unsupported` with code
/// `proof` where there is no identifier at all.
pub fn asked(identifiers: &[Identifier], settings: &Settings) -> Result<Carried, Failure> {
    if identifiers.is_empty() {
        return Err(Failure::unsupported("proof").message("SPDCI looks up by identifier"));
    }
    let known = identifiers.iter().find_map(|identifier| {
        settings
            .identifier_type(&identifier.scheme)
            .map(|word| (word, identifier))
    });
    let (word, identifier) =
        known.ok_or_else(|| Failure::rejected("identifier.scheme").field("identifiers"))?;
    let value = identifier.value.trim();
    if value.is_empty() {
        return Err(Failure::rejected("identifier.value").field("identifiers"));
    }
    Ok(Carried {
        identifier_type: word.to_owned(),
        value: value.to_owned(),
    })
}

/// A look-up by identifier. `collection` is the expression's: `Person` or `Group`.
pub fn by_identifier(asked: &Carried, collection: &str, settings: &Settings) -> Query {
    let Carried {
        identifier_type,
        value,
    } = asked.clone();
    match settings.find_query {
        FindQueryType::IdtypeValue => Query::IdtypeValue {
            identifier_type,
            value,
        },
        FindQueryType::Predicate => Query::Predicate(pairs(vec![Expression {
            attribute_name: identifier_type,
            operator: "eq",
            attribute_value: value,
        }])),
        FindQueryType::Expression => expression(
            collection,
            vec![json!({ identifier_type: { "$eq": value } })],
            settings,
        ),
    }
}

/// A search by criteria, all of which hold.
///
/// # Errors
/// `rejected` where there is no criterion or a value is blank; `unsupported` with the field that
/// has no attribute, or whose test the query type cannot express: a predicate knows
/// `gt lt eq ge le in` and joins two expressions.
pub fn by_criteria(criteria: &[Criterion], settings: &Settings) -> Result<Query, Failure> {
    if criteria.is_empty() {
        return Err(Failure::rejected("criteria.empty").field("criteria"));
    }
    match settings.search_query {
        SearchQueryType::Predicate => predicate(criteria, settings),
        SearchQueryType::Expression => {
            let each = criteria
                .iter()
                .map(|criterion| condition(criterion, settings));
            Ok(expression(
                "Person",
                each.collect::<Result<_, _>>()?,
                settings,
            ))
        }
    }
}

/// The order of a search.
///
/// # Errors
/// `unsupported` with the field that has no attribute.
pub fn sort(keys: &[SortKey], settings: &Settings) -> Result<Vec<Sort>, Failure> {
    let each = keys.iter().map(|key| {
        Ok(Sort {
            attribute_name: attribute(&key.field, settings)?,
            sort_order: if key.descending { "desc" } else { "asc" },
        })
    });
    each.collect()
}

/// The registry's name of a field: from the settings, `identifier.<scheme>` by its type, and
/// `x-spdci-<attribute>` as it stands.
fn attribute(field: &str, settings: &Settings) -> Result<String, Failure> {
    let by_scheme = |scheme| settings.identifier_type(scheme).map(str::to_owned);
    let known = settings.attributes.get(field).cloned();
    let known = known.or_else(|| field.strip_prefix("identifier.").and_then(by_scheme));
    let known = known.or_else(|| field.strip_prefix("x-spdci-").map(str::to_owned));
    known
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Failure::unsupported("criteria.field").field(field))
}

fn predicate(criteria: &[Criterion], settings: &Settings) -> Result<Query, Failure> {
    let mut all = Vec::new();
    let mut either = Vec::new();
    for criterion in criteria {
        let name = attribute(&criterion.field, settings)?;
        let one = |operator, value: &str| {
            let attribute_value = filled(value, criterion)?;
            let attribute_name = name.clone();
            Ok::<_, Failure>(Expression {
                attribute_name,
                operator,
                attribute_value,
            })
        };
        match &criterion.test {
            Test::Equals(value) => all.push(one("eq", value)?),
            Test::Range(range) => {
                let ends = [("ge", &range.from), ("le", &range.to)];
                let before = all.len();
                for (operator, end) in ends {
                    if let Some(end) = end {
                        all.push(one(operator, end)?);
                    }
                }
                if all.len() == before {
                    return Err(Failure::rejected("criteria.value").field(&criterion.field));
                }
            }
            Test::AnyOf(values) => match values.as_slice() {
                [value] => all.push(one("eq", value)?),
                [first, second] => either.push((one("eq", first)?, one("eq", second)?)),
                _ => return Err(no_test(criterion)),
            },
            Test::Other((operator, value)) => {
                let known = ["gt", "lt", "eq", "ge", "le", "in"];
                let operator = known.into_iter().find(|known| known == operator);
                let operator = operator.ok_or_else(|| no_test(criterion))?;
                all.push(one(operator, &scalar(value, criterion)?)?);
            }
            Test::StartsWith(_) | Test::Fuzzy(_) => return Err(no_test(criterion)),
        }
    }
    let mut predicates = pairs(all);
    for (first, second) in either {
        predicates.push(Predicate {
            seq_num: 0,
            expression1: first,
            condition: Some("or"),
            expression2: Some(second),
        });
    }
    for (predicate, number) in predicates.iter_mut().zip(1..) {
        predicate.seq_num = number;
    }
    Ok(Query::Predicate(predicates))
}

/// Two expressions to an entry, joined by `and`.
fn pairs(expressions: Vec<Expression>) -> Vec<Predicate> {
    let mut predicates: Vec<Predicate> = Vec::new();
    for expression in expressions {
        match predicates.last_mut() {
            Some(last) if last.expression2.is_none() => {
                last.condition = Some("and");
                last.expression2 = Some(expression);
            }
            _ => predicates.push(Predicate {
                seq_num: u32::try_from(predicates.len() + 1).unwrap_or(u32::MAX),
                expression1: expression,
                condition: None,
                expression2: None,
            }),
        }
    }
    predicates
}

/// `{"birth_date": {"$gte": …}}`, as the official samples write expressions.
fn condition(criterion: &Criterion, settings: &Settings) -> Result<Value, Failure> {
    let name = attribute(&criterion.field, settings)?;
    let test = match &criterion.test {
        Test::Equals(value) => json!({ "$eq": filled(value, criterion)? }),
        Test::AnyOf(values) if !values.is_empty() => {
            let each = values.iter().map(|value| filled(value, criterion));
            json!({ "$in": each.collect::<Result<Vec<_>, _>>()? })
        }
        Test::Range(range) => {
            let mut test = serde_json::Map::new();
            for (operator, end) in [("$gte", &range.from), ("$lte", &range.to)] {
                if let Some(end) = end {
                    test.insert(operator.to_owned(), Value::String(filled(end, criterion)?));
                }
            }
            if test.is_empty() {
                return Err(Failure::rejected("criteria.value").field(&criterion.field));
            }
            Value::Object(test)
        }
        Test::Other((operator, value)) => {
            let value: Value = serde_json::from_str(value)
                .map_err(|_| Failure::rejected("criteria.value").field(&criterion.field))?;
            json!({ format!("${}", operator.trim_start_matches('$')): value })
        }
        Test::AnyOf(_) | Test::StartsWith(_) | Test::Fuzzy(_) => return Err(no_test(criterion)),
    };
    Ok(json!({ name: test }))
}

fn expression(collection: &str, all: Vec<Value>, settings: &Settings) -> Query {
    Query::Expression {
        expression_type: settings.expression_type.clone(),
        value: json!({ "expression": { "collection": collection, "query": { "$and": all } } }),
    }
}

/// A JSON value of one word as text.
fn scalar(value: &str, criterion: &Criterion) -> Result<String, Failure> {
    match serde_json::from_str(value) {
        Ok(Value::String(text)) => Ok(text),
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        _ => Err(Failure::rejected("criteria.value").field(&criterion.field)),
    }
}

fn filled(value: &str, criterion: &Criterion) -> Result<String, Failure> {
    let value = value.trim();
    if value.is_empty() {
        return Err(Failure::rejected("criteria.value").field(&criterion.field));
    }
    Ok(value.to_owned())
}

fn no_test(criterion: &Criterion) -> Failure {
    Failure::unsupported("criteria.test").field(&criterion.field)
}

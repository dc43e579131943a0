//! Conditions on people and households, in both of the forms that SPDCI has for them.

use serde_json::{Map, Value};

use super::attribute::{Attribute, Field, Operator, Subject, invalid};
use super::envelope::Reject;
use super::identifier::Scheme;

/// A condition.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    /// All of them hold; true for none.
    All(Vec<Filter>),
    /// One of them holds.
    Any(Vec<Filter>),
    /// It doesn't hold.
    Not(Box<Filter>),
    /// An attribute compared with one value, or with several for [`Operator::In`].
    Test(Attribute, Operator, Vec<Field>),
}

impl Filter {
    /// Reads the Mongo-like form: `{"$and": [{"surname": {"$eq": "…"}}]}`.
    pub(crate) fn from_mongo(query: &Value) -> Result<Self, Reject> {
        let parts = members(query)?
            .iter()
            .map(|(name, value)| match name.as_str() {
                "$and" => Ok(Self::All(list(value)?)),
                "$or" => Ok(Self::Any(list(value)?)),
                "$not" => Ok(Self::Not(Box::new(Self::from_mongo(value)?))),
                operator if operator.starts_with('$') => {
                    Err(invalid(format!("{operator} is unknown")))
                }
                name => Self::attribute(Attribute::named(name)?, value),
            });
        Ok(Self::All(parts.collect::<Result<_, _>>()?))
    }

    /// Reads the predicate form: `[{"expression1": {…}, "condition": "and", "expression2": {…}}]`.
    pub(crate) fn from_predicates(predicates: &[Value]) -> Result<Self, Reject> {
        let parts = predicates.iter().map(|predicate| {
            let predicate = members(predicate)?;
            let number = predicate.get("seq_num");
            if number.is_some_and(|number| !number.is_number()) {
                return Err(invalid("seq_num must be a number"));
            }
            let first = predicate
                .get("expression1")
                .ok_or_else(|| invalid("no expression1"))?;
            let first = Self::from_expression(first)?;
            let second = predicate
                .get("expression2")
                .map(Self::from_expression)
                .transpose()?;
            match (predicate.get("condition").map(Value::as_str), second) {
                (None, None) => Ok(first),
                (Some(Some("and")), Some(second)) => Ok(Self::All(vec![first, second])),
                (Some(Some("or")), Some(second)) => Ok(Self::Any(vec![first, second])),
                (Some(Some("not")), Some(second)) => {
                    Ok(Self::All(vec![first, Self::Not(Box::new(second))]))
                }
                _ => Err(invalid(
                    "condition must be and, or, not, beside an expression2",
                )),
            }
        });
        Ok(Self::All(parts.collect::<Result<_, _>>()?))
    }

    /// The identifiers that a subject must have one of, where the filter says so: the way to find
    /// people without looking at all of them.
    pub(crate) fn pinned(&self) -> Option<(Scheme, Vec<&str>)> {
        match self {
            Self::Test(Attribute::Identifier(scheme), Operator::Eq | Operator::In, values) => {
                let texts = values.iter().filter_map(|value| match value {
                    Field::Text(text) => Some(text.as_str()),
                    _ => None,
                });
                Some((*scheme, texts.collect()))
            }
            Self::All(filters) => filters.iter().find_map(Self::pinned),
            _ => None,
        }
    }

    /// Whether it asks about what only a social registry knows.
    pub(crate) fn is_social(&self) -> bool {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().any(Self::is_social),
            Self::Not(filter) => filter.is_social(),
            Self::Test(attribute, ..) => attribute.is_social(),
        }
    }

    /// Whether it holds for a subject.
    pub(crate) fn holds(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.holds(subject)),
            Self::Any(filters) => filters.iter().any(|filter| filter.holds(subject)),
            Self::Not(filter) => !filter.holds(subject),
            Self::Test(attribute, operator, values) => {
                let field = subject.field(*attribute);
                let met = |wanted: &Field| field.order(wanted).is_some_and(|it| operator.meets(it));
                values.iter().any(met)
            }
        }
    }

    fn attribute(attribute: Attribute, value: &Value) -> Result<Self, Reject> {
        let Value::Object(tests) = value else {
            return Ok(Self::Test(
                attribute,
                Operator::Eq,
                attribute.values(value)?,
            ));
        };
        let tests = tests.iter().map(|(name, value)| {
            let operator = name.strip_prefix('$').and_then(Operator::named);
            let operator = operator.ok_or_else(|| invalid(format!("{name} is unknown")))?;
            Self::test(attribute, operator, value)
        });
        Ok(Self::All(tests.collect::<Result<_, _>>()?))
    }

    fn from_expression(expression: &Value) -> Result<Self, Reject> {
        let expression = members(expression)?;
        let text = |name: &str| {
            let found = expression.get(name).and_then(Value::as_str);
            found.ok_or_else(|| invalid(format!("{name} must be a string")))
        };
        let operator = match text("operator")? {
            word @ ("eq" | "lt" | "gt" | "le" | "ge" | "in") => Operator::named(word),
            _ => None,
        };
        let operator =
            operator.ok_or_else(|| invalid("operator must be gt, lt, eq, ge, le, in"))?;
        let value = expression
            .get("attribute_value")
            .ok_or_else(|| invalid("no attribute_value"))?;
        Self::test(Attribute::named(text("attribute_name")?)?, operator, value)
    }

    fn test(attribute: Attribute, operator: Operator, value: &Value) -> Result<Self, Reject> {
        if value.is_array() != (operator == Operator::In) {
            return Err(invalid("a list of values goes with in, and only there"));
        }
        Ok(Self::Test(attribute, operator, attribute.values(value)?))
    }
}

fn list(value: &Value) -> Result<Vec<Filter>, Reject> {
    let filters = value
        .as_array()
        .ok_or_else(|| invalid("$and and $or take a list"))?;
    filters.iter().map(Filter::from_mongo).collect()
}

fn members(value: &Value) -> Result<&Map<String, Value>, Reject> {
    value
        .as_object()
        .ok_or_else(|| invalid("an object was expected"))
}

#[cfg(test)]
mod tests;

//! Search criteria, read strictly.

use serde_json::{Map, Value};

use super::attribute::{Attribute, Field, Operator};
use super::envelope::Reject;
use super::filter::Filter;
use super::identifier::Scheme;

/// The register that is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Register {
    /// Civil registration: `ns:org:RegistryType:Civil`.
    Civil,
    /// Social registry: `ns:org:RegistryType:Social`.
    #[default]
    Social,
}

/// The form of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordType {
    /// A person.
    Person,
    /// A person as a member of a household, with relations to the others.
    Member,
    /// A household with its members.
    Group,
}

/// Criteria in order.
#[derive(Debug, Clone)]
pub(crate) struct Criteria {
    /// Where to look.
    pub(crate) register: Register,
    /// What to answer with.
    pub(crate) record_type: RecordType,
    /// What to look for.
    pub(crate) filter: Filter,
    /// By what to sort, the first first; true for descending.
    pub(crate) sort: Vec<(Attribute, bool)>,
    /// Records on a page.
    pub(crate) page_size: usize,
    /// The page, from 1.
    pub(crate) page_number: usize,
}

/// The largest page that is given out.
const BIGGEST_PAGE: usize = 2_000;
const USUAL_PAGE: usize = 100;

impl Criteria {
    /// Reads `search_criteria`; `usual` is the register where none is named.
    pub(crate) fn read(criteria: &Map<String, Value>, usual: Register) -> Result<Self, Reject> {
        let register = register(criteria)?.unwrap_or(usual);
        let query = criteria
            .get("query")
            .ok_or_else(|| invalid("query is missing"))?;
        let filter = filter(criteria.get("query_type"), query)?;
        let record_type = record_type(criteria, query, register)?;
        for name in ["consent", "authorize"] {
            if criteria.get(name).is_some_and(|value| !value.is_object()) {
                return Err(invalid(format!("{name} must be an object")));
            }
        }
        if criteria
            .get("version")
            .is_some_and(|version| version != "1.0.0")
        {
            return Err(invalid("version must be 1.0.0"));
        }
        let sort = sort(criteria.get("sort"))?;
        if register == Register::Civil {
            if filter.is_social() {
                return Err(Reject::new(
                    "rjct.filter.invalid",
                    "a civil register doesn't know that",
                ));
            }
            if sort.iter().any(|(attribute, _)| attribute.is_social()) {
                return Err(Reject::new(
                    "rjct.sort.invalid",
                    "a civil register doesn't know that",
                ));
            }
        }
        let (page_size, page_number) = pagination(criteria.get("pagination"))?;
        Ok(Self {
            register,
            record_type,
            filter,
            sort,
            page_size,
            page_number,
        })
    }
}

impl Register {
    /// The name on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Civil => "ns:org:RegistryType:Civil",
            Self::Social => "ns:org:RegistryType:Social",
        }
    }
}

impl RecordType {
    /// The name on the wire.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Person => "Person",
            Self::Member => "Member",
            Self::Group => "Group",
        }
    }
}

fn register(criteria: &Map<String, Value>) -> Result<Option<Register>, Reject> {
    let Some(said) = criteria.get("reg_type") else {
        return Ok(None);
    };
    match last(said).as_deref() {
        Some("civil") => Ok(Some(Register::Civil)),
        Some("social") => Ok(Some(Register::Social)),
        _ => Err(invalid(format!("reg_type {said} isn't kept here"))),
    }
}

fn record_type(
    criteria: &Map<String, Value>,
    query: &Value,
    register: Register,
) -> Result<RecordType, Reject> {
    let collection = query.pointer("/value/expression/collection");
    // The v1.0.0 samples name the record type in any one of three places.
    let said = criteria
        .get("reg_record_type")
        .or(criteria.get("response_entity"))
        .or(collection);
    let Some(said) = said else {
        return Ok(RecordType::Person);
    };
    match (register, last(said).as_deref()) {
        (_, Some("person")) => Ok(RecordType::Person),
        // `social_api_v1.0.0.yaml` has it as the example of `reg_record_type`.
        (Register::Social, Some("srperson")) => Ok(RecordType::Person),
        (Register::Social, Some("member")) => Ok(RecordType::Member),
        (Register::Social, Some("group" | "household")) => Ok(RecordType::Group),
        _ => Err(invalid(format!(
            "{said} isn't a record type of this register"
        ))),
    }
}

/// `ns:org:RegistryType:Civil` and `spdci:Group` by their ends, in small letters.
fn last(value: &Value) -> Option<String> {
    value.as_str()?.rsplit(':').next().map(str::to_lowercase)
}

fn filter(query_type: Option<&Value>, query: &Value) -> Result<Filter, Reject> {
    match (query_type.and_then(Value::as_str), query) {
        (Some("idtype-value"), Value::Object(query)) => {
            let scheme = query
                .get("type")
                .and_then(Value::as_str)
                .and_then(Scheme::of);
            let scheme = scheme.ok_or_else(|| invalid("type must be UIN, BRN, NID or HHID"))?;
            let value = match query.get("value") {
                Some(Value::String(text)) => text.to_lowercase(),
                Some(Value::Number(number)) => number.to_string(),
                _ => return Err(invalid("value must be a string or a number")),
            };
            let attribute = Attribute::Identifier(scheme);
            Ok(Filter::Test(
                attribute,
                Operator::Eq,
                vec![Field::Text(value)],
            ))
        }
        // The samples say `expression` and send the predicate form; the YAML allows it.
        (Some("predicate" | "expression"), Value::Array(predicates)) => {
            Filter::from_predicates(predicates)
        }
        (Some("expression"), Value::Object(_)) => {
            let kind = query
                .get("type")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if !kind.contains(":QueryType:") {
                return Err(invalid("type must be ns:org:QueryType:…"));
            }
            let expression = query.pointer("/value/expression/query");
            let expression = expression.ok_or_else(|| invalid("no value.expression.query"))?;
            Filter::from_mongo(expression)
        }
        (Some("graphql"), _) => Err(invalid("graphql isn't supported")),
        (Some("idtype-value" | "predicate" | "expression"), _) => {
            Err(invalid("the query isn't of its query_type"))
        }
        _ => Err(invalid(
            "query_type must be idtype-value, predicate or expression",
        )),
    }
}

fn sort(sort: Option<&Value>) -> Result<Vec<(Attribute, bool)>, Reject> {
    let wrong = |message: &str| Reject::new("rjct.sort.invalid", message);
    let Some(sort) = sort else {
        return Ok(Vec::new());
    };
    let sort = sort
        .as_array()
        .ok_or_else(|| wrong("sort must be a list"))?;
    let one = |by: &Value| {
        let name = by.get("attribute_name").and_then(Value::as_str);
        let attribute = Attribute::named(name.unwrap_or_default());
        let attribute = attribute.map_err(|reject| wrong(&reject.message))?;
        match by.get("sort_order").map(Value::as_str) {
            None | Some(Some("asc")) => Ok((attribute, false)),
            Some(Some("desc")) => Ok((attribute, true)),
            _ => Err(wrong("sort_order must be asc or desc")),
        }
    };
    sort.iter().map(one).collect()
}

fn pagination(pagination: Option<&Value>) -> Result<(usize, usize), Reject> {
    let Some(pagination) = pagination else {
        return Ok((USUAL_PAGE, 1));
    };
    let number = |name: &str| {
        pagination
            .get(name)
            .map(|value| value.as_u64().unwrap_or(0))
    };
    let wrong = |message: String| Reject::new("rjct.pagination.invalid", message);
    let size = match number("page_size") {
        Some(size) if (1..=BIGGEST_PAGE as u64).contains(&size) => size as usize,
        _ => return Err(wrong(format!("page_size must be 1 to {BIGGEST_PAGE}"))),
    };
    match number("page_number") {
        None => Ok((size, 1)),
        Some(0) => Err(wrong("page_number must be 1 or more".into())),
        Some(page) => Ok((size, usize::try_from(page).unwrap_or(usize::MAX))),
    }
}

fn invalid(message: impl Into<String>) -> Reject {
    Reject::new("rjct.search_criteria.invalid", message)
}

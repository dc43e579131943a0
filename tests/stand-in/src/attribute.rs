//! What can be asked about people, and how its values are compared.

use std::cell::OnceCell;
use std::cmp::Ordering;

use serde_json::Value;

use super::envelope::Reject;
use super::identifier::Scheme;
use super::people::{Household, Person, Population};

/// What can be asked about, and sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribute {
    Identifier(Scheme),
    Surname,
    GivenName,
    SecondName,
    Sex,
    BirthDate,
    DeathDate,
    YearOfBirth,
    Age,
    MaritalStatus,
    PovertyScore,
    GroupSize,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
}

/// A value that can be compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    /// Compared without regard to letter case; dates are text, and sort as such.
    Text(String),
    /// Compared as a number.
    Number(f64),
    /// Not on record: no test of it holds.
    Missing,
}

/// One person in view of a filter, with the household at hand when it is needed.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    people: &'a Population,
    person: &'a Person,
    household: OnceCell<Household>,
}

impl Attribute {
    /// The attribute of a name on the wire; of a path such as `name.surname`, the end counts.
    pub(crate) fn named(path: &str) -> Result<Self, Reject> {
        let name = path.rsplit('.').next().unwrap_or(path);
        if let Some(scheme) = Scheme::of(name) {
            return Ok(Self::Identifier(scheme));
        }
        Ok(match name.to_ascii_lowercase().as_str() {
            "group_identifier" => Self::Identifier(Scheme::Household),
            "surname" => Self::Surname,
            "given_name" => Self::GivenName,
            "second_name" => Self::SecondName,
            "sex" | "gender" => Self::Sex,
            "birth_date" | "birthdate" => Self::BirthDate,
            "death_date" => Self::DeathDate,
            "yob" => Self::YearOfBirth,
            "age" => Self::Age,
            "marital_status" => Self::MaritalStatus,
            "poverty_score" => Self::PovertyScore,
            "group_size" | "household_size" => Self::GroupSize,
            _ => return Err(invalid(format!("attribute {path} is unknown"))),
        })
    }

    /// Whether only a social registry knows it.
    pub(crate) fn is_social(self) -> bool {
        matches!(
            self,
            Self::PovertyScore | Self::GroupSize | Self::Identifier(Scheme::Household)
        )
    }

    fn is_number(self) -> bool {
        matches!(
            self,
            Self::YearOfBirth | Self::Age | Self::PovertyScore | Self::GroupSize
        )
    }

    pub(crate) fn values(self, value: &Value) -> Result<Vec<Field>, Reject> {
        let wrong = || invalid(format!("{value} is no value for this attribute"));
        let one = |value: &Value| match value {
            Value::Number(number) if self.is_number() => number.as_f64().map(Field::Number),
            Value::String(text) if self.is_number() => text.parse().ok().map(Field::Number),
            Value::String(text) => Some(Field::Text(text.to_lowercase())),
            Value::Number(number) => Some(Field::Text(number.to_string())),
            _ => None,
        };
        match value {
            Value::Array(values) => values
                .iter()
                .map(|value| one(value).ok_or_else(wrong))
                .collect(),
            value => Ok(vec![one(value).ok_or_else(wrong)?]),
        }
    }
}

impl Operator {
    pub(crate) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "lt" => Self::Lt,
            "le" | "lte" => Self::Le,
            "gt" => Self::Gt,
            "ge" | "gte" => Self::Ge,
            "in" => Self::In,
            _ => return None,
        })
    }

    pub(crate) fn meets(self, order: Ordering) -> bool {
        match self {
            Self::Eq | Self::In => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }
}

impl Field {
    /// How two values stand; none where either is missing.
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(one), Self::Text(two)) => Some(one.cmp(two)),
            (Self::Number(one), Self::Number(two)) => one.partial_cmp(two),
            _ => None,
        }
    }
}

impl<'a> Subject<'a> {
    /// A person of a population.
    pub(crate) fn new(people: &'a Population, person: &'a Person) -> Self {
        Self {
            people,
            person,
            household: OnceCell::new(),
        }
    }

    /// The value of an attribute, in small letters.
    pub(crate) fn field(&self, attribute: Attribute) -> Field {
        let person = self.person;
        let text = |text: &str| Field::Text(text.to_lowercase());
        let maybe = |found: Option<&String>| found.map_or(Field::Missing, |found| text(found));
        match attribute {
            Attribute::Identifier(Scheme::Uin) => text(&person.uin),
            Attribute::Identifier(Scheme::Brn) => text(&person.brn),
            Attribute::Identifier(Scheme::Nid) => maybe(person.nid.as_ref()),
            Attribute::Identifier(Scheme::Household) => text(&self.household().id),
            Attribute::Surname => text(&person.name.surname),
            Attribute::GivenName => maybe(person.name.given.as_ref()),
            Attribute::SecondName => maybe(person.name.second.as_ref()),
            Attribute::Sex => text(person.sex.code()),
            Attribute::BirthDate => text(&person.birth.to_string()),
            Attribute::DeathDate => maybe(person.death.map(|date| date.to_string()).as_ref()),
            Attribute::YearOfBirth => Field::Number(person.birth.date.year().into()),
            Attribute::Age => Field::Number(person.age().into()),
            Attribute::MaritalStatus => text(person.marital.word()),
            Attribute::PovertyScore => Field::Number(self.household().poverty_score),
            Attribute::GroupSize => {
                let members = &self.household().members;
                Field::Number((members.end - members.start) as f64)
            }
        }
    }

    fn household(&self) -> &Household {
        self.household
            .get_or_init(|| self.people.household(self.person.household))
    }
}

/// A rejection of a filter.
pub(crate) fn invalid(message: impl Into<String>) -> Reject {
    Reject::new("rjct.filter.invalid", message)
}

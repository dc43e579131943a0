//! A person, a household and what they are made of.

use std::fmt;

use jiff::civil::{Date, date};

use super::names::{Culture, Name};
use super::people::LAST_YEAR;
use super::shuffle::Dice;

/// One record of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Where in the population.
    pub index: u64,
    /// Unique identification number.
    pub uin: String,
    /// Birth registration number.
    pub brn: String,
    /// National identity card; none for children.
    pub nid: Option<String>,
    /// What the person is called.
    pub name: Name,
    /// How the name is written.
    pub culture: Culture,
    /// As registered.
    pub sex: Sex,
    /// As well as it is known.
    pub birth: PartialDate,
    /// When the person died.
    pub death: Option<PartialDate>,
    /// Whether married.
    pub marital: Marital,
    /// Indexes of the parents who are in the registry: none, one or two.
    pub parents: Vec<u64>,
    /// What the person is to the head of the household.
    pub role: Role,
    /// The index of the household.
    pub household: u64,
    /// A telephone number, for some adults.
    pub phone: Option<String>,
}

/// One household.
#[derive(Debug, Clone, PartialEq)]
pub struct Household {
    /// Which household this is.
    pub index: u64,
    /// The household number.
    pub id: String,
    /// Indexes of the members; the head is the first.
    pub members: std::ops::Range<u64>,
    /// From 0, poorest, to 100.
    pub poverty_score: f64,
    /// Where it lives.
    pub place: Place,
}

/// Where a household lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The number of the house.
    pub house: u64,
    /// Town or village.
    pub locality: &'static str,
    /// Code of the region.
    pub region: &'static str,
}

/// A date of which the day, or the month too, may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialDate {
    /// The date; what isn't known of it is 1.
    pub date: Date,
    /// How much of it is known.
    pub known: Known,
}

/// How much of a date is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Only the year: `1985`.
    Year,
    /// Year and month: `1985-05`.
    Month,
    /// All of it: `1985-05-20`.
    Day,
}

/// The sex in the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Sex {
    Female,
    Male,
    Other,
    Unknown,
}

/// The marital status in the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Marital {
    Single,
    Married,
    Widowed,
    Divorced,
}

/// What a member is to the head of the household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Role {
    Head,
    Spouse,
    Child,
    /// A parent of the head.
    Grandparent,
}

impl Person {
    /// Age at the end of [`LAST_YEAR`].
    pub fn age(&self) -> i16 {
        LAST_YEAR as i16 - self.birth.date.year()
    }
}

impl PartialDate {
    pub(crate) fn draw(year: u64, dice: &mut Dice) -> Self {
        let (month, day) = (1 + dice.below(12) as i8, 1 + dice.below(28) as i8);
        let (known, month, day) = match dice.below(100) {
            0..5 => (Known::Year, 1, 1),
            5..8 => (Known::Month, month, 1),
            _ => (Known::Day, month, day),
        };
        Self {
            date: date(year as i16, month, day),
            known,
        }
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = (self.date.year(), self.date.month(), self.date.day());
        match self.known {
            Known::Year => write!(f, "{year:04}"),
            Known::Month => write!(f, "{year:04}-{month:02}"),
            Known::Day => write!(f, "{year:04}-{month:02}-{day:02}"),
        }
    }
}

impl Marital {
    /// The word on the wire of the social registry.
    pub fn word(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Married => "married",
            Self::Widowed => "widowed",
            Self::Divorced => "divorced",
        }
    }
}

impl Sex {
    /// The code on the wire.
    pub fn code(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }
}

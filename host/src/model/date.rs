use std::fmt;

use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A date that may be known only to the year or the month (FHIR `date`). In JSON an object whose
/// `value` is `1987`, `1987-04` or `1987-04-23`; where a request gives one, the text alone will do.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(as = PartialDate)]
pub struct PartialDate {
    /// Gregorian: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    #[schema(example = "1987-04-23")]
    value: String,
    /// The registry says that it is an estimate. Left out where it does not.
    #[schema(required = false)]
    pub estimated: bool,
    /// Kept where the date was converted from another calendar.
    pub original: Option<OriginalDate>,
}

/// A date as the registry wrote it, in its own calendar.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OriginalDate {
    /// A Unicode CLDR calendar key, or `bikram-sambat`.
    pub calendar: String,
    /// As written there.
    pub text: String,
}

/// Why something is not a date. Never quotes the value: it may be a person's.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DateError {
    /// The form is wrong.
    #[error("a date is written YYYY, YYYY-MM or YYYY-MM-DD")]
    Form,
    /// The calendar has no such day.
    #[error("the calendar has no such day")]
    NoSuchDay,
}

impl PartialDate {
    /// From numbers: year 1 to 9999, month 1 to 12, and a day that the month has.
    ///
    /// # Errors
    /// [`DateError`] where there is no such day, or a day without a month.
    pub fn new(year: u16, month: Option<u8>, day: Option<u8>) -> Result<Self, DateError> {
        if !(1..=9999).contains(&year) {
            return Err(DateError::NoSuchDay);
        }
        let value = match (month, day) {
            (None, None) => format!("{year:04}"),
            (None, Some(_)) => return Err(DateError::Form),
            (Some(month), day) => {
                let known = day.unwrap_or(1);
                let (y, m, d) = (
                    i16::try_from(year),
                    i8::try_from(month),
                    i8::try_from(known),
                );
                let (Ok(y), Ok(m), Ok(d)) = (y, m, d) else {
                    return Err(DateError::NoSuchDay);
                };
                jiff::civil::Date::new(y, m, d).map_err(|_| DateError::NoSuchDay)?;
                match day {
                    Some(day) => format!("{year:04}-{month:02}-{day:02}"),
                    None => format!("{year:04}-{month:02}"),
                }
            }
        };
        Ok(Self {
            value,
            estimated: false,
            original: None,
        })
    }

    /// From `1987`, `1987-04` or `1987-04-23`.
    ///
    /// # Errors
    /// [`DateError`]: wrong form or no such day.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        let mut parts = text.split('-');
        let mut number = |digits: usize| match parts.next() {
            None => Ok(None),
            Some(part) if part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) => {
                part.parse::<u16>().map(Some).map_err(|_| DateError::Form)
            }
            Some(_) => Err(DateError::Form),
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        if parts.next().is_some() {
            return Err(DateError::Form);
        }
        let narrow = |part: Option<u16>| {
            part.map(|part| u8::try_from(part).map_err(|_| DateError::Form))
                .transpose()
        };
        Self::new(year.ok_or(DateError::Form)?, narrow(month)?, narrow(day)?)
    }

    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub fn as_str(&self) -> &str {
        &self.value
    }

    /// Year, month and day.
    pub fn parts(&self) -> (u16, Option<u8>, Option<u8>) {
        let mut parts = self.value.split('-');
        let year = parts.next().and_then(|part| part.parse().ok()).unwrap_or(1);
        let month = parts.next().and_then(|part| part.parse().ok());
        let day = parts.next().and_then(|part| part.parse().ok());
        (year, month, day)
    }
}

impl Serialize for PartialDate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape<'a> {
            value: &'a str,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            estimated: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            original: Option<&'a OriginalDate>,
        }
        Shape {
            value: &self.value,
            estimated: self.estimated,
            original: self.original.as_ref(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PartialDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrObject)
    }
}

struct TextOrObject;

impl<'de> Visitor<'de> for TextOrObject {
    type Value = PartialDate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date as YYYY, YYYY-MM or YYYY-MM-DD")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PartialDate, E> {
        PartialDate::parse(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PartialDate, A::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Shape {
            value: String,
            #[serde(default)]
            estimated: bool,
            #[serde(default)]
            original: Option<OriginalDate>,
        }
        let shape = Shape::deserialize(de::value::MapAccessDeserializer::new(map))?;
        let mut date = PartialDate::parse(&shape.value).map_err(de::Error::custom)?;
        date.estimated = shape.estimated;
        date.original = shape.original;
        Ok(date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_three_precisions_and_refuses_the_rest() {
        for good in ["1987", "1987-04", "1987-04-23", "2024-02-29", "0001"] {
            assert_eq!(PartialDate::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "87",
            "1987-4",
            "1987/04/23",
            "1987-04-23T00:00:00",
            "-1987",
        ] {
            assert_eq!(PartialDate::parse(bad), Err(DateError::Form), "{bad}");
        }
        for missing in ["2023-02-29", "1987-13", "1987-00", "1987-04-31", "0000"] {
            assert_eq!(
                PartialDate::parse(missing),
                Err(DateError::NoSuchDay),
                "{missing}"
            );
        }
    }

    #[test]
    fn json_takes_a_text_or_an_object_and_gives_an_object() {
        let text: PartialDate = serde_json::from_str("\"1987-04\"").unwrap();
        let object: PartialDate =
            serde_json::from_str(r#"{"value":"1987-04","estimated":true}"#).unwrap();
        assert_eq!(text.parts(), (1987, Some(4), None));
        assert_eq!(
            serde_json::to_string(&object).unwrap(),
            r#"{"value":"1987-04","estimated":true}"#
        );
        assert!(serde_json::from_str::<PartialDate>(r#"{"value":"1987","x":1}"#).is_err());
    }
}

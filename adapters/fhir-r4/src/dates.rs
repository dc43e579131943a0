//! Dates as FHIR writes them: `date` and `dateTime` of R4, section 2.24.0.1.

use adapter_sdk::dates;
use adapter_sdk::model::PartialDate;
use serde_json::Value;

use crate::json::{Notes, Primitive, scalar};

/// How a registry's dates of birth and death are read. An adapter has its own where the registry
/// writes another calendar.
pub trait ReadDate {
    /// The date, or a note of what is none.
    fn read(&self, field: &str, date: &Primitive<'_>, notes: &mut Notes) -> Option<PartialDate>;

    /// The extensions of the date that `read` understands.
    fn extensions(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// FHIR's own dates.
#[derive(Clone, Copy, Debug)]
pub struct Gregorian;

impl ReadDate for Gregorian {
    fn read(&self, field: &str, date: &Primitive<'_>, notes: &mut Notes) -> Option<PartialDate> {
        gregorian(field, date.value?, notes)
    }
}

/// A date of the specification's form; another is noted under `field`.
pub fn gregorian(field: &str, value: &Value, notes: &mut Notes) -> Option<PartialDate> {
    let date = scalar(value).and_then(|text| parse(&text));
    if date.is_none() {
        notes.add(field, value);
    }
    date
}

/// `1995`, `1995-09`, `1995-09-21`, `1995-09-21T10:00:00+05:45`, and nothing else. The time is left
/// out: the day is the one that is written.
pub fn parse(text: &str) -> Option<PartialDate> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    // A time belongs to a whole date.
    if time.is_some_and(|time| !time.contains(':') || date.len() != 10) {
        return None;
    }
    // The SDK reads more forms than this one specification has, and `00` as not known.
    let digits = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    let has_form = matches!(date.len(), 4 | 7 | 10) && date.bytes().enumerate().all(digits);
    let has_zero = date.split('-').skip(1).any(|part| part == "00");
    if !has_form || has_zero {
        return None;
    }
    dates::parse(date)
}

/// Whether a date lies before another, as far as both are known: `2020` lies before `2021-03`, and
/// not before `2020-05`.
pub fn is_before(date: &PartialDate, other: &PartialDate) -> bool {
    if date.year != other.year {
        return date.year < other.year;
    }
    let (Some(month), Some(other_month)) = (date.month, other.month) else {
        return false;
    };
    if month != other_month {
        return month < other_month;
    }
    matches!((date.day, other.day), (Some(day), Some(other)) if day < other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_fhir_writes_and_nothing_else() {
        for (text, read) in [
            ("1995", Some("1995")),
            ("1995-09", Some("1995-09")),
            ("1995-09-21", Some("1995-09-21")),
            ("1995-09-21T23:59:59+05:45", Some("1995-09-21")),
            ("1995-02-30", None),
            ("1995-13", None),
            ("1995-00", None),
            ("1995-09-00", None),
            ("1995/09/21", None),
            ("19950921", None),
            ("21-09-1995", None),
            ("1995-09T10:00", None),
            ("1995-09-21T", None),
            ("199५", None),
            ("", None),
        ] {
            let date = parse(text);
            assert_eq!(date.map(|date| dates::format(&date)).as_deref(), read, "{text}");
        }
    }

    #[test]
    fn knows_what_lies_before_what() {
        let before = |a: &str, b: &str| is_before(&parse(a).unwrap(), &parse(b).unwrap());
        assert!(before("2020", "2021-03") && before("2020-01", "2020-02-01"));
        assert!(before("2020-01-01", "2020-01-02"));
        assert!(!before("2020", "2020-05") && !before("2020-01-02", "2020-01-02"));
        assert!(!before("2021", "2020-12-31") && !before("2020-01", "2020-01-02"));
    }
}

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

/// Days since 1970 of a whole date. By Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `days_from_civil`: years begin in March, so that the leap day is the last.
pub fn day_number(date: &PartialDate) -> Option<i64> {
    let (month, day) = (i64::from(date.month?), i64::from(date.day?));
    let year = i64::from(date.year);
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(
        year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year
            - 719_468,
    )
}

/// The date of a number of days since 1970: `civil_from_days` of the same source.
pub fn of_day_number(days: i64) -> Option<PartialDate> {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    PartialDate::checked(
        u16::try_from(year).ok()?,
        Some(u8::try_from(month).ok()?),
        Some(u8::try_from(day).ok()?),
    )
}

/// Seconds since 1970 of an instant: `2026-01-02T03:04:05Z`, with a fraction or an offset. None: it is
/// none.
pub fn parse_instant(text: &str) -> Option<i64> {
    let (date, clock) = text.trim().split_once(['T', 't'])?;
    let days = day_number(&parse(date)?)?;
    let at = clock.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = clock.split_at_checked(at)?;
    let clock = clock.split('.').next()?;
    let offset = match zone {
        "Z" | "z" => 0,
        zone => {
            let seconds = hours(zone.get(1..)?)?;
            if zone.starts_with('-') {
                -seconds
            } else {
                seconds
            }
        }
    };
    Some(days * 86_400 + hours(clock)? - offset)
}

/// `05:45` or `23:59:59` in seconds.
fn hours(text: &str) -> Option<i64> {
    let two = |part: &str| {
        let is_two = part.len() == 2 && part.bytes().all(|it| it.is_ascii_digit());
        is_two.then(|| part.parse::<i64>().ok()).flatten()
    };
    let parts: Vec<i64> = text.split(':').map(two).collect::<Option<_>>()?;
    match parts.as_slice() {
        [hour, minute] => Some(hour * 3600 + minute * 60),
        [hour, minute, second] => Some(hour * 3600 + minute * 60 + second),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_and_counted_back() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2000-03-01", 11_017),
            ("1943-04-14", -9_759),
        ] {
            let date = parse(text).unwrap();
            assert_eq!(day_number(&date), Some(days), "{text}");
            assert_eq!(of_day_number(days), Some(date), "{text}");
        }
        assert_eq!(day_number(&parse("2000-02").unwrap()), None);
        for days in -20_000..40_000 {
            let date = of_day_number(days).unwrap();
            assert_eq!(day_number(&date), Some(days));
        }
    }

    #[test]
    fn instants_are_compared_over_zones() {
        let seconds = |text: &str| parse_instant(text).unwrap();
        assert_eq!(seconds("1970-01-01T00:00:01Z"), 1);
        assert_eq!(seconds("1970-01-01T05:45:00.25+05:45"), 0);
        assert_eq!(seconds("1969-12-31T23:00:00-01:00"), 0);
        for wrong in [
            "1970-01-01",
            "1970-01T00:00:00Z",
            "1970-01-01T00:00:00",
            "yesterday",
        ] {
            assert_eq!(parse_instant(wrong), None, "{wrong}");
        }
    }

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
            assert_eq!(
                date.map(|date| dates::format(&date)).as_deref(),
                read,
                "{text}"
            );
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

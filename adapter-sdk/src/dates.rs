//! Dates that may be known only to the year or the month, read from what registries write.
//! Other calendars than the Gregorian are not converted here.
//!
//! ```
//! use adapter_sdk::dates;
//! let date = dates::parse("1985/05/20").unwrap();
//! assert_eq!(dates::format(&date), "1985-05-20");
//! assert_eq!(dates::parse("1995-02-30"), None);
//! ```

use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::{Agreement, PartialDate, Unmapped};

impl PartialDate {
    /// A date that exists: none where the month is not 1 to 12, the month has no such day, or
    /// there is a day without a month.
    pub fn checked(year: u16, month: Option<u8>, day: Option<u8>) -> Option<Self> {
        let date = Self {
            year,
            month,
            day,
            ..Self::default()
        };
        is_valid(&date).then_some(date)
    }
}

/// Whether the date obeys the contract: year 1 to 9999, a month for each day, a day that is.
pub fn is_valid(date: &PartialDate) -> bool {
    let days = match date.month {
        None => 0,
        Some(2) if is_leap(date.year) => 29,
        Some(2) => 28,
        Some(4 | 6 | 9 | 11) => 30,
        Some(1..=12) => 31,
        Some(_) => return false,
    };
    (1..=9999).contains(&date.year) && date.day.is_none_or(|day| (1..=days).contains(&day))
}

/// Reads `1995`, `1995-09`, `1995-09-21`, `1985/05/20`, `19950921`, each with a time of day behind
/// it or none. The time and its zone are left out: the day is the one that is written. A month or
/// day of `00` counts as not known. None: blank, no such date, or another form.
pub fn parse(text: &str) -> Option<PartialDate> {
    let text = text.trim();
    let end = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let (date, time) = text.split_at_checked(end)?;
    if !time.is_empty() && !time.contains(':') {
        return None;
    }
    let parts: Vec<&str> = if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) {
        vec![date.get(..4)?, date.get(4..6)?, date.get(6..)?]
    } else {
        let separator = if date.contains('/') { '/' } else { '-' };
        date.split(separator).collect()
    };
    match parts.as_slice() {
        [year] => PartialDate::checked(digits(year, 4)?, None, None),
        [year, month] => PartialDate::checked(digits(year, 4)?, small(month)?, None),
        [year, month, day] => PartialDate::checked(digits(year, 4)?, small(month)?, small(day)?),
        _ => None,
    }
}

/// Reads a field of a registry's record: blank is absent, and what is no date is reported as
/// unmapped under the model's `field`.
pub fn read(field: &str, text: &str, unmapped: &mut Vec<Unmapped>) -> Option<PartialDate> {
    if text.trim().is_empty() {
        return None;
    }
    let date = parse(text);
    if date.is_none() {
        unmapped.push(Unmapped::new(field, text));
    }
    date
}

/// ISO 8601, as far as it is known: `1995`, `1995-09`, `1995-09-21`.
pub fn format(date: &PartialDate) -> String {
    match (date.month, date.day) {
        (Some(month), Some(day)) => format!("{:04}-{month:02}-{day:02}", date.year),
        (Some(month), None) => format!("{:04}-{month:02}", date.year),
        _ => format!("{:04}", date.year),
    }
}

/// Equal is `match`. What both know being equal, but one knowing less, is `close`, and so is the
/// same year where one is an estimate.
pub fn compare(claimed: &PartialDate, known: &PartialDate) -> Agreement {
    if claimed.year != known.year {
        return Agreement::Mismatch;
    }
    let parts = [(claimed.month, known.month), (claimed.day, known.day)];
    if parts.iter().all(|(claimed, known)| claimed == known) {
        Agreement::Match
    } else if claimed.estimated
        || known.estimated
        || parts
            .iter()
            .all(|(a, b)| a.is_none() || b.is_none() || a == b)
    {
        Agreement::Close
    } else {
        Agreement::Mismatch
    }
}

/// The time now, RFC 3339 with zone: `2026-01-02T03:04:05Z`.
pub fn now() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    rfc_3339(now.as_secs())
}

/// Seconds since 1970 as a time. By hand, since a library's parsers and error texts doubled the
/// size of a component. The days by Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`: years begin in March, so that the leap day is the last.
fn rfc_3339(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn digits(text: &str, length: usize) -> Option<u16> {
    let fits = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// A month or day of one or two digits; 0 is not known.
fn small(text: &str) -> Option<Option<u8>> {
    let fits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let value: u8 = if fits {
        text.parse().ok()?
    } else {
        return None;
    };
    Some((value != 0).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_registries_write() {
        for (text, expected) in [
            ("1995", "1995"),
            ("1995-09", "1995-09"),
            (" 1995-09-21 ", "1995-09-21"),
            ("1995-09-21T11:20:00", "1995-09-21"),
            ("1995-09-21T23:20:00.123Z", "1995-09-21"),
            ("1995-09-21 11:20:00+05:45", "1995-09-21"),
            ("1985/05/20", "1985-05-20"),
            ("1985/5/2", "1985-05-02"),
            ("19950921", "1995-09-21"),
            ("1995-00-00", "1995"),
            ("2000-02-29", "2000-02-29"),
        ] {
            assert_eq!(
                parse(text).as_ref().map(format).as_deref(),
                Some(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            " ",
            "0000-00-00",
            "1995-13-01",
            "1999-02-29",
            "02.05.2004",
            "95-09-21",
            "1995-",
            "1995-09-21T",
            "1995-00-12",
            "1995-09-21-04",
            "soon",
            "+995-01-01",
            "१९९५-०१-०१",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn reports_what_it_cannot_read() {
        let mut unmapped = Vec::new();
        assert_eq!(read("birth-date", "about 1950", &mut unmapped), None);
        assert_eq!(read("birth-date", " ", &mut unmapped), None);
        assert_eq!(unmapped, [Unmapped::new("birth-date", "about 1950")]);
    }

    #[test]
    fn compares_as_far_as_both_know() {
        let date = |text| parse(text).unwrap();
        let estimated = |text| PartialDate {
            estimated: true,
            ..date(text)
        };
        assert_eq!(
            compare(&date("1995-09-21"), &date("1995-09-21")),
            Agreement::Match
        );
        assert_eq!(
            compare(&date("1995-09-21"), &date("1995-09")),
            Agreement::Close
        );
        assert_eq!(
            compare(&date("1995"), &date("1995-09-21")),
            Agreement::Close
        );
        assert_eq!(
            compare(&date("1995-08"), &date("1995-09-21")),
            Agreement::Mismatch
        );
        assert_eq!(
            compare(&date("1995-08-01"), &estimated("1995-01-01")),
            Agreement::Close
        );
        assert_eq!(compare(&date("1994"), &date("1995")), Agreement::Mismatch);
    }

    #[test]
    fn knows_how_long_months_are() {
        let valid = |year, month, day| PartialDate::checked(year, Some(month), Some(day)).is_some();
        assert!(valid(2000, 2, 29) && !valid(1900, 2, 29) && valid(2024, 2, 29));
        assert!(valid(2023, 4, 30) && !valid(2023, 4, 31) && !valid(2023, 12, 32));
        assert!(!valid(0, 1, 1) && !valid(10_000, 1, 1) && !valid(2023, 0, 1));
        assert_eq!(PartialDate::checked(2023, None, Some(1)), None);
    }

    #[test]
    fn writes_times() {
        assert_eq!(rfc_3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc_3339(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(rfc_3339(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(rfc_3339(4_107_542_400), "2100-03-01T00:00:00Z");
        assert_eq!(rfc_3339(1_767_225_599), "2025-12-31T23:59:59Z");
    }

    #[test]
    fn now_has_a_zone_and_no_fraction() {
        let now = now();
        assert!(now.ends_with('Z') && now.len() == 20, "{now}");
    }
}

//! Bikram Sambat, the calendar of Nepal, and the Gregorian one.

mod table;

use adapter_sdk::model::{OriginalDate, PartialDate};
use fhir_r4::dates::{day_number, of_day_number};

use table::{DISPUTED, FIRST_DAY, FIRST_YEAR, MONTHS};

/// The contract's name of the calendar.
pub const CALENDAR: &str = "bikram-sambat";

/// A date of Bikram Sambat, as far as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BsDate {
    /// 2000 to 2083 can be converted.
    pub year: u16,
    /// 1 is Baisakh.
    pub month: Option<u8>,
    /// 1 to 32.
    pub day: Option<u8>,
}

/// Reads `2045-01-15`, `2045/1/15` and the like, with European or Devanagari digits. A time behind it
/// is left out. None: another form.
pub fn parse(text: &str) -> Option<BsDate> {
    let date = text.trim().split('T').next()?;
    let plain: String = date.chars().map(european).collect();
    let separator = if plain.contains('/') { '/' } else { '-' };
    let parts: Vec<&str> = plain.split(separator).collect();
    let (year, rest) = parts.split_first()?;
    let of_digits = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
    let small = |text: &&str| {
        let fits = matches!(text.len(), 1 | 2) && of_digits(text);
        fits.then(|| text.parse::<u8>().ok()).flatten()
    };
    let rest: Vec<u8> = rest.iter().map(small).collect::<Option<_>>()?;
    let year = (year.len() == 4 && of_digits(year)).then(|| year.parse().ok())??;
    let (month, day) = match rest.as_slice() {
        [] => (None, None),
        [month] => (Some(*month), None),
        [month, day] => (Some(*month), Some(*day)),
        _ => return None,
    };
    Some(BsDate { year, month, day })
}

/// U+0966 to U+096F are the Devanagari digits.
fn european(c: char) -> char {
    match u32::from(c).checked_sub(0x966) {
        Some(digit) => char::from_digit(digit, 10).unwrap_or(c),
        None => c,
    }
}

/// The Gregorian date, with what was written beside it. Of a year and month only the Gregorian year is
/// known, and not even that where the month reaches over two; a year alone always does. None: no such
/// date, a year or month that the published tables do not settle, or nothing that is known for sure.
pub fn gregorian(text: &str) -> Option<PartialDate> {
    let date = parse(text)?;
    let converted = match (date.month, date.day) {
        (Some(month), Some(day)) => of_day_number(days(date.year, month, day)?)?,
        (Some(month), None) => {
            let first = of_day_number(days(date.year, month, 1)?)?;
            let last = of_day_number(days(date.year, month, length(date.year, month)?)?)?;
            let year = (first.year == last.year).then_some(first.year)?;
            PartialDate::checked(year, None, None)?
        }
        _ => return None,
    };
    Some(PartialDate {
        original: Some(OriginalDate {
            calendar: CALENDAR.to_owned(),
            text: text.trim().to_owned(),
        }),
        ..converted
    })
}

/// A whole Gregorian date as `2045-01-15`. None: outside the table.
pub fn written(date: &PartialDate) -> Option<String> {
    let mut rest = day_number(date)?.checked_sub(FIRST_DAY)?;
    if rest < 0 {
        return None;
    }
    for (year, months) in (FIRST_YEAR..).zip(MONTHS) {
        for (month, length) in (1..).zip(months) {
            if rest < i64::from(length) {
                let is_settled = (year, month) != DISPUTED;
                return is_settled.then(|| format!("{year:04}-{month:02}-{:02}", rest + 1));
            }
            rest -= i64::from(length);
        }
    }
    None
}

/// Days since 1970.
fn days(year: u16, month: u8, day: u8) -> Option<i64> {
    if day == 0 || day > length(year, month)? || (year, month) == DISPUTED {
        return None;
    }
    let years = MONTHS.get(..usize::from(year.checked_sub(FIRST_YEAR)?))?;
    let of_years: i64 = years.iter().flatten().map(|it| i64::from(*it)).sum();
    let months = months(year)?.get(..usize::from(month - 1))?;
    let of_months: i64 = months.iter().map(|it| i64::from(*it)).sum();
    Some(FIRST_DAY + of_years + of_months + i64::from(day) - 1)
}

/// How many days a month has. None: no such month, or an unsettled year.
fn length(year: u16, month: u8) -> Option<u8> {
    months(year)?
        .get(usize::from(month.checked_sub(1)?))
        .copied()
}

fn months(year: u16) -> Option<&'static [u8; 12]> {
    MONTHS.get(usize::from(year.checked_sub(FIRST_YEAR)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use adapter_sdk::dates;

    fn converted(text: &str) -> Option<String> {
        gregorian(text).map(|date| dates::format(&date))
    }

    /// Days that history fixes on both calendars: New Years, the constitution of 2072, the earthquakes
    /// of 1990 (none: before the table) and 2072, the republic of 2065.
    #[test]
    fn days_that_are_known_on_both_calendars() {
        for (bs, gregorian) in [
            ("2000-01-01", "1943-04-14"),
            ("2007-11-07", "1951-02-18"),
            ("2063-01-11", "2006-04-24"),
            ("2065-02-15", "2008-05-28"),
            ("2072-01-12", "2015-04-25"),
            ("2072-06-03", "2015-09-20"),
            ("2080-01-01", "2023-04-14"),
            ("2081-01-01", "2024-04-13"),
            ("2082-01-01", "2025-04-14"),
            ("2083-01-01", "2026-04-14"),
            ("2083-12-30", "2027-04-13"),
        ] {
            assert_eq!(converted(bs).as_deref(), Some(gregorian), "{bs}");
        }
    }

    #[test]
    fn the_original_is_kept_as_it_was_written() {
        let date = gregorian(" २०४५/०१/१५ ").unwrap();
        assert_eq!(dates::format(&date), "1988-04-27");
        let original = date.original.unwrap();
        assert_eq!(
            (original.calendar.as_str(), original.text.as_str()),
            (CALENDAR, "२०४५/०१/१५")
        );
        assert_eq!(converted("2045/1/15"), converted("2045-01-15T00:00:00"));
    }

    #[test]
    fn what_is_not_settled_is_not_converted() {
        for text in [
            "1999-12-30",
            "2084-01-01",
            "2090-05-05",
            "2045-13-01",
            "2045-00-10",
            "2045-01-00",
            "2045-01-33",
            "2000-01-31",
            "2062-02-10",
            "45-01-15",
            "2045",
            "15-01-2045",
            "2045-1-1-1",
            "Baisakh 15, 2045",
            "",
            "２０４５-01-15",
        ] {
            assert_eq!(converted(text), None, "{text}");
        }
        // The months beside the disputed one are not in dispute.
        assert_eq!(converted("2062-01-30").as_deref(), Some("2005-05-13"));
        assert_eq!(converted("2062-03-01").as_deref(), Some("2005-06-15"));
    }

    #[test]
    fn a_month_tells_the_year_unless_it_reaches_over_two() {
        assert_eq!(converted("2045-01").as_deref(), Some("1988"));
        // Poush begins in December and ends in January.
        assert_eq!(converted("2045-09"), None);
        assert_eq!(converted("2045-10").as_deref(), Some("1989"));
    }

    #[test]
    fn every_day_of_the_table_comes_back() {
        let mut before = None;
        for year in 2000..=2083 {
            for month in 1..=12 {
                for day in 1..=length(year, month).unwrap() {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    let Some(date) = gregorian(&text) else {
                        assert_eq!((year, month), DISPUTED);
                        before = before.map(|it: i64| it + 1);
                        continue;
                    };
                    assert_eq!(written(&date).as_deref(), Some(text.as_str()));
                    let number = day_number(&date).unwrap();
                    assert!(before.is_none_or(|it| it + 1 == number), "{text}");
                    before = Some(number);
                }
            }
        }
        assert_eq!(written(&dates::parse("1943-04-13").unwrap()), None);
        assert_eq!(written(&dates::parse("2027-04-14").unwrap()), None);
        assert_eq!(written(&dates::parse("1988-04").unwrap()), None);
    }
}

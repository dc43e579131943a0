//! Weekly windows in a time zone, as an administrator writes them.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// When an endpoint may be asked.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, try_from = "Written", into = "Written")]
pub struct OpeningHours {
    /// Where the clock hangs.
    pub zone: Zone,
    /// Open in any of them; there is at least one.
    pub windows: Vec<Window>,
}

/// A time zone by its name in the IANA database, like `Asia/Kathmandu`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// Days and hours: `mon-fri 09:00-17:00`, `mon,wed 08:00-12:00`, `daily 06:00-22:00`. Hours that end
/// before they begin go on into the next day, `24:00` is a day's end, and days go on over the week's:
/// `sat-mon`.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    written: String,
    /// From Monday.
    days: [bool; 7],
    from: u16,
    to: u16,
}

/// What of [`OpeningHours`] is wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoursProblem {
    /// Not in the database.
    #[error("no such time zone: write its name in the IANA database, like \"Asia/Kathmandu\"")]
    Zone,
    /// Not days and hours.
    #[error(
        "write days and hours, like \"mon-fri 09:00-17:00\", \"mon,wed 08:00-12:00\" or \
         \"daily 22:00-06:00\""
    )]
    Window,
    /// No window.
    #[error("windows: without one it never opens; leave opening_hours out for always")]
    Never,
}

/// The minutes of a day.
const DAY: u16 = 24 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Written {
    zone: Zone,
    windows: Vec<Window>,
}

impl Zone {
    /// For the calendar.
    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }
}

impl Window {
    /// Whether it opens on that day of the week.
    pub fn opens_on(&self, day: Weekday) -> bool {
        let at = usize::try_from(day.to_monday_zero_offset()).unwrap_or(0);
        self.days.get(at).copied().unwrap_or(false)
    }

    /// Minutes after midnight of that day.
    pub fn from(&self) -> u16 {
        self.from
    }

    /// Minutes after midnight of that day; over 1,440 on the next one.
    pub fn to(&self) -> u16 {
        if self.to > self.from {
            self.to
        } else {
            self.to + DAY
        }
    }

    fn parse(written: &str) -> Option<Self> {
        let (days, hours) = written.trim().split_once(char::is_whitespace)?;
        let (from, to) = hours.trim().split_once('-')?;
        let (from, to) = (minutes(from)?, minutes(to)?);
        if from == DAY || from == to {
            return None;
        }
        Some(Self {
            written: written.to_owned(),
            days: parse_days(days)?,
            from,
            to,
        })
    }
}

fn parse_days(text: &str) -> Option<[bool; 7]> {
    let text = text.to_ascii_lowercase();
    if text == "daily" {
        return Some([true; 7]);
    }
    let number = |name: &str| DAYS.iter().position(|day| *day == name);
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        let length = (last + 7 - first) % 7;
        for day in first..=first + length {
            *days.get_mut(day % 7)? = true;
        }
    }
    Some(days)
}

/// `09:00`, `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= DAY).then_some(minutes)
}

impl TryFrom<String> for Zone {
    type Error = HoursProblem;

    fn try_from(name: String) -> Result<Self, HoursProblem> {
        let zone = TimeZone::get(&name).map_err(|_| HoursProblem::Zone)?;
        Ok(Self { name, zone })
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl TryFrom<String> for Window {
    type Error = HoursProblem;

    fn try_from(written: String) -> Result<Self, HoursProblem> {
        Self::parse(&written).ok_or(HoursProblem::Window)
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.written
    }
}

impl TryFrom<Written> for OpeningHours {
    type Error = HoursProblem;

    fn try_from(Written { zone, windows }: Written) -> Result<Self, HoursProblem> {
        if windows.is_empty() {
            return Err(HoursProblem::Never);
        }
        Ok(Self { zone, windows })
    }
}

impl From<OpeningHours> for Written {
    fn from(OpeningHours { zone, windows }: OpeningHours) -> Self {
        Self { zone, windows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read::toml_text;
    use crate::config::registry::RegistryFile;

    #[test]
    fn windows_are_read() {
        for (text, days, from, to) in [
            ("mon-fri 09:00-17:00", "1111100", 540, 1_020),
            ("mon,wed 08:30-12:00", "1010000", 510, 720),
            ("daily 00:00-24:00", "1111111", 0, 1_440),
            ("Sat-Mon 06:00-07:00", "1000011", 360, 420),
            ("sun 22:00-06:00", "0000001", 1_320, 1_800),
            ("tue 22:00-00:00", "0100000", 1_320, 1_440),
            ("  mon-tue,sun   09:00 - 10:00 ", "1100001", 540, 600),
        ] {
            let window = Window::parse(text).expect(text);
            let read: String = window
                .days
                .map(|open| if open { '1' } else { '0' })
                .iter()
                .collect();
            assert_eq!(
                (&*read, window.from(), window.to()),
                (days, from, to),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in [
            "",
            "mon",
            "09:00-17:00",
            "mon 9:00-17:00",
            "mon 09:00",
            "mon 09:00-09:00",
            "mon 24:00-09:00",
            "mon 09:60-10:00",
            "mon 09:00-24:01",
            "monday 09:00-17:00",
            "mon-fri-sun 09:00-17:00",
            "mon, 09:00-17:00",
            "mon 09:00-17:00 sharp",
            "mon +9:00-17:00",
        ] {
            assert_eq!(Window::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_error_names_the_field_and_the_remedy() {
        let file = |hours: &str| {
            format!(
                "[registries.r]\nmodule = 'a.wasm'\n[registries.r.endpoints.e]\n\
                 base_url = 'https://r.example'\ntraffic.opening_hours = {hours}\n"
            )
        };
        for (hours, field, remedy) in [
            (
                "{ zone = 'Asia/Katmandoo', windows = ['mon 09:00-10:00'] }",
                "opening_hours",
                "no such time zone",
            ),
            (
                "{ zone = 'Asia/Kathmandu', windows = ['mon 9-5'] }",
                "opening_hours",
                "mon-fri 09:00-17:00",
            ),
            (
                "{ zone = 'Asia/Kathmandu', windows = [] }",
                "opening_hours",
                "without one it never opens",
            ),
            ("{ zone = 'Asia/Kathmandu' }", "opening_hours", "windows"),
        ] {
            let error = toml_text::<RegistryFile>(&file(hours)).expect_err(hours);
            assert!(error.starts_with("line 5"), "{error}");
            assert!(error.contains(field) && error.contains(remedy), "{error}");
        }
    }
}

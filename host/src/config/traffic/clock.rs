//! Whether it is open, by the clock of its own place.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, civil::Date};

use super::OpeningHours;

/// Every window opens once in them, whatever the day.
const DAYS_AHEAD: i64 = 8;
/// Where the calendar ends before the next opening.
const NEVER: Duration = Duration::from_secs(86_400);
/// The minutes of a day.
const DAY: u16 = 24 * 60;

impl OpeningHours {
    /// How long it is still closed. None: it is open.
    pub fn closed_for(&self, at: Timestamp) -> Option<Duration> {
        closed_for(self, at)
    }
}

fn closed_for(hours: &OpeningHours, at: Timestamp) -> Option<Duration> {
    let zone = hours.zone.time_zone();
    let today = zone.to_datetime(at).date();
    let mut next: Option<Timestamp> = None;
    // From yesterday: its hours may go on over midnight.
    for offset in -1..=DAYS_AHEAD {
        let Ok(day) = today.checked_add(offset.days()) else {
            continue;
        };
        for window in hours.windows.iter().filter(|it| it.opens_on(day.weekday())) {
            let from = moment(zone, day, window.from());
            let (Some(from), Some(to)) = (from, moment(zone, day, window.to())) else {
                continue;
            };
            if from <= at && at < to {
                return None;
            }
            // Hours that fall into the gap of a clock put forward are none.
            if from > at && from < to {
                next = Some(next.map_or(from, |next| next.min(from)));
            }
        }
    }
    Some(next.map_or(NEVER, |next| at.duration_until(next).unsigned_abs()))
}

/// A time of the wall clock that is skipped is the first after the gap; of one that comes twice it
/// is the first.
fn moment(zone: &TimeZone, day: Date, minutes: u16) -> Option<Timestamp> {
    let day = day.checked_add(i64::from(minutes / DAY).days()).ok()?;
    let hour = i8::try_from(minutes % DAY / 60).ok()?;
    let minute = i8::try_from(minutes % 60).ok()?;
    zone.to_timestamp(day.at(hour, minute, 0, 0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(zone: &str, windows: &[&str]) -> OpeningHours {
        let text = format!("zone = {zone:?}\nwindows = {windows:?}");
        toml::from_str(&text).expect("hours")
    }

    fn check(hours: &OpeningHours, table: &[(&str, Option<i64>)]) {
        for (at, minutes) in table {
            let closed = closed_for(hours, at.parse().expect("a timestamp"));
            let expected =
                minutes.map(|m| Duration::from_secs(u64::try_from(m * 60).expect("positive")));
            assert_eq!(closed, expected, "{at}");
        }
    }

    #[test]
    fn an_office_is_open_by_its_own_clock() {
        // 5:45 ahead of UTC, all year.
        let office = hours(
            "Asia/Kathmandu",
            &["sun-thu 09:00-17:00", "fri 09:00-15:00"],
        );
        check(
            &office,
            &[
                ("2026-03-04T09:00:00+05:45", None),
                ("2026-03-04T03:15:00Z", None),
                ("2026-03-04T03:14:00Z", Some(1)),
                ("2026-03-04T16:59:59+05:45", None),
                ("2026-03-04T17:00:00+05:45", Some(16 * 60)),
                // Friday closes earlier, Saturday is none.
                ("2026-03-06T14:59:00+05:45", None),
                ("2026-03-06T15:00:00+05:45", Some((24 + 18) * 60)),
                ("2026-03-07T12:00:00+05:45", Some(21 * 60)),
            ],
        );
    }

    #[test]
    fn hours_go_on_over_midnight_and_the_weeks_end() {
        let night = hours("UTC", &["sun 22:00-06:00"]);
        check(
            &night,
            &[
                ("2026-03-08T21:59:00Z", Some(1)),
                ("2026-03-08T22:00:00Z", None),
                ("2026-03-09T05:59:00Z", None),
                ("2026-03-09T06:00:00Z", Some((6 * 24 + 16) * 60)),
            ],
        );
        let always = hours("UTC", &["daily 00:00-24:00"]);
        check(
            &always,
            &[
                ("2026-03-08T23:59:59Z", None),
                ("2026-03-09T00:00:00Z", None),
            ],
        );
        let whole_day = hours("UTC", &["mon 00:00-24:00"]);
        check(
            &whole_day,
            &[
                ("2026-03-09T23:59:00Z", None),
                ("2026-03-10T00:00:00Z", Some(6 * 24 * 60)),
            ],
        );
    }

    #[test]
    fn clocks_are_put_forward_and_back() {
        // Forward at 02:00 on 29 March, back at 03:00 on 25 October.
        let office = hours("Europe/Berlin", &["daily 08:00-16:00"]);
        check(
            &office,
            &[
                ("2026-03-28T07:00:00Z", None),
                ("2026-03-29T05:59:00Z", Some(1)),
                ("2026-03-29T06:00:00Z", None),
                ("2026-10-25T06:59:00Z", Some(1)),
                ("2026-10-25T07:00:00Z", None),
                ("2026-10-25T15:00:00Z", Some(16 * 60)),
            ],
        );
        let skipped = hours("Europe/Berlin", &["sun 02:00-03:00"]);
        check(
            &skipped,
            &[
                ("2026-03-29T00:30:00Z", Some((7 * 24 - 1) * 60 + 30)),
                ("2026-03-29T01:00:00Z", Some((7 * 24 - 1) * 60)),
            ],
        );
        // An hour that comes twice is open once and again.
        let twice = hours("Europe/Berlin", &["sun 02:00-03:00"]);
        check(
            &twice,
            &[
                ("2026-10-25T00:00:00Z", None),
                ("2026-10-25T01:30:00Z", None),
                ("2026-10-25T02:00:00Z", Some(7 * 24 * 60 - 60)),
            ],
        );
    }

    #[test]
    fn the_nearest_of_several_openings_counts() {
        let two = hours("UTC", &["mon,wed 14:00-16:00", "mon-wed 09:00-12:00"]);
        check(
            &two,
            &[
                ("2026-03-09T13:00:00Z", Some(60)),
                ("2026-03-09T17:00:00Z", Some(16 * 60)),
                ("2026-03-10T13:00:00Z", Some(20 * 60)),
                ("2026-03-11T16:00:00Z", Some((4 * 24 + 17) * 60)),
            ],
        );
    }
}

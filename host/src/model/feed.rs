//! An event as callers are told of it, in the feed and by webhooks.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Event;

/// The form of a cursor: callers keep it, and do not look into it.
const CURSOR: &str = "e1-";

/// One event, and where it comes from.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeedEntry {
    /// Where to go on behind it.
    pub cursor: String,
    /// Which registry told it.
    pub registry: String,
    /// The digest of the module that read it.
    pub module: String,
    /// When it was stored here.
    #[schema(value_type = String, format = DateTime)]
    pub stored_at: Timestamp,
    /// What happened. Its `id` is the registry's own, unique there.
    pub event: Event,
}

/// The cursor of a position.
pub fn cursor_of(position: i64) -> String {
    format!("{CURSOR}{position:x}")
}

/// The position of a cursor. None: it is none.
pub fn position_of(cursor: &str) -> Option<i64> {
    let number = cursor.strip_prefix(CURSOR)?;
    let digits = number.bytes().all(|byte| byte.is_ascii_hexdigit());
    i64::from_str_radix(number, 16).ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for at in [0, 1, 255, i64::MAX] {
            assert_eq!(position_of(&cursor_of(at)), Some(at));
        }
        for bad in [
            "",
            "e1-",
            "e1--1",
            "e1-+1",
            "e2-1",
            "7",
            "e1-8000000000000000",
        ] {
            assert_eq!(position_of(bad), None, "{bad}");
        }
    }
}

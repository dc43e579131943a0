//! Keeps people out of an adapter's log lines. Nobody can tell a name from a word by its looks,
//! but the gateway knows what the call was asked with and what the registry answered: every word
//! that stands in one of those values is masked, and so is every longer number.
//!
//! A guest that means to smuggle a name out in another spelling can: the log is for the mapping's
//! developer, and `log_lines = 0` turns it off for a module that nobody trusts.

use std::collections::HashSet;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// What a masked word is written as.
const MASKED: &str = "***";
/// Words of one letter say nothing, and hide too much of a line.
const SHORTEST: usize = 2;
/// A number with so many digits may be somebody's.
const LONG_NUMBER: usize = 4;

pub(super) struct Mask {
    words: HashSet<String>,
}

impl Mask {
    pub(super) fn of<'a>(seen: impl IntoIterator<Item = &'a Bytes>) -> Self {
        let mut words = HashSet::new();
        for bytes in seen {
            match serde_json::from_slice::<Value>(bytes) {
                Ok(value) => collect(&value, &mut words),
                Err(_) => {
                    let text = String::from_utf8_lossy(bytes);
                    add(&text, &mut words);
                    // Forms and paths: `family=M%C3%BCller`.
                    if text.contains('%') {
                        add(&percent_decode_str(&text).decode_utf8_lossy(), &mut words);
                    }
                }
            }
        }
        Self { words }
    }

    pub(super) fn apply(&self, line: &str) -> String {
        let mut masked = String::with_capacity(line.len());
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let inside = is_word(first);
            let end = rest.find(|c| is_word(c) != inside).unwrap_or(rest.len());
            let (piece, after) = rest.split_at(end);
            rest = after;
            if inside && self.hides(piece) {
                masked.push_str(MASKED);
            } else {
                // A line stays one line: no second record can be forged in a text log.
                masked.extend(piece.chars().map(|c| if c.is_control() { ' ' } else { c }));
            }
        }
        masked
    }

    fn hides(&self, word: &str) -> bool {
        word.chars().filter(char::is_ascii_digit).count() >= LONG_NUMBER
            || self.words.contains(&word.to_lowercase())
    }
}

/// A value in the form that [`Mask::of`] reads.
pub(super) fn words_of(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

/// Values, not keys: a mapping's own words (`birth_date`) stay readable.
fn collect(value: &Value, words: &mut HashSet<String>) {
    match value {
        Value::String(text) => add(text, words),
        Value::Number(number) => add(&number.to_string(), words),
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        Value::Object(fields) => fields.values().for_each(|item| collect(item, words)),
        Value::Null | Value::Bool(_) => {}
    }
}

fn add(text: &str, words: &mut HashSet<String>) {
    words.extend(
        text.split(|c| !is_word(c))
            .filter(|word| word.chars().count() >= SHORTEST)
            .map(str::to_lowercase),
    );
}

/// Letters, digits, and the marks that belong to letters in Devanagari and other scripts.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_ascii() && !c.is_whitespace() && !c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(seen: &str) -> Mask {
        Mask::of([&Bytes::copy_from_slice(seen.as_bytes())])
    }

    #[test]
    fn hides_values_and_long_numbers_and_keeps_the_rest() {
        let mask = mask(r#"{"name":{"surname":"Zwimbatosk","given_name":"सीता"},"age":42}"#);
        assert_eq!(
            mask.apply("no surname 'ZWIMBATOSK' for सीता, 42, number 19871, line 7"),
            "no surname '***' for ***, ***, number ***, line 7"
        );
    }

    #[test]
    fn hides_words_of_what_is_not_json() {
        assert_eq!(
            mask("<b>Zwimbatosk</b>").apply("unexpected: Zwimbatosk"),
            "unexpected: ***"
        );
    }

    #[test]
    fn hides_words_of_forms_and_paths() {
        let mask = mask("/people/Zwim%20Batosk?family=M%C3%BCller");
        assert_eq!(mask.apply("Zwim Batosk, müller"), "*** ***, ***");
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(mask("{}").apply("a\nb\u{1b}[2J"), "a b [2J");
    }
}

//! Keeps people out of an adapter's log lines. Nobody can tell a name from a word by its looks,
//! but the gateway knows what the call was asked with and what the registry answered: every word
//! that stands in one of those values is masked, and so is every longer number.
//!
//! A guest that means to smuggle a name out in another spelling can: the log is for the mapping's
//! developer, and `log_lines = 0` turns it off for a module that nobody trusts.

use std::collections::HashSet;
use std::fmt;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// What a masked word is written as.
const MASKED: &str = "***";
/// Words of one letter say nothing, and hide too much of a line.
const SHORTEST: usize = 2;
/// A number with so many digits may be somebody's.
const LONG_NUMBER: usize = 4;

/// The words of some log lines that also stand in what was seen. Registries answer a thousand
/// times more than a guest logs: the lines' words are collected, and what was seen is only read.
pub(super) struct Mask {
    hidden: HashSet<String>,
}

impl Mask {
    /// For these lines alone: other lines have other words.
    pub(super) fn of<'a>(
        lines: impl IntoIterator<Item = &'a str>,
        seen: impl IntoIterator<Item = &'a Bytes>,
    ) -> Self {
        let mut search = Search::default();
        for word in lines.into_iter().flat_map(words) {
            fold(word, &mut search.folded);
            if !search.wanted.contains(&search.folded) {
                search.wanted.insert(search.folded.clone());
            }
        }
        for bytes in seen {
            if search.wanted.is_empty() {
                break;
            }
            search.read(bytes);
        }
        Self {
            hidden: search.found,
        }
    }

    pub(super) fn apply(&self, line: &str) -> String {
        let mut masked = String::with_capacity(line.len());
        let mut folded = String::new();
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let inside = is_word(first);
            let end = rest.find(|c| is_word(c) != inside).unwrap_or(rest.len());
            let (piece, after) = rest.split_at(end);
            rest = after;
            if inside && self.hides(piece, &mut folded) {
                masked.push_str(MASKED);
            } else {
                // A line stays one line: no second record can be forged in a text log.
                masked.extend(piece.chars().map(|c| if c.is_control() { ' ' } else { c }));
            }
        }
        masked
    }

    fn hides(&self, word: &str, folded: &mut String) -> bool {
        fold(word, folded);
        word.chars().filter(char::is_ascii_digit).count() >= LONG_NUMBER
            || self.hidden.contains(folded)
    }
}

/// Looks for some words in what was seen. A word that is found is not looked for again.
#[derive(Default)]
struct Search {
    wanted: HashSet<String>,
    found: HashSet<String>,
    folded: String,
}

impl Search {
    fn read(&mut self, bytes: &[u8]) {
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let read = Values(self).deserialize(&mut json);
        if read.is_ok() && json.end().is_ok() {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        self.text(&text);
        // Forms and paths: `family=M%C3%BCller`.
        if text.contains('%') {
            self.text(&percent_decode_str(&text).decode_utf8_lossy());
        }
    }

    fn text(&mut self, text: &str) {
        for word in words(text) {
            fold(word, &mut self.folded);
            if let Some(word) = self.wanted.take(&self.folded) {
                self.found.insert(word);
            }
        }
    }
}

/// Reads JSON without keeping any of it. Values, not keys: a mapping's own words (`birth_date`)
/// stay readable.
struct Values<'a>(&'a mut Search);

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.text(text);
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.0.text(&number.to_string());
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.0.text(&number.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.0.text(&number.to_string());
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Values(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while fields.next_key::<IgnoredAny>()?.is_some() {
            fields.next_value_seed(Values(self.0))?;
        }
        Ok(())
    }
}

/// A value in the form that [`Mask::of`] reads.
pub(super) fn words_of(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

/// Whether one of the text's words also stands in what was seen.
pub(super) fn shares_a_word(text: &str, seen: &Bytes) -> bool {
    !Mask::of([text], [seen]).hidden.is_empty()
}

/// Leaves out a word that was cut: a part of a name is not in the list of names.
pub(super) fn without_cut_word(text: &str) -> &str {
    let mut left = text.trim_end_matches(is_word);
    // An escaped letter may have been cut in its middle: `Zwim\u{94`.
    while let Some(before) = left.strip_suffix("\\u{").or(left.strip_suffix('\\')) {
        left = before.trim_end_matches(is_word);
    }
    left
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word(c))
        .filter(|word| word.chars().nth(SHORTEST - 1).is_some())
}

/// Writes the word in lower case into a buffer that is used again: millions are looked at.
fn fold(word: &str, folded: &mut String) {
    folded.clear();
    folded.extend(word.chars().flat_map(char::to_lowercase));
}

/// Letters, digits, and the marks that belong to letters in Devanagari and other scripts.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_ascii() && !c.is_whitespace() && !c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(seen: &str, line: &str) -> String {
        Mask::of([line], [&Bytes::copy_from_slice(seen.as_bytes())]).apply(line)
    }

    #[test]
    fn hides_values_and_long_numbers_and_keeps_the_rest() {
        assert_eq!(
            masked(
                r#"{"name":{"surname":"Zwimbatosk","given_name":"सीता"},"age":[42,-17,2.75]}"#,
                "no surname 'ZWIMBATOSK' for सीता, 42, 17, 2.75, number 19871, line 73"
            ),
            "no surname '***' for ***, ***, ***, 2.***, number ***, line 73"
        );
    }

    #[test]
    fn hides_words_of_what_is_not_json() {
        for seen in [
            "<b>Zwimbatosk</b>",
            r#"{"a":1} Zwimbatosk"#,
            r#"{"a":"Zwimbatosk"#,
        ] {
            assert_eq!(masked(seen, "got: Zwimbatosk"), "got: ***", "{seen}");
        }
    }

    #[test]
    fn hides_words_of_forms_and_paths() {
        let seen = "/people/Zwim%20Batosk?family=M%C3%BCller";
        assert_eq!(masked(seen, "Zwim Batosk, müller"), "*** ***, ***");
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(masked("{}", "a\nb\u{1b}[2J"), "a b [2J");
    }

    #[test]
    fn a_cut_leaves_no_part_of_a_word() {
        for (cut, left) in [
            ("cannot map Zwimba", "cannot map "),
            ("cannot map ", "cannot map "),
            ("cannot map M\\u00fcl", "cannot map "),
            ("cannot map M\\u00", "cannot map "),
            ("cannot map M\\u{fc", "cannot map "),
            ("cannot map सी\u{fffd}", "cannot map "),
            ("Zwimbatosk", ""),
        ] {
            assert_eq!(without_cut_word(cut), left, "{cut}");
        }
    }
}

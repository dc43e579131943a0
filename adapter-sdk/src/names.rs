//! Names of people: put together, taken apart, compared.

mod fold;

pub use fold::fold;

use crate::model::{Agreement, HumanName};

/// In which order a full name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `Sudarat Phumchai`
    GivenFirst,
    /// `Nguyễn Văn An`
    FamilyFirst,
}

impl HumanName {
    /// A name of family and given names; blank ones are left out.
    pub fn of<'a>(family: &str, given: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            family: filled(family),
            given: given.into_iter().filter_map(filled).collect(),
            ..Self::default()
        }
    }

    /// A name of which only the whole is known.
    pub fn text(text: &str) -> Self {
        Self {
            text: filled(text),
            ..Self::default()
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.text.is_none() && self.family.is_none() && self.given.is_empty()
    }
}

/// The whole name: its text, or else prefix, given, family, suffix. None where all are missing.
pub fn full(name: &HumanName) -> Option<String> {
    if let Some(text) = name.text.as_deref().and_then(filled) {
        return Some(text);
    }
    let parts = [&name.prefix, &name.given].into_iter().flatten();
    let parts = parts.chain(&name.family).chain(&name.suffix);
    let parts: Vec<&str> = parts
        .map(String::as_str)
        .filter(|part| !part.trim().is_empty())
        .collect();
    filled(&parts.join(" "))
}

/// Takes a full name apart where the country's custom allows it: one word is the family name. A
/// single word stays text. Where custom is mixed, keep [`HumanName::text`] and split nothing.
pub fn split(text: &str, order: Order) -> HumanName {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let mut name = HumanName::text(text);
    if words.len() > 1 {
        let family = match order {
            Order::GivenFirst => words.pop(),
            Order::FamilyFirst => Some(words.remove(0)),
        };
        name.family = family.map(str::to_owned);
        name.given = words.into_iter().map(str::to_owned).collect();
    }
    name
}

/// Compares one part of a name: equal but for case and spaces is `match`; equal but for
/// diacritics, hyphens, apostrophes or the order of words is `close`.
pub fn compare(claimed: &str, known: &str) -> Agreement {
    if plain(known).is_empty() {
        return Agreement::Missing;
    }
    if plain(claimed) == plain(known) {
        return Agreement::Match;
    }
    let (claimed, known) = (fold(claimed), fold(known));
    let sorted = |text: &str| {
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    let joined = |text: &str| text.replace(' ', "");
    // A script that the fold empties says nothing: two such names are not alike.
    let alike = sorted(&claimed) == sorted(&known) || joined(&claimed) == joined(&known);
    if alike && !claimed.is_empty() {
        Agreement::Close
    } else {
        Agreement::Mismatch
    }
}

/// Text without blanks around it; none where nothing is left.
pub fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn plain(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_names_together() {
        let mut name = HumanName::of("Phumchai", ["Sudarat", " "]);
        name.prefix.push("Dr.".into());
        assert_eq!(full(&name).as_deref(), Some("Dr. Sudarat Phumchai"));
        assert_eq!(
            full(&HumanName::text("Madonna")).as_deref(),
            Some("Madonna")
        );
        assert_eq!(full(&HumanName::default()), None);
    }

    #[test]
    fn takes_names_apart() {
        let name = split("Ana Maria Lima", Order::GivenFirst);
        assert_eq!(
            (name.family.as_deref(), name.given.len()),
            (Some("Lima"), 2)
        );
        let name = split("Nguyễn Văn An", Order::FamilyFirst);
        assert_eq!(name.family.as_deref(), Some("Nguyễn"));
        let name = split("Madonna", Order::GivenFirst);
        assert_eq!((name.text.as_deref(), name.family), (Some("Madonna"), None));
    }

    #[test]
    fn compares_names() {
        for (claimed, known, expected) in [
            ("phumchai", " PHUMCHAI ", Agreement::Match),
            ("Jose", "José", Agreement::Close),
            ("Ana-Maria", "Maria Ana", Agreement::Close),
            ("OConnor", "O'Connor", Agreement::Close),
            ("Nguyen", "Nguyễn", Agreement::Close),
            ("Nguyen", "Nguye\u{302}\u{303}n", Agreement::Close),
            ("Lima", "Lemos", Agreement::Mismatch),
            ("Lima", " ", Agreement::Missing),
            ("सीता", "सीता", Agreement::Match),
            ("सीता", "गीता", Agreement::Mismatch),
        ] {
            assert_eq!(compare(claimed, known), expected, "{claimed} {known}");
        }
    }
}

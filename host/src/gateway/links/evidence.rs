//! Whether a number is somebody's: what the caller holds of them beside what the registry has.
//!
//! An adapter with `verify` compares by the registry's own rules. Of one that only finds, the gateway
//! compares by these: dates are equal, or one of them tells less and does not contradict; names are
//! equal but for case and spaces, or alike but for diacritics, hyphens and apostrophes.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;

use crate::config::registry::Evidence;
use crate::model::{
    Agreement, AttributeResult, HumanName, Identifier, PartialDate, Person, Sex, Verification,
};

/// Why what a caller holds is not enough, of one thing that could be evidence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shortfall {
    /// The caller did not say it.
    NotGiven,
    /// The registry has none to compare with.
    Missing,
    /// The registry's is like it, and not the same.
    Close,
    /// The registry has another.
    Mismatch,
}

/// How each agrees, by its path in the model.
pub(super) type Agreements = BTreeMap<String, Agreement>;

/// What of the claims can be evidence here: nothing else is asked about.
pub(super) fn reduced(claimed: &Person, lists: &[Vec<Evidence>]) -> Person {
    let wanted = |evidence| lists.iter().flatten().any(|one| *one == evidence);
    let name = claimed.names.first().map(|name| HumanName {
        family: name.family.clone().filter(|_| wanted(Evidence::FamilyName)),
        given: match wanted(Evidence::GivenName) {
            true => name.given.clone(),
            false => Vec::new(),
        },
        ..HumanName::default()
    });
    let name = name.filter(|name| *name != HumanName::default());
    Person {
        names: name.into_iter().collect(),
        birth_date: claimed
            .birth_date
            .clone()
            .filter(|_| wanted(Evidence::BirthDate)),
        sex: claimed
            .sex
            .filter(|sex| *sex != Sex::Unknown && wanted(Evidence::Sex)),
        ..Person::default()
    }
}

/// Whether the caller says it.
pub(super) fn is_given(claimed: &Person, evidence: Evidence) -> bool {
    let name = claimed.names.first();
    match evidence {
        Evidence::BirthDate => claimed.birth_date.is_some(),
        Evidence::FamilyName => name.is_some_and(|name| name.family.is_some()),
        Evidence::GivenName => name.is_some_and(|name| !name.given.is_empty()),
        Evidence::Sex => claimed.sex.is_some(),
    }
}

/// What was claimed beside the record that was found. `others` are further numbers of the same record.
pub(super) fn compare(claimed: &Person, others: &[Identifier], found: &Person) -> Verification {
    let mut attributes = Vec::new();
    let mut note = |field: String, agreement| attributes.push(AttributeResult { field, agreement });
    if let Some(date) = &claimed.birth_date {
        let known = found.birth_date.as_ref();
        let agreement = known.map_or(Agreement::Missing, |known| dates(date, known));
        note(Evidence::BirthDate.path().into(), agreement);
    }
    if let Some(sex) = &claimed.sex {
        let known = found.sex.filter(|sex| *sex != Sex::Unknown);
        let agreement = match &known {
            None => Agreement::Missing,
            Some(known) if known == sex => Agreement::Match,
            Some(_) => Agreement::Mismatch,
        };
        note(Evidence::Sex.path().into(), agreement);
    }
    if let Some(name) = claimed.names.first() {
        if let Some(family) = &name.family {
            let known = found.names.iter().filter_map(|name| name.family.clone());
            note(Evidence::FamilyName.path().into(), names(family, known));
        }
        if !name.given.is_empty() {
            let known = found.names.iter().map(|name| name.given.join(" "));
            let given = name.given.join(" ");
            note(Evidence::GivenName.path().into(), names(&given, known));
        }
    }
    for other in others {
        let mut same = found.identifiers.iter();
        let is = |it: &Identifier| it.scheme == other.scheme && it.value == other.value;
        let agreement = match same.any(is) {
            true => Agreement::Match,
            false => Agreement::Mismatch,
        };
        note(format!("identifier.{}", other.scheme), agreement);
    }
    Verification {
        // Nobody reads it: each is told.
        overall: Agreement::Missing,
        attributes,
        token: None,
        extra: Vec::new(),
    }
}

/// How each that was claimed agrees. A registry that tells only of all together tells so of each.
pub(super) fn agreements(
    claimed: &Person,
    others: &[Identifier],
    told: &Verification,
) -> Agreements {
    let of = |path: &str| {
        let mut all = told.attributes.iter().filter(|it| it.field == path);
        match told.attributes.is_empty() {
            true => told.overall,
            // Of two of one name the worse.
            false => all
                .by_ref()
                .map(|it| it.agreement)
                .max()
                .unwrap_or(Agreement::Missing),
        }
    };
    let all = [
        Evidence::BirthDate,
        Evidence::FamilyName,
        Evidence::GivenName,
        Evidence::Sex,
    ];
    let given = all.into_iter().filter(|it| is_given(claimed, *it));
    let mut agreements: Agreements = given
        .map(|evidence| (evidence.path().to_owned(), of(evidence.path())))
        .collect();
    for other in others {
        let path = format!("identifier.{}", other.scheme);
        let agreement = of(&path);
        agreements.insert(path, agreement);
    }
    agreements
}

/// What is missing. Empty: one of the lists agrees as a whole.
pub(super) fn shortfalls(
    lists: &[Vec<Evidence>],
    claimed: &Person,
    agreements: Option<&Agreements>,
) -> Vec<(Evidence, Shortfall)> {
    let short = |evidence: Evidence| {
        if !is_given(claimed, evidence) {
            return Some(Shortfall::NotGiven);
        }
        // Not asked yet: it may agree.
        let agreement = agreements?.get(evidence.path());
        match agreement.unwrap_or(&Agreement::Missing) {
            Agreement::Match => None,
            Agreement::Close => match evidence {
                Evidence::FamilyName | Evidence::GivenName => None,
                Evidence::BirthDate | Evidence::Sex => Some(Shortfall::Close),
            },
            Agreement::Missing => Some(Shortfall::Missing),
            Agreement::Mismatch => Some(Shortfall::Mismatch),
        }
    };
    let agrees = |list: &Vec<Evidence>| list.iter().all(|one| short(*one).is_none());
    if lists.iter().any(agrees) {
        return Vec::new();
    }
    let all: std::collections::BTreeSet<Evidence> = lists.iter().flatten().copied().collect();
    let all = all.into_iter();
    all.filter_map(|one| Some((one, short(one)?))).collect()
}

/// Equal as far as both know is `close`.
fn dates(claimed: &PartialDate, known: &PartialDate) -> Agreement {
    let ((year, month, day), (known_year, known_month, known_day)) =
        (claimed.parts(), known.parts());
    let alike = |one: Option<_>, other: Option<_>| one.is_none() || other.is_none() || one == other;
    if year != known_year || !alike(month, known_month) || !alike(day, known_day) {
        return Agreement::Mismatch;
    }
    match month == known_month && day == known_day && !claimed.estimated && !known.estimated {
        true => Agreement::Match,
        false => Agreement::Close,
    }
}

/// With whichever of the registry's names agrees best.
fn names(claimed: &str, known: impl Iterator<Item = String>) -> Agreement {
    let each = known.filter(|known| !plain(known).is_empty()).map(|known| {
        let folded = fold(claimed);
        if plain(claimed) == plain(&known) {
            Agreement::Match
        } else if folded == fold(&known) && !folded.is_empty() {
            Agreement::Close
        } else {
            Agreement::Mismatch
        }
    });
    each.min().unwrap_or(Agreement::Missing)
}

fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").nfc().collect::<String>().to_lowercase()
}

/// Without diacritics, spaces and the marks that names are joined by. Vowel signs of other scripts stay.
fn fold(text: &str) -> String {
    let is_mark = |c: char| {
        matches!(c, '\u{300}'..='\u{36f}' | '’' | 'ʼ' | '‐' | '‑' | '–')
            || c.is_ascii_punctuation()
            || c.is_whitespace()
    };
    let kept: String = text.nfd().filter(|c| !is_mark(*c)).collect();
    kept.to_lowercase()
}

#[cfg(test)]
mod tests;

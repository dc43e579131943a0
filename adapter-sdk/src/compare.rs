//! Verification by an adapter whose registry only finds: the claimed person beside the found one,
//! field by field. Say in the adapter's README that it compares by these rules.

use crate::dates;
use crate::model::{
    Agreement, AttributeResult, Contact, ContactSystem, HumanName, Identifier, Person, Sex,
    Verification,
};
use crate::names;

/// Compares every filled field of `claimed` that a claim can be about: identifiers, the first
/// name, sex, birth and death dates, marital status, phone and e-mail. Addresses and photos are
/// not compared.
///
/// Names agree by [`names::compare`] with whichever of the registry's names agrees best, dates by
/// [`dates::compare`], contacts and identifiers by their letters and digits.
pub fn person(claimed: &Person, known: &Person) -> Verification {
    let mut attributes = Vec::new();
    let mut note = |field: String, agreement| attributes.push(AttributeResult { field, agreement });

    for identifier in &claimed.identifiers {
        note(
            format!("identifier.{}", identifier.scheme),
            compare_identifier(identifier, &known.identifiers),
        );
    }
    if let Some(name) = claimed.names.first() {
        for (field, agreement) in compare_name(name, &known.names) {
            note(field.to_owned(), agreement);
        }
    }
    if let Some(sex) = claimed.sex.filter(|sex| *sex != Sex::Unknown) {
        let known = known.sex.filter(|sex| *sex != Sex::Unknown);
        note("sex".to_owned(), equal(&sex, known.as_ref()));
    }
    for (field, claimed, known) in [
        ("birth-date", &claimed.birth_date, &known.birth_date),
        ("death-date", &claimed.death_date, &known.death_date),
    ] {
        if let Some(claimed) = claimed {
            let agreement = match known {
                Some(known) => dates::compare(claimed, known),
                None => Agreement::Missing,
            };
            note(field.to_owned(), agreement);
        }
    }
    if let Some(status) = &claimed.marital_status {
        note(
            "marital-status".to_owned(),
            equal(status, known.marital_status.as_ref()),
        );
    }
    for contact in &claimed.contacts {
        note(
            contact_field(contact),
            compare_contact(contact, &known.contacts),
        );
    }

    Verification {
        overall: overall(&attributes),
        attributes,
        token: None,
        extra: Vec::new(),
    }
}

/// The worst of them, in the order mismatch, missing, close, match: what could not be compared
/// is not taken for the same. Nothing to compare is `missing`.
pub fn overall(attributes: &[AttributeResult]) -> Agreement {
    let worst = attributes
        .iter()
        .map(|attribute| attribute.agreement)
        .max_by_key(badness);
    worst.unwrap_or(Agreement::Missing)
}

fn badness(agreement: &Agreement) -> u8 {
    match agreement {
        Agreement::Match => 0,
        Agreement::Close => 1,
        Agreement::Missing => 2,
        Agreement::Mismatch => 3,
    }
}

fn equal<T: PartialEq>(claimed: &T, known: Option<&T>) -> Agreement {
    match known {
        None => Agreement::Missing,
        Some(known) if known == claimed => Agreement::Match,
        Some(_) => Agreement::Mismatch,
    }
}

fn compare_identifier(claimed: &Identifier, known: &[Identifier]) -> Agreement {
    let same_scheme = known
        .iter()
        .filter(|identifier| identifier.scheme == claimed.scheme);
    best(same_scheme.map(|identifier| letters_and_digits(&claimed.value, &identifier.value)))
}

fn compare_contact(claimed: &Contact, known: &[Contact]) -> Agreement {
    let same_system = known
        .iter()
        .filter(|contact| contact.system == claimed.system);
    best(same_system.map(|contact| letters_and_digits(&claimed.value, &contact.value)))
}

fn contact_field(contact: &Contact) -> String {
    match &contact.system {
        ContactSystem::Phone => "contact.phone".to_owned(),
        ContactSystem::Email => "contact.email".to_owned(),
        ContactSystem::Other(system) => format!("contact.{system}"),
    }
}

/// Equal is `match`; equal but for case, spaces and punctuation is `close`.
fn letters_and_digits(claimed: &str, known: &str) -> Agreement {
    let core = |text: &str| -> String {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    if claimed == known {
        Agreement::Match
    } else if core(claimed) == core(known) {
        Agreement::Close
    } else {
        Agreement::Mismatch
    }
}

/// Against the registry's name that agrees best as a whole.
fn compare_name(claimed: &HumanName, known: &[HumanName]) -> Vec<(&'static str, Agreement)> {
    let each = known.iter().map(|known| name_parts(claimed, known));
    let best = each.min_by_key(|parts| {
        parts
            .iter()
            .map(|(_, agreement)| u32::from(badness(agreement)))
            .sum::<u32>()
    });
    best.unwrap_or_else(|| name_parts(claimed, &HumanName::default()))
}

fn name_parts(claimed: &HumanName, known: &HumanName) -> Vec<(&'static str, Agreement)> {
    let mut parts = Vec::new();
    if let Some(family) = &claimed.family {
        parts.push(("name.family", part(family, known.family.as_deref())));
    }
    if !claimed.given.is_empty() {
        let known = known.given.join(" ");
        parts.push(("name.given", given(&claimed.given.join(" "), &known)));
    }
    if let Some(text) = &claimed.text {
        parts.push(("name.text", part(text, names::full(known).as_deref())));
    }
    parts
}

fn part(claimed: &str, known: Option<&str>) -> Agreement {
    known.map_or(Agreement::Missing, |known| names::compare(claimed, known))
}

/// Middle names are often left out: the first alone is `close` to all of them.
fn given(claimed: &str, known: &str) -> Agreement {
    let agreement = names::compare(claimed, known);
    let first = |text: &str| names::fold(text).split(' ').next().map(str::to_owned);
    let one_is_short = !claimed.contains(' ') || !known.contains(' ');
    if agreement == Agreement::Mismatch && one_is_short && first(claimed) == first(known) {
        return Agreement::Close;
    }
    agreement
}

fn best(agreements: impl Iterator<Item = Agreement>) -> Agreement {
    agreements.min_by_key(badness).unwrap_or(Agreement::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Person {
        Person {
            identifiers: vec![Identifier::new("national-id", "12-34")],
            names: vec![
                HumanName::of("Old", ["Ana"]),
                HumanName::of("Lima", ["Ana", "Maria"]),
            ],
            sex: Some(Sex::Female),
            birth_date: dates::parse("1985-05-20"),
            contacts: vec![Contact::phone("+1 55 12")],
            ..Person::default()
        }
    }

    fn results(claimed: &Person) -> Vec<(String, Agreement)> {
        let verification = person(claimed, &known());
        verification
            .attributes
            .into_iter()
            .map(|a| (a.field, a.agreement))
            .collect()
    }

    #[test]
    fn everything_as_known_is_a_match() {
        let claimed = Person {
            names: vec![known().names.remove(1)],
            ..known()
        };
        assert_eq!(person(&claimed, &known()).overall, Agreement::Match);
    }

    #[test]
    fn only_filled_fields_are_checked() {
        let claimed = Person {
            identifiers: vec![Identifier::new("national-id", "1234")],
            names: vec![HumanName::of("LIMA", ["ana"])],
            birth_date: dates::parse("1985-05"),
            death_date: dates::parse("2020"),
            contacts: vec![Contact::phone("+1 55 13"), Contact::email("a@b.example")],
            ..Person::default()
        };
        assert_eq!(
            results(&claimed),
            [
                ("identifier.national-id".to_owned(), Agreement::Close),
                ("name.family".to_owned(), Agreement::Match),
                ("name.given".to_owned(), Agreement::Close),
                ("birth-date".to_owned(), Agreement::Close),
                ("death-date".to_owned(), Agreement::Missing),
                ("contact.phone".to_owned(), Agreement::Mismatch),
                ("contact.email".to_owned(), Agreement::Missing),
            ]
        );
        assert_eq!(person(&claimed, &known()).overall, Agreement::Mismatch);
    }

    #[test]
    fn nothing_claimed_is_nothing_confirmed() {
        assert_eq!(
            person(&Person::default(), &known()).overall,
            Agreement::Missing
        );
    }

    #[test]
    fn what_is_missing_keeps_the_whole_from_agreeing() {
        let claimed = Person {
            sex: Some(Sex::Female),
            death_date: dates::parse("2020"),
            ..Person::default()
        };
        assert_eq!(person(&claimed, &known()).overall, Agreement::Missing);
    }
}

//! Whose data an answer tells: gathered while the policy takes out what the caller may not see.

use std::collections::BTreeSet;

use super::policy::Visible;
use crate::gateway::GatewayError;
use crate::gateway::audit::fingerprint::Fingerprint;
use crate::model::{Criterion, Household, Identifier, Person, Test};
use crate::sandbox::{Fault, Limit};
use crate::store::KeyedHash;

/// The most people that one audit row names: the store's own limit.
pub(in crate::gateway) const MAX_HASHES: usize = 4_096;

/// Schemes and values, each pair once.
#[derive(Default)]
pub(in crate::gateway) struct Disclosed {
    people: BTreeSet<(String, String)>,
}

impl Disclosed {
    /// Takes out of a person what the caller may not see. Told of is the person, whatever of them
    /// is left, and of others whom the record names those that are left in it.
    pub(in crate::gateway) fn person(&mut self, visible: &Visible, person: &mut Person) {
        self.add(&person.identifiers);
        visible.person(person);
        self.add(&person.replaced_by);
        for related in &person.related {
            self.add(&related.identifiers);
        }
    }

    /// The same of a household and its people.
    pub(in crate::gateway) fn household(&mut self, visible: &Visible, household: &mut Household) {
        self.add(&household.identifiers);
        for person in &mut household.people {
            self.person(visible, person);
        }
        visible.household(household);
    }

    /// Adds the people whom a search names by identifier.
    pub(in crate::gateway) fn criteria(&mut self, criteria: &[Criterion]) {
        for Criterion { field, test } in criteria {
            let Some(scheme) = field.strip_prefix("identifier.") else {
                continue;
            };
            let values = match test {
                Test::Equals(value) => std::slice::from_ref(value),
                Test::AnyOf(values) => values,
                // Many people, or nobody in particular.
                Test::StartsWith(_) | Test::Fuzzy(_) | Test::Range(_) => continue,
            };
            let named = values.iter().map(|value| (scheme.into(), value.clone()));
            self.people.extend(named);
        }
    }

    pub(in crate::gateway) fn add(&mut self, identifiers: &[Identifier]) {
        let pairs = identifiers.iter();
        let pairs = pairs.map(|it| (it.scheme.clone(), it.value.clone()));
        self.people.extend(pairs);
    }

    /// For the audit row.
    ///
    /// # Errors
    /// More than a row holds: what cannot be audited is not told, and the adapter was to bound it.
    pub(in crate::gateway) fn hashes(
        self,
        fingerprint: &Fingerprint,
    ) -> Result<Vec<KeyedHash>, GatewayError> {
        if self.people.len() > MAX_HASHES {
            return Err(GatewayError::Fault(Fault::OverLimit(Limit::Answer)));
        }
        Ok(self.all_hashes(fingerprint))
    }

    /// All of them, for whoever spreads them over as many rows as they take.
    pub(in crate::gateway) fn all_hashes(self, fingerprint: &Fingerprint) -> Vec<KeyedHash> {
        let people = self.people.iter();
        people
            .map(|(scheme, value)| fingerprint.of(scheme, value))
            .collect()
    }

    /// Whether one row names them all, and those of another too.
    pub(in crate::gateway) fn fits_with(&self, other: &Self) -> bool {
        // Most name few: only near the limit it is counted who is in both.
        self.people.len() + other.people.len() <= MAX_HASHES
            || self.people.union(&other.people).count() <= MAX_HASHES
    }

    /// Those of another too.
    pub(in crate::gateway) fn join(&mut self, other: Self) {
        self.people.extend(other.people);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::registry::PolicyConfig;
    use crate::model::{RelatedPerson, RelationRole};

    fn identifier(value: impl Into<String>) -> Identifier {
        Identifier {
            scheme: "national-id".into(),
            value: value.into(),
            normalisation: None,
            extra: Vec::new(),
        }
    }

    fn key() -> (tempfile::TempDir, Fingerprint) {
        let directory = tempfile::tempdir().unwrap();
        let key = Fingerprint::make(&directory.path().join("audit.key")).unwrap();
        (directory, key)
    }

    fn person() -> Person {
        Person {
            identifiers: vec![identifier("1"), identifier("1")],
            replaced_by: vec![identifier("2")],
            related: vec![RelatedPerson {
                role: RelationRole::Mother,
                identifiers: vec![identifier("3")],
                names: Vec::new(),
                sex: None,
                birth_date: None,
                status: None,
                extra: Vec::new(),
            }],
            ..Person::default()
        }
    }

    fn values(disclosed: &Disclosed) -> Vec<&str> {
        let people = disclosed.people.iter();
        people.map(|(_, value)| value.as_str()).collect()
    }

    #[test]
    fn the_person_always_and_others_only_where_they_are_told_of() {
        let policy = PolicyConfig::default();
        for (wanted, told) in [
            (&[][..], vec!["1", "2", "3"]),
            (&["sex".to_owned()][..], vec!["1"]),
            (&["related".to_owned()][..], vec!["1", "3"]),
        ] {
            let visible = Visible::of(policy.fields.clone(), wanted).unwrap();
            let mut disclosed = Disclosed::default();
            disclosed.person(&visible, &mut person());
            assert_eq!(values(&disclosed), told, "{wanted:?}");
        }
    }

    #[test]
    fn a_search_by_identifier_names_people() {
        let criterion = |field: &str, test| Criterion {
            field: field.into(),
            test,
        };
        let mut asked = Disclosed::default();
        asked.criteria(&[
            criterion("identifier.national-id", Test::Equals("1".into())),
            criterion(
                "identifier.national-id",
                Test::AnyOf(vec!["1".into(), "2".into()]),
            ),
            criterion("identifier.national-id", Test::StartsWith("3".into())),
            criterion("name.family", Test::Equals("4".into())),
        ]);
        assert_eq!(values(&asked), ["1", "2"]);
        let (_directory, key) = key();
        let hashes = asked.hashes(&key).unwrap();
        assert!(hashes.contains(&key.of("national-id", "1")));
    }

    #[test]
    fn more_people_than_a_row_holds_are_not_told() {
        let (_directory, key) = key();
        for (people, fits) in [(MAX_HASHES, true), (MAX_HASHES + 1, false)] {
            let mut disclosed = Disclosed::default();
            for number in 0..people {
                disclosed.add(&[identifier(number.to_string())]);
            }
            assert_eq!(disclosed.hashes(&key).is_ok(), fits, "{people}");
        }
    }
}

//! Damaged answers: what came of them, and whether what was read of one stood in it.

use adapter_sdk::Failure;
use adapter_sdk::model::{Person, PersonStatus, RelationRole};
use adapter_sdk::testing::Told;
use adapter_spdci::mapping::codes::{MARITAL_STATUS, SEX, YES_NO};
use serde_json::Value;

/// How many damaged copies a test reads.
pub(crate) const COPIES: usize = 10_000;

/// What these answers say. Truth values are looked at by [`person`]: words stand for them.
pub(crate) fn told(answers: &[&Value]) -> Told {
    let told = Told::by(answers).codes(&SEX, &MARITAL_STATUS);
    told.and(&["true", "false"])
}

/// Nothing in this person was guessed.
pub(crate) fn person(told: &Told, person: &Person) {
    told.person(person);
    // Without the setting that tells the direction nobody knows who is what to whom.
    let roles = [RelationRole::Parent, RelationRole::Unknown];
    assert!(person.related.iter().all(|it| roles.contains(&it.role)));
    let says = |truth: bool| {
        let mut words = YES_NO.0.iter().filter(|(_, known)| *known == truth);
        words.any(|(word, _)| told.says(word))
    };
    match &person.status {
        None => {}
        Some(PersonStatus::Deceased) => {
            let fields = ["death_date", "deathdate", "is_deceased"];
            assert!(fields.iter().any(|it| told.says(it)), "a guessed death");
        }
        Some(PersonStatus::Active) => assert!(told.says("is_deceased") && says(false)),
        other => panic!("{other:?}"),
    }
    for extra in &person.extra {
        if extra.key == "is-disabled" {
            assert!(says(extra.value == "true"), "a guessed truth");
        }
    }
}

/// Counts what came of the copies: a test of which all are refused tries nothing.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) read: usize,
    pub(crate) refused: usize,
}

impl Tally {
    pub(crate) fn read(&mut self, check: impl FnOnce()) {
        check();
        self.read += 1;
    }

    /// A typed refusal with a code of ours or SPDCI's, and never what stood in the answer.
    pub(crate) fn refuse(&mut self, failure: &Failure) {
        self.refused += 1;
        if !matches!(failure, Failure::NotFound) {
            let code = failure.code().unwrap_or_default();
            let known =
                code.contains('.') || ["pdng", "rcvd", "rjct", "NACK", "ERR"].contains(&code);
            assert!(known, "{}", failure.summary());
        }
    }

    pub(crate) fn enough(&self) {
        assert_eq!(self.read + self.refused, COPIES);
        let few = COPIES / 50;
        assert!(self.read > COPIES / 5 && self.refused > few, "{self:?}");
    }
}

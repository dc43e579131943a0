//! Copies of a registry's answer that somebody damaged, and whether what was read of one was in it. For
//! the tests of all adapters that speak FHIR.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashSet;

use adapter_sdk::dates;
use adapter_sdk::model::{
    Address, Contact, Extra, Household, HumanName, Identifier, Person, RelatedPerson,
};
use fastrand::Rng;
use serde_json::{Value, json};

/// How many copies a test reads.
pub(crate) const COPIES: usize = 10_000;

/// One to four things are different in it.
pub(crate) fn mutated(original: &Value, rng: &mut Rng) -> Value {
    let mut copy = original.clone();
    for _ in 0..rng.usize(1..=4) {
        let nodes = count(&copy);
        let mut at = rng.usize(0..nodes);
        let stranger = pick(original, rng);
        change(&mut copy, &mut at, &stranger, rng);
    }
    copy
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(object) => object.values().map(count).sum(),
        _ => 0,
    }
}

/// Some part of the original, to stand where it does not belong.
fn pick(value: &Value, rng: &mut Rng) -> Value {
    let mut nodes = Vec::new();
    fn collect<'a>(value: &'a Value, nodes: &mut Vec<&'a Value>) {
        nodes.push(value);
        match value {
            Value::Array(values) => values.iter().for_each(|it| collect(it, nodes)),
            Value::Object(object) => object.values().for_each(|it| collect(it, nodes)),
            _ => {}
        }
    }
    collect(value, &mut nodes);
    (*rng.choice(&nodes).unwrap()).clone()
}

/// Walks to the node with this number and changes it.
fn change(value: &mut Value, at: &mut usize, stranger: &Value, rng: &mut Rng) -> bool {
    if *at == 0 {
        *value = changed(value, stranger, rng);
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(values) => values.iter_mut().any(|it| change(it, at, stranger, rng)),
        Value::Object(object) => object.values_mut().any(|it| change(it, at, stranger, rng)),
        _ => false,
    }
}

fn changed(value: &Value, stranger: &Value, rng: &mut Rng) -> Value {
    match (rng.u8(0..14), value) {
        (0, _) => Value::Null,
        (1, _) => json!(rng.i64(..)),
        (2, _) => json!(""),
        (3, _) => json!(" \u{0}\u{202e}\u{1F600} "),
        (4, _) => json!([]),
        (5, _) => json!({}),
        (6, _) => json!(rng.bool()),
        (7, _) => json!([value, value]),
        (8, _) => json!({ "value": value }),
        (9, _) => stranger.clone(),
        (10, Value::Array(values)) if !values.is_empty() => {
            let mut values = values.clone();
            values.remove(rng.usize(0..values.len()));
            Value::Array(values)
        }
        (11, Value::Object(object)) if !object.is_empty() => {
            let mut object = object.clone();
            let name = rng
                .choice(object.keys().collect::<Vec<_>>())
                .unwrap()
                .clone();
            let removed = object.remove(&name).unwrap();
            // Half of them under another name.
            if rng.bool() {
                object.insert(name.chars().rev().collect(), removed);
            }
            Value::Object(object)
        }
        (12, Value::String(text)) => {
            let kept = rng.usize(0..=text.chars().count());
            json!(text.chars().take(kept).collect::<String>())
        }
        (13, Value::String(text)) => json!(format!("{text}{text}")),
        _ => json!(rng.f64() * 1e9),
    }
}

/// Every scalar of an answer, as text.
pub(crate) fn scalars(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Bool(truth) => vec![truth.to_string()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(values) => values.iter().flat_map(scalars).collect(),
        Value::Object(object) => {
            let names = object.keys().cloned();
            names.chain(object.values().flat_map(scalars)).collect()
        }
    }
}

/// What stands in an answer.
pub(crate) struct Told {
    all: Vec<String>,
    exactly: HashSet<String>,
}

impl Told {
    pub(crate) fn by(answers: &[&Value]) -> Self {
        let all = answers.iter().flat_map(|it| scalars(it));
        let all: Vec<String> = all.map(|it| it.to_lowercase()).collect();
        Self {
            exactly: all.iter().cloned().collect(),
            all,
        }
    }

    /// Words that settings say besides.
    pub(crate) fn and(mut self, words: &[&str]) -> Self {
        self.exactly
            .extend(words.iter().map(|it| it.to_lowercase()));
        self
    }

    fn has(&self, text: &str) {
        let wanted = text.trim().to_lowercase();
        // A reference is made of the id that stood in one.
        let bare = wanted.rsplit('/').next().unwrap_or_default();
        let within = |it: &String| it.contains(&wanted) || (!bare.is_empty() && it.contains(bare));
        let said = self.exactly.contains(&wanted) || self.all.iter().any(within);
        assert!(said, "{text:?} is nowhere in the answer");
    }

    fn date(&self, date: Option<&adapter_sdk::model::PartialDate>) {
        let Some(date) = date else {
            return;
        };
        assert!(dates::is_valid(date));
        match &date.original {
            Some(original) => self.has(&original.text),
            None => self.has(&dates::format(date)),
        }
    }

    pub(crate) fn person(&self, person: &Person) {
        self.identifiers(&person.identifiers);
        self.identifiers(&person.replaced_by);
        person.names.iter().for_each(|it| self.name(it));
        if let Some(sex) = &person.sex {
            self.has(fhir_r4::mapping::SEX.code(sex).unwrap());
        }
        if let Some(status) = &person.marital_status {
            // Several codes stand for one word.
            let table = &fhir_r4::mapping::MARITAL_STATUS;
            let mut codes = table.0.iter().filter(|(_, word)| word == status);
            let said = codes.any(|(code, _)| self.exactly.contains(&code.to_lowercase()));
            assert!(said || self.exactly.contains("i"), "{status:?}");
        }
        self.date(person.birth_date.as_ref());
        self.date(person.death_date.as_ref());
        person.addresses.iter().for_each(|it| self.address(it));
        person.contacts.iter().for_each(|it| self.contact(it));
        person.related.iter().for_each(|it| self.related(it));
        person.version.iter().for_each(|it| self.has(it));
        self.extra(&person.extra);
    }

    pub(crate) fn household(&self, household: &Household) {
        self.identifiers(&household.identifiers);
        household.people.iter().for_each(|it| self.person(it));
        household.addresses.iter().for_each(|it| self.address(it));
        self.extra(&household.extra);
        // What the contract asks of indexes.
        let people = household.people.len();
        let within = |index: &u32| usize::try_from(*index).unwrap() < people;
        assert!(household.members.iter().all(within));
        assert!(household.head.iter().all(within));
        let mut members = household.members.clone();
        members.dedup();
        assert_eq!(members, household.members);
        for relation in &household.relations {
            assert!(within(&relation.subject) && within(&relation.object));
            assert_ne!(relation.subject, relation.object);
        }
    }

    fn identifiers(&self, identifiers: &[Identifier]) {
        for identifier in identifiers {
            self.has(&identifier.value);
            self.extra(&identifier.extra);
        }
    }

    fn name(&self, name: &HumanName) {
        let parts = [&name.given, &name.prefix, &name.suffix]
            .into_iter()
            .flatten();
        let single = [&name.text, &name.family, &name.language]
            .into_iter()
            .flatten();
        parts.chain(single).for_each(|it| self.has(it));
        self.extra(&name.extra);
    }

    fn address(&self, address: &Address) {
        let single = [
            &address.text,
            &address.city,
            &address.postal_code,
            &address.country,
        ];
        single
            .into_iter()
            .flatten()
            .chain(&address.lines)
            .for_each(|it| self.has(it));
        for area in &address.areas {
            area.name
                .iter()
                .chain(&area.code)
                .for_each(|it| self.has(it));
        }
        self.extra(&address.extra);
    }

    fn contact(&self, contact: &Contact) {
        self.has(&contact.value);
        self.extra(&contact.extra);
    }

    fn related(&self, related: &RelatedPerson) {
        self.identifiers(&related.identifiers);
        related.names.iter().for_each(|it| self.name(it));
        self.date(related.birth_date.as_ref());
        self.extra(&related.extra);
    }

    fn extra(&self, extra: &[Extra]) {
        for one in extra {
            let value: Value = serde_json::from_str(&one.value).unwrap();
            // The names in what is kept are ours where the contract reserves a key.
            let is_made = ["-link", "-coverage"]
                .iter()
                .any(|it| one.key.ends_with(it));
            let is_own = one.key.starts_with("x-") && !is_made;
            let told = match is_own {
                true => scalars(&value),
                false => values(&value),
            };
            told.iter().for_each(|it| self.has_exactly(it, &one.key));
        }
    }

    fn has_exactly(&self, text: &str, key: &str) {
        // A scheme is ours; numbers may be written otherwise.
        let is_number = text.parse::<f64>().is_ok();
        let wanted = text.trim().to_lowercase();
        let said = is_number
            || self.exactly.contains(&wanted)
            || self.all.iter().any(|it| it.contains(&wanted));
        assert!(
            said || key == "identifier-period",
            "{key} has {text:?}, which nobody said"
        );
    }
}

/// The scalars of a value without the names of its fields.
fn values(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().flat_map(values).collect(),
        Value::Object(object) => object.values().flat_map(values).collect(),
        other => scalars(other),
    }
}

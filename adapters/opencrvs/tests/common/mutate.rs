//! Answers that no registry should give, made of those that it does: seeded, so that each run is the same.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashSet;

use adapter_opencrvs::settings::Settings;
use adapter_sdk::model::{
    Address, Event, HumanName, Identifier, PartialDate, Person, RelatedPerson,
};
use adapter_sdk::{Failure, dates};
use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Values of the wrong shape, the wrong length, or no sense.
fn strange(rng: &mut Rng) -> Value {
    match rng.u8(0..14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1.5e300),
        3 => json!(18_446_744_073_709_551_615_u64),
        4 => json!(""),
        5 => json!("  \u{0}\u{202e}"),
        6 => json!("9999-99-99"),
        7 => json!("2024-02-30T25:61:61Z"),
        8 => json!("Ж".repeat(5_000)),
        9 => json!([]),
        10 => json!({}),
        11 => json!([[[null]], {}, "x", 1]),
        12 => json!({ "firstname": 1, "coding": [1, { "code": {} }], "reference": ["x"] }),
        _ => json!("'; -- %2e%2e/\\\" {{x}}"),
    }
}

/// One change somewhere in a value.
pub(crate) fn mutate(value: &mut Value, rng: &mut Rng) {
    let below = rng.u8(0..10) > 0;
    match value {
        Value::Array(values) if !values.is_empty() && below => {
            let at = rng.usize(0..values.len());
            match rng.u8(0..12) {
                0 => drop(values.remove(at)),
                1 => values.push(values[at].clone()),
                2 => rng.shuffle(values),
                _ => mutate(&mut values[at], rng),
            }
        }
        Value::Object(object) if !object.is_empty() && below => {
            let keys: Vec<String> = object.keys().cloned().collect();
            let (one, other) = (
                &keys[rng.usize(0..keys.len())],
                &keys[rng.usize(0..keys.len())],
            );
            match rng.u8(0..14) {
                0 => drop(object.remove(one)),
                1 => swap(object, one, other),
                2 => drop(object.insert(one.to_uppercase(), strange(rng))),
                _ => mutate(object.get_mut(one).unwrap(), rng),
            }
        }
        Value::String(text) if rng.bool() => {
            let mut letters: Vec<char> = text.chars().collect();
            match (letters.is_empty(), rng.u8(0..4)) {
                (true, _) | (_, 0) => letters.push('\u{301}'),
                (_, 1) => letters.truncate(rng.usize(0..letters.len())),
                (_, 2) => letters.reverse(),
                _ => {
                    let at = rng.usize(0..letters.len());
                    letters[at] = rng.char(..);
                }
            }
            *text = letters.into_iter().collect();
        }
        value => *value = strange(rng),
    }
}

fn swap(object: &mut Map<String, Value>, one: &str, other: &str) {
    let (a, b) = (object[one].clone(), object[other].clone());
    object.insert(one.to_owned(), b);
    object.insert(other.to_owned(), a);
}

/// What an accepted action makes of an event (opencrvs-core 2.0.0, `getStatusFromActions`).
const STATUSES: &[(&str, &str)] = &[
    ("CREATED", "CREATE"),
    ("NOTIFIED", "NOTIFY"),
    ("DECLARED", "DECLARE"),
    ("VALIDATED", "VALIDATE"),
    ("REGISTERED", "REGISTER"),
    ("ARCHIVED", "ARCHIVE"),
];

/// The texts and numbers of an answer: what may come out of it.
pub(crate) struct Source {
    texts: HashSet<String>,
    dates: HashSet<(u16, Option<u8>, Option<u8>)>,
}

impl Source {
    pub(crate) fn of(value: &Value) -> Self {
        let mut source = Self {
            texts: HashSet::new(),
            dates: HashSet::new(),
        };
        source.take(value);
        source
    }

    fn take(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                if let Some(date) = dates::parse(text) {
                    self.dates.insert((date.year, date.month, date.day));
                }
                // An id within a reference: `Patient/<id>`, the address of a version of it.
                for part in text.split(['/', ':']) {
                    self.texts.insert(part.trim().to_owned());
                }
                self.texts.insert(text.trim().to_owned());
            }
            Value::Array(values) => values.iter().for_each(|value| self.take(value)),
            Value::Object(object) => {
                for (key, value) in object {
                    self.texts.insert(key.clone());
                    self.take(value);
                }
            }
            Value::Number(number) => {
                let text = number.to_string();
                if let Some(date) = dates::parse(&text) {
                    self.dates.insert((date.year, date.month, date.day));
                }
                self.texts.insert(text);
            }
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn text(&self, text: &str, at: &str) {
        assert!(self.texts.contains(text.trim()), "guessed: {at}: {text:?}");
    }

    fn texts<'a>(&self, texts: impl IntoIterator<Item = &'a String>, at: &str) {
        texts.into_iter().for_each(|text| self.text(text, at));
    }

    fn date(&self, date: Option<&PartialDate>, at: &str) {
        if let Some(date) = date {
            let known = self.dates.contains(&(date.year, date.month, date.day));
            assert!(known && dates::is_valid(date), "guessed: {at}: {date:?}");
        }
    }

    /// Each JSON text or number within an `extra`.
    fn extra(&self, value: &Value, at: &str) {
        match value {
            Value::String(text) => {
                let is_date = dates::parse(text)
                    .is_some_and(|it| self.dates.contains(&(it.year, it.month, it.day)));
                assert!(
                    is_date || self.texts.contains(text.trim()),
                    "guessed: {at}: {text:?}"
                );
            }
            Value::Array(values) => values.iter().for_each(|value| self.extra(value, at)),
            Value::Object(object) => object.values().for_each(|value| self.extra(value, at)),
            Value::Number(number) => self.text(&number.to_string(), at),
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn identifiers(&self, identifiers: &[Identifier]) {
        for it in identifiers {
            self.text(&it.value, "identifier");
        }
    }

    fn names(&self, names: &[HumanName]) {
        for name in names {
            self.texts(
                name.given.iter().chain(&name.family).chain(&name.text),
                "name",
            );
            self.texts(&name.language, "language");
            for extra in &name.extra {
                self.extra(&serde_json::from_str(&extra.value).unwrap(), &extra.key);
            }
        }
    }

    fn address(&self, address: &Address) {
        let plain = [
            &address.text,
            &address.city,
            &address.postal_code,
            &address.country,
        ];
        self.texts(plain.into_iter().flatten().chain(&address.lines), "address");
        for area in &address.areas {
            self.texts(area.code.iter().chain(&area.name).chain(&area.kind), "area");
        }
        for extra in &address.extra {
            self.extra(&serde_json::from_str(&extra.value).unwrap(), &extra.key);
        }
    }

    fn related(&self, related: &RelatedPerson) {
        self.identifiers(&related.identifiers);
        self.names(&related.names);
        self.date(related.birth_date.as_ref(), "related.birth-date");
    }

    /// That nothing stands in a person that does not stand in the answer.
    pub(crate) fn person(&self, person: &Person) {
        self.identifiers(&person.identifiers);
        self.identifiers(&person.replaced_by);
        self.names(&person.names);
        self.date(person.birth_date.as_ref(), "birth-date");
        self.date(person.death_date.as_ref(), "death-date");
        person.addresses.iter().for_each(|it| self.address(it));
        person
            .contacts
            .iter()
            .for_each(|it| self.text(&it.value, "contact"));
        person.related.iter().for_each(|it| self.related(it));
        for extra in &person.extra {
            let value: Value = serde_json::from_str(&extra.value).unwrap();
            let action = STATUSES.iter().find(|(status, _)| value == *status);
            match action.filter(|_| extra.key == "x-opencrvs-status") {
                // Told as it stands, or by the action that leads to it.
                Some((status, action)) => {
                    let told = self.texts.contains(*status) || self.texts.contains(*action);
                    assert!(told, "guessed: status: {status}");
                }
                None => self.extra(&value, &extra.key),
            }
        }
        // Codes are not guessed either: whose sex or status is told, of whom some code tells it.
        let told = |words: &[&str]| {
            let is = |word: &&str| self.texts.iter().any(|it| it.eq_ignore_ascii_case(word));
            words.iter().any(|it| self.texts.contains(*it)) || words.iter().any(is)
        };
        if let Some(sex) = person.sex {
            let word = format!("{sex:?}").to_lowercase();
            let word = word.rsplit("::").next().unwrap().to_owned();
            assert!(told(&[word.as_str()]), "guessed: sex: {word}");
        }
        if person.marital_status.is_some() {
            let words = [
                "SINGLE",
                "MARRIED",
                "WIDOWED",
                "DIVORCED",
                "SEPARATED",
                "NOT_STATED",
            ];
            assert!(told(&words), "guessed: marital status");
        }
    }

    /// The same of an event.
    pub(crate) fn event(&self, event: &Event) {
        self.identifiers(&event.identifiers);
        self.date(event.occurred.as_ref(), "occurred");
        self.texts(&event.recorded_at, "recorded-at");
        self.texts(&event.caused_by, "caused-by");
        event.place.iter().for_each(|it| self.address(it));
        for part in event.id.split(':') {
            self.text(part, "id");
        }
        for participant in &event.participants {
            self.person(&participant.person);
        }
        for extra in &event.extra {
            self.extra(&serde_json::from_str(&extra.value).unwrap(), &extra.key);
        }
    }
}

/// So many changed copies of each of these, read by `read`, which checks what comes out.
pub(crate) fn each(
    originals: &[Value],
    copies: usize,
    settings: &Settings,
    read: impl Fn(&Value, &Source, &Settings) -> Result<(), Failure>,
) {
    let mut rng = Rng::with_seed(0x0C_2F_5E_ED);
    let (mut read_well, mut refused) = (0, 0);
    for at in 0..copies {
        let mut copy = originals[at % originals.len()].clone();
        for _ in 0..rng.u8(1..=4) {
            mutate(&mut copy, &mut rng);
        }
        match read(&copy, &Source::of(&copy), settings) {
            Ok(()) => read_well += 1,
            Err(failure) => {
                assert!(
                    failure.code().is_some(),
                    "a refusal without a code: {failure:?}"
                );
                refused += 1;
            }
        }
    }
    // A test that only refuses, or never, would show nothing.
    assert!(
        read_well > copies / 4 && refused > 0,
        "{read_well} read, {refused} refused"
    );
}

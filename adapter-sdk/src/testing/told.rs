//! Whether what a mapping says stands in what the registry answered.

use std::collections::HashSet;

use serde_json::Value;

use crate::codes::Table;
use crate::dates;
use crate::model::{
    Address, Extra, Household, HumanName, Identifier, MaritalStatus, PartialDate, Person,
    RelatedPerson, Sex,
};

/// What stands in an answer: its texts, numbers and names of fields, whatever their case. The methods
/// that look at a person or a household fail the test where something in them was guessed.
#[derive(Debug, Default)]
pub struct Told {
    all: Vec<String>,
    exactly: HashSet<String>,
    dates: HashSet<(u16, Option<u8>, Option<u8>)>,
    besides: HashSet<String>,
    codes: Option<(&'static Table<Sex>, &'static Table<MaritalStatus>)>,
}

impl Told {
    /// By these answers together.
    pub fn by(answers: &[&Value]) -> Self {
        let scalars: Vec<String> = answers.iter().flat_map(|it| scalars(it)).collect();
        let read = scalars.iter().filter_map(|it| dates::parse(it));
        let dates = read.map(|it| (it.year, it.month, it.day)).collect();
        let all: Vec<String> = scalars.iter().map(|it| it.to_lowercase()).collect();
        Self {
            exactly: all.iter().cloned().collect(),
            all,
            dates,
            ..Self::default()
        }
    }

    /// What may stand in an answer of ours and comes from elsewhere: words of the settings.
    #[must_use]
    pub fn and(mut self, words: &[&str]) -> Self {
        let words = words.iter().map(|it| it.to_lowercase());
        self.besides.extend(words);
        self
    }

    /// The codes that stand for a sex and a marital status.
    #[must_use]
    pub fn codes(
        mut self,
        sex: &'static Table<Sex>,
        status: &'static Table<MaritalStatus>,
    ) -> Self {
        self.codes = Some((sex, status));
        self
    }

    /// Whether a whole text, a number or a field's name in the answer is this.
    pub fn says(&self, word: &str) -> bool {
        self.exactly.contains(&word.trim().to_lowercase())
    }

    /// Nothing in this person was guessed.
    pub fn person(&self, person: &Person) {
        self.identifiers(&person.identifiers);
        self.identifiers(&person.replaced_by);
        person.names.iter().for_each(|it| self.name(it));
        if let Some(sex) = &person.sex {
            let told = self.codes.is_some_and(|(table, _)| self.code(table, sex));
            assert!(told, "{sex:?} is nowhere in the answer");
        }
        if let Some(status) = &person.marital_status {
            let own = matches!(status, MaritalStatus::Other(word) if self.says(word));
            let told = self
                .codes
                .is_some_and(|(_, table)| self.code(table, status));
            assert!(own || told, "{status:?} is nowhere in the answer");
        }
        self.date(person.birth_date.as_ref());
        self.date(person.death_date.as_ref());
        person.addresses.iter().for_each(|it| self.address(it));
        for contact in &person.contacts {
            self.has(&contact.value);
            self.extra(&contact.extra);
        }
        person.related.iter().for_each(|it| self.related(it));
        person.version.iter().for_each(|it| self.has(it));
        self.extra(&person.extra);
    }

    /// Nothing in this household was guessed, and its indexes are as the contract has them.
    pub fn household(&self, household: &Household) {
        self.identifiers(&household.identifiers);
        household.people.iter().for_each(|it| self.person(it));
        household.addresses.iter().for_each(|it| self.address(it));
        self.extra(&household.extra);
        let within = |index: &u32| (*index as usize) < household.people.len();
        assert!(household.members.iter().all(within), "members");
        assert!(household.head.iter().all(within), "head");
        let once: HashSet<&u32> = household.members.iter().collect();
        assert_eq!(once.len(), household.members.len(), "members");
        for relation in &household.relations {
            assert!(within(&relation.subject) && within(&relation.object));
            assert_ne!(relation.subject, relation.object, "relations");
        }
    }

    /// This text stands in the answer, whole or as a part: of a reference, its id.
    pub fn has(&self, text: &str) {
        let wanted = text.trim().to_lowercase();
        let bare = wanted.rsplit('/').next().unwrap_or_default();
        let within = |it: &String| it.contains(&wanted) || (!bare.is_empty() && it.contains(bare));
        let said = self.besides.contains(&wanted) || self.all.iter().any(within);
        assert!(said, "{text:?} is nowhere in the answer");
    }

    /// This date stands in the answer, in any form that is read; of a converted one its original.
    pub fn date(&self, date: Option<&PartialDate>) {
        let Some(date) = date else {
            return;
        };
        assert!(dates::is_valid(date), "{date:?} is no date");
        match &date.original {
            Some(original) => self.has(&original.text),
            None if self.dates.contains(&(date.year, date.month, date.day)) => {}
            None => self.has(&dates::format(date)),
        }
    }

    fn code<T: PartialEq>(&self, table: &Table<T>, value: &T) -> bool {
        let mut codes = table.0.iter().filter(|(_, known)| known == value);
        codes.any(|(code, _)| {
            self.all
                .iter()
                .any(|it| it.trim().eq_ignore_ascii_case(code))
        })
    }

    fn identifiers(&self, identifiers: &[Identifier]) {
        for identifier in identifiers {
            self.has(&identifier.value);
            self.extra(&identifier.extra);
        }
    }

    fn name(&self, name: &HumanName) {
        let lists = [&name.given, &name.prefix, &name.suffix]
            .into_iter()
            .flatten();
        let single = [&name.text, &name.family, &name.language];
        lists
            .chain(single.into_iter().flatten())
            .for_each(|it| self.has(it));
        self.extra(&name.extra);
    }

    fn address(&self, address: &Address) {
        let single = [
            &address.text,
            &address.city,
            &address.postal_code,
            &address.country,
        ];
        let texts = single.into_iter().flatten().chain(&address.lines);
        texts.for_each(|it| self.has(it));
        for area in &address.areas {
            let told = area.name.iter().chain(&area.code);
            told.for_each(|it| self.has(it));
        }
        for degrees in address
            .position
            .iter()
            .flat_map(|it| [it.latitude, it.longitude])
        {
            let said = self.all.iter().any(|it| it.trim().parse() == Ok(degrees));
            assert!(said, "{degrees} is nowhere in the answer");
        }
        self.extra(&address.extra);
    }

    fn related(&self, related: &RelatedPerson) {
        self.identifiers(&related.identifiers);
        related.names.iter().for_each(|it| self.name(it));
        self.date(related.birth_date.as_ref());
        self.extra(&related.extra);
    }

    /// The values in `extra` stand in the answer. Names of fields within are the adapter's own.
    fn extra(&self, extra: &[Extra]) {
        for one in extra {
            let value: Value = serde_json::from_str(&one.value).unwrap_or_default();
            for text in values(&value) {
                let wanted = text.trim().to_lowercase();
                let is_date = dates::parse(&wanted)
                    .is_some_and(|it| self.dates.contains(&(it.year, it.month, it.day)));
                let within = |it: &String| it.contains(&wanted);
                // A number may be written otherwise.
                let said = is_date
                    || wanted.parse::<f64>().is_ok()
                    || self.besides.contains(&wanted)
                    || self.all.iter().any(within);
                assert!(said, "{} has {text:?}, which nobody said", one.key);
            }
        }
    }
}

/// Every scalar of an answer, and the names of its fields.
fn scalars(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().flat_map(scalars).collect(),
        Value::Object(object) => {
            let names = object.keys().cloned();
            names.chain(object.values().flat_map(scalars)).collect()
        }
        other => values(other),
    }
}

/// Every scalar of a value.
fn values(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Bool(truth) => vec![truth.to_string()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(all) => all.iter().flat_map(values).collect(),
        Value::Object(object) => object.values().flat_map(values).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stands_in_the_answer_passes() {
        let answer = json!({ "n": ["7"], "born": "1985/05/20", "lat": "1.50" });
        let told = Told::by(&[&answer]);
        told.person(&Person {
            identifiers: vec![Identifier::new("national-id", "7")],
            birth_date: dates::parse("1985-05-20"),
            ..Person::default()
        });
        assert!(told.says("LAT") && !told.says("1985"));
    }

    #[test]
    #[should_panic(expected = "nowhere in the answer")]
    fn a_guessed_day_does_not() {
        let answer = json!({ "born": "1985-05" });
        Told::by(&[&answer]).date(dates::parse("1985-05-01").as_ref());
    }

    #[test]
    #[should_panic(expected = "nowhere in the answer")]
    fn a_guessed_sex_does_not() {
        static SEX: Table<Sex> = Table(&[("F", Sex::Female)]);
        static STATUS: Table<MaritalStatus> = Table(&[]);
        let answer = json!({ "sex": "M" });
        Told::by(&[&answer]).codes(&SEX, &STATUS).person(&Person {
            sex: Some(Sex::Female),
            ..Person::default()
        });
    }

    #[test]
    #[should_panic(expected = "which nobody said")]
    fn a_made_up_extra_does_not() {
        Told::by(&[&json!({})]).person(&Person {
            extra: vec![Extra::new("x-test", &json!({ "a": "b" }))],
            ..Person::default()
        });
    }
}

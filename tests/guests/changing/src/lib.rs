//! An adapter of which every version says which one it is: in what it describes, in each answer, in
//! each step of an answer that waits, and in the form of its page tokens.
//!
//! The versions differ in [`MARK`] alone, which tests write into the component: they need no second
//! build, and nothing but the version can make the difference that is seen.

use std::hint::black_box;

use adapter_sdk::model::{
    Description, EndpointNeed, Extra, FindQuery, HumanName, Opaque, Page, PartialDate, Pending,
    Person, SearchQuery,
};
use adapter_sdk::{About, Answer, Failure, Find, PendingAnswer, Search, http};

/// What a test replaces, up to the same length: words `key=value`, then spaces.
///
/// `version` is described; `says` is in each answer; `form` is that of page tokens and states;
/// `reads` are the forms that are read; `needs` is the endpoint that it must have; `born` is a year that only some versions tell; `asks` is the
/// path that the registry is asked at, `accepts` the media type that it is asked for.
pub const MARK: &str = concat!(
    "changing-guest: version=1.0.0 says=one form=1 reads=1 asks=/changing ",
    "                                                                "
);

static MARKED: &str = MARK;

/// The adapter.
pub struct Changing;

/// A word of the mark as this component has it.
fn word(key: &str) -> Option<&'static str> {
    // Read where it stands: a test has written over it.
    let words = black_box(MARKED).split(' ');
    let mut pairs = words.filter_map(|word| word.split_once('='));
    pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
}

fn says() -> &'static str {
    word("says").unwrap_or_default()
}

fn form() -> u32 {
    number("form").unwrap_or_default()
}

fn number(key: &str) -> Option<u32> {
    word(key)?.parse().ok()
}

fn readable() -> Vec<u32> {
    let reads = word("reads").unwrap_or_default();
    reads
        .split(',')
        .filter_map(|form| form.parse().ok())
        .collect()
}

impl About for Changing {
    fn describe() -> Description {
        Description {
            name: "changing".into(),
            version: word("version").unwrap_or_default().into(),
            summary: "Says which version it is".into(),
            endpoints: vec![EndpointNeed::required(
                word("needs").unwrap_or("registry"),
                "Is asked first",
            )],
            readable_states: readable(),
            ..Default::default()
        }
    }
}

impl Find for Changing {
    /// Asks the registry, whatever that answers, and tells who answers. The identifier `pend` makes it
    /// wait and go on in a second step.
    fn find(query: FindQuery) -> Result<Answer<Person>, Failure> {
        let asked = query.identifiers.first().map(|first| first.value.as_str());
        let value = asked.unwrap_or_default();
        if value == "fail" {
            return Err(Failure::rejected(says()));
        }
        if value == "pend" {
            let state = Opaque::pack(form(), &says())?;
            return Ok(Answer::Pending(Pending::again_after(150, state)));
        }
        if let Some(path) = word("asks") {
            let asked = http::endpoint("registry").get(path).query("id", value);
            let asked = match word("accepts") {
                Some(accepts) => asked.header("accept", accepts),
                None => asked,
            };
            let _ = asked.send();
        }
        Ok(told(&[says()]).into())
    }

    fn resume(state: Opaque, _: Option<PendingAnswer>) -> Result<Answer<Person>, Failure> {
        let began: String = state.unpack(form())?;
        Ok(told(&[&began, says()]).into())
    }
}

impl Search for Changing {
    /// Three pages, of which each tells by whom all before it were made.
    fn search(query: SearchQuery) -> Result<Answer<Page>, Failure> {
        let before: Vec<String> = match &query.page {
            None => Vec::new(),
            Some(page) => {
                if !readable().contains(&page.schema) {
                    return Err(Failure::rejected("state.unreadable").field("page"));
                }
                page.unpack(page.schema)?
            }
        };
        let mut all: Vec<&str> = before.iter().map(String::as_str).collect();
        all.push(says());
        let next = (all.len() < 3).then(|| Opaque::pack(form(), &all));
        Ok(Page {
            next: next.transpose()?,
            ..Page::of([told(&all)])
        }
        .into())
    }
}

/// Somebody whose given names are the versions.
fn told(versions: &[&str]) -> Person {
    let born = number("born").and_then(|year| year.try_into().ok());
    Person {
        names: vec![HumanName {
            given: versions.iter().map(|&version| version.into()).collect(),
            ..Default::default()
        }],
        birth_date: born.map(|year| PartialDate {
            year,
            ..Default::default()
        }),
        extra: vec![Extra::new("x-version", &says().into())],
        ..Default::default()
    }
}

adapter_sdk::export!(Changing: find, search);

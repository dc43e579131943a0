//! What a module is asked, out of JSON as a request to the gateway has it.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::gateway::Finding;
use crate::model::{
    Ability, Call, Consent, CreateRequest, Criterion, EnrolmentRequest, FindQuery, HouseholdQuery,
    Identifier, LinkRequest, Person, Proof, SearchQuery, SortKey, UpdateRequest, VerifyQuery,
};

/// As the API's.
const PAGE_SIZE: u32 = 20;
/// What a lookup carries besides its question.
const WISHES: [&str; 4] = ["fields", "languages", "consent", "proof"];

/// One question to one ability.
pub(in crate::gateway) enum Question {
    Find(FindQuery),
    Household(HouseholdQuery),
    Search(SearchQuery),
    Verify(VerifyQuery),
    Create(CreateRequest),
    Update(UpdateRequest),
    Link(LinkRequest),
    Enrolment(EnrolmentRequest),
}

/// What a lookup carries besides its question.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::gateway) struct Wishes {
    fields: Vec<String>,
    languages: Vec<String>,
    consent: Option<Consent>,
    proof: Option<Proof>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    identifiers: Vec<Identifier>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Searched {
    criteria: Vec<Criterion>,
    #[serde(default)]
    sort: Vec<SortKey>,
    #[serde(default)]
    page_size: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Claimed {
    #[serde(default)]
    identifiers: Vec<Identifier>,
    claimed: Person,
}

impl Question {
    /// Reads it.
    pub(in crate::gateway) fn read(
        ability: Ability,
        question: &Value,
    ) -> Result<(Self, Wishes), Finding> {
        let mut question = question.clone();
        let wishes = match (&mut question, Ability::READS.contains(&ability)) {
            (Value::Object(question), true) => Wishes::take(question)?,
            _ => Wishes::default(),
        };
        let question = match ability {
            Ability::Find => {
                let Asked { identifiers } = typed(question)?;
                somebody(&identifiers, &wishes)?;
                Self::Find(FindQuery { identifiers })
            }
            Ability::Household => {
                let Asked { identifiers } = typed(question)?;
                somebody(&identifiers, &wishes)?;
                Self::Household(HouseholdQuery { identifiers })
            }
            Ability::Search => {
                let searched: Searched = typed(question)?;
                Self::Search(SearchQuery {
                    criteria: searched.criteria,
                    sort: searched.sort,
                    page_size: searched.page_size.unwrap_or(PAGE_SIZE).max(1),
                    page: None,
                })
            }
            Ability::Verify => {
                let asked: Claimed = typed(question)?;
                somebody(&asked.identifiers, &wishes)?;
                Self::Verify(VerifyQuery {
                    identifiers: asked.identifiers,
                    claimed: asked.claimed,
                })
            }
            Ability::Create => Self::Create(typed(question)?),
            Ability::Update => Self::Update(typed(question)?),
            Ability::Link => Self::Link(typed(question)?),
            Ability::Enrolment => Self::Enrolment(typed(question)?),
            Ability::Trace | Ability::Events => {
                return Err(wrong("ability", "only lookups and writes are called so"));
            }
        };
        Ok((question, wishes))
    }
}

impl Wishes {
    fn take(question: &mut Map<String, Value>) -> Result<Self, Finding> {
        let named = WISHES.iter().filter_map(|key| question.remove_entry(*key));
        let wishes: Self = typed(Value::Object(named.collect()))?;
        let unknown = |field: &String| !Person::FIELDS.contains(&field.as_str());
        match wishes.fields.iter().position(unknown) {
            None => Ok(wishes),
            Some(at) => Err(wrong(
                &format!("question.fields.{at}"),
                "a person has no such field",
            )),
        }
    }

    /// Puts them into the call.
    pub(in crate::gateway) fn apply(self, call: &mut Call) {
        call.wanted_fields = self.fields;
        call.languages = self.languages;
        call.consent = self.consent;
        call.proof = self.proof;
    }
}

/// A proof may say who it is.
fn somebody(identifiers: &[Identifier], wishes: &Wishes) -> Result<(), Finding> {
    match identifiers.is_empty() && wishes.proof.is_none() {
        true => Err(wrong("question.identifiers", "at least one is needed")),
        false => Ok(()),
    }
}

/// No value is repeated: serde quotes them.
fn typed<T: DeserializeOwned>(question: Value) -> Result<T, Finding> {
    serde_path_to_error::deserialize(question).map_err(|error| {
        let path = error.path().to_string().replace('[', ".").replace(']', "");
        let place = format!("question.{path}");
        let place = place.trim_end_matches("..").trim_end_matches('.');
        let told = error.inner().to_string();
        match told.strip_prefix("missing field `") {
            Some(field) => {
                let field = field.split('`').next().unwrap_or_default();
                wrong(&format!("{place}.{field}"), "is missing")
            }
            None => wrong(
                place,
                "is not as a request to the gateway has it: the API's document has the form",
            ),
        }
    })
}

fn wrong(place: &str, problem: &str) -> Finding {
    Finding {
        place: place.to_owned(),
        problem: Some(problem.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(ability: Ability, question: Value) -> String {
        let refused = Question::read(ability, &question).err().unwrap();
        format!("{}: {}", refused.place, refused.problem.unwrap())
    }

    #[test]
    fn a_mistake_is_named_by_its_place_and_no_value_is_told() {
        let known = json!([{ "scheme": "national-id", "value": "hunter2" }]);
        for (ability, question, place) in [
            (Ability::Find, json!({}), "question.identifiers: at least"),
            (Ability::Find, json!("hunter2"), "question: is not"),
            (
                Ability::Find,
                json!({ "identifiers": [{ "scheme": "hunter2" }] }),
                "question.identifiers.0.value: is missing",
            ),
            (
                Ability::Find,
                json!({ "identifiers": known, "pageSize": "hunter2" }),
                "question.pageSize: is not",
            ),
            (
                Ability::Find,
                json!({ "identifiers": known, "fields": ["names", "hunter2"] }),
                "question.fields.1: a person has no such field",
            ),
            (
                Ability::Household,
                json!({ "identifiers": "hunter2" }),
                "question.identifiers: is not",
            ),
            (
                Ability::Search,
                json!({ "criteria": [], "pageSize": "hunter2" }),
                "question.pageSize: is not",
            ),
            (
                Ability::Verify,
                json!({ "identifiers": known, "claimed": { "sex": 7 } }),
                "question.claimed.sex: is not",
            ),
            (
                Ability::Update,
                json!({}),
                "question.identifiers: is missing",
            ),
            (Ability::Trace, json!({}), "ability: only lookups"),
        ] {
            let told = refused(ability, question);
            assert!(told.starts_with(place), "{told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn a_lookup_brings_what_the_person_handed_over() {
        let question = json!({
            "languages": ["ne"],
            "consent": { "reference": "c-1" },
            "proof": { "kind": "authorization-code", "value": "code" },
        });
        let (question, wishes) = Question::read(Ability::Find, &question).unwrap();
        assert!(matches!(question, Question::Find(it) if it.identifiers.is_empty()));
        let mut call = Call::default();
        wishes.apply(&mut call);
        assert_eq!(call.languages, ["ne"]);
        assert_eq!(call.consent.unwrap().reference, "c-1");
        assert_eq!(call.proof.unwrap().value, "code");
    }
}

//! What is claimed, in IDA's words (`IdentityDTO`). What IDA has no place or no word for is not sent,
//! and counts as not compared.

use adapter_sdk::model::{Contact, ContactSystem, HumanName, PartialDate, Person, Sex};
use adapter_sdk::names::filled;
use serde_json::{Map, Value, json};

use super::asked::Individual;
use crate::language;
use crate::settings::{Ida, NameOrder, Settings};

/// A claim, ready to be sent. No `Debug`: it is about a person.
#[derive(Clone, Default, PartialEq)]
pub struct Demographics {
    /// `demographics`
    pub sent: Map<String, Value>,
    /// IDA's attribute and the model's field.
    pub fields: Vec<(&'static str, &'static str)>,
    /// The fields that IDA cannot be asked about.
    pub unsent: Vec<String>,
    /// The fields that an answer about this individual confirms by itself.
    pub asked_by: Vec<String>,
}

impl Demographics {
    /// Nothing was claimed.
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.unsent.is_empty() && self.asked_by.is_empty()
    }

    fn send(&mut self, attribute: &'static str, field: &'static str, value: Value) {
        self.sent.insert(attribute.to_owned(), value);
        self.fields.push((attribute, field));
    }

    /// Sent where there is a value for it, else kept as not compared.
    fn offer(&mut self, attribute: &'static str, field: &'static str, value: Option<Value>) {
        match value {
            Some(value) => self.send(attribute, field, value),
            None => self.unsent.push(field.to_owned()),
        }
    }
}

/// Maps a claim.
pub fn demographics(
    claimed: &Person,
    individual: &Individual,
    ida: &Ida,
    settings: &Settings,
) -> Demographics {
    let mut asked = Demographics::default();
    for identifier in &claimed.identifiers {
        let field = format!("identifier.{}", identifier.scheme);
        let same = identifier.scheme == individual.scheme && identifier.value == individual.id;
        let list = if same {
            &mut asked.asked_by
        } else {
            &mut asked.unsent
        };
        list.push(field);
    }
    name(&claimed.names, &mut asked, ida, settings);
    // "Unknown" claims nothing.
    if let Some(sex) = claimed.sex.filter(|sex| *sex != Sex::Unknown) {
        let language = language::letters(&ida.language, settings);
        let value = settings.gender(sex).zip(language);
        let value = value.map(|(word, language)| json!([{ "language": language, "value": word }]));
        asked.offer("gender", "sex", value);
    }
    if let Some(date) = &claimed.birth_date {
        asked.offer("dob", "birth-date", whole(date).map(Value::from));
    }
    contacts(&claimed.contacts, &mut asked);
    let others = [
        ("death-date", claimed.death_date.is_some()),
        ("marital-status", claimed.marital_status.is_some()),
        ("addresses", !claimed.addresses.is_empty()),
        ("photo", claimed.photo.is_some()),
        ("related", !claimed.related.is_empty()),
        ("status", claimed.status.is_some()),
    ];
    let claimed = others.iter().filter(|(_, claimed)| *claimed);
    asked
        .unsent
        .extend(claimed.map(|(field, _)| (*field).to_owned()));
    asked
}

/// IDA has one whole name for each language.
fn name(names: &[HumanName], asked: &mut Demographics, ida: &Ida, settings: &Settings) {
    let mut sent: Vec<(String, String)> = Vec::new();
    let mut left_out = false;
    for name in names.iter().filter(|name| !name.is_empty()) {
        let tag = name.language.as_deref().unwrap_or(&ida.language);
        let language = language::letters(tag, settings);
        match language.zip(full(name, ida.name_order)) {
            Some((language, _)) if sent.iter().any(|(known, _)| *known == language) => {
                left_out = true;
            }
            Some(pair) => sent.push(pair),
            None => left_out = true,
        }
    }
    if !sent.is_empty() {
        let value = |(language, value)| json!({ "language": language, "value": value });
        let list: Vec<Value> = sent.into_iter().map(value).collect();
        asked.send("name", "name.text", list.into());
    }
    if left_out {
        asked.unsent.push("name.text".to_owned());
    }
}

/// The name as a whole: as claimed, or its parts in the order that the settings name.
fn full(name: &HumanName, order: NameOrder) -> Option<String> {
    if let Some(text) = name.text.as_deref().and_then(filled) {
        return Some(text);
    }
    let given = name.given.iter().filter_map(|part| filled(part));
    let family = name.family.iter().filter_map(|part| filled(part));
    let parts: Vec<String> = match order {
        NameOrder::GivenFirst => given.chain(family).collect(),
        NameOrder::FamilyFirst => family.chain(given).collect(),
    };
    filled(&parts.join(" "))
}

/// `yyyy/MM/dd`. IDA has no dates that are known in part.
fn whole(date: &PartialDate) -> Option<String> {
    let (month, day) = (date.month?, date.day?);
    Some(format!("{:04}/{month:02}/{day:02}", date.year))
}

/// IDA has one phone number and one e-mail address.
fn contacts(contacts: &[Contact], asked: &mut Demographics) {
    for contact in contacts {
        let (attribute, field) = match &contact.system {
            ContactSystem::Phone => ("phoneNumber", "contact.phone"),
            ContactSystem::Email => ("emailId", "contact.email"),
            ContactSystem::Other(system) => {
                asked.unsent.push(format!("contact.{system}"));
                continue;
            }
        };
        let first = !asked.sent.contains_key(attribute);
        let value = filled(&contact.value).filter(|_| first);
        asked.offer(attribute, field, value.map(Value::from));
    }
}

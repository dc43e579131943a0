//! Userinfo as a person: the claims of OpenID Connect Core, section 5.1, as eSignet and MOSIP's ID
//! system fill them.

use adapter_sdk::dates;
use adapter_sdk::model::{Contact, Identifier, PartialDate, Person, Sex, Unmapped};
use serde_json::{Map, Value};

use super::{address, names, photo, shape};
use crate::language;
use crate::settings::{Esignet, Settings};

/// Claims about the token and not about the person.
const OF_THE_TOKEN: &[&str] = &[
    "iss", "aud", "exp", "iat", "nbf", "jti", "azp", "nonce", "at_hash", "sid",
];

/// One claim, and what stands behind its `#`.
pub(super) struct Claim<'a> {
    /// `name` of `name#fr`.
    pub(super) name: &'a str,
    /// As it is written: `name#fr`.
    pub(super) written: &'a str,
    /// BCP 47.
    pub(super) language: Option<String>,
    pub(super) value: &'a Value,
}

/// Maps the claims of one person.
pub fn person(claims: &Map<String, Value>, settings: &Settings, esignet: &Esignet) -> Person {
    let mut person = Person::default();
    let mut genders = Vec::new();
    let mut named = names::Names::default();
    for claim in read(claims, settings) {
        let unmapped = &mut person.unmapped;
        let mut one = |field: &str| shape::text(claim.value, field, unmapped);
        match claim.name {
            "sub" => {
                let scheme = &esignet.subject_scheme;
                person
                    .identifiers
                    .extend(one("identifiers").map(|v| Identifier::new(scheme, v)));
            }
            "individual_id" if esignet.individual_id_scheme.is_some() => {
                let scheme = esignet.individual_id_scheme.clone().unwrap_or_default();
                person
                    .identifiers
                    .extend(one("identifiers").map(|v| Identifier::new(scheme, v)));
            }
            "gender" => genders.extend(one("sex")),
            "birthdate" => {
                let written = one("birth-date");
                person.birth_date = written.and_then(|text| birth_date(&text, unmapped));
            }
            "phone_number" | "phone" => phone(&mut person.contacts, one("contacts")),
            "email" => person.contacts.extend(one("contacts").map(Contact::email)),
            "picture" => {
                let written = one("photo");
                let limit = esignet.max_photo_bytes;
                person.photo = written.and_then(|text| photo::photo(&text, limit, unmapped));
            }
            "address" => person.addresses.extend(address::address(
                &claim,
                person.addresses.len(),
                settings,
                unmapped,
            )),
            name if OF_THE_TOKEN.contains(&name) => {}
            _ if named.take(&claim, unmapped) => {}
            _ => person.extra.push(shape::extra(claim.written, claim.value)),
        }
    }
    person.names = named.into_names();
    person.sex = sex(&genders, settings, &mut person.unmapped);
    person
}

/// The claims that say something, `name` before `name#fr`. A `#` without a language tag behind it is part
/// of the claim's name, so that it is kept as it is.
fn read<'a>(claims: &'a Map<String, Value>, settings: &Settings) -> Vec<Claim<'a>> {
    let filled = claims.iter().filter(|(_, value)| shape::is_filled(value));
    let claim = |(written, value): (&'a String, &'a Value)| {
        let tagged = written.split_once('#').and_then(|(name, behind)| {
            let language = language::tag(behind, settings)?;
            Some((name, Some(language)))
        });
        let (name, language) = tagged.unwrap_or((written, None));
        Claim {
            name,
            written,
            language,
            value,
        }
    };
    filled.map(claim).collect()
}

/// `yyyy/MM/dd` (MOSIP), `YYYY-MM-DD` or `YYYY` (OpenID Connect). Nothing else is a form of theirs; the
/// year `0000`, by which OpenID Connect leaves it out, is no year.
fn birth_date(text: &str, unmapped: &mut Vec<Unmapped>) -> Option<PartialDate> {
    let date = dates::parse(text).filter(|date| match text.len() {
        4 => date.month.is_none(),
        10 => date.month.is_some() && date.day.is_some(),
        _ => false,
    });
    if date.is_none() {
        unmapped.push(Unmapped::new("birth-date", text));
    }
    date
}

/// The same number under both names of the claim is one number.
fn phone(contacts: &mut Vec<Contact>, number: Option<String>) {
    let Some(contact) = number.map(Contact::phone) else {
        return;
    };
    if !contacts.contains(&contact) {
        contacts.push(contact);
    }
}

/// The word may come in several languages. One that the settings do not have is reported, and so are
/// all where they contradict each other.
fn sex(words: &[String], settings: &Settings, unmapped: &mut Vec<Unmapped>) -> Option<Sex> {
    let read: Vec<Option<Sex>> = words.iter().map(|word| settings.sex(word)).collect();
    let mut known = read.iter().flatten();
    let first = known.next().copied();
    let agreed = first.filter(|first| known.all(|other| other == first));
    for (word, sex) in words.iter().zip(&read) {
        if sex.is_none() || agreed.is_none() {
            unmapped.push(Unmapped::new("sex", word));
        }
    }
    agreed
}

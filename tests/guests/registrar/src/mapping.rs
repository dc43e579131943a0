//! Between the model's person and the registry's record: pure functions.

use adapter_sdk::model::{
    Address, AddressUse, HumanName, Identifier, PartialDate, Person, PersonStatus, Sex, Unmapped,
};
use adapter_sdk::{Failure, dates};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A record as the registry tells it. Its links are other people's numbers: they are not asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) version: u64,
    #[serde(default)]
    names: Vec<Name>,
    sex: Option<String>,
    born: Option<String>,
    died: Option<String>,
    #[serde(default)]
    addresses: Vec<Place>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Name {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    given: Vec<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
struct Place {
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    use_: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
}

/// Every field of a person that can be written, or that is told to be unwritten.
pub(crate) const FIELDS: [&str; 11] = [
    "names",
    "sex",
    "birth-date",
    "death-date",
    "addresses",
    "marital-status",
    "contacts",
    "photo",
    "related",
    "status",
    "replaced-by",
];

/// What of a person goes into a record, and what has no place there.
#[derive(Debug, Default)]
pub(crate) struct Mapped {
    pub(crate) content: Map<String, Value>,
    pub(crate) unwritten: Vec<String>,
}

/// A record as a person.
pub(crate) fn person(record: Record, scheme: &str) -> Person {
    let mut unmapped = Vec::new();
    let mut date = |field: &str, text: &Option<String>| {
        dates::read(field, text.as_deref().unwrap_or_default(), &mut unmapped)
    };
    let (birth_date, death_date) = (
        date("birth-date", &record.born),
        date("death-date", &record.died),
    );
    let sex = match record.sex.as_deref() {
        Some("F") => Some(Sex::Female),
        Some("M") => Some(Sex::Male),
        Some("U") => Some(Sex::Unknown),
        Some(other) => {
            unmapped.push(Unmapped::new("sex", other));
            None
        }
        None => None,
    };
    Person {
        identifiers: vec![Identifier::new(scheme, record.id)],
        names: record.names.into_iter().map(name_in).collect(),
        sex,
        birth_date,
        death_date,
        addresses: record.addresses.into_iter().map(address_in).collect(),
        // Only what it says: a record without a date of death is not a statement of life.
        status: record.died.is_some().then_some(PersonStatus::Deceased),
        version: Some(record.version.to_string()),
        unmapped,
        ..Person::default()
    }
}

/// Writes one field, cleared where the person has it not.
pub(crate) fn write(field: &str, person: &Person, to: &mut Mapped) -> Result<(), Failure> {
    let date = |date: &Option<PartialDate>, to: &mut Mapped| match date {
        Some(date) => {
            if date.estimated {
                to.unwritten.push(format!("{field}.estimated"));
            }
            if date.original.is_some() {
                to.unwritten.push(format!("{field}.original"));
            }
            json!(dates::format(date))
        }
        None => Value::Null,
    };
    let (key, value) = match field {
        "names" => {
            let names = person.names.iter().enumerate();
            let names: Vec<Name> = names.map(|(at, name)| name_out(at, name, to)).collect();
            ("names", json!(names))
        }
        "sex" => {
            let code = match person.sex {
                Some(Sex::Female) => json!("F"),
                Some(Sex::Male) => json!("M"),
                Some(Sex::Unknown) => json!("U"),
                // The registry's list has no word for it, and another would be a guess.
                Some(Sex::Other) => return Err(Failure::unsupported("sex.other").field("sex")),
                None => Value::Null,
            };
            ("sex", code)
        }
        "birth-date" => ("born", date(&person.birth_date, to)),
        "death-date" => ("died", date(&person.death_date, to)),
        "addresses" => {
            let places = person.addresses.iter().enumerate();
            let places: Vec<Place> = places
                .map(|(at, address)| address_out(at, address, to))
                .collect();
            ("addresses", json!(places))
        }
        other => {
            to.unwritten.push(other.to_owned());
            return Ok(());
        }
    };
    to.content.insert(key.to_owned(), value);
    Ok(())
}

/// The fields that a person has.
pub(crate) fn filled(person: &Person) -> Vec<&'static str> {
    let has = |field: &&str| match *field {
        "names" => !person.names.is_empty(),
        "sex" => person.sex.is_some(),
        "birth-date" => person.birth_date.is_some(),
        "death-date" => person.death_date.is_some(),
        "addresses" => !person.addresses.is_empty(),
        "marital-status" => person.marital_status.is_some(),
        "contacts" => !person.contacts.is_empty(),
        "photo" => person.photo.is_some(),
        "related" => !person.related.is_empty(),
        "status" => person.status.is_some(),
        _ => !person.replaced_by.is_empty(),
    };
    FIELDS.into_iter().filter(has).collect()
}

fn name_in(name: Name) -> HumanName {
    HumanName {
        text: name.text,
        family: name.family,
        given: name.given,
        ..HumanName::default()
    }
}

fn name_out(at: usize, name: &HumanName, to: &mut Mapped) -> Name {
    for (part, there) in [
        ("use", name.use_.is_some()),
        ("prefix", !name.prefix.is_empty()),
        ("suffix", !name.suffix.is_empty()),
        ("language", name.language.is_some()),
    ] {
        if there {
            to.unwritten.push(format!("names.{at}.{part}"));
        }
    }
    Name {
        text: name.text.clone(),
        family: name.family.clone(),
        given: name.given.clone(),
    }
}

fn address_in(place: Place) -> Address {
    Address {
        use_: place.use_.map(|word| match word.as_str() {
            "home" => AddressUse::Home,
            "work" => AddressUse::Work,
            "temporary" => AddressUse::Temporary,
            "old" => AddressUse::Old,
            "birth" => AddressUse::Birth,
            _ => AddressUse::Other(word),
        }),
        text: place.text,
        lines: place.lines,
        city: place.city,
        postal_code: place.postal_code,
        country: place.country,
        ..Address::default()
    }
}

fn address_out(at: usize, address: &Address, to: &mut Mapped) -> Place {
    for (part, there) in [
        ("areas", !address.areas.is_empty()),
        ("position", address.position.is_some()),
    ] {
        if there {
            to.unwritten.push(format!("addresses.{at}.{part}"));
        }
    }
    Place {
        use_: address.use_.as_ref().map(|use_| {
            match use_ {
                AddressUse::Home => "home",
                AddressUse::Work => "work",
                AddressUse::Temporary => "temporary",
                AddressUse::Old => "old",
                AddressUse::Birth => "birth",
                AddressUse::Other(word) => word,
            }
            .to_owned()
        }),
        text: address.text.clone(),
        lines: address.lines.clone(),
        city: address.city.clone(),
        postal_code: address.postal_code.clone(),
        country: address.country.clone(),
    }
}

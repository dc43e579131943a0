//! What an administrator says of a registry, as far as every FHIR registry needs it said.

use std::collections::BTreeMap;

use adapter_sdk::model::{PartialDate, Person};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dates::{Gregorian, ReadDate};
use crate::json::{Notes, Object};

/// How a registry's resources are read.
pub struct Rules {
    /// What an adapter's own keys of `extra` begin with: `x-` and its name.
    pub prefix: &'static str,
    /// Identifier systems and canonical schemes.
    pub schemes: Schemes,
    /// The scheme under which the server's own id of a resource is told. None: it is not.
    pub resource_id_scheme: Option<String>,
    /// At which level of administrative areas parts of an address stand.
    pub address_levels: AddressLevels,
    /// What says who is the head of a household.
    pub head: HeadMarkers,
    /// The extension of a Group that has its address.
    pub group_address: Option<String>,
    /// How dates of birth and death are read.
    pub dates: Box<dyn ReadDate>,
    /// What an adapter adds to each person.
    pub adds: Option<Box<dyn Adds>>,
    /// To tell which identifiers have run out. None: those with an end are kept.
    pub today: Option<PartialDate>,
}

impl Rules {
    /// Rules for these schemes, of which everything else is as FHIR has it.
    pub fn new(prefix: &'static str, schemes: Schemes) -> Self {
        Self {
            prefix,
            schemes,
            resource_id_scheme: None,
            address_levels: AddressLevels::default(),
            head: HeadMarkers::default(),
            group_address: None,
            dates: Box::new(Gregorian),
            adds: None,
            today: None,
        }
    }

    /// A key of `extra` of this adapter's own: `managingOrganization` as `…-managing-organization`.
    pub fn key(&self, name: &str) -> String {
        let mut key = format!("{}-", self.prefix);
        for c in name.trim_start_matches('_').chars() {
            match c {
                c if c.is_ascii_uppercase() => {
                    key.push('-');
                    key.push(c.to_ascii_lowercase());
                }
                c if c.is_ascii_alphanumeric() => key.push(c),
                _ => key.push('-'),
            }
        }
        key
    }
}

/// What an adapter adds to each person whom it reads, in a household too.
pub trait Adds {
    /// The extensions of Patient that it reads.
    fn extensions(&self) -> Vec<&str>;

    /// The person with what it adds.
    fn add(&self, person: Person, patient: &Value) -> Person;
}

/// One word or a list of words.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// `"urn:oid:1.2.3"`
    One(String),
    /// `["urn:oid:1.2.3", "https://example.org/nid"]`
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Many(words) => words,
        }
    }
}

/// Canonical schemes and what the registry has for them. The first of several is written, all are
/// read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schemes {
    /// By scheme: `Identifier.system`.
    pub systems: BTreeMap<String, OneOrMany>,
    /// By scheme: `Identifier.type`, as `system|code` or `code`, for servers that leave the system
    /// of an identifier out (openIMIS).
    pub types: BTreeMap<String, OneOrMany>,
}

impl Schemes {
    /// The system that is written for a scheme.
    pub fn system(&self, scheme: &str) -> Option<&str> {
        let systems = self.systems.get(scheme)?;
        systems.all().first().map(String::as_str)
    }

    /// The scheme of an identifier: by its system, and where it has none, by its type.
    pub fn of(&self, identifier: &Carried) -> Option<&str> {
        let found = match &identifier.system {
            Some(system) => find(&self.systems, |word| word == system),
            None => find(&self.types, |word| identifier.has_type(word)),
        };
        found.map(String::as_str)
    }

    /// The value of the search parameter `identifier` (R4, section 3.1.1.4.10): `system|value`, and
    /// the value alone where the server has types in place of systems. None: the registry does not
    /// know the scheme.
    pub fn token(&self, scheme: &str, value: &str) -> Option<String> {
        let value = escaped(value);
        match self.system(scheme) {
            Some(system) => Some(format!("{}|{value}", escaped(system))),
            None => self.types.contains_key(scheme).then_some(value),
        }
    }
}

fn find(table: &BTreeMap<String, OneOrMany>, fits: impl Fn(&str) -> bool) -> Option<&String> {
    let found = table
        .iter()
        .find(|(_, words)| words.all().iter().any(|word| fits(word)));
    found.map(|(scheme, _)| scheme)
}

/// R4, section 3.1.1.4.0.2: what separates values in a search parameter is escaped.
pub fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | ',' | '|' | '$') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// An `Identifier` as a resource carries it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// `Identifier.system`
    pub system: Option<String>,
    /// `Identifier.type.coding`: system and code.
    pub types: Vec<(Option<String>, String)>,
    /// `Identifier.value`
    pub value: String,
}

impl Carried {
    /// None where it has no value that could be one.
    pub fn read(identifier: &Object<'_>, notes: &mut Notes, field: &str) -> Option<Self> {
        let types = identifier.object("type");
        let codings = types.map(|it| it.objects("coding")).unwrap_or_default();
        let coded = codings.iter().filter_map(|coding| {
            let system = coding.text("system").map(str::to_owned);
            Some((system, coding.text("code")?.to_owned()))
        });
        Some(Self {
            system: identifier.text("system").map(str::to_owned),
            types: coded.collect(),
            value: notes.text(identifier, "value", field)?,
        })
    }

    fn has_type(&self, word: &str) -> bool {
        self.types
            .iter()
            .any(|(system, code)| match word.rsplit_once('|') {
                Some((wanted, wanted_code)) => {
                    system.as_deref() == Some(wanted) && code == wanted_code
                }
                None => code == word,
            })
    }
}

/// Levels of administrative areas; a part that is not set has no level.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AddressLevels {
    /// `Address.state`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<u8>,
    /// `Address.district`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub district: Option<u8>,
}

/// What says who is the head of a Group: FHIR itself has no word for it. What is not set says
/// nothing, and a household about which nothing is said has no head.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HeadMarkers {
    /// An extension of Patient with a truth value, as openIMIS has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient_extension: Option<String>,
    /// An extension of Group with a reference to the head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_extension: Option<String>,
    /// An extension of `Group.member` with a truth value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_extension: Option<String>,
    /// A code of `Group.characteristic`, as `system|code` or `code`, whose value is a reference to
    /// the head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characteristic: Option<String>,
}

//! A declaration of the events API as a record, by the fields that the settings name.

use std::collections::BTreeSet;

use adapter_sdk::model::{
    Address, AdministrativeArea, Contact, Extra, HumanName, Identifier, PartialDate, Person,
    Unmapped,
};
use adapter_sdk::{Failure, dates};
use serde_json::{Value, json};

use super::declared::Declared;
use super::record::{Party, Record};
use super::shape::{Object, extra, is_blank, plain, text};
use super::{address, codes, informant};
use crate::settings::{Kind, Role, Settings, field_ids, identifier_fields};

/// The record of an event.
///
/// # Errors
/// `unreadable` with code `answer.event-type` where the settings have no such event.
pub fn record(declared: &Declared, settings: &Settings) -> Result<Record, Failure> {
    let kind = declared.event_type.as_deref();
    let kind = kind.and_then(|it| settings.kind(it));
    let kind = kind.ok_or_else(|| Failure::unreadable("answer.event-type"))?;
    let mut reader = Reader {
        settings,
        kind,
        declaration: &declared.declaration,
        read: BTreeSet::new(),
    };
    let mut record = Record {
        id: declared.id.clone(),
        status: declared.status.clone(),
        tracking_id: declared.tracking_id.clone(),
        registration_number: declared.registration_number.clone(),
        registered_at: declared.registered_at.clone(),
        duplicate_of: declared.duplicate_of.clone(),
        ..Record::of(kind)
    };
    for role in kind.roles() {
        let party = reader.party(*role, &mut record.unmapped);
        record.parties.extend(party);
    }
    informant::complete(&mut record);
    record.place = reader.place(&mut record.unmapped);
    reader.birth_type(&mut record);
    let occurred = record.subject().and_then(|it| match kind {
        Kind::Birth => it.person.birth_date.clone(),
        Kind::Death => it.person.death_date.clone(),
    });
    record.occurred = occurred;
    record.extra = reader.rest();
    Ok(record.finished(settings))
}

struct Reader<'a> {
    settings: &'a Settings,
    kind: Kind,
    declaration: &'a Object,
    /// The fields that were looked at.
    read: BTreeSet<&'a str>,
}

impl<'a> Reader<'a> {
    /// The first filled of the fields that hold this.
    fn value(&mut self, key: &str) -> Option<&'a Value> {
        self.first(field_ids(self.settings, key))
    }

    fn first(&mut self, ids: Vec<&'a str>) -> Option<&'a Value> {
        let mut found = None;
        for id in ids {
            self.read.insert(id);
            let value = self.declaration.get(id).filter(|value| !is_blank(value));
            found = found.or(value);
        }
        found
    }

    fn of(&mut self, role: Role, part: &str) -> Option<&'a Value> {
        self.value(&format!("{}.{}.{part}", self.kind.word(), role.word()))
    }

    /// Somebody of this role; none where the declaration says that there is nobody, or nothing.
    fn party(&mut self, role: Role, of_record: &mut Vec<Unmapped>) -> Option<Party> {
        let absent = self.of(role, "absent") == Some(&Value::Bool(true));
        let mut unmapped = Vec::new();
        let relation = self.relation(role, &mut unmapped);
        let person = self.person(role, &mut unmapped);
        if absent {
            return None;
        }
        let nothing = person == Person::default() && relation.is_none();
        if nothing {
            // What cannot be read of somebody is told, though nothing else is.
            let at =
                |it: Unmapped| Unmapped::new(format!("{}.{}", role.word(), it.field), it.value);
            of_record.extend(unmapped.into_iter().map(at));
            return None;
        }
        Some(Party {
            role,
            person: Person { unmapped, ..person },
            relation,
        })
    }

    fn relation(
        &mut self,
        role: Role,
        unmapped: &mut Vec<Unmapped>,
    ) -> Option<adapter_sdk::model::RelationRole> {
        let code = text(self.of(role, "relation"), "relation", unmapped);
        let words = text(self.of(role, "relation-text"), "relation", unmapped);
        informant::relation(code, words, self.settings, unmapped)
    }

    fn person(&mut self, role: Role, unmapped: &mut Vec<Unmapped>) -> Person {
        let codes = &self.settings.codes;
        let mut person = Person {
            names: self.names(role, unmapped),
            birth_date: self.date(role, "birth-date", unmapped),
            death_date: self.date(role, "death-date", unmapped),
            ..Person::default()
        };
        for (scheme, ids) in identifier_fields(self.settings, self.kind, role) {
            let value = text(self.first(ids), "identifiers", unmapped);
            let number = value.map(|value| Identifier::new(scheme, value));
            person.identifiers.extend(number);
        }
        if let Some(code) = text(self.of(role, "sex"), "sex", unmapped) {
            person.sex = codes::sex(codes).read("sex", &code, unmapped);
        }
        let marital = text(self.of(role, "marital-status"), "marital-status", unmapped);
        if let Some(code) = marital {
            let list = codes::marital_status(codes);
            person.marital_status = list.read("marital-status", &code, unmapped);
        }
        let address = self.of(role, "address");
        let address = address.and_then(|it| address::declared(it, "addresses", unmapped));
        person.addresses.extend(address.map(|it| Address {
            use_: Some(adapter_sdk::model::AddressUse::Home),
            ..it
        }));
        let phone = text(self.of(role, "phone"), "contacts", unmapped);
        let email = text(self.of(role, "email"), "contacts", unmapped);
        person.contacts.extend(phone.map(Contact::phone));
        person.contacts.extend(email.map(Contact::email));
        for key in ["nationality", "education-level", "occupation"] {
            let value = text(self.of(role, key), key, unmapped);
            let value = value.map(|it| Extra::new(key, &Value::String(it)));
            person.extra.extend(value);
        }
        if let Some(value) = self.of(role, "age") {
            person.extra.extend(self.age(value, unmapped));
        }
        person
    }

    /// `{firstname, middlename, surname}`, the whole as text, or the parts in fields of their own.
    fn names(&mut self, role: Role, unmapped: &mut Vec<Unmapped>) -> Vec<HumanName> {
        let mut name = HumanName::default();
        match self.of(role, "name") {
            Some(Value::Object(parts)) => {
                name.family = text(parts.get("surname"), "names", unmapped);
                for part in ["firstname", "middlename"] {
                    name.given.extend(text(parts.get(part), "names", unmapped));
                }
            }
            whole => name.text = text(whole, "names", unmapped),
        }
        let family = text(self.of(role, "name.family"), "names", unmapped);
        let given = text(self.of(role, "name.given"), "names", unmapped);
        name.family = name.family.or(family);
        if name.given.is_empty() {
            name.given.extend(given);
        }
        Some(name).filter(|it| !it.is_empty()).into_iter().collect()
    }

    fn date(
        &mut self,
        role: Role,
        part: &str,
        unmapped: &mut Vec<Unmapped>,
    ) -> Option<PartialDate> {
        let value = text(self.of(role, part), part, unmapped)?;
        dates::read(part, &value, unmapped)
    }

    /// `{age, asOfDateRef}`, where the reference names the field whose date the age is at; or a number.
    fn age(&self, value: &Value, unmapped: &mut Vec<Unmapped>) -> Option<Extra> {
        let (years, at) = match value {
            Value::Object(age) => {
                let at = age.get("asOfDateRef").and_then(Value::as_str);
                let at = at.and_then(|id| plain(self.declaration.get(id)));
                (age.get("age"), at)
            }
            value => (Some(value), None),
        };
        let Some(years) = years.filter(|it| it.is_number()) else {
            unmapped.push(Unmapped::new("extra.age", value.to_string()));
            return None;
        };
        let at = at.as_deref().and_then(dates::parse);
        let at = at.as_ref().map(dates::format);
        let age = match at {
            Some(at) => json!({ "years": years, "at": at }),
            None => json!({ "years": years }),
        };
        Some(Extra::new("age", &age))
    }

    /// Where it happened: a location's id, an address, or words.
    fn place(&mut self, unmapped: &mut Vec<Unmapped>) -> Option<Address> {
        let (place, kind) = match self.kind {
            Kind::Birth => ("birth.place", "birth.place-kind"),
            Kind::Death => ("death.place", "death.place-kind"),
        };
        let kind = text(self.value(kind), "place", unmapped);
        let value = self.value(place);
        let place = value.and_then(|value| address::declared(value, "place", unmapped));
        let mut place = match place {
            Some(place) => place,
            None if kind.is_none() => return None,
            None => Address::default(),
        };
        match (place.areas.first_mut(), kind) {
            // A bare id: what it is of is told beside it.
            (Some(AdministrativeArea { kind: of, .. }), kind)
                if value.is_some_and(Value::is_string) =>
            {
                *of = kind;
            }
            (_, kind) => {
                let kind = kind.map(|it| extra("place-kind", &Value::String(it)));
                place.extra.extend(kind);
            }
        }
        Some(place)
    }

    fn birth_type(&mut self, record: &mut Record) {
        let code = text(
            self.value("birth.type"),
            "extra.multiple-birth",
            &mut record.unmapped,
        );
        informant::birth_type(code, record);
    }

    /// The filled fields that nothing was looked for in.
    fn rest(&self) -> Vec<Extra> {
        let rest = self.declaration.iter().filter(|(id, value)| {
            let known = self.read.contains(id.as_str());
            !known && !is_blank(value)
        });
        rest.map(|(id, value)| extra(id, value)).collect()
    }
}

//! A notification of ours, sorted for OpenCRVS: who is in it by role, and what has no place there.
//! [`document`](super::document) and [`declare`] give it OpenCRVS's two forms.

use adapter_sdk::model::{
    Address, AdministrativeArea, CreateRequest, CreateSubject, EventKind, HumanName, NameUse,
    Notification, PartialDate, Participant, ParticipantRole, Person, RelationRole,
};
use adapter_sdk::{Failure, dates};
use serde_json::{Value, json};

use super::address::LOCATIONS;
use super::codes;
use super::shape::Object;
use crate::settings::{Kind, Role, Settings, field_ids, identifier_fields};

/// Somebody in a notification.
#[derive(Clone, Debug)]
pub struct Named<'a> {
    /// Who they are in it.
    pub role: Role,
    /// Where they stand in the request.
    pub at: usize,
    /// What is told of them.
    pub person: &'a Person,
    /// What they are to the subject.
    pub relation: Option<&'a RelationRole>,
}

/// A notification of a birth or a death.
#[derive(Clone, Debug)]
pub struct Notice<'a> {
    /// What it is of.
    pub kind: Kind,
    /// Who is in it.
    pub people: Vec<Named<'a>>,
    /// Where it happened.
    pub place: Option<&'a Address>,
    /// What has no place in OpenCRVS's form.
    pub unwritten: Vec<String>,
}

impl<'a> Notice<'a> {
    /// The notification of a request.
    ///
    /// # Errors
    /// `unsupported` with code `create.subject` where it is none, or not of a birth or a death;
    /// `rejected` with code `participants.role` where two are of one role, or the subject is not there.
    pub fn of(request: &'a CreateRequest) -> Result<Self, Failure> {
        let unsupported = || Failure::unsupported("create.subject").field("subject");
        let CreateSubject::Event(notification) = &request.subject else {
            return Err(unsupported());
        };
        let kind = match notification.kind {
            EventKind::Birth => Kind::Birth,
            EventKind::Death => Kind::Death,
            _ => return Err(unsupported().field("subject.kind")),
        };
        let mut notice = Self {
            kind,
            people: Vec::new(),
            place: notification.place.as_ref(),
            unwritten: Vec::new(),
        };
        for (at, participant) in notification.participants.iter().enumerate() {
            notice.take(at, participant)?;
        }
        if notice.person(kind.subject()).is_none() {
            return Err(Failure::rejected("participants.role").field("participants"));
        }
        notice.leave(notification);
        Ok(notice)
    }

    /// The one of this role.
    pub fn person(&self, role: Role) -> Option<&Named<'a>> {
        self.people.iter().find(|it| it.role == role)
    }

    /// The id of the location where it happened, and what it is.
    pub fn location(&self) -> Option<(&'a str, Option<&'a str>)> {
        let area = self.place.and_then(location)?;
        Some((area.code.as_deref()?, area.kind.as_deref()))
    }

    fn take(&mut self, at: usize, participant: &'a Participant) -> Result<(), Failure> {
        let role = match participant.role {
            ParticipantRole::Child => Role::Child,
            ParticipantRole::Mother => Role::Mother,
            ParticipantRole::Father => Role::Father,
            ParticipantRole::Deceased => Role::Deceased,
            ParticipantRole::Spouse => Role::Spouse,
            ParticipantRole::Informant => Role::Informant,
            _ => {
                self.unwritten.push(format!("participants.{at}"));
                return Ok(());
            }
        };
        if !self.kind.roles().contains(&role) {
            self.unwritten.push(format!("participants.{at}"));
            return Ok(());
        }
        if self.person(role).is_some() {
            let field = format!("participants.{at}.role");
            return Err(Failure::rejected("participants.role").field(field));
        }
        self.people.push(Named {
            role,
            at,
            person: &participant.person,
            relation: participant.relation.as_ref(),
        });
        Ok(())
    }

    /// What neither form has a place for.
    fn leave(&mut self, notification: &Notification) {
        // The date is the child's or the deceased's own.
        let told = self
            .person(self.kind.subject())
            .and_then(|it| match self.kind {
                Kind::Birth => it.person.birth_date.clone(),
                Kind::Death => it.person.death_date.clone(),
            });
        if notification.occurred.is_some() && notification.occurred != told {
            self.unwritten.push("occurred".to_owned());
        }
        let more = [
            ("household", notification.household.is_some()),
            ("extra", !notification.extra.is_empty()),
            ("place", self.place.is_some() && self.location().is_none()),
        ];
        let more = more.into_iter().filter(|(_, is)| *is);
        self.unwritten
            .extend(more.map(|(field, _)| field.to_owned()));
        for named in self.people.clone() {
            let person = named.person;
            let more = [
                ("names", person.names.len() > 1),
                ("addresses", person.addresses.len() > 1),
                ("photo", person.photo.is_some()),
                ("related", !person.related.is_empty()),
                (
                    "status",
                    person.status.is_some() && named.role != Role::Deceased,
                ),
                ("replaced-by", !person.replaced_by.is_empty()),
                ("version", person.version.is_some()),
                ("extra", !person.extra.is_empty()),
            ];
            for (field, _) in more.into_iter().filter(|(_, is)| *is) {
                self.leave_of(&named, field);
            }
        }
    }

    /// Notes that a field of somebody is not written.
    pub fn leave_of(&mut self, named: &Named<'_>, field: &str) {
        let at = named.at;
        self.unwritten
            .push(format!("participants.{at}.person.{field}"));
    }
}

/// The declaration of the events API (2.x and 1.9), by the fields that the settings name.
///
/// # Errors
/// `unsupported` with the field, where OpenCRVS's list has no code for a value.
pub fn declare(notice: &mut Notice<'_>, settings: &Settings) -> Result<Object, Failure> {
    let mut declaration = Object::new();
    for named in notice.people.clone() {
        let (kind, role, person) = (notice.kind.word(), named.role.word(), named.person);
        let mut put = |part: &str, value: Option<Value>, notice: &mut Notice<'_>, field: &str| {
            let Some(value) = value else { return };
            let ids = field_ids(settings, &format!("{kind}.{role}.{part}"));
            match ids.first() {
                Some(id) => {
                    declaration.insert((*id).to_owned(), value);
                }
                None => notice.leave_of(&named, field),
            }
        };
        match main_name(person).map(name_value) {
            Some(None) => notice.leave_of(&named, "names"),
            name => put("name", name.flatten(), notice, "names"),
        }
        let sex = coded_sex(&named, settings)?.map(Value::String);
        put("sex", sex, notice, "sex");
        let status = coded_marital_status(&named, settings)?.map(Value::String);
        put("marital-status", status, notice, "marital-status");
        for (part, date) in [
            ("birth-date", &person.birth_date),
            ("death-date", &person.death_date),
        ] {
            match date.as_ref().map(whole_date) {
                Some(None) => notice.leave_of(&named, part),
                date => put(part, date.flatten().map(Value::String), notice, part),
            }
        }
        let relation = coded_relation(&named, settings)?.map(Value::String);
        put("relation", relation, notice, "relation");
        for (part, system) in [("phone", "phone"), ("email", "email")] {
            let value = contact(person, system).map(Value::String);
            put(part, value, notice, "contacts");
        }
        let address = person.addresses.first();
        match address.map(domestic) {
            Some(None) => notice.leave_of(&named, "addresses"),
            address => put("address", address.flatten(), notice, "addresses"),
        }
        let fields = identifier_fields(settings, notice.kind, named.role);
        for (at, identifier) in person.identifiers.iter().enumerate() {
            let of_scheme = fields
                .iter()
                .find(|(scheme, _)| *scheme == identifier.scheme);
            let free = of_scheme.and_then(|(_, ids)| ids.first().copied());
            match free.filter(|id| !declaration.contains_key(*id)) {
                Some(id) => {
                    let value = Value::String(identifier.value.clone());
                    declaration.insert(id.to_owned(), value);
                }
                None => notice.leave_of(&named, &format!("identifiers.{at}")),
            }
        }
    }
    if let Some((id, kind)) = notice.location() {
        let of = notice.kind.word();
        for (key, value) in [("place", Some(id)), ("place-kind", kind)] {
            let ids = field_ids(settings, &format!("{of}.{key}"));
            if let (Some(id), Some(value)) = (ids.first(), value) {
                let value = Value::String(value.to_owned());
                declaration.insert((*id).to_owned(), value);
            }
        }
    }
    Ok(declaration)
}

/// The name that a declaration has: the official or the usual, else the first.
pub(super) fn main_name(person: &Person) -> Option<&HumanName> {
    let of = |used: &NameUse| {
        person
            .names
            .iter()
            .find(|it| it.use_.as_ref() == Some(used))
    };
    of(&NameUse::Official)
        .or_else(|| of(&NameUse::Usual))
        .or_else(|| person.names.first())
}

/// A single name has no parts, and OpenCRVS has nothing else.
fn name_value(name: &HumanName) -> Option<Value> {
    let mut given = name.given.iter();
    let mut value = Object::new();
    let first = given.next().cloned();
    let middle = given.cloned().collect::<Vec<_>>().join(" ");
    let middle = Some(middle).filter(|it| !it.is_empty());
    let parts = [
        ("firstname", first),
        ("middlename", middle),
        ("surname", name.family.clone()),
    ];
    for (part, text) in parts {
        value.extend(text.map(|it| (part.to_owned(), Value::String(it))));
    }
    (!value.is_empty()).then_some(Value::Object(value))
}

/// A date that is known to the day: OpenCRVS has no other.
pub(super) fn whole_date(date: &PartialDate) -> Option<String> {
    date.day.map(|_| dates::format(date))
}

pub(super) fn contact(person: &Person, system: &str) -> Option<String> {
    use adapter_sdk::model::ContactSystem;
    let is = |it: &&adapter_sdk::model::Contact| {
        matches!(
            (&it.system, system),
            (ContactSystem::Phone, "phone") | (ContactSystem::Email, "email")
        )
    };
    person.contacts.iter().find(is).map(|it| it.value.clone())
}

/// The smallest area that is one of OpenCRVS's locations.
pub(super) fn location(address: &Address) -> Option<&AdministrativeArea> {
    let is = |it: &&AdministrativeArea| it.code_system.as_deref() == Some(LOCATIONS);
    address.areas.iter().rfind(is)
}

fn domestic(address: &Address) -> Option<Value> {
    let area = location(address)?.code.as_ref()?;
    let country = address.country.as_ref()?;
    Some(json!({
        "addressType": "DOMESTIC", "country": country, "administrativeArea": area,
    }))
}

fn uncoded(named: &Named<'_>, field: &str) -> Failure {
    let at = named.at;
    Failure::unsupported("code.missing").field(format!("participants.{at}.{field}"))
}

pub(super) fn coded_sex(named: &Named<'_>, settings: &Settings) -> Result<Option<String>, Failure> {
    let list = codes::sex(&settings.codes);
    let Some(sex) = &named.person.sex else {
        return Ok(None);
    };
    let code = list.code(sex).map(str::to_owned);
    code.map(Some).ok_or_else(|| uncoded(named, "person.sex"))
}

pub(super) fn coded_marital_status(
    named: &Named<'_>,
    settings: &Settings,
) -> Result<Option<String>, Failure> {
    let list = codes::marital_status(&settings.codes);
    let Some(status) = &named.person.marital_status else {
        return Ok(None);
    };
    let code = list.code(status).map(str::to_owned);
    code.map(Some)
        .ok_or_else(|| uncoded(named, "person.marital-status"))
}

pub(super) fn coded_relation(
    named: &Named<'_>,
    settings: &Settings,
) -> Result<Option<String>, Failure> {
    let list = codes::relation(&settings.codes);
    let Some(relation) = named.relation.filter(|_| named.role == Role::Informant) else {
        return Ok(None);
    };
    let code = list.code(relation).map(str::to_owned);
    code.map(Some).ok_or_else(|| uncoded(named, "relation"))
}

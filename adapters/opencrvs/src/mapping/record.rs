//! One registered event in our words, whichever of OpenCRVS's forms it came in.

use adapter_sdk::model::{
    Address, AddressUse, Extra, Identifier, PartialDate, Person, PersonStatus, RelationRole,
    Unmapped,
};
use serde_json::Value;

use crate::settings::{Kind, REGISTERED, Role, Settings};

/// Somebody in a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    /// Who they are in it.
    pub role: Role,
    /// What it tells of them.
    pub person: Person,
    /// What they are to its subject: of informants only.
    pub relation: Option<RelationRole>,
}

/// A record of a birth or a death.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What it is of.
    pub kind: Kind,
    /// OpenCRVS's id of it.
    pub id: Option<String>,
    /// The declaration's number, which is no registration number.
    pub tracking_id: Option<String>,
    /// The registration number.
    pub registration_number: Option<String>,
    /// OpenCRVS's word for where it stands.
    pub status: Option<String>,
    /// RFC 3339.
    pub registered_at: Option<String>,
    /// The id of the record that this one repeats.
    pub duplicate_of: Option<String>,
    /// When it happened in life.
    pub occurred: Option<PartialDate>,
    /// Where it happened in life.
    pub place: Option<Address>,
    /// Who is in it, the subject first.
    pub parties: Vec<Party>,
    /// What of it has no place in the model.
    pub extra: Vec<Extra>,
    /// What of it is not mapped.
    pub unmapped: Vec<Unmapped>,
}

impl Record {
    /// A record of which nothing more is known.
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            id: None,
            tracking_id: None,
            registration_number: None,
            status: None,
            registered_at: None,
            duplicate_of: None,
            occurred: None,
            place: None,
            parties: Vec::new(),
            extra: Vec::new(),
            unmapped: Vec::new(),
        }
    }

    /// Whom it is about.
    pub fn subject(&self) -> Option<&Party> {
        self.party(self.kind.subject())
    }

    /// The one of this role.
    pub fn party(&self, role: Role) -> Option<&Party> {
        self.parties.iter().find(|party| party.role == role)
    }

    /// Whether it is registered: a declared death is what somebody says.
    pub fn is_registered(&self) -> bool {
        let status = self.status.as_deref().unwrap_or_default();
        self.registration_number.is_some()
            || REGISTERED.iter().any(|it| it.eq_ignore_ascii_case(status))
    }

    /// Gives the subject what the record as a whole says of them: its numbers, its place, and where
    /// the record stands.
    #[must_use]
    pub fn finished(mut self, settings: &Settings) -> Self {
        let numbers = [
            (
                settings.registration_scheme(self.kind),
                &self.registration_number,
            ),
            (&settings.schemes.tracking, &self.tracking_id),
            (&settings.schemes.record, &self.id),
        ];
        let numbers = numbers.into_iter().filter_map(|(scheme, value)| {
            let value = value.as_ref()?;
            Some(Identifier::new(scheme, value))
        });
        let numbers: Vec<Identifier> = numbers.collect();
        let status = self.person_status();
        let replaced_by = self.duplicate_of.as_ref();
        let replaced_by = replaced_by.map(|id| Identifier::new(&settings.schemes.record, id));
        let role = self.kind.subject();
        let Some(subject) = self.parties.iter_mut().find(|party| party.role == role) else {
            return self;
        };
        let person = &mut subject.person;
        for number in numbers {
            if !person.identifiers.contains(&number) {
                person.identifiers.push(number);
            }
        }
        if let Some(mut place) = self.place.clone() {
            place.use_ = Some(match self.kind {
                Kind::Birth => AddressUse::Birth,
                Kind::Death => AddressUse::Other("death".to_owned()),
            });
            person.addresses.push(place);
        }
        person.replaced_by.extend(replaced_by);
        person.status = status.or(person.status.take());
        if let Some(status) = &self.status {
            let status = Value::String(status.clone());
            person.extra.push(Extra::new("x-opencrvs-status", &status));
        }
        self
    }

    /// A birth says nothing of whether somebody lives.
    fn person_status(&self) -> Option<PersonStatus> {
        let status = self.status.as_deref().unwrap_or_default();
        if self.duplicate_of.is_some() {
            Some(PersonStatus::Merged)
        } else if status.eq_ignore_ascii_case("ARCHIVED") {
            Some(PersonStatus::Cancelled)
        } else if self.kind == Kind::Death && self.is_registered() {
            Some(PersonStatus::Deceased)
        } else {
            None
        }
    }
}

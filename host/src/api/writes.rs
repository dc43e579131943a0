//! The body of a write, and what the types cannot see of it.

use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::check::{self, invalid};
use super::problem::Problem;
use crate::model::{
    Beneficiary, Consent, CreateRequest, CreateSubject, EnrolmentRequest, Extra, Household,
    Identifier, LinkRequest, Notification, Person, UpdateRequest, WriteRequest,
};

/// A write: one of `create`, `update`, `link` and `enrolment`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WriteBody {
    /// The caller's own name for the person, 1 to 512 bytes: writes about one keep their order. It is
    /// kept as a keyed hash.
    pub(super) subject: String,
    /// Somebody or something that the registry does not know.
    #[serde(default)]
    create: Option<CreateBody>,
    /// Fields of a person that the registry knows.
    #[serde(default)]
    update: Option<UpdateRequest>,
    /// By which identifier somebody else knows the registry's person.
    #[serde(default)]
    link: Option<LinkRequest>,
    /// Who is in a programme.
    #[serde(default)]
    enrolment: Option<EnrolmentRequest>,
    /// One of many, for which nobody waits: others go first.
    #[serde(default)]
    pub(super) bulk: bool,
    /// After it nothing is tried any more. Left out: `operations.give_up_days` from now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) deadline: Option<Timestamp>,
    /// BCP 47, best first.
    #[serde(default)]
    pub(super) languages: Vec<String>,
    /// The person's agreement.
    #[serde(default)]
    pub(super) consent: Option<Consent>,
}

/// Of whom or what a record is made: one of `person`, `household`, `event` and `other`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateBody {
    #[serde(default)]
    person: Option<Box<Person>>,
    #[serde(default)]
    household: Option<Box<Household>>,
    /// The registry makes a record from it, once a registrar has declared it complete.
    #[serde(default)]
    event: Option<Box<Notification>>,
    /// A kind of record that has no type here.
    #[serde(default)]
    other: Option<Extra>,
    /// What has no field of its own.
    #[serde(default)]
    extra: Vec<Extra>,
}

impl WriteBody {
    /// What is to be written.
    pub(super) fn request(&mut self) -> Result<WriteRequest, Problem> {
        check::text("subject", &self.subject)?;
        check::languages(&self.languages)?;
        if let Some(consent) = &self.consent {
            check::consent(consent, Timestamp::now())?;
        }
        let create = self.create.take();
        let given = [
            create.map(CreateBody::request),
            self.update
                .take()
                .map(|update| updating(&update).map(|()| WriteRequest::Update(update))),
            self.link
                .take()
                .map(|link| linking(&link).map(|()| WriteRequest::Link(link))),
            self.enrolment
                .take()
                .map(|it| enrolling(&it).map(|()| WriteRequest::Enrolment(it))),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(request), None) => request,
            _ => Err(invalid(
                "body",
                "give exactly one of create, update, link and enrolment",
            )),
        }
    }
}

impl CreateBody {
    fn request(self) -> Result<WriteRequest, Problem> {
        let subjects = [
            self.person.map(CreateSubject::Person),
            self.household.map(CreateSubject::Household),
            self.event.map(CreateSubject::Event),
            self.other.map(CreateSubject::Other),
        ];
        let mut subjects = subjects.into_iter().flatten();
        let (Some(subject), None) = (subjects.next(), subjects.next()) else {
            return Err(invalid(
                "create",
                "give exactly one of person, household, event and other",
            ));
        };
        match &subject {
            CreateSubject::Person(one) => person("create.person", one)?,
            CreateSubject::Household(household) => people("create.household", household)?,
            CreateSubject::Event(event) => {
                for (at, one) in event.participants.iter().enumerate() {
                    person(
                        &format!("create.event.participants.{at}.person"),
                        &one.person,
                    )?;
                }
            }
            CreateSubject::Other(other) => check::text("create.other.key", &other.key)?,
        }
        let extra = self.extra;
        Ok(WriteRequest::Create(CreateRequest { subject, extra }))
    }
}

/// Somebody's record, as it is to be written.
fn person(place: &str, person: &Person) -> Result<(), Problem> {
    if *person == Person::default() {
        return Err(invalid(place, "must not be empty"));
    }
    whole(place, person)
}

fn whole(place: &str, person: &Person) -> Result<(), Problem> {
    if !person.unmapped.is_empty() {
        let problem = "answers alone have it: leave it out, or write the value as `extra`";
        return Err(invalid(format!("{place}.unmapped"), problem));
    }
    filled(&format!("{place}.identifiers"), &person.identifiers)
}

fn people(place: &str, household: &Household) -> Result<(), Problem> {
    if household.people.is_empty() {
        return Err(invalid(format!("{place}.people"), "at least one is needed"));
    }
    let of = household.people.len();
    let index = |at: &u32| usize::try_from(*at).is_ok_and(|at| at < of);
    if !household.members.iter().all(index) || household.head.is_some_and(|head| !index(&head)) {
        return Err(invalid(place, "members and head are indexes of people"));
    }
    let related = household.relations.iter();
    if !related
        .flat_map(|it| [it.subject, it.object])
        .all(|at| index(&at))
    {
        return Err(invalid(
            format!("{place}.relations"),
            "subject and object are indexes of people",
        ));
    }
    let mut all = household.people.iter().enumerate();
    all.try_for_each(|(at, one)| person(&format!("{place}.people.{at}"), one))
}

fn updating(update: &UpdateRequest) -> Result<(), Problem> {
    within("update", check::identifiers(&update.identifiers, false))?;
    whole("update.person", &update.person)?;
    if update.mask.is_empty() {
        return Err(invalid("update.mask", "name at least one field"));
    }
    for (at, field) in update.mask.iter().enumerate() {
        let place = || format!("update.mask.{at}");
        let key = field.strip_prefix("extra.").map(|key| !key.is_empty());
        match field.as_str() {
            "version" => {
                return Err(invalid(place(), "the registry gives it: see `version`"));
            }
            "unmapped" => return Err(invalid(place(), "answers alone have it")),
            known if Person::FIELDS.contains(&known) || key == Some(true) => {}
            _ => {
                let problem = "a person has no such field: see `Person` in /openapi.json";
                return Err(invalid(place(), problem));
            }
        }
        if update.mask.iter().take(at).any(|before| before == field) {
            return Err(invalid(place(), "it is named twice"));
        }
    }
    let named = |field: &str| update.mask.iter().any(|it| it == field);
    for field in update.person.filled_fields() {
        let keys = update.person.extra.iter();
        let each = || {
            let mut keys = keys.clone();
            field == "extra" && keys.all(|extra| named(&format!("extra.{}", extra.key)))
        };
        if !named(field) && !each() {
            return Err(invalid(
                format!("update.person.{field}"),
                "it would not be written: name it in `mask`, or leave it out",
            ));
        }
    }
    optional("update.version", update.version.as_deref())
}

fn linking(link: &LinkRequest) -> Result<(), Problem> {
    within("link", check::identifiers(&link.identifiers, false))?;
    filled("link.linked", std::slice::from_ref(&link.linked))?;
    optional("link.version", link.version.as_deref())
}

fn enrolling(enrolment: &EnrolmentRequest) -> Result<(), Problem> {
    let programme = &enrolment.programme.identifiers;
    within(
        "enrolment.programme",
        check::identifiers(programme, enrolment.programme.name.is_some()),
    )?;
    match &enrolment.beneficiary {
        Beneficiary::Person(one) => person("enrolment.beneficiary.person", one)?,
        Beneficiary::Household(all) => people("enrolment.beneficiary.household", all)?,
    }
    filled("enrolment.identifiers", &enrolment.identifiers)?;
    optional("enrolment.version", enrolment.version.as_deref())
}

/// None of them empty; there may be none.
fn filled(place: &str, identifiers: &[Identifier]) -> Result<(), Problem> {
    check::identifiers(identifiers, true).map_err(|problem| {
        problem.rename_field(|field| {
            let rest = field.strip_prefix("identifiers");
            rest.map(|rest| format!("{place}{rest}"))
        })
    })
}

fn optional(place: &str, text: Option<&str>) -> Result<(), Problem> {
    text.map_or(Ok(()), |text| check::text(place, text))
}

fn within(place: &str, checked: Result<(), Problem>) -> Result<(), Problem> {
    checked.map_err(|problem| problem.rename_field(|field| Some(format!("{place}.{field}"))))
}

//! SPDCI `notify_event[]` as life events.

use adapter_sdk::model::{
    Address, AddressUse, Event, EventKind, Identifier, Participant, ParticipantRole, Person,
    RelatedPerson, RelationRole,
};
use adapter_sdk::{Failure, dates};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::identifiers::one;
use super::person::RELATED;
use super::related::{RELATED_MEMBER, RELATIONSHIP_TYPE};
use super::{Carried, group, person};
use crate::settings::Settings;
use crate::wire::answer;
use crate::wire::record::{Record, elements};

/// What a `reg_event_type` is called, without its namespace, case and punctuation: the specification
/// has `LiveBirth` and `live_birth`, and for IBR `enrollement`.
static KINDS: &[(&str, EventKind)] = &[
    ("livebirth", EventKind::Birth),
    ("birth", EventKind::Birth),
    ("death", EventKind::Death),
    ("fetaldeath", EventKind::FetalDeath),
    ("stillbirth", EventKind::FetalDeath),
    ("marriage", EventKind::Marriage),
    ("divorce", EventKind::Divorce),
    ("annulment", EventKind::Annulment),
    ("separation", EventKind::Separation),
    ("judicialseparation", EventKind::Separation),
    ("adoption", EventKind::Adoption),
    ("legitimation", EventKind::Parentage),
    ("recognition", EventKind::Parentage),
    ("enrollement", EventKind::EnrolmentChanged),
    ("enrollment", EventKind::EnrolmentChanged),
    ("enrolment", EventKind::EnrolmentChanged),
    ("enrollementstatuschange", EventKind::EnrolmentChanged),
    ("enrollmentstatuschange", EventKind::EnrolmentChanged),
    ("enrolmentstatuschange", EventKind::EnrolmentChanged),
    ("deregister", EventKind::EnrolmentChanged),
];

/// Roles that `relationship_type` may name and that are none among relatives.
static ROLES: &[(&str, ParticipantRole)] = &[
    ("informant", ParticipantRole::Informant),
    ("witness", ParticipantRole::Witness),
    ("attendant", ParticipantRole::Attendant),
];

/// Every event of a notification. openIMIS has `notify_request`, `event_type` and `reg_record` in
/// place of the specification's `notify_event`, `reg_event_type` and `reg_records`.
///
/// # Errors
/// `unreadable` with the part that is missing; `misconfigured` with code `spdci.encrypted`.
pub fn events(body: &Value, settings: &Settings) -> Result<Vec<Event>, Failure> {
    let message = answer::plain_message(body)?;
    let message = Record::new(message).unwrap_or_default();
    let transaction = message.text(&["transaction_id"]).unwrap_or_default();
    let items = message.list(&["notify_event", "notify_request"]);
    if items.is_empty() {
        return Err(Failure::unreadable("notify.notify_event"));
    }
    let mut events = Vec::new();
    for item in items {
        let missing = |part: &str| Failure::unreadable(format!("notify.{part}"));
        let item = Record::new(item).ok_or_else(|| missing("notify_event"))?;
        let data = item.object(&["data"]).ok_or_else(|| missing("data"))?;
        let word = data.text(&["reg_event_type", "event_type"]);
        let word = word.ok_or_else(|| missing("reg_event_type"))?;
        let values = data.get(&["reg_records", "reg_record"]).map(elements);
        let values = values.filter(|values| !values.is_empty());
        let values = values.ok_or_else(|| missing("reg_records"))?;
        let numbers = [
            transaction.clone(),
            item.text(&["reference_id"]).unwrap_or_default(),
        ];
        let kind = kind(&word);
        // Two records of one marriage are its two people.
        let together = is_of_two(&kind) && values.len() == 2;
        let size = if together { 2 } else { 1 };
        for (at, values) in values.chunks(size).enumerate() {
            let records = values.iter().map(|value| Record::new(value));
            let records = records.collect::<Option<Vec<_>>>();
            let records = records.ok_or_else(|| missing("reg_records"))?;
            let id = id(&numbers, at, &word, values);
            events.push(event(id, kind.clone(), &records, settings));
        }
    }
    Ok(events)
}

/// The kind of a `reg_event_type`.
pub fn kind(word: &str) -> EventKind {
    let local = word.rsplit(':').next().unwrap_or(word);
    let letters = local.chars().filter(|c| c.is_ascii_alphanumeric());
    let plain: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    let known = KINDS.iter().find(|(known, _)| *known == plain);
    match known {
        Some((_, kind)) => kind.clone(),
        None => EventKind::Other(local.to_owned()),
    }
}

/// A registry that repeats itself repeats its numbers and its words. Numbers alone would not do: it may
/// leave them out, as the official samples do, or give one to several events.
fn id(numbers: &[String; 2], at: usize, word: &str, values: &[&Value]) -> String {
    let mut hash = Sha256::new();
    for value in values {
        let text = value.to_string();
        hash.update(format!("{}:{text};", text.len()));
    }
    for part in [&numbers[0], &numbers[1], &at.to_string(), word] {
        // With its length, so that no two lists of parts are one text.
        hash.update(format!("{}:{part};", part.len()));
    }
    let digits = hash
        .finalize()
        .iter()
        .take(16)
        .map(|b| format!("{b:02x}"))
        .collect::<String>();
    format!("spdci-{digits}")
}

fn event(id: String, kind: EventKind, records: &[Record<'_>], settings: &Settings) -> Event {
    let mut event = Event::new(id, kind);
    for record in records {
        if group::is_group(record) {
            event.household = Some(group::household(record, settings));
            continue;
        }
        let mut person = person(record, settings);
        event.unmapped.append(&mut person.unmapped);
        event.occurred = event.occurred.or_else(|| occurred(&event.kind, record));
        event.place = event
            .place
            .or_else(|| place(&event.kind, &person.addresses));
        event.identifiers.extend(registration(&event.kind, &person));
        let enrolments = person.extra.iter().find(|extra| extra.key == "enrolments");
        event.extra.extend(enrolments.cloned());
        // Of two who are both here each names the other.
        let related = match records.len() {
            1 => relatives(&event.kind, &person.related),
            _ => Vec::new(),
        };
        let others = others(record, &mut event, settings);
        event
            .participants
            .push(participant(role(&event.kind), person));
        event.participants.extend(related);
        event.participants.extend(others);
    }
    event
}

fn is_of_two(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Marriage | EventKind::Divorce | EventKind::Annulment | EventKind::Separation
    )
}

/// The role of whom the record is about.
fn role(kind: &EventKind) -> ParticipantRole {
    match kind {
        EventKind::Birth | EventKind::FetalDeath | EventKind::Adoption | EventKind::Parentage => {
            ParticipantRole::Child
        }
        EventKind::Death => ParticipantRole::Deceased,
        kind if is_of_two(kind) => ParticipantRole::Spouse,
        _ => ParticipantRole::Subject,
    }
}

/// Those of the related whom the event is about too.
fn relatives(kind: &EventKind, related: &[RelatedPerson]) -> Vec<Participant> {
    let of = |one: &RelatedPerson| {
        let role = match (role(kind), &one.role) {
            (ParticipantRole::Child, RelationRole::Mother) => ParticipantRole::Mother,
            (ParticipantRole::Child, RelationRole::Father) => ParticipantRole::Father,
            (
                ParticipantRole::Child,
                RelationRole::Parent | RelationRole::AdoptiveParent | RelationRole::StepParent,
            ) => ParticipantRole::Parent,
            (ParticipantRole::Spouse, RelationRole::Spouse | RelationRole::Partner) => {
                ParticipantRole::Spouse
            }
            _ => return None,
        };
        let person = Person {
            identifiers: one.identifiers.clone(),
            names: one.names.clone(),
            sex: one.sex,
            birth_date: one.birth_date.clone(),
            status: one.status.clone(),
            ..Person::default()
        };
        Some(participant(role, person))
    };
    related.iter().filter_map(of).collect()
}

/// Informants, witnesses and attendants. Their words are none of relatives, so that they were reported.
fn others(record: &Record<'_>, event: &mut Event, settings: &Settings) -> Vec<Participant> {
    let mut others = Vec::new();
    for entry in record.objects(RELATED) {
        let Some(word) = entry.text(RELATIONSHIP_TYPE) else {
            continue;
        };
        let Some((_, role)) = ROLES
            .iter()
            .find(|(known, _)| word.eq_ignore_ascii_case(known))
        else {
            continue;
        };
        let Some(member) = entry.get(RELATED_MEMBER) else {
            continue;
        };
        let reported = event
            .unmapped
            .iter()
            .position(|it| it.field == "related.role" && it.value == word);
        if let Some(at) = reported {
            event.unmapped.remove(at);
        }
        let whole = Record::new(member).filter(|it| it.get(&["name"]).is_some());
        let person = match whole {
            Some(whole) => {
                let mut person = person(&whole, settings);
                event.unmapped.append(&mut person.unmapped);
                person
            }
            None => named(one(member), settings),
        };
        others.push(participant(role.clone(), person));
    }
    others
}

fn named(carried: Option<Carried>, settings: &Settings) -> Person {
    let known = carried.and_then(|one| {
        let scheme = settings.scheme(&one.identifier_type)?;
        Some(Identifier::new(scheme, one.value))
    });
    Person {
        identifiers: known.into_iter().collect(),
        ..Person::default()
    }
}

fn participant(role: ParticipantRole, person: Person) -> Participant {
    Participant {
        role,
        person,
        relation: None,
        extra: Vec::new(),
    }
}

fn occurred(kind: &EventKind, record: &Record<'_>) -> Option<adapter_sdk::model::PartialDate> {
    let field: &[&str] = match kind {
        EventKind::Birth => &["birth_date", "birthdate"],
        EventKind::Death | EventKind::FetalDeath => &["death_date", "deathdate"],
        EventKind::Marriage => &["marriage_date"],
        EventKind::Divorce => &["divorce_date"],
        _ => return None,
    };
    dates::parse(&record.text(field)?)
}

fn place(kind: &EventKind, addresses: &[Address]) -> Option<Address> {
    let used = match kind {
        EventKind::Birth => AddressUse::Birth,
        EventKind::Death => AddressUse::Other("death".to_owned()),
        _ => return None,
    };
    let found = addresses.iter().find(|it| it.use_.as_ref() == Some(&used));
    found.cloned()
}

/// The event's own number among those of the person.
fn registration(kind: &EventKind, person: &Person) -> Option<Identifier> {
    let scheme = match kind {
        EventKind::Birth => "birth-registration-number",
        EventKind::Death => "death-registration-number",
        EventKind::Marriage => "marriage-registration-number",
        _ => return None,
    };
    let found = person.identifiers.iter().find(|it| it.scheme == scheme);
    found.cloned()
}

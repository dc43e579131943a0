//! What a message of the PMIR feed (ITI-93) tells, as events of ours.

use adapter_sdk::Failure;
use adapter_sdk::dates;
use adapter_sdk::model::{
    Event, EventKind, Extra, Identifier, PartialDate, Participant, ParticipantRole, Person,
    PersonStatus,
};
use fhir_r4::bundle::{address, reference};
use fhir_r4::dates::day_number;
use fhir_r4::json::{Object, scalar};
use fhir_r4::mapping::{self, replacement};
use fhir_r4::{Rules, dates as fhir_dates};
use serde_json::Value;

use super::participants::{born, participant, subject};
use super::write::marks::caused_by;
use crate::settings::{Habits, Settings};
use crate::wire::feed::Message;
use crate::wire::sender::digits;

/// One entry of the history.
struct Change<'a> {
    resource: Option<&'a Value>,
    kind: &'a str,
    full_url: Option<&'a str>,
    method: &'a str,
    /// The id of the resource: its own, or that of the address.
    id: Option<&'a str>,
}

/// The events of a message.
///
/// # Errors
/// `rejected` where an entry is no change of a resource, `unreadable` where a resource may not be read.
pub fn events(
    message: &Message<'_>,
    settings: &Settings,
    rules: &Rules,
) -> Result<Vec<Event>, Failure> {
    let Some(history) = message.history else {
        return Ok(Vec::new());
    };
    let changes: Vec<Change<'_>> = history
        .list("entry")
        .into_iter()
        .map(change)
        .collect::<Result<_, _>>()?;
    let told_at = message
        .bundle
        .text("timestamp")
        .or(history.text("timestamp"));
    let mut events = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let id = match message.id() {
            Some(id) => format!("{id}-{at}"),
            None => hashed(&[
                &change.resource.map(Value::to_string).unwrap_or_default(),
                change.method,
            ]),
        };
        let teller = Teller {
            changes: &changes,
            settings,
            rules,
            told_at,
        };
        match change.kind {
            "Patient" => events.extend(teller.patient(change, id)?),
            "RelatedPerson" => events.extend(teller.related(change, id)?),
            // PMIR has no others; what a registry adds is nothing that we know.
            _ => {}
        }
    }
    Ok(events)
}

/// The events of records that a search for changes found, each under its record's own number and version.
/// One that may not be read, or has no version, is told as changed, with its number alone: it must not
/// keep back those after it.
///
/// # Errors
/// `unreadable` where a record has no number.
pub fn changed(
    patients: &[&Value],
    settings: &Settings,
    rules: &Rules,
) -> Result<Vec<Event>, Failure> {
    let mut events = Vec::new();
    for resource in patients {
        // OpenCR's own bracket around the records of a person, and nobody.
        let is_opencr = settings.server == Habits::Opencr;
        if is_opencr && mapping::is_golden(resource, &settings.golden_tag) {
            continue;
        }
        let object = Object::new(resource);
        let version = object.and_then(|it| scalar(it.object("meta")?.get("versionId")?));
        let id = object.and_then(|it| it.text("id"));
        let id = id.ok_or_else(|| Failure::unreadable("changes.id"))?;
        let teller = Teller {
            changes: &[],
            settings,
            rules,
            told_at: None,
        };
        let is_readable = mapping::check(resource, "Patient").is_ok();
        let Some(version) = version.filter(|_| is_readable) else {
            let mut event = Event::new(hashed(&[&resource.to_string()]), EventKind::RecordChanged);
            event.recorded_at = teller.recorded_at(resource);
            event.participants = vec![subject(teller.nobody_but(Some(id)))];
            events.push(event);
            continue;
        };
        let change = Change {
            resource: Some(resource),
            kind: "Patient",
            full_url: None,
            // Servers that count begin with 1; of others nobody can tell whether a record is new.
            method: if version == "1" { "POST" } else { "PUT" },
            id: Some(id),
        };
        events.extend(teller.patient(&change, format!("Patient/{id}/{version}"))?);
    }
    Ok(events)
}

fn change(entry: &Value) -> Result<Change<'_>, Failure> {
    let rejected = |code: &str| Failure::rejected(code);
    let entry = Object::new(entry).ok_or_else(|| rejected("message.entry"))?;
    let request = entry
        .object("request")
        .ok_or_else(|| rejected("message.request"))?;
    let method = request
        .text("method")
        .ok_or_else(|| rejected("message.request"))?;
    if !matches!(method, "POST" | "PUT" | "PATCH" | "DELETE") {
        return Err(rejected("message.method"));
    }
    let resource = entry.get("resource");
    let place = request
        .text("url")
        .map(|it| it.split('?').next().unwrap_or(it));
    let place = [place, entry.text("fullUrl")].into_iter().flatten();
    let place = place.filter_map(address).next();
    let object = resource.and_then(Object::new);
    let kind = object.and_then(|it| it.text("resourceType"));
    let kind = kind.or(place.map(|(kind, _)| kind));
    let kind = kind.ok_or_else(|| rejected("message.resource"))?;
    if resource.is_none() && method != "DELETE" {
        return Err(rejected("message.resource"));
    }
    let own = object.and_then(|it| it.text("id"));
    Ok(Change {
        resource,
        kind,
        full_url: entry.text("fullUrl"),
        method,
        id: own.or(place.map(|(_, id)| id)),
    })
}

/// What one message knows.
struct Teller<'a> {
    changes: &'a [Change<'a>],
    settings: &'a Settings,
    rules: &'a Rules,
    told_at: Option<&'a str>,
}

impl Teller<'_> {
    fn patient(&self, change: &Change<'_>, id: String) -> Result<Vec<Event>, Failure> {
        let Some(resource) = change.resource else {
            let mut event = Event::new(id, EventKind::RecordRemoved);
            event.participants = vec![subject(self.nobody_but(change.id))];
            event.recorded_at = self.recorded_at(&Value::Null);
            return Ok(vec![event]);
        };
        mapping::check(resource, "Patient")?;
        let related = self.related_of(change);
        let mut person = mapping::patient(resource, self.rules);
        let (told, notes) = mapping::related_persons(&related, self.rules);
        person.related.extend(told);
        person.unmapped.extend(notes.0);

        let kind = match change.method {
            "DELETE" => EventKind::RecordRemoved,
            _ if person.status == Some(PersonStatus::Merged) => EventKind::Merge,
            "POST" if self.is_newborn(&person, resource) => EventKind::Birth,
            "POST" => EventKind::RecordCreated,
            _ => EventKind::RecordChanged,
        };
        let died = person.status == Some(PersonStatus::Deceased) && change.method != "DELETE";
        let death = died.then(|| self.death(&person, change, &id));
        let mut event = Event::new(id, kind);
        event.recorded_at = self.recorded_at(resource);
        event.version.clone_from(&person.version);
        let system = &self.settings.operation_tag;
        event.caused_by = caused_by(resource, system).map(str::to_owned);
        event.participants = match &event.kind {
            EventKind::Merge => {
                let survivors = replacement(resource, self.rules).into_iter();
                let survivors = survivors.map(|it| self.survivor(it.id, it.identifier));
                let survivors: Vec<Participant> = survivors.collect();
                let mut all = vec![participant(ParticipantRole::Replaced, person)];
                all.extend(survivors);
                all
            }
            EventKind::Birth => {
                event.occurred.clone_from(&person.birth_date);
                born(person)
            }
            _ => vec![subject(person)],
        };
        let mut events = vec![event];
        events.extend(death);
        Ok(events)
    }

    /// A record that says that its person is dead tells a death, each time that it is told. The event's
    /// number is made of who and when, so that the gateway tells it once.
    fn death(&self, person: &Person, change: &Change<'_>, id: &str) -> Event {
        let mut numbers: Vec<String> = person
            .identifiers
            .iter()
            .map(|it| format!("{}|{}", it.scheme, it.value))
            .collect();
        numbers.sort_unstable();
        let who = match (change.id, numbers.first()) {
            (Some(own), _) => format!("Patient/{own}"),
            (None, Some(number)) => number.clone(),
            (None, None) => id.to_owned(),
        };
        let when = person.death_date.as_ref().map(dates::format);
        let number = hashed(&["death", &who, when.as_deref().unwrap_or_default()]);
        let mut event = Event::new(number, EventKind::Death);
        event.occurred.clone_from(&person.death_date);
        event.recorded_at = change.resource.and_then(|it| self.recorded_at(it));
        event.participants = vec![participant(ParticipantRole::Deceased, person.clone())];
        event
    }

    /// Only where the settings say how long after its birth a child counts as new.
    fn is_newborn(&self, person: &Person, resource: &Value) -> bool {
        let Some(most) = self.settings.newborn_days else {
            return false;
        };
        let told = self
            .recorded_at(resource)
            .and_then(|it| fhir_dates::parse(&it));
        let days = |date: Option<&PartialDate>| date.and_then(day_number);
        match (days(told.as_ref()), days(person.birth_date.as_ref())) {
            (Some(told), Some(born)) => (0..=i64::from(most)).contains(&(told - born)),
            _ => false,
        }
    }

    /// Somebody's relation is told without their own record: theirs is not in the message.
    fn related(&self, change: &Change<'_>, id: String) -> Result<Option<Event>, Failure> {
        let Some(resource) = change.resource else {
            return Ok(Some(self.relation_gone(change, id)));
        };
        mapping::check(resource, "RelatedPerson")?;
        let to = Object::new(resource).and_then(|it| it.object("patient"));
        let to = to.ok_or_else(|| Failure::rejected("message.related"))?;
        if self
            .changes
            .iter()
            .any(|it| it.kind == "Patient" && is_of(&to, it))
        {
            return Ok(None);
        }
        let told = Some(resource).filter(|_| change.method != "DELETE");
        let told: Vec<&Value> = told.into_iter().collect();
        let (related, notes) = mapping::related_persons(&told, self.rules);
        let of = to.text("reference").and_then(reference);
        let of = of.filter(|(kind, _)| *kind == "Patient").map(|(_, id)| id);
        let mut person = self.nobody_but(of);
        person.related = related;
        person.unmapped = notes.0;
        // A relation that is gone is a change of whose it was: their own record stands.
        let mut event = Event::new(id, EventKind::RecordChanged);
        event.recorded_at = self.recorded_at(resource);
        event.changed_fields = vec!["related".to_owned()];
        event.participants = vec![subject(person)];
        Ok(Some(event))
    }

    /// Nobody says whose relation it was: its own reference is all that is known.
    fn relation_gone(&self, change: &Change<'_>, id: String) -> Event {
        let reference = change
            .id
            .map(|it| Value::from(format!("RelatedPerson/{it}")));
        let key = self.rules.key("reference");
        let mut event = Event::new(id, EventKind::RecordChanged);
        event.recorded_at = self.recorded_at(&Value::Null);
        event.changed_fields = vec!["related".to_owned()];
        event.participants = vec![subject(Person {
            extra: reference.iter().map(|it| Extra::new(&key, it)).collect(),
            ..Person::default()
        })];
        event
    }

    /// The RelatedPersons in the message that belong to a Patient of it, and are not gone.
    fn related_of(&self, change: &Change<'_>) -> Vec<&Value> {
        let is_related = |it: &&Change<'_>| it.kind == "RelatedPerson" && it.method != "DELETE";
        let related = self.changes.iter().filter(is_related);
        let resources = related.filter_map(|it| it.resource);
        resources
            .filter(|it| {
                let to = Object::new(it).and_then(|it| it.object("patient"));
                to.is_some_and(|to| is_of(&to, change))
                    && mapping::check(it, "RelatedPerson").is_ok()
            })
            .collect()
    }

    fn survivor(&self, id: Option<String>, identifier: Option<Identifier>) -> Participant {
        let found = self
            .changes
            .iter()
            .find(|it| it.kind == "Patient" && id.is_some() && it.id == id.as_deref());
        let found = found.and_then(|it| it.resource);
        let person = match found.filter(|it| mapping::check(it, "Patient").is_ok()) {
            Some(resource) => mapping::patient(resource, self.rules),
            None => {
                let mut person = self.nobody_but(id.as_deref());
                person.identifiers.extend(identifier);
                person
            }
        };
        participant(ParticipantRole::Survivor, person)
    }

    /// A person of whom only the server's own id is known.
    fn nobody_but(&self, id: Option<&str>) -> Person {
        let Some(id) = id else {
            return Person::default();
        };
        let scheme = self.settings.resource_id_scheme.as_ref();
        let reference = Value::from(format!("Patient/{id}"));
        Person {
            identifiers: scheme
                .map(|it| Identifier::new(it, id))
                .into_iter()
                .collect(),
            extra: vec![Extra::new(self.rules.key("reference"), &reference)],
            ..Person::default()
        }
    }

    fn recorded_at(&self, resource: &Value) -> Option<String> {
        let meta = Object::new(resource).and_then(|it| it.object("meta"));
        let own = meta.and_then(|it| it.text("lastUpdated"));
        let told = [own, self.told_at].into_iter().flatten();
        // RFC 3339: a date alone is no instant.
        let mut instants = told.filter(|it| fhir_dates::parse_instant(it).is_some());
        instants.next().map(str::to_owned)
    }
}

/// Whether a reference means the Patient of this entry: by its id, or by the address that it has in the
/// message alone (`urn:uuid:…`).
fn is_of(to: &Object<'_>, patient: &Change<'_>) -> bool {
    let Some(text) = to.text("reference") else {
        return false;
    };
    let by_id =
        reference(text).is_some_and(|(kind, id)| kind == "Patient" && patient.id == Some(id));
    by_id || patient.full_url == Some(text)
}

/// A number of what never changes. A person cannot be told from it.
fn hashed(parts: &[&str]) -> String {
    digits(parts.join("\n").as_bytes()).take(40).collect()
}

//! The FHIR document of a record (STU3, opencrvs-core up to 1.9: what webhooks carry) as a record.

use adapter_sdk::Failure;
use adapter_sdk::model::Identifier;
use serde_json::Value;

use super::patient;
use super::record::{Party, Record};
use super::shape::{Object, object, plain, plain_objects};
use super::{address, informant};
use crate::settings::{Kind, Role, Settings};

/// The loinc code of `birthType`.
const BIRTH_TYPE: &str = "57722-1";

/// The resources of a bundle.
pub struct Resources<'a> {
    all: Vec<(&'a str, &'a Object)>,
}

/// The record of a bundle.
///
/// # Errors
/// `unreadable` with code `bundle.task` where no task tells what it is of, and `bundle.event-type` where
/// it is neither a birth nor a death.
pub fn record(bundle: &Object, settings: &Settings) -> Result<Record, Failure> {
    let resources = Resources::of(bundle);
    let task = resources.first("Task");
    let task = task.ok_or_else(|| Failure::unreadable("bundle.task"))?;
    let kind = match code(task.get("code")).as_deref() {
        Some("BIRTH") => Kind::Birth,
        Some("DEATH") => Kind::Death,
        _ => return Err(Failure::unreadable("bundle.event-type")),
    };
    let mut record = Record::of(kind);
    read_task(task, &mut record);
    let composition = resources.first("Composition");
    let of_composition = composition.and_then(|it| plain(it.get("id")));
    record.id = of_composition.or_else(|| {
        let focus = object(task, "focus").and_then(|it| plain(it.get("reference")))?;
        Some(last_part(&focus).to_owned())
    });
    match composition {
        Some(composition) => by_section(composition, &resources, settings, &mut record),
        None => by_evidence(&resources, settings, &mut record),
    }
    informant::complete(&mut record);
    record.place = place(&resources);
    informant::birth_type(birth_type(&resources), &mut record);
    let occurred = record.subject().and_then(|it| match kind {
        Kind::Birth => it.person.birth_date.clone(),
        Kind::Death => it.person.death_date.clone(),
    });
    record.occurred = occurred;
    Ok(record.finished(settings))
}

impl<'a> Resources<'a> {
    fn of(bundle: &'a Object) -> Self {
        let entries = plain_objects(bundle.get("entry")).into_iter();
        let all = entries.filter_map(|entry| {
            let url = entry.get("fullUrl").and_then(Value::as_str);
            Some((url.unwrap_or_default(), object(entry, "resource")?))
        });
        Self { all: all.collect() }
    }

    fn of_type(&self, kind: &str) -> impl Iterator<Item = &'a Object> {
        let is = move |it: &&Object| it.get("resourceType").and_then(Value::as_str) == Some(kind);
        let all = self.all.iter().map(|(_, resource)| *resource);
        all.filter(is)
    }

    fn first(&self, kind: &str) -> Option<&'a Object> {
        self.of_type(kind).next()
    }

    /// What a reference names: by the entry's own address, else by the resource's id.
    fn get(&self, reference: &str) -> Option<&'a Object> {
        if reference.is_empty() {
            return None;
        }
        let id = last_part(reference);
        let by_url = self.all.iter().find(|(url, _)| *url == reference);
        let by_id = || {
            let same = |it: &&(&str, &Object)| it.1.get("id").and_then(Value::as_str) == Some(id);
            self.all.iter().find(same)
        };
        by_url.or_else(by_id).map(|(_, resource)| *resource)
    }

    /// The name of a location that is in the bundle.
    pub(super) fn location_name(&self, id: &str) -> Option<String> {
        let is = |it: &&Object| it.get("id").and_then(Value::as_str) == Some(id);
        plain(self.of_type("Location").find(is)?.get("name"))
    }
}

/// The first `code` of a FHIR `CodeableConcept`.
pub(super) fn code(concept: Option<&Value>) -> Option<String> {
    let coding = plain_objects(concept?.get("coding"));
    plain(coding.first()?.get("code"))
}

/// `Patient/<id>`, `urn:uuid:<id>`, and the address of a version of it.
fn last_part(reference: &str) -> &str {
    let of = reference.split("/_history/").next().unwrap_or(reference);
    of.rsplit(['/', ':']).next().unwrap_or(of)
}

fn read_task(task: &Object, record: &mut Record) {
    record.status = code(task.get("businessStatus"));
    if record.status.as_deref() == Some("REGISTERED") {
        record.registered_at = plain(task.get("lastModified"));
    }
    let of = record.kind.word();
    for identifier in plain_objects(task.get("identifier")) {
        let system = plain(identifier.get("system")).unwrap_or_default();
        let value = plain(identifier.get("value"));
        let name = system.strip_prefix("http://opencrvs.org/specs/id/");
        match name.and_then(|it| it.strip_prefix(of)) {
            Some("-registration-number") => record.registration_number = value,
            Some("-tracking-id") => record.tracking_id = value,
            _ => {}
        }
    }
}

fn by_section(
    composition: &Object,
    resources: &Resources<'_>,
    settings: &Settings,
    record: &mut Record,
) {
    for role in record.kind.roles() {
        let is_of = |section: &&Object| {
            let code = code(section.get("code"));
            let of = code.as_deref().and_then(|it| it.strip_suffix("-details"));
            of == Some(role.word())
        };
        let sections = plain_objects(composition.get("section"));
        let Some(section) = sections.into_iter().find(is_of) else {
            continue;
        };
        let entries = plain_objects(section.get("entry"));
        let reference = entries.first().and_then(|it| plain(it.get("reference")));
        let Some(of) = reference.and_then(|it| resources.get(&it)) else {
            continue;
        };
        record.parties.extend(party(*role, of, resources, settings));
    }
}

/// Somebody: a `Patient`, or a `RelatedPerson` who is one.
fn party(role: Role, of: &Object, resources: &Resources<'_>, settings: &Settings) -> Option<Party> {
    let is_related = of.get("resourceType").and_then(Value::as_str) == Some("RelatedPerson");
    if !is_related {
        return patient::person(of, resources, settings).map(|person| Party {
            role,
            person,
            relation: None,
        });
    }
    let mut unmapped = Vec::new();
    let words = object(of, "relationship").and_then(|it| plain(it.get("text")));
    let code = code(of.get("relationship"));
    let relation = informant::relation(code, words, settings, &mut unmapped);
    let patient = object(of, "patient").and_then(|it| plain(it.get("reference")));
    let patient = patient.and_then(|it| resources.get(&it));
    let person = patient.and_then(|it| patient::person(it, resources, settings));
    let mut person = person.unwrap_or_default();
    person.unmapped.extend(unmapped);
    Some(Party {
        role,
        person,
        relation,
    })
}

/// A client that may see only parts of a record gets no composition: nothing tells then who is who, but
/// the number of the record itself, which its subject carries, and in a death who died.
fn by_evidence(resources: &Resources<'_>, settings: &Settings, record: &mut Record) {
    let people = resources.of_type("Patient");
    let people = people.filter_map(|it| Some((it, patient::person(it, resources, settings)?)));
    let people: Vec<_> = people.collect();
    let number = record.registration_number.clone();
    let own = number.map(|it| Identifier::new(settings.registration_scheme(record.kind), it));
    let is_subject = |person: &adapter_sdk::model::Person| match record.kind {
        Kind::Birth => own
            .as_ref()
            .is_some_and(|own| person.identifiers.contains(own)),
        Kind::Death => person.status.is_some(),
    };
    let subjects = people.iter().filter(|(_, it)| is_subject(it)).count();
    for (of, person) in people {
        if subjects == 1 && is_subject(&person) {
            record.parties.push(Party {
                role: record.kind.subject(),
                person,
                relation: None,
            });
            continue;
        }
        let id = plain(of.get("id")).unwrap_or_default();
        let unmapped = adapter_sdk::model::Unmapped::new("participants.role", id);
        record.unmapped.push(unmapped);
    }
}

/// The location of the encounter.
fn place(resources: &Resources<'_>) -> Option<adapter_sdk::model::Address> {
    let encounter = resources.first("Encounter")?;
    let locations = plain_objects(encounter.get("location"));
    let location = locations.first().and_then(|it| object(it, "location"))?;
    let reference = plain(location.get("reference"))?;
    let Some(location) = resources.get(&reference) else {
        let id = last_part(&reference).to_owned();
        return address::location(Some(id), None, None, None);
    };
    let of = object(location, "address").map(|it| {
        let (address, _) = address::fhir(it, &|id| resources.location_name(id));
        address
    });
    let kind = code(location.get("type"));
    let [id, name] = ["id", "name"].map(|part| plain(location.get(part)));
    address::location(id, name, kind, of)
}

fn birth_type(resources: &Resources<'_>) -> Option<String> {
    let is = |it: &&Object| code(it.get("code")).as_deref() == Some(BIRTH_TYPE);
    let observation = resources.of_type("Observation").find(is)?;
    plain(object(observation, "valueQuantity")?.get("value"))
}

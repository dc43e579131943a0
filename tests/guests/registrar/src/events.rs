//! Life events: what the registry calls back with, and what changed.

use adapter_sdk::model::{
    Amendment, Callback, ChangesPage, Event, EventKind, Participant, ParticipantRole, Reception,
    Unmapped,
};
use adapter_sdk::{Events, Failure, Opaque, PendingAnswer, dates, http, settings};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::mapping::{self, Record};
use crate::sending::model_field;
use crate::{FORM, Registrar, Settings};

#[derive(Deserialize)]
struct Called {
    id: String,
}

/// A callback, as the registry itself tells it when it is asked.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Told {
    Event(Happened),
    Answer {
        reference: String,
        status: u16,
        body: Value,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Happened {
    id: String,
    kind: String,
    version: Option<u64>,
    occurred: Option<String>,
    recorded_at: Option<String>,
    caused_by: Option<String>,
    amends: Option<String>,
    #[serde(default)]
    changed: Vec<String>,
    #[serde(default)]
    people: Vec<Somebody>,
}

#[derive(Deserialize)]
struct Somebody {
    role: String,
    person: Record,
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Happened>,
    next: u64,
    more: bool,
}

impl Events for Registrar {
    /// A secret for the signature never enters a module, so the registry is asked whether the callback
    /// is its own. Of what was posted the id alone is believed.
    fn receive(callback: Callback) -> Result<Reception, Failure> {
        if callback.method != "POST" {
            return Ok(Reception::status(405));
        }
        let Ok(called) = serde_json::from_slice::<Called>(&callback.body) else {
            return Ok(Reception::status(400));
        };
        let path = format!("/events/{}", http::segment(&called.id));
        let asked = http::endpoint("registry").get(path).send()?;
        if asked.status == 404 {
            return Ok(Reception::status(403));
        }
        let mut reception = Reception::status(204);
        match asked.ok()?.json()? {
            Told::Event(happened) if happened.id != called.id => {
                return Err(Failure::unreadable("answer.mismatch"));
            }
            Told::Event(happened) => reception.events.push(event(happened)?),
            Told::Answer {
                reference,
                status,
                body,
            } => reception.answers.push(PendingAnswer {
                reference,
                data: json!({ "state": "done", "status": status, "body": body })
                    .to_string()
                    .into_bytes(),
            }),
        }
        Ok(reception)
    }

    fn changes(cursor: Option<Opaque>, limit: u32) -> Result<ChangesPage, Failure> {
        let after: u64 = match cursor {
            Some(cursor) => cursor.unpack(FORM)?,
            None => 0,
        };
        let page: Page = http::endpoint("registry")
            .get("/changes")
            .query("after", after.to_string())
            .query("limit", limit.to_string())
            .send()?
            .ok()?
            .json()?;
        let events = page.events.into_iter().map(event);
        Ok(ChangesPage {
            events: events.collect::<Result<_, _>>()?,
            cursor: Opaque::pack(FORM, &page.next)?,
            more: page.more,
        })
    }
}

fn event(happened: Happened) -> Result<Event, Failure> {
    let settings: Settings = settings::load()?;
    let mut unmapped: Vec<Unmapped> = Vec::new();
    let occurred = happened.occurred.unwrap_or_default();
    let occurred = dates::read("occurred", &occurred, &mut unmapped);
    let people = happened.people.into_iter();
    let changed = happened.changed.iter();
    Ok(Event {
        id: happened.id,
        kind: kind(happened.kind),
        occurred,
        place: None,
        recorded_at: happened.recorded_at,
        identifiers: Vec::new(),
        participants: people
            .map(|somebody| Participant {
                role: role(somebody.role),
                person: mapping::person(somebody.person, &settings.scheme),
                relation: None,
                extra: Vec::new(),
            })
            .collect(),
        household: None,
        amends: happened.amends.map(|id| Amendment {
            id: Some(id),
            kind: None,
        }),
        changed_fields: changed.map(|field| model_field(field).to_owned()).collect(),
        // The second step of a create has a key of its own: the operation's is what is before the dot.
        caused_by: happened.caused_by.map(|key| {
            let whole = key.strip_suffix(".addresses").unwrap_or(&key);
            whole.to_owned()
        }),
        version: happened.version.map(|version| version.to_string()),
        extra: Vec::new(),
        unmapped,
    })
}

fn kind(kind: String) -> EventKind {
    match kind.as_str() {
        "birth" => EventKind::Birth,
        "death" => EventKind::Death,
        "marriage" => EventKind::Marriage,
        "correction" => EventKind::Correction,
        "created" => EventKind::RecordCreated,
        "changed" => EventKind::RecordChanged,
        "enrolled" => EventKind::EnrolmentChanged,
        _ => EventKind::Other(kind),
    }
}

fn role(role: String) -> ParticipantRole {
    match role.as_str() {
        "child" => ParticipantRole::Child,
        "mother" => ParticipantRole::Mother,
        "father" => ParticipantRole::Father,
        "deceased" => ParticipantRole::Deceased,
        "spouse" => ParticipantRole::Spouse,
        "subject" => ParticipantRole::Subject,
        _ => ParticipantRole::Other(role),
    }
}

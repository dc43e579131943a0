//! An adapter of a registry that calls back, and lists what changed.
//!
//! A callback has one word a line: `death <id> <number> <date>`, `correction <id> <number> <amended>`,
//! `crowd <id> <count>` (a death with so many numbers), `answer <reference> <data>`, `challenge <text>`, or what it is to do otherwise: `unreadable`,
//! `reject`, `busy`, `trap`. Its sender is who has the header `x-token`.

use adapter_sdk::model::{
    Amendment, Callback, ChangesPage, Description, Event, EventKind, Extra, HumanName, Identifier,
    Opaque, PartialDate, Participant, ParticipantRole, PendingAnswer, Person, Reception,
};
use adapter_sdk::{About, Events, Failure, settings};

/// The adapter.
pub struct Telling;

/// The form of its cursors.
const FORM: u32 = 7;
/// How many changes there are.
const CHANGES: u32 = 5;
/// How many of them are on a page.
const PAGE: u32 = 2;

impl About for Telling {
    fn describe() -> Description {
        Description {
            name: "telling".into(),
            version: "1.0.0".into(),
            summary: "Tells life events".into(),
            readable_states: vec![FORM],
            ..Default::default()
        }
    }
}

impl Events for Telling {
    fn receive(callback: Callback) -> Result<Reception, Failure> {
        let token = callback.headers.iter().find(|(name, _)| name == "x-token");
        match token.map(|(_, value)| value.as_str()) {
            Some("right") => {}
            Some("none") => return Err(Failure::denied("sender.unknown")),
            _ => return Ok(Reception::status(401)),
        }
        let body = String::from_utf8(callback.body).map_err(|_| Failure::rejected("not.text"))?;
        let mut reception = Reception::status(202);
        for line in body.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["death", id, number, date] => {
                    reception.events.push(death(id, number, date)?);
                }
                ["crowd", id, count] => {
                    let bad = |_| Failure::rejected("count.unknown");
                    let count = count.parse().map_err(bad)?;
                    reception.events.push(crowd(id, count)?);
                }
                ["correction", id, number, amended] => {
                    let mut event = death(id, number, "2026-01-05")?;
                    event.kind = EventKind::Correction;
                    event.amends = Some(Amendment {
                        id: Some(amended.into()),
                        kind: Some(EventKind::Death),
                    });
                    reception.events.push(event);
                }
                ["answer", reference, data] => reception.answers.push(PendingAnswer {
                    reference: reference.into(),
                    data: data.into(),
                }),
                ["challenge", text] => {
                    reception.response.status = 200;
                    reception.response.body = text.into();
                }
                ["unreadable"] if settings::get("reads").is_none() => {
                    return Err(Failure::unreadable("form.unknown"));
                }
                ["unreadable"] => reception
                    .events
                    .push(death("late", "late-1", "2026-01-03")?),
                ["reject"] => return Err(Failure::rejected("not.so")),
                ["busy"] => return Err(Failure::unavailable("later")),
                ["trap"] => unreachable!("as it was asked to"),
                _ => return Err(Failure::rejected("word.unknown")),
            }
        }
        Ok(reception)
    }

    fn changes(cursor: Option<Opaque>, _: u32) -> Result<ChangesPage, Failure> {
        let from: u32 = match cursor {
            Some(cursor) => cursor.unpack(FORM)?,
            None => 0,
        };
        let to = (from + PAGE).min(CHANGES);
        let crowd_of_each = settings::get("crowd");
        let events = (from..to).map(|at| {
            let (id, number) = (format!("change-{at}"), format!("changed-{at}"));
            if let Some(count) = &crowd_of_each {
                let bad = |_| Failure::rejected("count.unknown");
                return crowd(&id, count.parse().map_err(bad)?);
            }
            death(&id, &number, "2026-01-02")
        });
        Ok(ChangesPage {
            events: events.collect::<Result<_, _>>()?,
            cursor: Opaque::pack(FORM, &to)?,
            more: to < CHANGES,
        })
    }
}

fn crowd(id: &str, count: u32) -> Result<Event, Failure> {
    let mut event = death(id, id, "2026-01-02")?;
    let numbers = (0..count).map(|at| Identifier::new("national-id", format!("{id}-{at}")));
    for participant in &mut event.participants {
        participant.person.identifiers = numbers.clone().collect();
    }
    Ok(event)
}

fn death(id: &str, number: &str, date: &str) -> Result<Event, Failure> {
    let mut parts = date.split('-');
    let mut part = || parts.next().unwrap_or_default();
    let bad = |_| Failure::rejected("date.unknown");
    let occurred = PartialDate {
        year: part().parse().map_err(bad)?,
        month: Some(part().parse().map_err(bad)?),
        day: Some(part().parse().map_err(bad)?),
        estimated: false,
        original: None,
    };
    let person = Person {
        identifiers: vec![Identifier::new("national-id", number)],
        names: vec![HumanName {
            family: Some("Adhikari".into()),
            ..Default::default()
        }],
        death_date: Some(occurred.clone()),
        extra: vec![Extra::new("x-cause", &"of-death".into())],
        ..Default::default()
    };
    Ok(Event {
        id: id.into(),
        kind: EventKind::Death,
        occurred: Some(occurred),
        place: None,
        recorded_at: Some("2026-01-04T10:00:00Z".into()),
        identifiers: Vec::new(),
        participants: vec![Participant {
            role: ParticipantRole::Deceased,
            person,
            relation: None,
            extra: Vec::new(),
        }],
        household: None,
        amends: None,
        changed_fields: Vec::new(),
        caused_by: None,
        version: None,
        extra: Vec::new(),
        unmapped: Vec::new(),
    })
}

adapter_sdk::export!(Telling: events);

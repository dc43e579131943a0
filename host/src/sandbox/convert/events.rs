//! Callbacks into the guest, and life events out of it.

use super::people::{self, all, date, extras};
use super::{Converted, answers, codes, failure, garbage, opaque, told};
use crate::model::{
    Amendment, Callback, CallbackResponse, ChangesPage, Event, Participant, Reception,
};
use crate::sandbox::bindings::{abilities, types, vital};
use crate::sandbox::fault::{Fault, Limit};
use crate::sandbox::instance::Answer;

/// In one callback or page.
const MAX_EVENTS: usize = 1_000;
/// People of one event.
const MAX_PARTICIPANTS: usize = 200;
/// Identifiers of one event, of all its people: each is kept, indexed and audited.
const MAX_EVENT_IDENTIFIERS: usize = 8_192;
/// It is a key: of deduplication, and of what a later event amends.
const MAX_EVENT_ID: usize = 512;

pub(in crate::sandbox) fn callback(callback: &Callback) -> abilities::events::Callback {
    abilities::events::Callback {
        method: callback.method.clone(),
        path: callback.path.clone(),
        query: callback.query.clone(),
        headers: callback.headers.clone(),
        body: callback.body.clone(),
        extra: told::extras(&callback.extra),
    }
}

pub(in crate::sandbox) fn reception(
    answer: Result<abilities::events::Reception, types::Failure>,
) -> Converted<Reception> {
    Ok(match answer {
        Ok(reception) => Ok(Answer::Done(Reception {
            response: response(reception.response)?,
            events: events(reception.events)?,
            answers: reception
                .answers
                .into_iter()
                .map(|answer| (answer.reference, answer.data))
                .collect(),
        })),
        Err(no) => Err(failure(no)),
    })
}

pub(in crate::sandbox) fn changes(
    answer: Result<abilities::events::ChangesPage, types::Failure>,
) -> Converted<ChangesPage> {
    Ok(match answer {
        Ok(page) => Ok(Answer::Done(ChangesPage {
            events: events(page.events)?,
            cursor: opaque(page.cursor),
            more: page.more,
        })),
        Err(no) => Err(failure(no)),
    })
}

fn response(response: abilities::events::CallbackResponse) -> Result<CallbackResponse, Fault> {
    if !(200..600).contains(&response.status) {
        return Err(garbage("response.status"));
    }
    Ok(CallbackResponse {
        status: response.status,
        headers: response.headers,
        body: response.body,
    })
}

fn events(events: Vec<abilities::events::Event>) -> Result<Vec<Event>, Fault> {
    if events.len() > MAX_EVENTS {
        return Err(Fault::OverLimit(Limit::Answer));
    }
    all(events, "events", event)
}

fn event(event: abilities::events::Event, place: &str) -> Result<Event, Fault> {
    let at = |field: &str| format!("{place}.{field}");
    if event.id.is_empty() || event.id.len() > MAX_EVENT_ID {
        return Err(garbage(at("id")));
    }
    if event.participants.len() > MAX_PARTICIPANTS {
        return Err(garbage(at("participants")));
    }
    let of_all = event.participants.iter().map(|it| &it.person);
    let of_all = of_all.chain(event.household.iter().flat_map(|it| &it.people));
    let of_all = of_all.map(answers::identifiers).sum::<usize>() + event.identifiers.len();
    let of_household = event.household.as_ref().map(|it| it.identifiers.len());
    if of_all + of_household.unwrap_or(0) > MAX_EVENT_IDENTIFIERS {
        return Err(Fault::OverLimit(Limit::Answer));
    }
    let recorded = event.recorded_at.as_deref();
    if recorded.is_some_and(|text| text.parse::<jiff::Timestamp>().is_err()) {
        return Err(garbage(at("recorded-at")));
    }
    Ok(Event {
        id: event.id,
        kind: codes::event_kind(event.kind),
        occurred: date(event.occurred, &at("occurred"))?,
        place: event
            .place
            .map(|address| people::address(address, &at("place")))
            .transpose()?,
        recorded_at: event.recorded_at,
        identifiers: all(event.identifiers, &at("identifiers"), people::identifier)?,
        participants: all(event.participants, &at("participants"), participant)?,
        household: event.household.map(answers::group).transpose()?,
        amends: event.amends.map(|amends| Amendment {
            id: amends.id,
            kind: amends.kind.map(codes::event_kind),
        }),
        changed_fields: event.changed_fields,
        caused_by: event.caused_by,
        version: event.version,
        extra: extras(event.extra, &at("extra"))?,
        unmapped: people::unmapped(event.unmapped),
    })
}

fn participant(participant: vital::Participant, place: &str) -> Result<Participant, Fault> {
    Ok(Participant {
        role: codes::participant_role(participant.role),
        person: people::person(participant.person, &format!("{place}.person"))?,
        relation: participant.relation.map(codes::relation_role),
        extra: extras(participant.extra, &format!("{place}.extra"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(count: usize) -> abilities::events::Event {
        let identifier = types::Identifier {
            scheme: "national-id".into(),
            value: "1".into(),
            normalisation: None,
            extra: Vec::new(),
        };
        abilities::events::Event {
            id: "e-1".into(),
            kind: vital::EventKind::Death,
            occurred: None,
            place: None,
            recorded_at: None,
            identifiers: vec![identifier; count],
            participants: Vec::new(),
            household: None,
            amends: None,
            changed_fields: Vec::new(),
            caused_by: None,
            version: None,
            extra: Vec::new(),
            unmapped: Vec::new(),
        }
    }

    #[test]
    fn too_many_identifiers_of_an_event_are_over_the_limit() {
        let many = |count| events(vec![numbered(count)]).map(|events| events.len());
        assert_eq!(many(MAX_EVENT_IDENTIFIERS), Ok(1));
        let over = Err(Fault::OverLimit(Limit::Answer));
        assert_eq!(many(MAX_EVENT_IDENTIFIERS + 1), over);
    }
}

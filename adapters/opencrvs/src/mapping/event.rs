//! Records as life events: registered, corrected, taken back.

use adapter_sdk::Failure;
use adapter_sdk::model::{
    Amendment, Event, EventKind, Extra, Identifier, Participant, ParticipantRole, Unmapped,
};
use serde_json::Value;

use super::declared::{changes, from_document, last_action};
use super::record::{Party, Record};
use super::shape::{Object, object, plain, plain_objects};
use super::{bundle, declaration};
use crate::settings::{Kind, Role, Settings};

/// The events of a webhook's delivery: `{event: {hub: {topic}, context: [Bundle]}}`. Its `id` is the
/// subscription's, the same in each, and none of an event.
///
/// # Errors
/// `rejected` with the part that is missing; `unreadable` where a bundle is none of a birth or a death.
pub fn of_delivery(body: &Object, settings: &Settings) -> Result<Vec<Event>, Failure> {
    let missing = |part: &str| Failure::rejected(format!("webhook.{part}"));
    let event = object(body, "event").ok_or_else(|| missing("event"))?;
    let topic = object(event, "hub").and_then(|it| plain(it.get("topic")));
    let topic = topic.ok_or_else(|| missing("topic"))?;
    let kind = match topic.as_str() {
        "BIRTH_REGISTERED" => Kind::Birth,
        "DEATH_REGISTERED" => Kind::Death,
        _ => return Err(Failure::rejected("webhook.topic")),
    };
    let bundles = plain_objects(event.get("context"));
    if bundles.is_empty() {
        return Err(missing("context"));
    }
    let mut events = Vec::new();
    for bundle in bundles {
        let record = bundle::record(bundle, settings)?;
        if record.kind != kind {
            return Err(Failure::unreadable("bundle.event-type"));
        }
        events.push(registered(record, &topic, settings)?);
    }
    Ok(events)
}

/// The event of what country configuration forwards: the `EventDocument` that OpenCRVS posted to it
/// for an action. None: the action is no event in life.
///
/// # Errors
/// `rejected` where it is no such document, `unreadable` where it is not of a birth or a death.
pub fn of_forward(
    document: &Object,
    action: &str,
    settings: &Settings,
) -> Result<Option<Event>, Failure> {
    let accepted = match action {
        "REGISTER" | "APPROVE_CORRECTION" | "ARCHIVE" => Some(action),
        _ => return Ok(None),
    };
    let done = last_action(document, action).ok_or_else(|| Failure::rejected("forward.action"))?;
    let declared = from_document(document, accepted)?;
    let is_other = declared.event_type.as_deref();
    if is_other.is_some_and(|it| settings.kind(it).is_none()) {
        return Ok(None);
    }
    let was_registered = declared.registered_at.is_some() || declared.registration_number.is_some();
    let record = declaration::record(&declared, settings)?;
    let id = record.id.clone();
    let caused_by = notified_by(document);
    let mut event = registered(record, "REGISTER", settings)?;
    event.caused_by = caused_by;
    if action == "REGISTER" {
        return Ok(Some(event));
    }
    // What was never registered was told to nobody: there is nothing to correct or to take back.
    if !was_registered {
        return Ok(None);
    }
    let of = plain(done.get("id")).ok_or_else(|| Failure::rejected("forward.action"))?;
    event.amends = Some(Amendment {
        id: Some(event.id.clone()),
        kind: Some(event.kind.clone()),
    });
    event.id = format!("{}:{of}", id.unwrap_or_default());
    event.recorded_at = plain(done.get("createdAt"));
    event.kind = match action {
        "ARCHIVE" => EventKind::Cancellation,
        _ => {
            let changed = changes(done, document);
            let fields = changed.into_iter().map(|(name, _)| Value::String(name));
            let fields = Value::Array(fields.collect());
            event.extra.push(Extra::new("x-opencrvs-changed", &fields));
            EventKind::Correction
        }
    };
    Ok(Some(event))
}

/// The registration of a record.
fn registered(record: Record, topic: &str, settings: &Settings) -> Result<Event, Failure> {
    // Without an id a repetition could not be told from another event.
    let id = record.id.as_deref();
    let id = id.ok_or_else(|| Failure::unreadable("record.id"))?;
    let kind = match record.kind {
        Kind::Birth => EventKind::Birth,
        Kind::Death => EventKind::Death,
    };
    let mut event = Event::new(format!("{id}:{topic}"), kind);
    let scheme = settings.registration_scheme(record.kind);
    let number = record.registration_number;
    event.identifiers = number
        .map(|it| Identifier::new(scheme, it))
        .into_iter()
        .collect();
    event.occurred = record.occurred;
    event.place = record.place;
    event.recorded_at = record.registered_at;
    event.extra = record.extra;
    event.unmapped = record.unmapped;
    for party in record.parties {
        let mut participant = participant(party);
        let at = event.participants.len();
        let of = |it: Unmapped| {
            Unmapped::new(format!("participants.{at}.person.{}", it.field), it.value)
        };
        let unmapped = std::mem::take(&mut participant.person.unmapped);
        event.unmapped.extend(unmapped.into_iter().map(of));
        event.participants.push(participant);
    }
    Ok(event)
}

fn participant(party: Party) -> Participant {
    Participant {
        role: match party.role {
            Role::Child => ParticipantRole::Child,
            Role::Mother => ParticipantRole::Mother,
            Role::Father => ParticipantRole::Father,
            Role::Deceased => ParticipantRole::Deceased,
            Role::Spouse => ParticipantRole::Spouse,
            Role::Informant => ParticipantRole::Informant,
        },
        person: party.person,
        relation: party.relation,
        extra: Vec::new(),
    }
}

/// The key of the operation by which a system notified of it: `transactionId` is what we chose.
fn notified_by(document: &Object) -> Option<String> {
    let notified = last_action(document, "NOTIFY")?;
    let by_system = notified.get("createdByUserType").and_then(Value::as_str) == Some("system");
    by_system.then(|| plain(notified.get("transactionId")))?
}

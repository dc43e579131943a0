//! A birth or death notified to OpenCRVS, and what became of one whose answer was lost.

use adapter_sdk::http::Response;
use adapter_sdk::model::{
    CreateRequest, Fate, Identifier, Outcome, Pending, Receipt, TraceQuery, Unavailability,
    WriteAnswer, WriteRequest,
};
use adapter_sdk::{Create, Failure, Opaque, PendingAnswer, Trace, call, dates, ids, writes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::exchange::post;
use crate::mapping::notice::{Notice, declare};
use crate::mapping::shape::{Object, plain};
use crate::mapping::{bundle, document};
use crate::settings::{Settings, Version};
use crate::{NOTIFYING, OpenCrvs};

/// An event that 1.9 made and that is not notified yet.
#[derive(Debug, Deserialize, Serialize)]
struct Made {
    event_id: String,
    declaration: Object,
    unwritten: Vec<String>,
}

impl Create for OpenCrvs {
    fn create(request: CreateRequest) -> Result<WriteAnswer, Failure> {
        let settings = Settings::load()?;
        let mut notice = Notice::of(&request)?;
        if !request.extra.is_empty() {
            notice.unwritten.push("extra".to_owned());
        }
        let office = office(&settings)?;
        if !settings.has_events_api() {
            let body =
                document::document(&mut notice, office, &settings, &dates::now(), ids::uuid)?;
            return send(
                &settings.notification_path,
                &body,
                notice.unwritten,
                &settings,
            );
        }
        let key = operation_key()?;
        let kind = notice.kind;
        let declaration = declare(&mut notice, &settings)?;
        let event_type = settings.event_type(kind);
        if settings.version == Version::V2 {
            let path = format!("{}/events/notify", settings.events_path);
            let body = json!({
                "eventType": event_type,
                "transactionId": key,
                "createdAtLocation": office,
                "declaration": declaration,
                "annotation": {},
            });
            return send(&path, &body, notice.unwritten, &settings);
        }
        let path = format!("{}/events", settings.events_path);
        let body = json!({ "type": event_type, "transactionId": key });
        match post(&path, &body)?.try_send() {
            Err(error) => writes::unclear(error),
            Ok(response) => match settled(response)? {
                Settled::Unclear(why) => Ok(WriteAnswer::Unclear(why)),
                Settled::Done(made) => {
                    let event_id = plain(made.get("id"));
                    let made = Made {
                        event_id: event_id.ok_or_else(|| Failure::unreadable("answer.document"))?,
                        declaration,
                        unwritten: notice.unwritten,
                    };
                    let state = Opaque::pack(NOTIFYING, &made)?;
                    Ok(WriteAnswer::Pending(Pending::again_after(0, state)))
                }
            },
        }
    }

    fn resume(state: Opaque, _answer: Option<PendingAnswer>) -> Result<WriteAnswer, Failure> {
        let settings = Settings::load()?;
        let made: Made = state.unpack(NOTIFYING)?;
        let path = format!("{}/events/notifications", settings.events_path);
        let body = json!({
            "eventId": made.event_id,
            "transactionId": operation_key()?,
            "createdAtLocation": office(&settings)?,
            "declaration": made.declaration,
            "annotation": {},
        });
        send(&path, &body, made.unwritten, &settings)
    }
}

impl Trace for OpenCrvs {
    /// From 1.9 on the same `transactionId` is the same event and the same action: what was sent may be
    /// sent again, and does no harm when it arrives twice. Before, OpenCRVS keeps nothing of ours.
    fn trace(query: TraceQuery) -> Result<Fate, Failure> {
        let settings = Settings::load()?;
        let is_create = matches!(query.request, WriteRequest::Create(_));
        Ok(match is_create && settings.has_events_api() {
            true => Fate::Absent,
            false => Fate::Unknown,
        })
    }
}

/// How an attempt ended.
enum Settled {
    Done(Object),
    Unclear(Unavailability),
}

fn send(
    path: &str,
    body: &Value,
    unwritten: Vec<String>,
    settings: &Settings,
) -> Result<WriteAnswer, Failure> {
    let response = match post(path, body)?.try_send() {
        Ok(response) => response,
        Err(error) => return writes::unclear(error),
    };
    Ok(match settled(response)? {
        Settled::Unclear(why) => WriteAnswer::Unclear(why),
        Settled::Done(answer) => receipt(&answer, unwritten, settings).into(),
    })
}

/// What an answer says of what was sent.
///
/// # Errors
/// OpenCRVS did not do it. Up to 1.8 it says so with 500 and a sentence of its own that begins as below
/// (opencrvs-core 1.8.3, gateway/features/eventNotification); any other 500 may come after the record
/// was made.
fn settled(response: Response) -> Result<Settled, Failure> {
    if response.status >= 500 {
        let body = response.json::<Value>().unwrap_or_default();
        let said = body.get("message").and_then(Value::as_str);
        if said.is_some_and(|it| it.starts_with("Could not process the Event Notification")) {
            return Err(Failure::rejected("notification.refused"));
        }
        let retry_after_ms = response.retry_after_ms();
        return Ok(Settled::Unclear(Unavailability {
            code: Some(format!("http.{}", response.status)),
            retry_after_ms,
            ..Unavailability::default()
        }));
    }
    match response.ok()?.json::<Value>() {
        Ok(Value::Object(answer)) => Ok(Settled::Done(answer)),
        // It was taken, and what was answered is cut short or none of its own.
        _ => Ok(Settled::Unclear(Unavailability {
            code: Some("answer.document".to_owned()),
            ..Unavailability::default()
        })),
    }
}

/// A registrar completes and registers what was notified. OpenCRVS answers with the event (1.9 and 2.x),
/// the record's bundle, or the numbers of one that may repeat another (up to 1.8).
fn receipt(answer: &Object, unwritten: Vec<String>, settings: &Settings) -> Receipt {
    let (id, tracking_id) = match plain(answer.get("resourceType")).as_deref() {
        Some("Bundle") => match bundle::record(answer, settings) {
            Ok(record) => (record.id, record.tracking_id),
            Err(_) => (None, None),
        },
        _ => (
            plain(answer.get("compositionId")).or_else(|| plain(answer.get("id"))),
            plain(answer.get("trackingId")),
        ),
    };
    let numbers = [
        (&settings.schemes.tracking, &tracking_id),
        (&settings.schemes.record, &id),
    ];
    let numbers = numbers.into_iter().filter_map(|(scheme, value)| {
        let value = value.as_ref()?;
        Some(Identifier::new(scheme, value))
    });
    Receipt {
        outcome: Outcome::AwaitsApproval,
        identifiers: numbers.collect(),
        reference: tracking_id,
        unwritten,
        ..Receipt::applied()
    }
}

fn operation_key() -> Result<String, Failure> {
    call::operation_key().ok_or_else(|| Failure::other("operation-key.missing"))
}

/// OpenCRVS takes a notification only in the name of one of its offices.
fn office(settings: &Settings) -> Result<&str, Failure> {
    let office = settings.office.as_deref();
    office.ok_or_else(|| Failure::misconfigured("settings.invalid").field("settings.office"))
}

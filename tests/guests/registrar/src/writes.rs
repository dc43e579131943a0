//! The four writes, how they go on, and what became of them.

use adapter_sdk::model::{
    Beneficiary, CreateRequest, CreateSubject, EnrolmentRequest, EnrolmentStatus, Fate, LinkChange,
    LinkRequest, Pending, Receipt, TraceQuery, UpdateRequest, WriteAnswer, WriteRequest,
};
use adapter_sdk::{
    Create, Enrol, Failure, Link, Opaque, PendingAnswer, Trace, Update, dates, http, settings,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::mapping::{self, Mapped};
use crate::sending::{Sent, Told, operation_key, send, stored, unclear};
use crate::{FORM, Registrar, Settings, record_of};

/// How soon the registry is asked again where it does not call back.
const AGAIN_MS: u32 = 1_000;

/// What is left to do of a write. It is all that the next step sees.
#[derive(Debug, Deserialize, Serialize)]
struct Left {
    /// Under which the step that is under way was sent.
    key: String,
    unwritten: Vec<String>,
    /// Of a create: what is written once the record is there.
    addresses: Option<Value>,
    /// The record, once it is there: the step that is left is the addresses.
    record: Option<String>,
}

/// What the registry knows of a key.
#[derive(Deserialize)]
struct Operation {
    state: String,
    #[serde(default)]
    status: u16,
    #[serde(default)]
    body: Value,
}

impl Create for Registrar {
    /// The record first; its addresses are a second step, since the registry takes none before.
    fn create(request: CreateRequest) -> Result<WriteAnswer, Failure> {
        let key = operation_key()?;
        let (content, left) = planned(&key, &request)?;
        let request = http::endpoint("registry").post("/records");
        go_on(send(request.json(&content)?, &key, None)?, left)
    }

    fn resume(state: Opaque, answer: Option<PendingAnswer>) -> Result<WriteAnswer, Failure> {
        resume(state, answer)
    }
}

impl Update for Registrar {
    fn update(request: UpdateRequest) -> Result<WriteAnswer, Failure> {
        let (_, record) = record_of(&request.identifiers)?;
        let mut mapped = Mapped::default();
        for field in &request.mask {
            mapping::write(field, &request.person, &mut mapped)?;
        }
        if mapped.content.is_empty() {
            return Err(Failure::unsupported("mask.unwritable").field("mask"));
        }
        let key = operation_key()?;
        let path = format!("/records/{}", http::segment(&record));
        let request_out = http::endpoint("registry")
            .patch(path)
            .json(&mapped.content)?;
        let sent = send(request_out, &key, request.version.as_deref())?;
        go_on(sent, Left::one_step(key, mapped.unwritten))
    }

    fn resume(state: Opaque, answer: Option<PendingAnswer>) -> Result<WriteAnswer, Failure> {
        resume(state, answer)
    }
}

impl Link for Registrar {
    fn link(request: LinkRequest) -> Result<WriteAnswer, Failure> {
        let (_, record) = record_of(&request.identifiers)?;
        let path = format!(
            "/records/{}/links/{}/{}",
            http::segment(&record),
            http::segment(&request.linked.scheme),
            http::segment(&request.linked.value)
        );
        let registry = http::endpoint("registry");
        let request_out = match request.change {
            LinkChange::Add => registry.put(path),
            LinkChange::Remove => registry.delete(path),
        };
        let key = operation_key()?;
        let sent = send(request_out, &key, request.version.as_deref())?;
        go_on(sent, Left::one_step(key, Vec::new()))
    }

    fn resume(state: Opaque, answer: Option<PendingAnswer>) -> Result<WriteAnswer, Failure> {
        resume(state, answer)
    }
}

impl Enrol for Registrar {
    fn enrol(request: EnrolmentRequest) -> Result<WriteAnswer, Failure> {
        let Beneficiary::Person(person) = &request.beneficiary else {
            return Err(Failure::unsupported("beneficiary.household").field("beneficiary"));
        };
        let (_, record) = record_of(&person.identifiers)?;
        let Some(programme) = request.programme.identifiers.first() else {
            return Err(Failure::rejected("programme.missing").field("programme.identifiers"));
        };
        let body = json!({
            "programme": programme.value,
            "record": record,
            "status": status(&request.status),
            "reason": request.reason,
            "from": request.from.as_ref().map(dates::format),
            "until": request.until.as_ref().map(dates::format),
        });
        let no_place = [
            ("benefits", !request.benefits.is_empty()),
            ("identifiers", !request.identifiers.is_empty()),
        ];
        let unwritten = no_place.iter().filter(|(_, there)| *there);
        let unwritten = unwritten.map(|(field, _)| (*field).to_owned()).collect();
        let key = operation_key()?;
        let request_out = http::endpoint("registry").post("/enrolments").json(&body)?;
        go_on(
            send(request_out, &key, None)?,
            Left::one_step(key, unwritten),
        )
    }

    fn resume(state: Opaque, answer: Option<PendingAnswer>) -> Result<WriteAnswer, Failure> {
        resume(state, answer)
    }
}

impl Trace for Registrar {
    fn trace(query: TraceQuery) -> Result<Fate, Failure> {
        let left = match (&query.state, &query.request) {
            (Some(state), _) => state.unpack(FORM)?,
            (None, WriteRequest::Create(request)) => planned(&query.operation_key, request)?.1,
            (None, _) => Left::one_step(query.operation_key.clone(), Vec::new()),
        };
        let told = match &query.answer {
            Some(answer) => Some(serde_json::from_slice(&answer.data)?),
            None => ask(&left.key)?,
        };
        let Some(operation) = told else {
            return Ok(Fate::Unknown);
        };
        match (operation.state.as_str(), left.record.is_some()) {
            // The registry does one key once: should the lost request still come, it finds the key done.
            ("unknown", false) => Ok(Fate::Absent),
            // The record is there, its addresses are not: `resume` writes them.
            ("unknown", true) => Ok(Fate::Underway(Pending::again_after(0, left.pack()?))),
            ("done" | "refused" | "underway", _) => match operation.settle(left) {
                Ok(WriteAnswer::Done(receipt)) => Ok(Fate::Applied(receipt)),
                Ok(WriteAnswer::Pending(pending)) => Ok(Fate::Underway(pending)),
                Ok(WriteAnswer::Unclear(_)) => Ok(Fate::Unknown),
                Err(refused) => Ok(Fate::Refused(refused)),
            },
            _ => Err(Failure::unreadable("operation.state")),
        }
    }
}

impl Left {
    fn one_step(key: String, unwritten: Vec<String>) -> Self {
        Self {
            key,
            unwritten,
            addresses: None,
            record: None,
        }
    }

    /// The same step again, after a while.
    fn later(&self, retry_after_ms: Option<u32>) -> Result<WriteAnswer, Failure> {
        Ok(WriteAnswer::Pending(Pending {
            reference: Some(self.key.clone()),
            retry_after_ms: Some(retry_after_ms.unwrap_or(AGAIN_MS)),
            state: self.pack()?,
        }))
    }

    fn pack(&self) -> Result<Opaque, Failure> {
        Opaque::pack(FORM, self)
    }
}

impl Operation {
    /// The answer of a key whose end the registry tells, or that it still works on.
    fn settle(self, left: Left) -> Result<WriteAnswer, Failure> {
        match self.state.as_str() {
            "underway" => go_on(Sent::Accepted(left.key.clone()), left),
            _ => step(stored(self.status, &self.body), left),
        }
    }
}

/// What a create sends first, and what it leaves for later.
fn planned(key: &str, request: &CreateRequest) -> Result<(Map<String, Value>, Left), Failure> {
    let CreateSubject::Person(person) = &request.subject else {
        return Err(Failure::unsupported("subject.not-a-person").field("subject"));
    };
    let mut mapped = Mapped::default();
    for field in mapping::filled(person) {
        mapping::write(field, person, &mut mapped)?;
    }
    let mut left = Left::one_step(key.to_owned(), mapped.unwritten);
    left.addresses = mapped.content.remove("addresses");
    Ok((mapped.content, left))
}

fn resume(state: Opaque, answer: Option<PendingAnswer>) -> Result<WriteAnswer, Failure> {
    let left: Left = state.unpack(FORM)?;
    if let Some(answer) = answer {
        let told: Operation = serde_json::from_slice(&answer.data)?;
        return step(stored(told.status, &told.body), left);
    }
    match ask(&left.key) {
        // It took the write, and cannot be asked now: to fail would say that it did not do it.
        Err(Failure::Unavailable(why)) => left.later(why.retry_after_ms),
        Err(other) => Err(other),
        Ok(Some(operation)) if operation.state != "unknown" => operation.settle(left),
        // Of the second step: it was never sent, or never came.
        Ok(_) if left.record.is_some() => second_step(left),
        Ok(_) => go_on(unclear("operation.forgotten", None), left),
    }
}

/// Goes on with what a step brought. The record stands, whatever becomes of its addresses: a refusal of
/// these is told as what is not written.
fn step(sent: Result<Sent, Failure>, mut left: Left) -> Result<WriteAnswer, Failure> {
    match (sent, left.record.take()) {
        (Err(Failure::Unavailable(why)), Some(record)) => {
            left.record = Some(record);
            left.later(why.retry_after_ms)
        }
        (Err(_), Some(id)) => {
            let settings: Settings = settings::load()?;
            left.unwritten.push("addresses".into());
            Ok(WriteAnswer::Done(Receipt {
                identifiers: vec![adapter_sdk::model::Identifier::new(settings.scheme, id)],
                unwritten: left.unwritten,
                ..Receipt::applied()
            }))
        }
        (sent, record) => {
            left.record = record;
            go_on(sent?, left)
        }
    }
}

fn go_on(sent: Sent, mut left: Left) -> Result<WriteAnswer, Failure> {
    match sent {
        Sent::Unclear(answer) => Ok(answer),
        Sent::Accepted(reference) => {
            let settings: Settings = settings::load()?;
            Ok(WriteAnswer::Pending(Pending {
                reference: Some(reference),
                retry_after_ms: (!settings.calls_back).then_some(AGAIN_MS),
                state: left.pack()?,
            }))
        }
        Sent::Done(Told { id, .. }) if left.addresses.is_some() && left.record.is_none() => {
            left.key.push_str(".addresses");
            left.record = Some(id);
            // At once, but after the gateway has on record that the first step is done.
            Ok(WriteAnswer::Pending(Pending::again_after(0, left.pack()?)))
        }
        Sent::Done(told) => {
            let settings: Settings = settings::load()?;
            Ok(told.receipt(&settings.scheme, left.unwritten).into())
        }
    }
}

fn second_step(left: Left) -> Result<WriteAnswer, Failure> {
    let record = left.record.as_deref().unwrap_or_default();
    let path = format!("/records/{}/addresses", http::segment(record));
    let request = http::endpoint("registry").put(path).json(&left.addresses)?;
    step(send(request, &left.key, None), left)
}

/// What the registry knows of a key. None: it keeps no keys.
fn ask(key: &str) -> Result<Option<Operation>, Failure> {
    let path = format!("/operations/{}", http::segment(key));
    let response = http::endpoint("registry").get(path).send()?;
    match response.status {
        501 => Ok(None),
        // With a body of its own: another 404 would be of something in between.
        404 => Ok(Some(response.json()?)),
        _ => Ok(Some(response.ok()?.json()?)),
    }
}

fn status(status: &EnrolmentStatus) -> &str {
    match status {
        EnrolmentStatus::Potential => "potential",
        EnrolmentStatus::Enrolled => "enrolled",
        EnrolmentStatus::Active => "active",
        EnrolmentStatus::Suspended => "suspended",
        EnrolmentStatus::Graduated => "graduated",
        EnrolmentStatus::Ended => "ended",
        EnrolmentStatus::Rejected => "rejected",
        EnrolmentStatus::Other(word) => word,
    }
}

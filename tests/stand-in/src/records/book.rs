//! The records themselves, the keys that changed them, and what is told of them.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::content::{self, CHANGEABLE, CREATABLE, Problem};
use super::event;
use super::ledger::Ledger;
use super::{created, object};
use crate::shuffle::mix;

/// A status and a body.
pub(super) type Answered = (StatusCode, Value);

/// What a write asks for.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Create(Map<String, Value>),
    Update {
        record: String,
        version: Option<String>,
        change: Map<String, Value>,
        /// `update` or `addresses`.
        kind: &'static str,
    },
    Link {
        record: String,
        version: Option<String>,
        scheme: String,
        value: String,
        add: bool,
    },
    Enrol(Map<String, Value>),
}

#[derive(Debug)]
pub(super) struct Book {
    pub(super) ledger: Ledger,
    records: BTreeMap<String, Record>,
    enrolments: BTreeMap<(String, String), (String, u64, Value)>,
    keys: BTreeMap<String, Key>,
    /// Events by number, from 1.
    events: Vec<Value>,
    told: Vec<Value>,
}

#[derive(Debug, Default)]
struct Record {
    version: u64,
    content: Map<String, Value>,
    links: BTreeMap<(String, String), ()>,
}

#[derive(Debug, Default)]
struct Key {
    print: String,
    arrivals: u64,
    fate: Fate,
}

#[derive(Debug, Default)]
enum Fate {
    /// It came, and nothing was done of it.
    #[default]
    Nothing,
    Underway,
    Done(Answered),
    Refused(Answered),
}

/// What was done, for the ledger, the receipt and the echo.
struct Done {
    kind: &'static str,
    record: String,
    id: String,
    version: u64,
    status: StatusCode,
    outcome: &'static str,
    fields: Vec<String>,
}

impl Book {
    pub(super) fn new(ledger: Ledger) -> Self {
        Self {
            ledger,
            records: BTreeMap::new(),
            enrolments: BTreeMap::new(),
            keys: BTreeMap::new(),
            events: Vec::new(),
            told: Vec::new(),
        }
    }

    pub(super) fn put(&mut self, content: &Value) -> Result<String, Problem> {
        let content = object(content);
        content::check(&content, &CHANGEABLE)?;
        let id = format!("R{:06}", self.records.len() + 1);
        let record = Record {
            version: 1,
            content,
            ..Record::default()
        };
        self.records.insert(id.clone(), record);
        Ok(id)
    }

    pub(super) fn record(&self, id: &str) -> Option<Value> {
        let record = self.records.get(id)?;
        let mut told = record.content.clone();
        let links = record.links.keys();
        let links = links.map(|(scheme, value)| json!({ "scheme": scheme, "value": value }));
        told.insert("id".into(), json!(id));
        told.insert("version".into(), json!(record.version));
        told.insert("links".into(), links.collect());
        Some(Value::Object(told))
    }

    pub(super) fn arrived(&mut self, key: &str) {
        self.keys.entry(key.to_owned()).or_default().arrivals += 1;
    }

    pub(super) fn arrivals(&self, key: &str) -> u64 {
        self.keys.get(key).map_or(0, |key| key.arrivals)
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.keys.keys().cloned().collect()
    }

    /// What became of a key.
    pub(super) fn operation(&self, key: &str) -> Answered {
        match self.keys.get(key).map(|key| &key.fate) {
            None | Some(Fate::Nothing) => (StatusCode::NOT_FOUND, json!({ "state": "unknown" })),
            Some(Fate::Underway) => (
                StatusCode::OK,
                json!({ "state": "underway", "reference": key }),
            ),
            Some(Fate::Done((status, body))) => (
                StatusCode::OK,
                json!({ "state": "done", "status": status.as_u16(), "body": body }),
            ),
            Some(Fate::Refused((status, body))) => (
                StatusCode::OK,
                json!({ "state": "refused", "status": status.as_u16(), "body": body }),
            ),
        }
    }

    /// Marks a key as taken and not done. Something: it has an answer already.
    pub(super) fn accept(&mut self, key: &str, print: &str) -> Option<Answered> {
        if let Some(known) = self.known(key, print) {
            return Some(known);
        }
        let entry = self.keys.entry(key.to_owned()).or_default();
        entry.print = print.to_owned();
        entry.fate = Fate::Underway;
        None
    }

    /// What was accepted is done now.
    pub(super) fn begin(&mut self, key: &str) {
        if let Some(key) = self.keys.get_mut(key) {
            key.fate = Fate::Nothing;
        }
    }

    /// The answer, and the event that tells of it.
    pub(super) fn apply(
        &mut self,
        key: &str,
        print: &str,
        action: &Action,
        forgets: bool,
    ) -> (Answered, Option<Value>) {
        if let Some(known) = self.known(key, print).filter(|_| !forgets) {
            return (known, None);
        }
        let done = self.perform(action);
        let (answered, echo) = match done {
            Err(problem) => (problem.answer(), None),
            Ok(done) => self.record_done(key, &done),
        };
        if !forgets {
            let entry = self.keys.entry(key.to_owned()).or_default();
            entry.print = print.to_owned();
            entry.fate = match answered.0.is_success() {
                true => Fate::Done(answered.clone()),
                false => Fate::Refused(answered.clone()),
            };
        }
        (answered, echo)
    }

    /// What a registrar does to a record by hand.
    pub(super) fn amend(
        &mut self,
        record: &str,
        change: &Map<String, Value>,
        kind: &str,
    ) -> Result<u64, Problem> {
        content::check(change, &CHANGEABLE)?;
        let entry = self.records.get_mut(record);
        let entry = entry.ok_or_else(Problem::unknown_record)?;
        content::merge(&mut entry.content, change);
        entry.version += 1;
        let version = entry.version;
        self.ledger.add(None, kind, record, version);
        Ok(version)
    }

    /// Numbers an event and keeps it for the changes.
    pub(super) fn enter(&mut self, mut event: Value) -> Value {
        event["number"] = json!(self.events.len() + 1);
        let event = self.remember(event);
        self.events.push(event.clone());
        event
    }

    /// Gives a callback its id, and keeps it for whoever asks.
    pub(super) fn remember(&mut self, mut callback: Value) -> Value {
        let number = self.told.len() as u64 + 1;
        let id = format!("c-{number}-{:08x}", mix(&[number, 0xca11]) >> 32);
        callback["id"] = json!(id);
        self.told.push(callback.clone());
        callback
    }

    pub(super) fn told(&self, id: &str) -> Option<Value> {
        // Its number is in its name: `c-NUMBER-…`.
        let number: usize = id.split('-').nth(1)?.parse().ok()?;
        let told = self.told.get(number.checked_sub(1)?)?;
        (told["id"] == id).then(|| told.clone())
    }

    pub(super) fn all_told(&self) -> Vec<Value> {
        self.told.clone()
    }

    /// Events after a number, where to go on, and whether there are more.
    pub(super) fn changes(&self, after: usize, limit: usize) -> Value {
        let events: Vec<&Value> = self.events.iter().skip(after).take(limit).collect();
        let next = after.min(self.events.len()) + events.len();
        json!({ "more": next < self.events.len(), "next": next, "events": events })
    }

    fn known(&self, key: &str, print: &str) -> Option<Answered> {
        let known = self.keys.get(key)?;
        if !known.print.is_empty() && known.print != print {
            let problem = Problem::new(StatusCode::CONFLICT, "key.reused");
            return Some(problem.answer());
        }
        match &known.fate {
            Fate::Done(answered) => Some(answered.clone()),
            Fate::Underway => Some((StatusCode::ACCEPTED, json!({ "reference": key }))),
            Fate::Nothing | Fate::Refused(_) => None,
        }
    }

    fn record_done(&mut self, key: &str, done: &Done) -> (Answered, Option<Value>) {
        let changed = done.outcome == "applied";
        if changed {
            self.ledger
                .add(Some(key), done.kind, &done.record, done.version);
        }
        let receipt = json!({
            "outcome": done.outcome,
            "id": done.id,
            "version": done.version,
            "reference": format!("{}/{}", done.id, done.version),
        });
        let echo = changed.then(|| {
            let echo = event::echo(self, done.kind, &done.record, key, &done.fields);
            self.enter(echo)
        });
        ((done.status, receipt), echo)
    }

    fn perform(&mut self, action: &Action) -> Result<Done, Problem> {
        match action {
            Action::Create(content) => {
                content::check(content, &CREATABLE)?;
                let id = self.put(&Value::Object(content.clone()))?;
                let mut done = Done::new("create", &id, 1);
                done.status = created();
                Ok(done)
            }
            Action::Update {
                record,
                version,
                change,
                kind,
            } => {
                let entry = Self::writable(&mut self.records, record, version.as_deref())?;
                content::check(change, &CHANGEABLE)?;
                content::merge(&mut entry.content, change);
                entry.version += 1;
                let mut done = Done::new(kind, record, entry.version);
                done.fields = change.keys().cloned().collect();
                Ok(done)
            }
            Action::Link {
                record,
                version,
                scheme,
                value,
                add,
            } => {
                let link = (scheme.clone(), value.clone());
                let mut others = self.records.iter().filter(|(id, _)| *id != record);
                if *add && others.any(|(_, other)| other.links.contains_key(&link)) {
                    let elsewhere = Problem::new(StatusCode::CONFLICT, "link.elsewhere");
                    return Err(elsewhere.with("field", json!("linked")));
                }
                let entry = Self::writable(&mut self.records, record, version.as_deref())?;
                let moved = match add {
                    true => entry.links.insert(link, ()).is_none(),
                    false => entry.links.remove(&link).is_some(),
                };
                entry.version += u64::from(moved);
                let kind = if *add { "link" } else { "unlink" };
                let mut done = Done::new(kind, record, entry.version);
                done.outcome = if moved { "applied" } else { "unchanged" };
                done.fields = vec!["links".into()];
                Ok(done)
            }
            Action::Enrol(enrolment) => self.enrol(enrolment),
        }
    }

    fn enrol(&mut self, enrolment: &Map<String, Value>) -> Result<Done, Problem> {
        let text = |field: &str| {
            let text = enrolment.get(field).and_then(Value::as_str);
            text.map(str::to_owned)
                .ok_or_else(|| Problem::field("value.missing", field))
        };
        let (programme, record) = (text("programme")?, text("record")?);
        text("status")?;
        if !self.records.contains_key(&record) {
            return Err(Problem::field("record.unknown", "record"));
        }
        let number = self.enrolments.len() + 1;
        let enrolled = self.enrolments.entry((programme, record.clone()));
        let (id, version, kept) =
            enrolled.or_insert_with(|| (format!("E{number:06}"), 0, Value::Null));
        let same = *kept == Value::Object(enrolment.clone());
        *kept = Value::Object(enrolment.clone());
        *version += u64::from(!same);
        let mut done = Done::new("enrolment", &record, *version);
        done.id.clone_from(id);
        done.outcome = if same { "unchanged" } else { "applied" };
        Ok(done)
    }

    fn writable<'a>(
        records: &'a mut BTreeMap<String, Record>,
        id: &str,
        version: Option<&str>,
    ) -> Result<&'a mut Record, Problem> {
        let record = records.get_mut(id).ok_or_else(Problem::unknown_record)?;
        let now = record.version.to_string();
        match version.map(|version| version.trim_matches('"')) {
            Some(version) if version != now => {
                let moved = Problem::new(StatusCode::PRECONDITION_FAILED, "version.moved");
                Err(moved.with("version", json!(record.version)))
            }
            _ => Ok(record),
        }
    }
}

impl Done {
    fn new(kind: &'static str, record: &str, version: u64) -> Self {
        Self {
            kind,
            record: record.to_owned(),
            id: record.to_owned(),
            version,
            status: StatusCode::OK,
            outcome: "applied",
            fields: Vec::new(),
        }
    }
}

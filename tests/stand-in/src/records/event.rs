//! What happens in life, and the echo of what was written.

use serde_json::{Map, Value, json};

use super::book::Book;
use super::content::{Problem, is_date};

/// What a registrar enters.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// What it is.
    pub what: What,
    /// `2026-05-01`, or a month or year.
    pub occurred: Option<String>,
}

/// Of whom something is entered.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A child is born: a record is made of its fields.
    Birth {
        /// As in `POST /records`.
        child: Value,
        /// The mother's record.
        mother: Option<String>,
        /// The father's record.
        father: Option<String>,
    },
    /// Somebody died.
    Death {
        /// Their record.
        record: String,
    },
    /// Two married.
    Marriage {
        /// Their records.
        spouses: [String; 2],
    },
    /// Something was recorded wrongly.
    Correction {
        /// Whose record.
        record: String,
        /// As in `PATCH /records/{id}`.
        change: Value,
        /// The event that recorded it wrongly.
        amends: Option<String>,
    },
}

impl Happening {
    /// Somebody died on this day.
    pub fn death(record: &str, occurred: &str) -> Self {
        let record = record.to_owned();
        Self {
            what: What::Death { record },
            occurred: Some(occurred.to_owned()),
        }
    }

    /// Reads the body of `POST /events`.
    pub(super) fn read(body: &Map<String, Value>) -> Result<Self, Problem> {
        let text = |field: &str| body.get(field).and_then(Value::as_str).map(str::to_owned);
        let needed = |field| text(field).ok_or_else(|| Problem::field("value.missing", field));
        let of = |field: &str| body.get(field).cloned().unwrap_or_default();
        let what = match needed("kind")?.as_str() {
            "birth" => What::Birth {
                child: of("child"),
                mother: text("mother"),
                father: text("father"),
            },
            "death" => What::Death {
                record: needed("record")?,
            },
            "marriage" => What::Marriage {
                spouses: [needed("spouse")?, needed("other")?],
            },
            "correction" => What::Correction {
                record: needed("record")?,
                change: of("change"),
                amends: text("amends"),
            },
            _ => return Err(Problem::field("kind.unknown", "kind")),
        };
        Ok(Self {
            what,
            occurred: text("occurred"),
        })
    }
}

/// Writes what happened, and gives the event.
pub(super) fn register(book: &mut Book, happening: &Happening) -> Result<Value, Problem> {
    let occurred = &happening.occurred;
    if occurred.as_deref().is_some_and(|date| !is_date(date)) {
        return Err(Problem::field("value.invalid", "occurred"));
    }
    let known = |book: &Book, record: &str| match book.record(record) {
        Some(_) => Ok(()),
        None => Err(Problem::unknown_record()),
    };
    let (kind, people, changed, amends) = match &happening.what {
        What::Birth {
            child,
            mother,
            father,
        } => {
            let parents = [("mother", mother), ("father", father)];
            let parents = parents
                .into_iter()
                .filter_map(|(role, record)| record.as_ref().map(|record| (role, record.clone())));
            let mut people: Vec<_> = parents.collect();
            for (_, parent) in &people {
                known(book, parent)?;
            }
            let child = book.put(child)?;
            book.ledger.add(None, "birth", &child, 1);
            people.insert(0, ("child", child));
            ("birth", people, Vec::new(), None)
        }
        What::Death { record } => {
            let died = occurred.clone().map_or(Value::Null, Value::String);
            let change = Map::from_iter([("died".to_owned(), died)]);
            book.amend(record, &change, "death")?;
            let people = vec![("deceased", record.clone())];
            ("death", people, vec!["died".to_owned()], None)
        }
        What::Marriage { spouses } => {
            for spouse in spouses {
                known(book, spouse)?;
            }
            for spouse in spouses {
                book.amend(spouse, &Map::new(), "marriage")?;
            }
            let people = spouses.iter().map(|spouse| ("spouse", spouse.clone()));
            ("marriage", people.collect(), Vec::new(), None)
        }
        What::Correction {
            record,
            change,
            amends,
        } => {
            let change = super::object(change);
            book.amend(record, &change, "correction")?;
            let changed = change.keys().cloned().collect();
            let people = vec![("subject", record.clone())];
            ("correction", people, changed, amends.as_ref())
        }
    };
    let mut event = event(book, kind, &people, &changed);
    event["occurred"] = json!(occurred);
    event["amends"] = json!(amends);
    Ok(book.enter(event))
}

/// What tells that a write of ours was done.
pub(super) fn echo(book: &Book, kind: &str, record: &str, key: &str, fields: &[String]) -> Value {
    let people = [("subject", record.to_owned())];
    let kind = match kind {
        "create" => "created",
        "enrolment" => "enrolled",
        _ => "changed",
    };
    let mut event = event(book, kind, &people, fields);
    event["causedBy"] = json!(key);
    event
}

fn event(book: &Book, kind: &str, people: &[(&str, String)], changed: &[String]) -> Value {
    let first = people.first().map(|(_, record)| record.as_str());
    let version = first.and_then(|record| book.record(record));
    let version = version.map(|record| record["version"].clone());
    let people = people.iter().map(|(role, record)| {
        let mut person = book.record(record).unwrap_or_default();
        // An event tells who it is about, not where they live and by what else they are known.
        for private in ["addresses", "links"] {
            person.as_object_mut().map(|person| person.remove(private));
        }
        json!({ "role": role, "person": person })
    });
    json!({
        "type": "event",
        "kind": kind,
        "record": first,
        "version": version,
        "recordedAt": jiff::Timestamp::now().to_string(),
        "people": people.collect::<Vec<_>>(),
        "changed": changed,
    })
}

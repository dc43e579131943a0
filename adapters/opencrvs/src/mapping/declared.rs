//! An event of the events API: as the search's index has it, or as the list of its actions, from which
//! the declaration is put together (opencrvs-core 2.0.0, commons/events: `getCurrentEventState`,
//! `aggregateActionDeclarations`).

use adapter_sdk::Failure;
use serde_json::Value;

use super::shape::{Object, object, plain, plain_objects};

/// An event and its declaration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// The event's id.
    pub id: Option<String>,
    /// `birth`, `death`, or what the country calls it.
    pub event_type: Option<String>,
    /// Where it stands.
    pub status: Option<String>,
    /// The declaration's number.
    pub tracking_id: Option<String>,
    /// The registration number.
    pub registration_number: Option<String>,
    /// When it was registered, RFC 3339.
    pub registered_at: Option<String>,
    /// The event that it repeats.
    pub duplicate_of: Option<String>,
    /// Field ids and values.
    pub declaration: Object,
}

/// Actions that tell nothing that holds: a correction counts once it is approved.
const EXCLUDED: [&str; 3] = [
    "REQUEST_CORRECTION",
    "PRINT_CERTIFICATE",
    "REJECT_CORRECTION",
];

/// One action, with its place in the order of time.
struct Action<'a> {
    object: &'a Object,
    kind: String,
    created_at: String,
}

/// An `EventIndex` of the search.
pub fn from_index(index: &Object) -> Declared {
    let registered = object(index, "legalStatuses").and_then(|it| object(it, "REGISTERED"));
    let of_registered = |name| plain(registered.and_then(|it| it.get(name)));
    Declared {
        id: plain(index.get("id")),
        event_type: plain(index.get("type")),
        status: plain(index.get("status")),
        tracking_id: plain(index.get("trackingId")),
        registration_number: of_registered("registrationNumber"),
        registered_at: of_registered("acceptedAt"),
        duplicate_of: None,
        declaration: object(index, "declaration").cloned().unwrap_or_default(),
    }
}

/// An `EventDocument`. With `accepted`, an action that country configuration accepts as it forwards it,
/// and that the document still has as requested.
///
/// # Errors
/// `unreadable` with code `answer.actions` where it has no list of actions.
pub fn from_document(document: &Object, accepted: Option<&str>) -> Result<Declared, Failure> {
    if !document.get("actions").is_some_and(Value::is_array) {
        return Err(Failure::unreadable("answer.actions"));
    }
    let all = plain_objects(document.get("actions"));
    let mut declared = Declared {
        id: plain(document.get("id")),
        event_type: plain(document.get("type")),
        tracking_id: plain(document.get("trackingId")),
        ..Declared::default()
    };
    let mut holds = holding(&all, accepted);
    holds.sort_by(|a, b| a.created_at.cmp(&b.created_at));
    for action in &holds {
        declared.take(action, &all, &holds);
    }
    declared.declaration.retain(|_, value| !value.is_null());
    Ok(declared)
}

/// The last action of a type, accepted or asked for.
pub fn last_action<'a>(document: &'a Object, kind: &str) -> Option<&'a Object> {
    let all = plain_objects(document.get("actions")).into_iter();
    let of_kind = all.filter(|action| plain(action.get("type")).as_deref() == Some(kind));
    of_kind.max_by(|a, b| plain(a.get("createdAt")).cmp(&plain(b.get("createdAt"))))
}

/// What an action changes, with what it was asked for with.
pub fn changes(action: &Object, document: &Object) -> Object {
    let all = plain_objects(document.get("actions"));
    let request = action.get("requestId").or(action.get("originalActionId"));
    let request = request.and_then(|id| by_id(&all, id));
    let mut changes = Object::new();
    for part in request.into_iter().chain([action]) {
        merge(&mut changes, object(part, "declaration"));
    }
    changes
}

impl Declared {
    fn take(&mut self, action: &Action<'_>, all: &[&Object], holds: &[Action<'_>]) {
        let original = action.object.get("originalActionId");
        let original = original.and_then(|id| by_id(all, id));
        let original = original.filter(|it| is_status(it, "Requested"));
        let both = || original.into_iter().chain([action.object]);
        if !EXCLUDED.contains(&action.kind.as_str()) {
            if action.kind == "APPROVE_CORRECTION" {
                let request = action.object.get("requestId");
                let request = request.and_then(|id| {
                    let same = |it: &&Action<'_>| it.object.get("id") == Some(id);
                    holds.iter().find(same)
                });
                // A correction whose request is not there, or was not accepted, changes nothing.
                let Some(request) = request else { return };
                let first = request.object.get("originalActionId");
                let first = first.and_then(|id| by_id(all, id));
                for part in first.into_iter().chain([request.object]) {
                    merge(&mut self.declaration, object(part, "declaration"));
                }
            }
            for part in both() {
                merge(&mut self.declaration, object(part, "declaration"));
            }
        }
        let status = match action.kind.as_str() {
            "CREATE" => "CREATED",
            "NOTIFY" => "NOTIFIED",
            "DECLARE" => "DECLARED",
            "VALIDATE" => "VALIDATED",
            "REGISTER" => "REGISTERED",
            "ARCHIVE" => "ARCHIVED",
            "MARK_AS_DUPLICATE" => {
                let content = both().filter_map(|it| object(it, "content"));
                let of = content
                    .filter_map(|it| plain(it.get("duplicateOf")))
                    .next_back();
                self.duplicate_of = of;
                return;
            }
            "MARK_AS_NOT_DUPLICATE" => {
                self.duplicate_of = None;
                return;
            }
            _ => return,
        };
        self.status = Some(status.to_owned());
        if action.kind == "REGISTER" {
            let mut number = both().filter_map(|it| plain(it.get("registrationNumber")));
            self.registration_number = number.next_back().or(self.registration_number.take());
            self.registered_at = Some(action.created_at.clone()).filter(|it| !it.is_empty());
        }
    }
}

/// The actions that hold: those that are accepted, and the last of the type that is now.
fn holding<'a>(all: &[&'a Object], accepted: Option<&str>) -> Vec<Action<'a>> {
    let read = |object: &'a Object| Action {
        object,
        kind: plain(object.get("type")).unwrap_or_default(),
        created_at: plain(object.get("createdAt")).unwrap_or_default(),
    };
    let mut holds: Vec<Action<'a>> = Vec::new();
    let accepted_ones = all.iter().filter(|it| is_status(it, "Accepted"));
    holds.extend(accepted_ones.map(|it| read(it)));
    let Some(kind) = accepted else { return holds };
    let asked = all.iter().filter(|it| is_status(it, "Requested"));
    let asked = asked.map(|it| read(it)).filter(|it| it.kind == kind);
    let asked = asked.max_by(|a, b| a.created_at.cmp(&b.created_at));
    // One that was accepted since is there already, and names it.
    let is_there = |id: Option<&Value>| {
        let of = |it: &Action<'_>| it.object.get("originalActionId") == id;
        id.is_some() && holds.iter().any(of)
    };
    holds.extend(asked.filter(|it| !is_there(it.object.get("id"))));
    holds
}

fn by_id<'a>(all: &[&'a Object], id: &Value) -> Option<&'a Object> {
    all.iter().copied().find(|it| it.get("id") == Some(id))
}

fn is_status(action: &Object, status: &str) -> bool {
    action.get("status").and_then(Value::as_str) == Some(status)
}

/// Objects are merged, all else is replaced (`deepMerge`).
fn merge(into: &mut Object, from: Option<&Object>) {
    for (name, value) in from.into_iter().flatten() {
        match (into.get_mut(name), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, Some(from)),
            (Some(into), value) => *into = value.clone(),
            (None, value) => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

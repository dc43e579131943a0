//! What is stored of callbacks and events.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::store::audit::KeyedHash;

/// Where a callback stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CallbackState {
    /// It is stored, and the adapter has not read it yet.
    New,
    /// The adapter read it, and what it brought is stored.
    Received,
    /// The sender did not prove who they are, or the adapter refused what was sent.
    Refused,
    /// The adapter could not read it.
    Unreadable,
    /// The adapter broke, or could not work.
    Failed,
}

/// A callback as it came, sealed.
#[derive(Clone, Debug)]
pub struct NewCallback {
    /// A UUID of version 7.
    pub id: Uuid,
    /// When it came; kept to the microsecond.
    pub at: Timestamp,
    /// Whose it says it is.
    pub registry: String,
    /// Of HTTP.
    pub method: String,
    /// All of it, sealed.
    pub body: Vec<u8>,
    /// For so long nobody else takes it up.
    pub lease: Duration,
    /// It is refused where so many of the registry are not over.
    pub max_unprocessed: u32,
    /// The same, in bytes.
    pub max_unprocessed_bytes: u64,
}

/// A callback, as it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredCallback {
    /// In the order of arrival.
    pub number: i64,
    /// Its name.
    pub id: Uuid,
    /// Whose it says it is.
    pub registry: String,
    /// Of HTTP.
    pub method: String,
    /// In bytes, sealed.
    pub size: u64,
    /// When it came.
    pub received_at: Timestamp,
    /// Since when it stands where it stands.
    pub changed_at: Timestamp,
    /// Where it stands.
    pub state: CallbackState,
    /// How often it was taken up.
    pub attempts: u32,
    /// Rises with everybody who takes it up.
    pub fence: i64,
    /// Why it stands there.
    pub reason: Option<String>,
    /// The registry's own code.
    pub code: Option<String>,
    /// The module that read it last.
    pub module_digest: Option<String>,
    /// What the registry was answered.
    pub status: Option<u16>,
    /// How many events it brought that were not known.
    pub brought: u32,
    /// All of it, sealed. None: purged.
    pub body: Option<Vec<u8>>,
}

/// What came of a callback.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Where it stands now.
    pub state: CallbackState,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<String>,
    /// The registry's own code.
    pub code: Option<String>,
    /// The module that read it.
    pub module_digest: String,
    /// What the registry is answered.
    pub status: Option<u16>,
    /// What it brought.
    pub events: Vec<NewEvent>,
    /// Answers to what waits: keyed hash of the reference, and sealed data.
    pub answers: Vec<(KeyedHash, Vec<u8>)>,
}

/// An answer to what waits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredAnswer {
    /// Sealed.
    pub data: Vec<u8>,
    /// When it came. Of one reference a later one takes the place of an earlier one.
    pub at: Timestamp,
}

/// A life event, sealed.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Keyed hash of the registry's own id.
    pub id: KeyedHash,
    /// The kind's word.
    pub kind: String,
    /// When the registry recorded it.
    pub recorded_at: Option<Timestamp>,
    /// Keyed hash of the id of what it corrects or takes back.
    pub amends: Option<KeyedHash>,
    /// Keyed hash of the operation that it echoes.
    pub caused_by: Option<KeyedHash>,
    /// Keyed hashes of the identifiers of the people in it.
    pub people: Vec<KeyedHash>,
    /// All of it, sealed.
    pub body: Vec<u8>,
}

/// A life event that has its position.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredEvent {
    /// In the order of the sequencer, from 1.
    pub position: i64,
    /// Keyed hash of the registry's own id.
    pub id: KeyedHash,
    /// Which registry told it.
    pub registry: String,
    /// The kind's word.
    pub kind: String,
    /// When the registry recorded it.
    pub recorded_at: Option<Timestamp>,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// The module that read it.
    pub module_digest: String,
    /// The callback that brought it, if one did.
    pub callback: Option<Uuid>,
    /// All of it, sealed. None: purged.
    pub body: Option<Vec<u8>>,
}

/// Whose events are read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventScope {
    /// Of this registry.
    pub registry: String,
    /// Only those that name somebody whom this caller has linked there.
    pub linked_by: Option<String>,
}

/// How far a registry was asked for what changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventCursor {
    /// The registry.
    pub registry: String,
    /// The form of the adapter's own bytes, and these, sealed. None: it was not asked yet.
    pub data: Option<(u32, Vec<u8>)>,
    /// Rises with everybody who takes it up.
    pub fence: i64,
}

/// A page of what changed, or why there is none.
#[derive(Clone, Debug)]
pub struct Polled {
    /// When.
    pub at: Timestamp,
    /// When it is asked again, from now.
    pub again_in: Duration,
    /// Why there is no page.
    pub reason: Option<String>,
    /// Where to go on. None: where it stood.
    pub data: Option<(u32, Vec<u8>)>,
    /// What the page brought.
    pub events: Vec<NewEvent>,
    /// The module that read it.
    pub module_digest: String,
}

/// What goes by its age.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Aged {
    /// Callbacks that are over.
    Over,
    /// Callbacks that were not read, and that nobody is reading.
    Unread,
    /// Answers that nobody fetched.
    Answers,
    /// Bodies of events.
    Events,
}

impl Aged {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Over, Self::Unread, Self::Answers, Self::Events];
    /// Rows that are removed in one transaction. Where it was fewer, there are no more.
    pub const AT_ONCE: u64 = 1_000;
}

impl CallbackState {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::New,
        Self::Received,
        Self::Refused,
        Self::Unreadable,
        Self::Failed,
    ];

    /// The word in the database and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Received => "received",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
            Self::Failed => "failed",
        }
    }

    /// The state of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

//! Life events (`wit/events.wit`): what a registry tells, and what it is notified of.

use serde::{Deserialize, Serialize};
use utoipa::{PartialSchema, ToSchema};

use super::codes::open_list;
use super::{Address, Extra, Household, Identifier, PartialDate, Person, RelationRole, Unmapped};

/// What happened.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A live birth.
    Birth,
    /// A death.
    Death,
    /// A fetal death.
    FetalDeath,
    /// A marriage.
    Marriage,
    /// A divorce.
    Divorce,
    /// An annulment.
    Annulment,
    /// A legal separation.
    Separation,
    /// An adoption.
    Adoption,
    /// Paternity acknowledged or found, a child legitimated.
    Parentage,
    /// A change of residence.
    Move,
    /// What was recorded wrongly is put right.
    Correction,
    /// Other numbers for the same person.
    IdentifierChange,
    /// Two records of one person became one.
    Merge,
    /// One record of two people became two.
    Split,
    /// An earlier event is taken back.
    Cancellation,
    /// A record is new in the registry, and what lies behind it is not told.
    RecordCreated,
    /// A record changed, and why is not told.
    RecordChanged,
    /// A record is gone, and why is not told.
    RecordRemoved,
    /// Members, head or relations of a household.
    HouseholdChanged,
    /// Programme membership.
    EnrolmentChanged,
    /// A value that the list lacks, as the registry has it.
    #[serde(untagged)]
    Other(String),
}

/// What somebody is in an event.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParticipantRole {
    /// Who was born or adopted.
    Child,
    /// Of a birth the woman who bore the child, of an adoption an adoptive parent.
    Mother,
    /// The father.
    Father,
    /// A parent.
    Parent,
    /// Who died.
    Deceased,
    /// A spouse.
    Spouse,
    /// Who told the registry.
    Informant,
    /// Who attended.
    Attendant,
    /// A witness.
    Witness,
    /// Where the kind of event has no closer role.
    Subject,
    /// Of a merge or split: the record that stays. Of an identifier change: with the new numbers.
    Survivor,
    /// Of a merge: the record that goes. Of an identifier change: with the old numbers.
    Replaced,
    /// Of a split: a record that came out of the survivor's.
    Separated,
    /// A value that the list lacks, as the registry has it.
    #[serde(untagged)]
    Other(String),
}

macro_rules! open_schema {
    ($($list:ident { $($word:ident)* })*) => {$(
        impl PartialSchema for $list {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                open_list([$($list::$word),*].map(|word| serde_json::json!(word)))
            }
        }

        impl ToSchema for $list {}
    )*};
}

open_schema! {
    EventKind { Birth Death FetalDeath Marriage Divorce Annulment Separation Adoption Parentage Move Correction IdentifierChange Merge Split Cancellation RecordCreated RecordChanged RecordRemoved HouseholdChanged EnrolmentChanged }
    ParticipantRole { Child Mother Father Parent Deceased Spouse Informant Attendant Witness Subject Survivor Replaced Separated }
}

/// Somebody in an event.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Participant {
    /// What they are in it.
    pub role: ParticipantRole,
    /// Who.
    pub person: Person,
    /// What they are to the event's subject: an informant who is the grandmother.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<RelationRole>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// A life event told to a registry, which makes the record.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Notification {
    /// What happened.
    pub kind: EventKind,
    /// When it happened in life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred: Option<PartialDate>,
    /// Where it happened in life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Address>,
    /// Who was in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<Participant>,
    /// The household, where the event is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<Household>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// The earlier event that one corrects or takes back.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Amendment {
    /// Its `id`, where the registry tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<EventKind>,
}

/// A life event, as the registry tells it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The registry's own, stable over repeats; else made from what never changes.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// When it happened in life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred: Option<PartialDate>,
    /// Where it happened in life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Address>,
    /// When the registry recorded it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<String>,
    /// Registration numbers of the event itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Of a correction or cancellation in the roles of what it amends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<Participant>,
    /// As it stands after the event, where the event is about a household.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<Household>,
    /// What it corrects or takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amends: Option<Amendment>,
    /// The fields that changed, where the registry tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed_fields: Vec<String>,
    /// The operation of ours that this echoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<String>,
    /// Orders events of one record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
    /// What the adapter did not map.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmapped: Vec<Unmapped>,
}

/// What a registry calls back with, as it came: nobody has verified the sender yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Callback {
    /// In capitals.
    pub method: String,
    /// Below the registry's hook address.
    pub path: String,
    /// Decoded, in order, repeats kept.
    pub query: Vec<(String, String)>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As it came, since signatures are over these bytes.
    pub body: Vec<u8>,
    /// What the gateway itself knows of the sender.
    pub extra: Vec<Extra>,
}

/// What a registry is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct CallbackResponse {
    /// From 200 to 599.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The adapter's own.
    pub body: Vec<u8>,
}

/// What came of a callback.
#[derive(Clone, Debug, PartialEq)]
pub struct Reception {
    /// What the registry is answered, once events and answers are safe.
    pub response: CallbackResponse,
    /// What happened.
    pub events: Vec<Event>,
    /// Answers to calls that wait: reference, and bytes for the adapter.
    pub answers: Vec<(String, Vec<u8>)>,
}

/// What changed since a cursor.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangesPage {
    /// In the registry's order.
    pub events: Vec<Event>,
    /// Where to go on next time.
    pub cursor: super::Opaque,
    /// More is there now.
    pub more: bool,
}

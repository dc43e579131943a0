//! What is written to a registry, and what becomes of it (`wit/writes.wit`).

use serde::{Deserialize, Serialize};
use utoipa::{PartialSchema, ToSchema};

use super::codes::open_list;
use super::{
    Ability, Extra, Failure, Household, Identifier, Notification, PartialDate, Person,
    Unavailability,
};

/// One write. In JSON one key: `create`, `update`, `link` or `enrolment`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum WriteRequest {
    /// Somebody or something that the registry does not know.
    Create(CreateRequest),
    /// Fields of a person that the registry knows.
    Update(UpdateRequest),
    /// By which identifier somebody else knows the registry's person.
    Link(LinkRequest),
    /// Who is in a programme.
    Enrolment(EnrolmentRequest),
}

/// Makes a record.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateRequest {
    /// Of whom or what.
    #[serde(flatten)]
    pub subject: CreateSubject,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// What a record is made of. In JSON one key: `person`, `household`, `event` or `other`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum CreateSubject {
    /// A person.
    Person(Box<Person>),
    /// A household.
    Household(Box<Household>),
    /// A life event: the registry makes a record from it, once a registrar has declared it complete.
    Event(Box<Notification>),
    /// A kind of record that has no type here.
    Other(Extra),
}

/// Changes fields of a record.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateRequest {
    /// The registry's person.
    pub identifiers: Vec<Identifier>,
    /// What stands in the fields of `mask`.
    pub person: Person,
    /// The fields to write, a list as a whole. One that stands here and is empty in `person` is
    /// cleared, one that does not stand here is left alone.
    pub mask: Vec<String>,
    /// The version that the caller read: a registry that has moved on answers `conflict`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// Ties an identifier to the registry's person, or unties it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkRequest {
    /// The registry's person.
    pub identifiers: Vec<Identifier>,
    /// Tie or untie.
    pub change: LinkChange,
    /// The identifier to tie or untie.
    pub linked: Identifier,
    /// The version that the caller read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// What becomes of a link.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkChange {
    /// It stands.
    Add,
    /// It stands no more.
    Remove,
}

/// SPDCI `Programme`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Programme {
    /// Of the programme.
    pub identifiers: Vec<Identifier>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// Who is enrolled. In JSON one key: `person` or `household`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Beneficiary {
    /// One person.
    Person(Box<Person>),
    /// A household.
    Household(Box<Household>),
}

/// Where an enrolment stands (SPDCI `CD.IBR.02`, openIMIS `BeneficiaryStatus`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnrolmentStatus {
    /// Selected or applied, not enrolled yet.
    Potential,
    /// Enrolled.
    Enrolled,
    /// Active.
    Active,
    /// Suspended.
    Suspended,
    /// Graduated.
    Graduated,
    /// Ended.
    Ended,
    /// Rejected.
    Rejected,
    /// A value that the list lacks, as the registry has it.
    #[serde(untagged)]
    Other(String),
}

impl PartialSchema for EnrolmentStatus {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let words = [
            Self::Potential,
            Self::Enrolled,
            Self::Active,
            Self::Suspended,
            Self::Graduated,
            Self::Ended,
            Self::Rejected,
        ];
        open_list(words.map(|word| serde_json::json!(word)))
    }
}

impl ToSchema for EnrolmentStatus {}

/// SPDCI `Benefit`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Benefit {
    /// SPDCI `CD.IBR.03`, or the programme's own word.
    #[serde(rename = "type")]
    pub type_: String,
    /// A decimal number as text, with `.` before the fraction: `50.00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// ISO 4217.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The registry's or the programme's word: `monthly`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<PartialDate>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// Tells a beneficiary registry of an enrolment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// Which programme.
    pub programme: Programme,
    /// Who.
    pub beneficiary: Beneficiary,
    /// The enrolment's own numbers, where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// Where it stands.
    pub status: EnrolmentStatus,
    /// What the registry was last told. Left out: it hears of this enrolment for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_status: Option<EnrolmentStatus>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PartialDate>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<PartialDate>,
    /// What was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub benefits: Vec<Benefit>,
    /// The version that the caller read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// What stands in the registry now.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteOutcome {
    /// It holds what was sent.
    Applied,
    /// It was so before.
    Unchanged,
    /// It took it, and a person there must still approve it.
    AwaitsApproval,
    /// A value that the list lacks, as the registry has it.
    #[serde(untagged)]
    Other(String),
}

impl PartialSchema for WriteOutcome {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let words = [Self::Applied, Self::Unchanged, Self::AwaitsApproval];
        open_list(words.map(|word| serde_json::json!(word)))
    }
}

impl ToSchema for WriteOutcome {}

/// What the registry did.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// What stands there now.
    pub outcome: WriteOutcome,
    /// Identifiers that the registry gave or confirmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Identifier>,
    /// The registry's number for the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The record's version afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Fields of the request for which the registry or the mapping has no place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unwritten: Vec<String>,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<Extra>,
}

/// A write's answer: done, or nobody knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// The registry did it.
    Done(Receipt),
    /// It may have been done or not.
    Unclear(Unavailability),
}

/// What became of a write whose end was not known. One that the registry still works on is pending.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// The registry has it.
    Applied(Receipt),
    /// The registry never had it, and what was sent can no longer arrive.
    Absent,
    /// The registry had it and refused it.
    Refused(Failure),
    /// It cannot be told.
    Unknown,
}

/// Asks for the fate of a write.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceQuery {
    /// The same for every attempt at one write.
    pub operation_key: String,
    /// What was sent.
    pub request: WriteRequest,
    /// When the attempt with the unknown end began, RFC 3339.
    pub attempted_at: String,
    /// The last state that the adapter handed over, if it did.
    pub state: Option<super::Opaque>,
}

impl WriteRequest {
    /// The ability that it takes.
    pub fn ability(&self) -> Ability {
        match self {
            Self::Create(_) => Ability::Create,
            Self::Update(_) => Ability::Update,
            Self::Link(_) => Ability::Link,
            Self::Enrolment(_) => Ability::Enrolment,
        }
    }
}

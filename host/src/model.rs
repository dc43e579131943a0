//! The words of the contract as plain data: what the API speaks, what the sandbox converts to and
//! from. No I/O and no sibling modules. Names are HL7 FHIR R4's, SPDCI's or PublicSchema's.

mod ability;
mod call;
mod codes;
mod contact;
mod date;
mod event;
mod failure;
mod feed;
mod grant;
mod household;
mod name;
mod person;
mod query;
mod role;
mod trace;
mod verification;
mod writing;

pub use ability::Ability;
pub use call::{Asker, Call, Consent, Proof, ProofKind};
pub use codes::{
    AddressUse, Agreement, ContactSystem, Grade, HouseholdKind, MaritalStatus, NameUse,
    PersonStatus, RelationRole, Sex,
};
pub use contact::{Address, AdministrativeArea, Contact, GeoPoint, Photo};
pub use date::{DateError, OriginalDate, PartialDate};
pub use event::{
    Amendment, Callback, CallbackResponse, ChangesPage, Event, EventKind, Notification,
    Participant, ParticipantRole, Reception,
};
pub use failure::{Failure, Refusal, Unavailability};
pub use feed::{FeedEntry, cursor_of, position_of};
pub use grant::{CallerLimits, EventsOf, Grant};
pub use household::{Household, Relation};
pub use name::HumanName;
pub use person::{Extra, Identifier, Person, RelatedPerson, Unmapped};
pub use query::{
    Candidate, Criterion, FindQuery, HouseholdQuery, Opaque, Page, SearchQuery, SortKey, Test,
    ValueRange, VerifyQuery,
};
pub use role::Role;
pub use trace::TraceContext;
pub use verification::{AttributeResult, Verification};
pub use writing::{
    Beneficiary, Benefit, CreateRequest, CreateSubject, EnrolmentRequest, EnrolmentStatus, Fate,
    LinkChange, LinkRequest, Programme, Receipt, TraceQuery, UpdateRequest, WriteOutcome,
    WriteRequest, Written,
};

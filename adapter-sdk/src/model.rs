//! The words that the gateway and every adapter share, as the contract defines them (`wit/`).
//! Records have a [`Default`] that says nothing, so that a mapping names only what the registry
//! told: `Person { sex: Some(Sex::Female), ..Default::default() }`.

mod defaults;
mod help;

pub use crate::bindings::about::exports::openimis::registry::about::{Description, EndpointNeed};
pub use crate::bindings::events::exports::openimis::registry::events::{
    Amendment, Callback, CallbackResponse, ChangesPage, Event, Reception,
};
pub use crate::bindings::find::exports::openimis::registry::find::FindQuery;
pub use crate::bindings::household::exports::openimis::registry::household::HouseholdQuery;
pub use crate::bindings::lent::openimis::registry::types::{
    Address, AddressUse, AdministrativeArea, Contact, ContactSystem, Extra, Failure, GeoPoint,
    Household, HouseholdKind, HumanName, Identifier, MaritalStatus, NameUse, Opaque, OriginalDate,
    PartialDate, Pending, PendingAnswer, Person, PersonStatus, Photo, PhotoContent, Refusal,
    RelatedPerson, Relation, RelationRole, Sex, Unavailability, Unmapped,
};
pub use crate::bindings::search::exports::openimis::registry::search::{
    Candidate, Criterion, Grade, Page, SearchQuery, SortKey, Test, ValueRange,
};
pub use crate::bindings::trace::exports::openimis::registry::trace::{Fate, TraceQuery};
pub use crate::bindings::verify::exports::openimis::registry::verify::{
    Agreement, AttributeResult, Verification, VerifyQuery,
};
pub use crate::bindings::words::openimis::registry::vital::{
    EventKind, Notification, Participant, ParticipantRole,
};
pub use crate::bindings::words::openimis::registry::writing::{
    Beneficiary, Benefit, CreateRequest, CreateSubject, EnrolmentRequest, EnrolmentStatus,
    LinkChange, LinkRequest, Outcome, Programme, Receipt, UpdateRequest, WriteAnswer, WriteRequest,
};

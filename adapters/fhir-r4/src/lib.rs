//! HL7 FHIR R4 (4.0.1) as registries speak it, for the adapters of registries that do: how it is
//! searched, and Patient, RelatedPerson and Group in the words of the contract.
//!
//! **Why a library.** `fhir-client-registry` and `sosys-nepal` differ in what they ask and in what
//! they add, and not in what a Patient is: two copies of that mapping would drift apart, and a fault
//! found by one registry would stay in the other. What only one of them does stays with it: writes,
//! matching and feeds there, calendars and coverage here. It is no adapter and exports nothing; an
//! adapter that wants to differ passes its own [`Rules`], or changes the person afterwards.
//!
//! **Why resources are not types.** FHIR's JSON is seen through ([`json::Object`]), not parsed into
//! structs. One field of another shape than the specification's must not cost the whole record: it is
//! reported under `unmapped`, and the rest is read. What no rule reads is kept in `extra`, which a
//! struct would have dropped.

pub mod bundle;
pub mod dates;
pub mod groups;
pub mod json;
pub mod local;
pub mod lookup;
pub mod mapping;
pub mod outcome;
pub mod query;
pub mod rules;
pub mod server;

pub use rules::Rules;

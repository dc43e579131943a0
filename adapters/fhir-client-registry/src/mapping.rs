//! What is only this adapter's: golden records, what is written, messages. Patient, Group and
//! RelatedPerson are read by the library `fhir-r4`. Pure functions.

pub mod event;
pub mod golden;
pub mod message;
mod participants;
pub mod write;

//! What is only this adapter's: merged and golden records, what is written, messages. Patient, Group
//! and RelatedPerson are read by the library `fhir-r4`. Pure functions.

pub mod event;
pub mod golden;
pub mod merged;
pub mod message;
pub mod write;

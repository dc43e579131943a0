//! What Nepal adds to FHIR: dates, names and coverage. Patient and Group are read by the library
//! `fhir-r4`. Pure functions.

pub mod coverage;
pub mod dates;
pub mod names;

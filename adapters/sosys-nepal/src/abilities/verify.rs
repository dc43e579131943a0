//! Claims about a person. FHIR has no verification: the person is found, and compared here by the
//! rules of `adapter_sdk::compare`, a claimed name with the registry's in either script.

use adapter_sdk::model::{PersonStatus, Verification, VerifyQuery};
use adapter_sdk::{Answer, Failure, Verify, compare};

use crate::SosysNepal;
use crate::registry::Registry;

impl Verify for SosysNepal {
    fn verify(query: VerifyQuery) -> Result<Answer<Verification>, Failure> {
        let registry = Registry::load()?;
        let hits = registry.patients(&query.identifiers)?;
        let known = registry.person(hits.one()?);
        if known.status == Some(PersonStatus::Merged) {
            // What it says is not kept any more; `find` tells by which number to ask.
            return Err(Failure::rejected("patient.merged").field("identifiers"));
        }
        Ok(compare::person(&query.claimed, &known).into())
    }
}

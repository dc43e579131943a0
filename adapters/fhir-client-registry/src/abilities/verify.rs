//! Claims about a person. FHIR has no verification: the person is found, and compared here by the
//! rules of `adapter_sdk::compare`.

use adapter_sdk::model::{PersonStatus, Verification, VerifyQuery};
use adapter_sdk::{Answer, Failure, Verify, compare};

use super::find;
use crate::FhirClientRegistry;
use crate::exchange::Registry;
use crate::settings::Lookup;

impl Verify for FhirClientRegistry {
    fn verify(query: VerifyQuery) -> Result<Answer<Verification>, Failure> {
        let registry = Registry::load()?;
        if registry.settings.lookup == Lookup::Pixm {
            // It tells numbers alone.
            return Err(Failure::unsupported("lookup.pixm").field("settings.lookup"));
        }
        let asked = registry.settings.asked(&query.identifiers)?;
        let known = find::find(&registry, asked)?;
        if known.status == Some(PersonStatus::Merged) {
            // What it says is not kept any more; `find` tells by which number to ask.
            return Err(Failure::rejected("patient.merged").field("identifiers"));
        }
        Ok(compare::person(&query.claimed, &known).into())
    }
}

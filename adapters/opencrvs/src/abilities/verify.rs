//! OpenCRVS has no verification: who is found is compared here.

use adapter_sdk::model::{Verification, VerifyQuery};
use adapter_sdk::{Answer, Failure, Verify, compare};

use super::find;
use crate::OpenCrvs;
use crate::settings::Settings;

impl Verify for OpenCrvs {
    fn verify(query: VerifyQuery) -> Result<Answer<Verification>, Failure> {
        let settings = Settings::load()?;
        let known = find::person(&query.identifiers, &settings)?;
        Ok(compare::person(&query.claimed, &known).into())
    }
}

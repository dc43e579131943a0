//! Claims about a person. SPDCI has no verification of its own: the person is looked up and
//! compared here, and what was found is not passed on.

use adapter_sdk::model::{Verification, VerifyQuery};
use adapter_sdk::{Answer, Failure, Verify, compare, settings};

use super::find;
use crate::Spdci;
use crate::settings::{Mode, Settings};
use crate::{exchange, query};

impl Verify for Spdci {
    fn verify(query: VerifyQuery) -> Result<Answer<Verification>, Failure> {
        let settings: Settings = settings::load()?;
        let asked = query::asked(&query.identifiers, &settings)?;
        // A claim has no form that a waiting call could keep.
        if settings.mode == Mode::Async {
            return Err(Failure::unsupported("mode.async"));
        }
        let found = exchange::ask(find::question(&asked, &settings), &settings)?;
        let person = find::person(&found, &asked, &settings)?;
        Ok(compare::person(&query.claimed, &person).into())
    }
}

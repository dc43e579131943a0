//! A family as its records have it: of a child, of a parent, of somebody who died.

use adapter_sdk::model::{Household, HouseholdQuery};
use adapter_sdk::{Answer, Failure, FindHousehold};

use super::{all, carries, check, whole};
use crate::OpenCrvs;
use crate::exchange::ask;
use crate::mapping::kinship;
use crate::mapping::record::Record;
use crate::query::{Whom, asked};
use crate::settings::{Role, Settings};

impl FindHousehold for OpenCrvs {
    fn find_household(query: HouseholdQuery) -> Result<Answer<Household>, Failure> {
        let settings = Settings::load()?;
        let (asked, plan) = asked(&query.identifiers, Whom::Everybody, &settings)?;
        let found = ask(&plan, all(&settings), &settings)?;
        whole(&found)?;
        let answered = found.answered;
        let is_theirs = |record: &Record| {
            let kin = record
                .parties
                .iter()
                .filter(|it| it.role != Role::Informant);
            kin.into_iter().any(|it| carries(&it.person, &asked))
        };
        let records: Vec<Record> = found.records.into_iter().filter(is_theirs).collect();
        check(answered, records.len(), &settings)?;
        let household = kinship(records, &settings);
        match household.people.is_empty() {
            true => Err(Failure::not_found()),
            false => Ok(household.into()),
        }
    }
}

//! The people of a Group.

use adapter_sdk::model::{Household, HouseholdQuery, Identifier};
use adapter_sdk::{Answer, Failure, FindHousehold};
use fhir_r4::groups::Groups;
use fhir_r4::mapping::is_replaced;

use crate::SosysNepal;
use crate::registry::Registry;

impl FindHousehold for SosysNepal {
    fn find_household(query: HouseholdQuery) -> Result<Answer<Household>, Failure> {
        let registry = Registry::load()?;
        let groups = Groups {
            server: &registry.server,
            rules: &registry.rules,
            with_related: registry.settings.with_related,
            reference_extension: registry.settings.group_reference_extension.as_deref(),
        };
        let schemes = &registry.settings.household_schemes;
        let own = |it: &&Identifier| schemes.contains(&it.scheme) && !it.value.trim().is_empty();
        let found = match query.identifiers.iter().find(own) {
            Some(number) => groups.by_number(number)?,
            None => {
                let hits = registry.patients(&query.identifiers)?;
                let patient = hits.one()?;
                if is_replaced(patient) {
                    // `find` tells by which number to ask.
                    return Err(Failure::rejected("patient.merged").field("identifiers"));
                }
                groups.by_member(patient)?
            }
        };
        Ok(groups.household(found)?.into())
    }
}

//! What a record is before the registry said anything.

use super::{
    Address, AdministrativeArea, Description, Household, HouseholdKind, HumanName, PartialDate,
    Person, Refusal, RelatedPerson, RelationRole, Unavailability,
};

impl Default for Person {
    /// A record without a single value, its status not told either.
    fn default() -> Self {
        Self {
            identifiers: Vec::new(),
            names: Vec::new(),
            sex: None,
            birth_date: None,
            death_date: None,
            marital_status: None,
            addresses: Vec::new(),
            contacts: Vec::new(),
            photo: None,
            related: Vec::new(),
            status: None,
            replaced_by: Vec::new(),
            version: None,
            extra: Vec::new(),
            unmapped: Vec::new(),
        }
    }
}

impl Default for Household {
    /// A household of nobody.
    fn default() -> Self {
        Self {
            identifiers: Vec::new(),
            kind: HouseholdKind::Household,
            people: Vec::new(),
            members: Vec::new(),
            relations: Vec::new(),
            head: None,
            addresses: Vec::new(),
            version: None,
            extra: Vec::new(),
            unmapped: Vec::new(),
        }
    }
}

impl Default for RelatedPerson {
    /// Somebody whose role is not known.
    fn default() -> Self {
        Self {
            role: RelationRole::Unknown,
            identifiers: Vec::new(),
            names: Vec::new(),
            sex: None,
            birth_date: None,
            status: None,
            extra: Vec::new(),
        }
    }
}

#[allow(
    clippy::derivable_impls,
    reason = "the record is generated: derives go to all or none"
)]
impl Default for HumanName {
    fn default() -> Self {
        Self {
            use_: None,
            text: None,
            family: None,
            given: Vec::new(),
            prefix: Vec::new(),
            suffix: Vec::new(),
            language: None,
            extra: Vec::new(),
        }
    }
}

#[allow(
    clippy::derivable_impls,
    reason = "the record is generated: derives go to all or none"
)]
impl Default for Address {
    fn default() -> Self {
        Self {
            use_: None,
            text: None,
            lines: Vec::new(),
            city: None,
            postal_code: None,
            country: None,
            areas: Vec::new(),
            position: None,
            extra: Vec::new(),
        }
    }
}

#[allow(
    clippy::derivable_impls,
    reason = "the record is generated: derives go to all or none"
)]
impl Default for AdministrativeArea {
    fn default() -> Self {
        Self {
            level: None,
            kind: None,
            code: None,
            code_system: None,
            name: None,
        }
    }
}

impl Default for PartialDate {
    /// The year 1, the first that the contract allows: always give a year.
    fn default() -> Self {
        Self {
            year: 1,
            month: None,
            day: None,
            estimated: false,
            original: None,
        }
    }
}

#[allow(
    clippy::derivable_impls,
    reason = "the record is generated: derives go to all or none"
)]
impl Default for Refusal {
    fn default() -> Self {
        Self {
            code: None,
            message: None,
            field: None,
            extra: Vec::new(),
        }
    }
}

#[allow(
    clippy::derivable_impls,
    reason = "the record is generated: derives go to all or none"
)]
impl Default for Unavailability {
    fn default() -> Self {
        Self {
            code: None,
            message: None,
            retry_after_ms: None,
            extra: Vec::new(),
        }
    }
}

impl Default for Description {
    /// Takes no settings, calls no endpoint.
    fn default() -> Self {
        Self {
            name: String::new(),
            version: String::new(),
            summary: String::new(),
            licence: None,
            source: None,
            endpoints: Vec::new(),
            settings_schema: None,
            readable_states: Vec::new(),
            searchable_fields: Vec::new(),
            extra: Vec::new(),
        }
    }
}

//! Small helpers on the records, so that a mapping reads like the fields it fills.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    Contact, ContactSystem, EndpointNeed, Extra, Failure, FindQuery, HouseholdQuery, Identifier,
    Opaque, Page, Pending, Person, Unmapped, VerifyQuery,
};

impl Identifier {
    /// An identifier whose value is as the registry wrote it.
    pub fn new(scheme: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            scheme: scheme.into(),
            value: value.into(),
            normalisation: None,
            extra: Vec::new(),
        }
    }
}

impl Contact {
    /// A phone number, as the registry wrote it.
    pub fn phone(value: impl Into<String>) -> Self {
        Self {
            system: ContactSystem::Phone,
            value: value.into(),
            extra: Vec::new(),
        }
    }

    /// An e-mail address.
    pub fn email(value: impl Into<String>) -> Self {
        Self {
            system: ContactSystem::Email,
            value: value.into(),
            extra: Vec::new(),
        }
    }
}

impl EndpointNeed {
    /// An endpoint without which the adapter can do nothing.
    pub fn required(name: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            summary: summary.into(),
            required: true,
        }
    }

    /// An endpoint that some registries lack.
    pub fn optional(name: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            summary: summary.into(),
            required: false,
        }
    }
}

impl Extra {
    /// A value without a field of its own. `key` begins with `x-` and the adapter's name.
    pub fn new(key: impl Into<String>, value: &serde_json::Value) -> Self {
        Self {
            key: key.into(),
            value: value.to_string(),
        }
    }
}

impl Unmapped {
    /// A registry's value that has no counterpart in the model.
    pub fn new(field: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            value: value.into(),
        }
    }
}

/// Finds an identifier by scheme, in queries and records alike.
macro_rules! identifiers {
    ($($record:ty)*) => {$(
        impl $record {
            /// The value of the first identifier of this scheme.
            pub fn identifier(&self, scheme: &str) -> Option<&str> {
                let found = self.identifiers.iter().find(|identifier| identifier.scheme == scheme);
                found.map(|identifier| identifier.value.as_str())
            }
        }
    )*};
}
identifiers! { FindQuery HouseholdQuery VerifyQuery Person super::Household super::RelatedPerson }

impl Opaque {
    /// Keeps a value for later, in a form with this number. List the number in
    /// `Description::readable_states`, and count it up when the form changes.
    ///
    /// # Errors
    /// `other` with code `state.unwritable` where the value has no JSON form.
    pub fn pack(schema: u32, value: &impl Serialize) -> Result<Self, Failure> {
        match serde_json::to_vec(value) {
            Ok(data) => Ok(Self { schema, data }),
            Err(_) => Err(Failure::other("state.unwritable")),
        }
    }

    /// What [`Opaque::pack`] kept.
    ///
    /// # Errors
    /// `rejected` with code `state.unreadable` where it is of another form, or was tampered with:
    /// page tokens come back from callers.
    pub fn unpack<T: DeserializeOwned>(&self, schema: u32) -> Result<T, Failure> {
        if self.schema != schema {
            return Err(Failure::rejected("state.unreadable"));
        }
        serde_json::from_slice(&self.data).map_err(|_| Failure::rejected("state.unreadable"))
    }
}

impl Pending {
    /// The registry will call back and name `reference`.
    pub fn called_back(reference: impl Into<String>, state: Opaque) -> Self {
        Self {
            reference: Some(reference.into()),
            state,
            retry_after_ms: None,
        }
    }

    /// Ask again after so many milliseconds; 0 for the next step at once.
    pub fn again_after(retry_after_ms: u32, state: Opaque) -> Self {
        Self {
            reference: None,
            state,
            retry_after_ms: Some(retry_after_ms),
        }
    }
}

impl Page {
    /// People as the registry ordered them, without score.
    pub fn of(people: impl IntoIterator<Item = Person>) -> Self {
        let candidate = |person| super::Candidate {
            person,
            score: None,
            grade: None,
        };
        Self {
            candidates: people.into_iter().map(candidate).collect(),
            total: None,
            next: None,
            extra: Vec::new(),
            unmapped: Vec::new(),
        }
    }
}

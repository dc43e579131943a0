//! What a registry's policy lets a caller see, and makes it say.

use super::GatewayError;
use crate::config::registry::{PolicyConfig, Requirement};
use crate::model::{Call, Extra, Household, Person, Unmapped};

/// The fields of one answer that leave the gateway.
#[derive(Debug)]
pub(super) struct Visible {
    fields: Vec<String>,
}

impl Visible {
    /// What the caller wants and the policy shows. Wanting nothing is wanting all of that.
    ///
    /// # Errors
    /// [`GatewayError::HiddenField`]: silence would pass for "the registry does not know".
    pub(super) fn of(policy: &PolicyConfig, wanted: &[String]) -> Result<Self, GatewayError> {
        if wanted.is_empty() {
            return Ok(Self {
                fields: policy.fields.clone(),
            });
        }
        for field in wanted {
            if !policy.fields.contains(field) {
                return Err(GatewayError::HiddenField(field.clone()));
            }
        }
        Ok(Self {
            fields: wanted.to_vec(),
        })
    }

    fn shows(&self, field: &str) -> bool {
        self.fields.iter().any(|shown| shown == field)
    }

    /// Takes the rest out of a person.
    pub(super) fn person(&self, person: &mut Person) {
        person.retain_fields(|field| self.shows(field));
        if !self.shows("extra") {
            clear_extras(person);
        }
    }

    /// Takes the rest out of a household and its people.
    pub(super) fn household(&self, household: &mut Household) {
        for person in &mut household.people {
            self.person(person);
        }
        if !self.shows("extra") {
            for address in &mut household.addresses {
                address.extra.clear();
            }
            for identifier in &mut household.identifiers {
                identifier.extra.clear();
            }
        }
        if !self.shows("addresses") {
            household.addresses.clear();
        }
        self.rest(&mut household.extra, &mut household.unmapped);
    }

    /// Takes out what belongs to an answer as a whole.
    pub(super) fn rest(&self, extra: &mut Vec<Extra>, unmapped: &mut Vec<Unmapped>) {
        if !self.shows("extra") {
            extra.clear();
        }
        if !self.shows("unmapped") {
            unmapped.clear();
        }
    }
}

/// Wherever a person has them.
fn clear_extras(person: &mut Person) {
    let related = &mut person.related;
    let of_related = related.iter_mut().flat_map(|it| &mut it.identifiers);
    for identifier in person
        .identifiers
        .iter_mut()
        .chain(&mut person.replaced_by)
        .chain(of_related)
    {
        identifier.extra.clear();
    }
    let of_related = person.related.iter_mut().flat_map(|it| &mut it.names);
    for name in person.names.iter_mut().chain(of_related) {
        name.extra.clear();
    }
    for address in &mut person.addresses {
        address.extra.clear();
    }
    for contact in &mut person.contacts {
        contact.extra.clear();
    }
    for related in &mut person.related {
        related.extra.clear();
    }
}

/// Refuses a call that does not state what the policy asks for.
pub(super) fn check_statements(policy: &PolicyConfig, call: &Call) -> Result<(), GatewayError> {
    for requirement in &policy.required {
        let stated = match requirement {
            Requirement::Purpose => call.asker.purpose.is_some(),
            Requirement::LegalBasis => call.asker.legal_basis.is_some(),
            Requirement::User => call.asker.user.is_some(),
            Requirement::Entity => call.asker.entity.is_some(),
            Requirement::Consent => call.consent.is_some(),
        };
        if !stated {
            return Err(GatewayError::Missing(*requirement));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sex;

    fn person() -> Person {
        Person {
            sex: Some(Sex::Male),
            version: Some("1".into()),
            extra: vec![Extra {
                key: "x-religion".into(),
                value: "secret".into(),
            }],
            ..Person::default()
        }
    }

    #[test]
    fn extra_is_masked_by_default_and_shown_by_policy() {
        let mut policy = PolicyConfig::default();
        let mut masked = person();
        Visible::of(&policy, &[]).unwrap().person(&mut masked);
        assert!(masked.extra.is_empty());
        assert_eq!(masked.sex, Some(Sex::Male));

        policy.fields.push("extra".into());
        let mut shown = person();
        Visible::of(&policy, &[]).unwrap().person(&mut shown);
        assert_eq!(shown.extra.len(), 1);
    }

    #[test]
    fn a_caller_gets_what_it_wants_and_is_told_what_is_hidden() {
        let policy = PolicyConfig::default();
        let mut narrowed = person();
        let visible = Visible::of(&policy, &["version".into()]).unwrap();
        visible.person(&mut narrowed);
        assert_eq!(narrowed.sex, None);
        assert!(narrowed.version.is_some());
        assert!(matches!(
            Visible::of(&policy, &["extra".into()]),
            Err(GatewayError::HiddenField(field)) if field == "extra"
        ));
    }

    #[test]
    fn each_requirement_is_asked_for() {
        let mut policy = PolicyConfig::default();
        let mut call = Call::default();
        assert!(matches!(
            check_statements(&policy, &call),
            Err(GatewayError::Missing(Requirement::Purpose))
        ));
        call.asker.purpose = Some("enrolment".into());
        assert!(check_statements(&policy, &call).is_ok());
        policy.required = vec![Requirement::Consent];
        assert!(check_statements(&policy, &call).is_err());
    }
}

//! What a registry's policy lets a caller see, and makes it say.

use crate::config::registry::{PolicyConfig, Requirement};
use crate::gateway::GatewayError;
use crate::model::{Call, Extra, Household, Person, Unmapped};

/// The fields of one answer that leave the gateway.
#[derive(Debug)]
pub(in crate::gateway) struct Visible {
    fields: Vec<String>,
    /// Who is what to whom in a household: the policy may hide it, but a caller who wants few
    /// fields of each person still wants the household's shape.
    relations: bool,
}

impl Visible {
    /// What the caller wants, of what the policy and its grant show. Wanting nothing is wanting all of
    /// that.
    ///
    /// # Errors
    /// [`GatewayError::HiddenField`]: silence would pass for "the registry does not know".
    pub(in crate::gateway) fn of(
        fields: Vec<String>,
        wanted: &[String],
    ) -> Result<Self, GatewayError> {
        let relations = fields.iter().any(|shown| shown == "related");
        if wanted.is_empty() {
            return Ok(Self { fields, relations });
        }
        for (at, field) in wanted.iter().enumerate() {
            if !fields.contains(field) {
                return Err(GatewayError::HiddenField(format!("fields.{at}")));
            }
        }
        Ok(Self {
            fields: wanted.to_vec(),
            relations,
        })
    }

    /// Whether the field is left.
    pub(in crate::gateway) fn shows(&self, field: &str) -> bool {
        self.fields.iter().any(|shown| shown == field)
    }

    /// Takes the rest out of a person.
    pub(in crate::gateway) fn person(&self, person: &mut Person) {
        person.retain_fields(|field| self.shows(field));
        self.unmapped(&mut person.unmapped);
        if !self.shows("extra") {
            clear_extras(person);
        }
    }

    /// Takes the rest out of a household and its people.
    pub(in crate::gateway) fn household(&self, household: &mut Household) {
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
        // A household has some of a person's fields; what the policy says of those, it says of these.
        if !self.shows("addresses") {
            household.addresses.clear();
        }
        if !self.shows("identifiers") {
            household.identifiers.clear();
        }
        if !self.shows("version") {
            household.version = None;
        }
        if !self.relations {
            household.relations.clear();
        }
        self.rest(&mut household.extra, &mut household.unmapped);
    }

    /// Takes out what belongs to an answer as a whole.
    pub(in crate::gateway) fn rest(&self, extra: &mut Vec<Extra>, unmapped: &mut Vec<Unmapped>) {
        if !self.shows("extra") {
            extra.clear();
        }
        self.unmapped(unmapped);
    }

    /// What an adapter could not map is a value of the registry's all the same: it stays hidden
    /// with the field where it would have gone.
    fn unmapped(&self, unmapped: &mut Vec<Unmapped>) {
        if !self.shows("unmapped") {
            unmapped.clear();
        }
        unmapped.retain(|one| unmapped_field(&one.field).is_none_or(|field| self.shows(field)));
    }
}

/// Refuses a question about what the policy or the caller's grant hides: who can narrow a search by a value, or have a
/// claim about it checked, learns the value. `asks` are the places in the request, with the
/// top-level field of a person that each is about.
pub(in crate::gateway) fn check_asks(fields: &[String], asks: &[Ask]) -> Result<(), GatewayError> {
    for Ask { place, field } in asks {
        if !fields.iter().any(|shown| shown == field) {
            return Err(GatewayError::HiddenField(place.clone()));
        }
    }
    Ok(())
}

/// A place in a request, and the top-level field of a person that it is about.
pub(in crate::gateway) struct Ask {
    pub(in crate::gateway) place: String,
    pub(in crate::gateway) field: &'static str,
}

/// The top-level field of a person that a path of the contract is about. What is not in the model
/// is an adapter's own, and stands in `extra`.
pub(in crate::gateway) fn field_of(path: &str) -> &'static str {
    match path.split('.').next().unwrap_or_default() {
        "name" => "names",
        "birth-date" => "birthDate",
        "death-date" => "deathDate",
        "sex" => "sex",
        "marital-status" => "maritalStatus",
        "address" => "addresses",
        "contact" => "contacts",
        "identifier" => "identifiers",
        "related" => "related",
        "status" => "status",
        "version" => "version",
        _ => "extra",
    }
}

/// The top-level field of a person that an unmapped value would have gone to. Adapters name it as
/// the contract or as JSON does, of one of an answer's people or of the answer. None: a part of a
/// household that is always shown.
fn unmapped_field(path: &str) -> Option<&'static str> {
    let mut parts = path.split('.').peekable();
    let mut top = parts.next().unwrap_or_default();
    if matches!(top, "people" | "candidates") && parts.peek().is_some() {
        parts.next_if(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        parts.next_if_eq(&"person");
        top = parts.next().unwrap_or_default();
    }
    let same = |field: &&str| top.replace('-', "").eq_ignore_ascii_case(field);
    if let Some(field) = Person::FIELDS.into_iter().find(same) {
        return Some(field);
    }
    match top {
        "people" | "candidates" | "members" | "head" | "kind" | "" => None,
        "relations" => Some("related"),
        // Where nothing tells what it is about, it is hidden with the adapter's own.
        _ => Some(field_of(top)),
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
pub(in crate::gateway) fn check_statements(
    policy: &PolicyConfig,
    call: &Call,
) -> Result<(), GatewayError> {
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
        Visible::of(policy.fields.clone(), &[])
            .unwrap()
            .person(&mut masked);
        assert!(masked.extra.is_empty());
        assert_eq!(masked.sex, Some(Sex::Male));

        policy.fields.push("extra".into());
        let mut shown = person();
        Visible::of(policy.fields.clone(), &[])
            .unwrap()
            .person(&mut shown);
        assert_eq!(shown.extra.len(), 1);
    }

    #[test]
    fn a_caller_gets_what_it_wants_and_is_told_what_is_hidden() {
        let policy = PolicyConfig::default();
        let mut narrowed = person();
        let visible = Visible::of(policy.fields.clone(), &["version".into()]).unwrap();
        visible.person(&mut narrowed);
        assert_eq!(narrowed.sex, None);
        assert!(narrowed.version.is_some());
        assert!(matches!(
            Visible::of(policy.fields.clone(), &["extra".into()]),
            Err(GatewayError::HiddenField(place)) if place == "fields.0"
        ));
    }

    #[test]
    fn a_hidden_field_cannot_be_probed() {
        let mut policy = PolicyConfig::default();
        let ask = |path: &str| {
            vec![Ask {
                place: "here".into(),
                field: field_of(path),
            }]
        };
        for (path, shown) in [
            ("name.family", true),
            ("identifier.national-id", true),
            ("x-spdci-poverty_score", false),
            ("poverty-score", false),
        ] {
            assert_eq!(
                check_asks(&policy.fields, &ask(path)).is_ok(),
                shown,
                "{path}"
            );
        }
        policy.fields.retain(|field| field != "birthDate");
        assert!(check_asks(&policy.fields, &ask("birth-date")).is_err());
    }

    #[test]
    fn an_unmapped_value_is_hidden_with_its_field() {
        for (path, field) in [
            ("sex", Some("sex")),
            ("birth-date", Some("birthDate")),
            ("birthDate", Some("birthDate")),
            ("marital-status", Some("maritalStatus")),
            ("replaced-by", Some("replacedBy")),
            ("identifiers.scheme", Some("identifiers")),
            ("identifier.national-id", Some("identifiers")),
            ("name.family", Some("names")),
            ("people.0.birth-date", Some("birthDate")),
            ("people.12.relations", Some("related")),
            ("people.12.relations.role", Some("related")),
            ("candidates.3.person.sex", Some("sex")),
            ("relations", Some("related")),
            ("poverty_score", Some("extra")),
            ("people.0.x-religion", Some("extra")),
            ("head", None),
            ("people", None),
        ] {
            assert_eq!(unmapped_field(path), field, "{path}");
        }
        let mut policy = PolicyConfig::default();
        policy.fields.retain(|field| field != "birthDate");
        let unmapped = |field: &str| Unmapped {
            field: field.into(),
            value: "secret".into(),
        };
        let mut masked = Person {
            unmapped: vec![unmapped("birth-date"), unmapped("sex"), unmapped("x-faith")],
            ..Person::default()
        };
        Visible::of(policy.fields.clone(), &[])
            .unwrap()
            .person(&mut masked);
        assert_eq!(masked.unmapped, [unmapped("sex")]);
    }

    #[test]
    fn a_household_obeys_what_is_said_of_a_person() {
        let household = || Household {
            identifiers: vec![crate::model::Identifier {
                scheme: "household-id".into(),
                value: "1".into(),
                normalisation: None,
                extra: Vec::new(),
            }],
            kind: crate::model::HouseholdKind::Household,
            people: vec![person(), person()],
            members: vec![0, 1],
            relations: vec![crate::model::Relation {
                subject: 0,
                object: 1,
                role: crate::model::RelationRole::Mother,
            }],
            head: None,
            addresses: Vec::new(),
            version: Some("1".into()),
            extra: Vec::new(),
            unmapped: Vec::new(),
        };
        let mut policy = PolicyConfig::default();
        let mut shown = household();
        Visible::of(policy.fields.clone(), &[])
            .unwrap()
            .household(&mut shown);
        assert_eq!(shown.identifiers.len(), 1);
        assert_eq!((shown.relations.len(), shown.version.is_some()), (1, true));

        policy.fields = vec!["names".into()];
        let mut masked = household();
        Visible::of(policy.fields.clone(), &[])
            .unwrap()
            .household(&mut masked);
        assert!(masked.identifiers.is_empty() && masked.relations.is_empty());
        assert_eq!((masked.version, masked.members.len()), (None, 2));
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

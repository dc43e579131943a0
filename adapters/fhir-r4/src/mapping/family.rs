//! Who is what to whom: RelatedPersons between people, and the kinship that they make.
//!
//! A RelatedPerson belongs to one Patient, and its relationship is what it is to them. Where it is a
//! patient as well, that Patient links to it (`seealso`; PMIR requires this).

use adapter_sdk::model::{Household, HouseholdKind, Person, Relation, RelationRole};
use serde_json::Value;

use super::{link, patient, related, related_person};
use crate::Rules;
use crate::bundle::id;
use crate::json::Notes;

/// People while a household is put together.
#[derive(Debug, Default)]
pub(super) struct People<'a> {
    /// In the household's order.
    pub(super) all: Vec<Person>,
    /// The Patient of each, where there is one.
    resources: Vec<Option<&'a Value>>,
}

impl<'a> People<'a> {
    /// One more; their place.
    pub(super) fn add(&mut self, person: Person, resource: Option<&'a Value>) -> usize {
        self.all.push(person);
        self.resources.push(resource);
        self.all.len() - 1
    }

    /// The place of the Patient with this id.
    pub(super) fn of_id(&self, wanted: &str) -> Option<usize> {
        let mut all = self.resources.iter();
        all.position(|it| it.and_then(id) == Some(wanted))
    }

    /// Where the Patient stands who is this RelatedPerson: by a link, else by a number of both.
    fn counterpart(&self, related: &Value, person: &Person) -> Option<usize> {
        let related_id = id(related);
        let links = |it: &Option<&Value>| {
            let links = it.map(|it| link::links(it, "seealso")).unwrap_or_default();
            links
                .iter()
                .any(|(kind, id)| *kind == "RelatedPerson" && Some(*id) == related_id)
        };
        let linked = self.resources.iter().position(links);
        let shares = |it: &Person| {
            it.identifiers
                .iter()
                .any(|one| person.identifiers.contains(one))
        };
        linked.or_else(|| self.all.iter().position(shares))
    }

    /// The relations that these RelatedPersons tell. Who is none of the people is added to them.
    pub(super) fn relate(
        &mut self,
        related: &[&'a Value],
        rules: &Rules,
        notes: &mut Notes,
    ) -> Vec<Relation> {
        let mut relations: Vec<Relation> = Vec::new();
        for resource in related {
            let subject = related::patient_of(resource).and_then(|id| self.of_id(id));
            let Some(subject) = subject else {
                continue;
            };
            if !related::is_standing(resource, rules, "relations", notes) {
                continue;
            }
            let person = related_person(resource, rules);
            let object = match self.counterpart(resource, &person) {
                // Nobody is anything to themselves.
                Some(object) if object == subject => continue,
                Some(object) => object,
                None => self.add(person, None),
            };
            let role = related::role_of(resource, notes).unwrap_or(RelationRole::Unknown);
            let (Ok(subject), Ok(object)) = (u32::try_from(subject), u32::try_from(object)) else {
                continue;
            };
            let relation = Relation {
                subject,
                object,
                role,
            };
            if !relations.contains(&relation) {
                relations.push(relation);
            }
        }
        relations
    }
}

/// The RelatedPersons that a Patient itself is: what to read to learn whose mother she is.
pub fn counterparts(patient: &Value) -> Vec<&str> {
    let links = link::links(patient, "seealso").into_iter();
    let related = links.filter(|(kind, _)| *kind == "RelatedPerson");
    related.map(|(_, id)| id).collect()
}

/// The family of the first of these Patients, as RelatedPersons tell it: who lives where is not told,
/// and nobody is its head.
pub fn kinship(patients: &[&Value], related: &[&Value], rules: &Rules) -> Household {
    let (mut people, mut notes) = (People::default(), Notes::default());
    for resource in patients {
        if id(resource).is_none_or(|id| people.of_id(id).is_none()) {
            people.add(patient(resource, rules), Some(resource));
        }
    }
    let relations = people.relate(related, rules, &mut notes);
    Household {
        kind: HouseholdKind::Kinship,
        members: (0..).take(people.all.len()).collect(),
        people: people.all,
        relations,
        unmapped: notes.0,
        ..Household::default()
    }
}

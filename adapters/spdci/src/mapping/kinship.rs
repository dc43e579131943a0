//! A civil registry's family: a person and their parents, looked up by `parent1_identifier` and
//! `parent2_identifier`. It says nothing of who lives where, and has no head.

use adapter_sdk::model::{Household, HouseholdKind, Person, Relation, RelationRole, Sex};

use super::identifiers::{Carried, carried, one};
use super::person::PARENTS;
use crate::wire::record::Record;

/// The numbers of a person's parents, each once, and never the person's own.
pub fn parents(record: &Record<'_>) -> Vec<Carried> {
    let own = carried(record, &["identifier"]);
    let mut parents: Vec<Carried> = Vec::new();
    for parent in PARENTS
        .into_iter()
        .filter_map(|field| one(record.get(field)?))
    {
        if !own
            .iter()
            .chain(&parents)
            .any(|before| before.same(&parent))
        {
            parents.push(parent);
        }
    }
    parents
}

/// The family of a person and those parents that are known. The sex in a parent's own record tells
/// mother from father: SPDCI numbers them only.
pub fn kinship(person: Person, parents: Vec<Person>) -> Household {
    let relations = parents.iter().zip(1..).map(|(parent, object)| Relation {
        subject: 0,
        object,
        role: match parent.sex {
            Some(Sex::Female) => RelationRole::Mother,
            Some(Sex::Male) => RelationRole::Father,
            _ => RelationRole::Parent,
        },
    });
    let relations: Vec<Relation> = relations.collect();
    let people: Vec<Person> = std::iter::once(person).chain(parents).collect();
    Household {
        kind: HouseholdKind::Kinship,
        members: (0..).take(people.len()).collect(),
        people,
        relations,
        ..Household::default()
    }
}

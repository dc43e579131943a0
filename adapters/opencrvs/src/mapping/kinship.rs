//! A family as a civil registry records it: children and their parents, the deceased and their spouse.
//! It says nothing of who lives where, and has no head.

use adapter_sdk::model::{Household, HouseholdKind, Person, Relation, RelationRole, Unmapped};

use super::record::Record;
use super::same_person;
use crate::settings::{Role, Settings};

/// The family in these records. Who carries one number in several is one of its people.
pub fn kinship(records: Vec<Record>, settings: &Settings) -> Household {
    let mut household = Household {
        kind: HouseholdKind::Kinship,
        ..Household::default()
    };
    for record in records {
        let subject = record.kind.subject();
        let mut places: Vec<(Role, u32)> = Vec::new();
        let is_kin = |role: Role| role != Role::Informant;
        household.extra.extend(record.extra);
        household.unmapped.extend(record.unmapped);
        for party in record.parties.into_iter().filter(|it| is_kin(it.role)) {
            if let Some(at) = place(&mut household.people, party.person, settings) {
                places.push((party.role, at));
            }
        }
        let Some((_, of)) = places.iter().find(|(role, _)| *role == subject).copied() else {
            continue;
        };
        for (role, object) in places {
            let role = match role {
                Role::Mother => RelationRole::Mother,
                Role::Father => RelationRole::Father,
                Role::Spouse => RelationRole::Spouse,
                Role::Child | Role::Deceased | Role::Informant => continue,
            };
            let relation = Relation {
                subject: of,
                object,
                role,
            };
            // Nobody is their own parent.
            if of != object && !household.relations.contains(&relation) {
                household.relations.push(relation);
            }
        }
    }
    // What a person's record does not map is told of the person, what is the record's of the whole.
    let people = household.people.iter_mut().enumerate();
    let unmapped = people.flat_map(|(at, person)| {
        let of = move |it: Unmapped| Unmapped::new(format!("people.{at}.{}", it.field), it.value);
        std::mem::take(&mut person.unmapped).into_iter().map(of)
    });
    let unmapped: Vec<Unmapped> = unmapped.collect();
    household.unmapped.extend(unmapped);
    household.members = (0..).take(household.people.len()).collect();
    household
}

/// Where somebody is among the people: with whom they share a number, else at the end.
fn place(people: &mut Vec<Person>, person: Person, settings: &Settings) -> Option<u32> {
    let known = people
        .iter()
        .position(|it| same_person::is_same(it, &person, settings));
    let at = match known {
        Some(at) => {
            same_person::add(people.get_mut(at)?, person);
            at
        }
        None => {
            people.push(person);
            people.len() - 1
        }
    };
    u32::try_from(at).ok()
}

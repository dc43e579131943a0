//! Who has which part in an event.

use adapter_sdk::model::{Participant, ParticipantRole, Person, RelationRole};

/// The child, and those whom the record names as its parents.
pub(super) fn born(child: Person) -> Vec<Participant> {
    let parents: Vec<Participant> = child
        .related
        .iter()
        .filter_map(|it| {
            let role = match it.role {
                RelationRole::Mother => ParticipantRole::Mother,
                RelationRole::Father => ParticipantRole::Father,
                RelationRole::Parent => ParticipantRole::Parent,
                _ => return None,
            };
            let person = Person {
                identifiers: it.identifiers.clone(),
                names: it.names.clone(),
                sex: it.sex,
                birth_date: it.birth_date.clone(),
                status: it.status.clone(),
                ..Person::default()
            };
            Some(participant(role, person))
        })
        .collect();
    let mut all = vec![participant(ParticipantRole::Child, child)];
    all.extend(parents);
    all
}

pub(super) fn subject(person: Person) -> Participant {
    participant(ParticipantRole::Subject, person)
}

pub(super) fn participant(role: ParticipantRole, person: Person) -> Participant {
    Participant {
        role,
        person,
        relation: None,
        extra: Vec::new(),
    }
}

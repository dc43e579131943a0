//! Who is in an event.

use crate::gateway::lookups::disclosed::Disclosed;
use crate::model::{Event, Person};

/// All whom it names by an identifier.
pub(super) fn people_of(event: &Event) -> Disclosed {
    let mut found = Disclosed::default();
    name(&mut found, event);
    found
}

/// All whom any of them names.
pub(super) fn people_of_all<'e>(events: impl IntoIterator<Item = &'e Event>) -> Disclosed {
    let mut found = Disclosed::default();
    for event in events {
        name(&mut found, event);
    }
    found
}

fn name(found: &mut Disclosed, event: &Event) {
    let participants = event.participants.iter().map(|it| &it.person);
    let household = event.household.iter().flat_map(|it| &it.people);
    for person in participants.chain(household) {
        whom(found, person);
    }
    if let Some(household) = &event.household {
        found.add(&household.identifiers);
    }
}

fn whom(found: &mut Disclosed, person: &Person) {
    found.add(&person.identifiers);
    found.add(&person.replaced_by);
    for related in &person.related {
        found.add(&related.identifiers);
    }
}

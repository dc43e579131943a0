//! SPDCI Group as a household.

use adapter_sdk::model::{Household, HouseholdKind, Relation, Unmapped};

use super::head::{HEAD, MEMBERS, numbers, people};
use super::identifiers::{Carried, carried, identifiers, one};
use super::person::{ADDRESS, RELATED, RELATIONSHIP_HEAD, person};
use super::related::{RELATED_MEMBER, RELATIONSHIP_TYPE};
use super::reserved::{self, On};
use super::{address, codes, shape};
use crate::settings::{Described, Settings};
use crate::wire::record::Record;

const GROUP_IDENTIFIER: &[&str] = &["group_identifier"];
const PLACE: &[&str] = &["place"];

/// Maps a group. A head who is not in `member_list` is one more of the people and no member.
pub fn household(group: &Record<'_>, settings: &Settings) -> Household {
    let mut unmapped = Vec::new();
    let mut extra = Vec::new();
    let found = people(group, &mut unmapped);
    let identifiers = identifiers(group, GROUP_IDENTIFIER, settings, &mut unmapped, &mut extra);
    let relations = relations(&found.records, found.head, settings, &mut unmapped);
    let mut addresses = address::addresses(group, &mut unmapped);
    addresses.extend(address::places(group, PLACE, None, &mut unmapped));
    let rest = group.rest(&[GROUP_IDENTIFIER, MEMBERS, HEAD, PLACE, ADDRESS]);
    extra.extend(reserved::extras(rest, On::Household));

    Household {
        identifiers,
        kind: HouseholdKind::Household,
        people: found
            .records
            .iter()
            .map(|record| person(record, settings))
            .collect(),
        members: (0..).take(found.members).collect(),
        relations,
        head: found.head.and_then(|index| u32::try_from(index).ok()),
        addresses,
        version: None,
        extra,
        unmapped,
    }
}

/// Whether a record is a group of people.
pub fn is_group(record: &Record<'_>) -> bool {
    [MEMBERS, GROUP_IDENTIFIER, HEAD]
        .iter()
        .any(|names| record.get(names).is_some())
}

/// The people in an answer: its record, or of a group its members and a head who is none of them.
pub fn members<'a>(record: Record<'a>) -> Vec<Record<'a>> {
    if is_group(&record) {
        people(&record, &mut Vec::new()).records
    } else {
        vec![record]
    }
}

/// Every identifier of a group, its head and its members, to check whom an answer is about.
pub fn all_identifiers(group: &Record<'_>) -> Vec<Carried> {
    let people = group
        .objects(MEMBERS)
        .into_iter()
        .chain(group.objects(HEAD));
    let mut all = carried(group, GROUP_IDENTIFIER);
    all.extend(people.flat_map(|record| numbers(&record)));
    all
}

/// The one that fits; none where several do.
fn only(records: &[Record<'_>], fits: impl Fn(&Record<'_>) -> bool) -> Option<usize> {
    let mut fitting = records
        .iter()
        .enumerate()
        .filter(|(_, record)| fits(record));
    match (fitting.next(), fitting.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    }
}

/// What the members are to the head, and to each other. Relations to people outside the group stay
/// with the person (`related`).
fn relations(
    records: &[Record<'_>],
    head: Option<usize>,
    settings: &Settings,
    unmapped: &mut Vec<Unmapped>,
) -> Vec<Relation> {
    let mut relations = Vec::new();
    let mut add = |subject: usize, object: usize, role| {
        if let (Ok(subject), Ok(object)) = (u32::try_from(subject), u32::try_from(object)) {
            let relation = Relation {
                subject,
                object,
                role,
            };
            if subject != object && !relations.contains(&relation) {
                relations.push(relation);
            }
        }
    };
    for (index, record) in records.iter().enumerate() {
        let field = format!("people.{index}.relations");
        let word = shape::text(record, RELATIONSHIP_HEAD, &field, unmapped);
        match head {
            _ if word.is_empty() || codes::is_head(&word) => {}
            Some(head) => {
                if let Some(role) = codes::ROLE.read(&field, &word, unmapped) {
                    add(head, index, role);
                }
            }
            None => unmapped.push(Unmapped::new(field, word)),
        }
        for named in record.objects(RELATED) {
            let role = named
                .text(RELATIONSHIP_TYPE)
                .and_then(|word| codes::ROLE.value(&word));
            let Some(value) = named.get(RELATED_MEMBER) else {
                continue;
            };
            // A number, or a Member who has it.
            let whole = || Record::new(value).map(|member| numbers(&member));
            let wanted = one(value).map(|one| vec![one]).or_else(whole);
            let wanted = wanted.unwrap_or_default();
            let by_number = |other: &Record<'_>| {
                let theirs = numbers(other);
                wanted
                    .iter()
                    .any(|one| theirs.iter().any(|number| number.same(one)))
            };
            // What has no role or no direction is reported with the person's own `related`.
            if let (Some(other), Some(role)) = (only(records, by_number), role) {
                match settings.relationship_type_describes {
                    Some(Described::RelatedMember) => add(index, other, role),
                    Some(Described::RecordHolder) => add(other, index, role),
                    None => {}
                }
            }
        }
    }
    relations
}

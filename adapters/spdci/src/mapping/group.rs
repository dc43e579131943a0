//! SPDCI Group as a household.

use adapter_sdk::model::{Household, HouseholdKind, Relation, Unmapped};

use super::identifiers::{Carried, carried, identifiers, one};
use super::person::{RELATIONSHIP_HEAD, person};
use super::{address, codes, extras};
use crate::settings::Settings;
use crate::wire::record::Record;

const GROUP_IDENTIFIER: &[&str] = &["group_identifier"];
const MEMBERS: &[&str] = &["member_list"];
const HEAD: &[&str] = &["group_head_info"];
const PLACE: &[&str] = &["place"];
const ADDRESS: &[&str] = &["address"];
const OWN: &[&str] = &["identifier"];
const MEMBER: &[&str] = &["member_identifier"];

/// Maps a group. The head is who `group_head_info` describes, else who calls itself so
/// (`relationship_head: self`); a head that `member_list` leaves out is added as a member.
pub fn household(group: &Record<'_>, settings: &Settings) -> Household {
    let mut unmapped = Vec::new();
    let mut extra = Vec::new();
    let mut records = group.objects(MEMBERS);
    let head_info = group.object(HEAD);

    let mut head = head_info.as_ref().and_then(|head| position(head, &records));
    if head.is_none() {
        head = only(&records, |record| {
            record
                .text(RELATIONSHIP_HEAD)
                .is_some_and(|word| codes::is_head(&word))
        });
    }
    if let (None, Some(info)) = (head, head_info) {
        head = Some(records.len());
        records.push(info);
    }

    let identifiers = identifiers(group, GROUP_IDENTIFIER, settings, &mut unmapped, &mut extra);
    let relations = relations(&records, head, &mut unmapped);
    let mut addresses = address::addresses(group);
    addresses.extend(
        group
            .get(PLACE)
            .and_then(|place| address::place(place, None)),
    );
    extra.extend(extras(group.rest(&[
        GROUP_IDENTIFIER,
        MEMBERS,
        HEAD,
        PLACE,
        ADDRESS,
    ])));

    Household {
        identifiers,
        kind: HouseholdKind::Household,
        people: records
            .iter()
            .map(|record| person(record, settings))
            .collect(),
        members: (0..).take(records.len()).collect(),
        relations,
        head: head.and_then(|index| u32::try_from(index).ok()),
        addresses,
        version: None,
        extra,
        unmapped,
    }
}

/// Every identifier of a group, its head and its members, to check whom an answer is about.
pub fn all_identifiers(group: &Record<'_>) -> Vec<Carried> {
    let people = group.objects(MEMBERS).into_iter().chain(group.object(HEAD));
    let mut all = carried(group, GROUP_IDENTIFIER);
    for record in people {
        all.extend(carried(&record, OWN));
        all.extend(carried(&record, MEMBER));
    }
    all
}

/// Which member a person is: like numbers are compared with like, since one list's numbers may
/// stand in the other for somebody else.
fn position(person: &Record<'_>, members: &[Record<'_>]) -> Option<usize> {
    [OWN, MEMBER].into_iter().find_map(|names| {
        let wanted = carried(person, names);
        only(members, |member| {
            carried(member, names)
                .iter()
                .any(|one| wanted.iter().any(|wanted| wanted.same(one)))
        })
    })
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
        let word = record
            .text(RELATIONSHIP_HEAD)
            .filter(|word| !codes::is_head(word));
        let field = format!("people.{index}.relations");
        match (word, head) {
            (Some(word), Some(head)) => {
                if let Some(role) = codes::ROLE.read(&field, &word, unmapped) {
                    add(head, index, role);
                }
            }
            (Some(word), None) => unmapped.push(Unmapped::new(field, word)),
            (None, _) => {}
        }
        for named in record.objects(&["related_person"]) {
            let role = named
                .text(&["relationship_type"])
                .and_then(|word| codes::ROLE.value(&word));
            let Some(value) = named.get(&["related_member"]) else {
                continue;
            };
            let by_number = |other: &Record<'_>| {
                let numbers = [carried(other, OWN), carried(other, MEMBER)].concat();
                one(value).is_some_and(|one| numbers.iter().any(|number| number.same(&one)))
            };
            // A word that has no role is reported with the person's own `related`.
            if let (Some(object), Some(role)) = (only(records, by_number), role) {
                add(index, object, role);
            }
        }
    }
    relations
}

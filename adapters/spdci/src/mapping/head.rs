//! Who is in a group, and who is its head: only as far as the registry says it, and says one thing.

use adapter_sdk::model::Unmapped;

use super::codes;
use super::identifiers::{Carried, carried};
use super::person::{IDENTIFIER, MEMBER_IDENTIFIER, RELATIONSHIP_HEAD};
use super::shape::report;
use crate::wire::record::Record;

/// `member_list` of a group.
pub(super) const MEMBERS: &[&str] = &["member_list"];
/// `group_head_info` of a group.
pub(super) const HEAD: &[&str] = &["group_head_info"];

/// The people of a group.
#[derive(Debug, Default)]
pub(super) struct People<'a> {
    /// The members, and behind them a head whom `member_list` leaves out.
    pub(super) records: Vec<Record<'a>>,
    /// How many of them are members.
    pub(super) members: usize,
    /// The head's place in `records`.
    pub(super) head: Option<usize>,
}

/// Reads `member_list`, `group_head_info` and `relationship_head`. What does not settle who the head
/// is, is reported as `head`:
///
/// - `group_head_info` whose numbers several members carry, unless one of them alone says `self`
/// - `group_head_info` and a member saying `self` who are not the same
/// - several members saying `self`
pub(super) fn people<'a>(group: &Record<'a>, unmapped: &mut Vec<Unmapped>) -> People<'a> {
    let mut records = Vec::new();
    for value in group.list(MEMBERS) {
        match Record::new(value) {
            Some(record) => records.push(record),
            None => unmapped.push(report("people", value)),
        }
    }
    let members = records.len();
    let selves: Vec<(usize, String)> = records
        .iter()
        .enumerate()
        .filter_map(|(index, record)| Some((index, record.text(RELATIONSHIP_HEAD)?)))
        .filter(|(_, word)| codes::is_head(word))
        .collect();
    let own = match selves.as_slice() {
        [(index, _)] => Some(*index),
        _ => None,
    };

    let infos = group.list(HEAD);
    let info = match infos.as_slice() {
        [value] => Record::new(value),
        _ => None,
    };
    let mut told = true;
    let mut listed = true;
    let head = match &info {
        None => {
            told = infos.is_empty();
            own
        }
        Some(info) => match (fitting(info, &records).as_slice(), own) {
            // Nobody in the list has these numbers.
            ([], _) if selves.is_empty() => {
                listed = false;
                Some(members)
            }
            // Without a number it may be the one who says `self`, or not.
            ([], own) if numbers(info).is_empty() => {
                told = false;
                own
            }
            ([], _) => {
                told = false;
                listed = false;
                None
            }
            (fitting, Some(own)) if fitting.contains(&own) => Some(own),
            ([one], _) if selves.is_empty() => Some(*one),
            _ => {
                told = false;
                None
            }
        },
    };
    if !told {
        unmapped.extend(infos.into_iter().map(|value| report("head", value)));
    }
    if head.is_none() {
        let words = selves.into_iter().map(|(_, word)| word);
        unmapped.extend(words.map(|word| Unmapped::new("head", word)));
    }
    records.extend(info.filter(|_| !listed));
    People {
        records,
        members,
        head,
    }
}

/// Which members a person may be: like numbers are compared with like, since one list's numbers may
/// stand in the other for somebody else. A person's own number counts before the group's.
fn fitting(person: &Record<'_>, members: &[Record<'_>]) -> Vec<usize> {
    let by = |names: &[&str]| {
        let wanted = carried(person, names);
        let fits = |member: &Record<'_>| {
            carried(member, names)
                .iter()
                .any(|one| wanted.iter().any(|wanted| wanted.same(one)))
        };
        let fitting = members
            .iter()
            .enumerate()
            .filter(|(_, member)| fits(member));
        fitting.map(|(index, _)| index).collect::<Vec<usize>>()
    };
    let (own, member) = (by(IDENTIFIER), by(MEMBER_IDENTIFIER));
    match own.as_slice() {
        [] => member,
        [_] => own,
        // The group's number may tell apart whom the person's does not.
        _ => {
            let both = own.iter().copied().filter(|index| member.contains(index));
            let both: Vec<usize> = both.collect();
            if both.len() == 1 { both } else { own }
        }
    }
}

/// The numbers of one of the people, as a person and as a member.
pub(super) fn numbers(record: &Record<'_>) -> Vec<Carried> {
    [
        carried(record, IDENTIFIER),
        carried(record, MEMBER_IDENTIFIER),
    ]
    .concat()
}
